"""Google's key, kept encrypted in QGIS's authentication database.

All of it belongs into the main thread: QGIS may have to ask for the master password.
"""

from __future__ import annotations

import re

from qgis.core import QgsApplication, QgsAuthManager

from .crs import tr
from .geocoder_choice import GeocodingError

_NAME = "crime_risk/google_maps_key"


class KeyLocked(GeocodingError):
    """The key is there, but the master password has not been given yet."""


def has_key() -> bool:
    """Whether a key is kept; needs no password."""
    manager = QgsApplication.authManager()
    return not manager.isDisabled() and manager.existsAuthSetting(_NAME)


def read_key(ask: bool = True) -> str:
    """Return the key, to be sent to Google and shown nowhere.

    Parameters
    ----------
    ask : bool
        Whether the user may be asked for the master password.

    Raises
    ------
    GeocodingError
        If there is none or it cannot be decrypted; `KeyLocked` if only the password is missing.
    """
    manager = _manager()
    if not manager.existsAuthSetting(_NAME):
        raise GeocodingError(
            tr("Google Maps needs a key. Enter one in the settings of the address line, or choose Nominatim there.")
        )
    _unlock(ask)
    key = manager.authSetting(_NAME, "", True)
    if not isinstance(key, str) or not key:
        raise GeocodingError(
            tr("The Google key cannot be decrypted. Enter it again in the settings of the address line.")
        )
    return key


def store_key(key: str) -> None:
    """Keep a key, in the place of an older one.

    Raises
    ------
    GeocodingError
        If it is no key, or cannot be kept encrypted.
    """
    key = key.strip()
    if not re.fullmatch(r"[\w.~-]{8,256}", key, re.ASCII):
        raise GeocodingError(
            tr("Google key: what was entered is no key. Copy it whole from the Google Cloud console; it has no spaces.")
        )
    manager = _manager()
    _unlock(True)
    if not manager.storeAuthSetting(_NAME, key, True):
        raise GeocodingError(
            tr("The Google key was not kept: QGIS cannot write its authentication database {path}.").format(
                path=manager.authenticationDatabasePath()
            )
        )


def remove_key() -> None:
    """Forget the key; needs no password.

    Raises
    ------
    GeocodingError
        If the database cannot be written.
    """
    manager = _manager()
    if manager.existsAuthSetting(_NAME) and not manager.removeAuthSetting(_NAME):
        raise GeocodingError(
            tr("The Google key was not removed: QGIS cannot write its authentication database {path}.").format(
                path=manager.authenticationDatabasePath()
            )
        )


def _manager() -> QgsAuthManager:
    manager = QgsApplication.authManager()
    if manager.isDisabled():
        raise GeocodingError(
            tr("QGIS's authentication system is off, so no Google key can be kept ({reason}). Use Nominatim.").format(
                reason=manager.disabledMessage().strip().rstrip(".") or tr("no reason given")
            )
        )
    return manager


def _unlock(ask: bool) -> None:
    manager = QgsApplication.authManager()
    if manager.masterPasswordIsSet():
        return
    if not ask:
        raise KeyLocked(tr("The Google key is locked by QGIS's master password."))
    if not manager.setMasterPassword(True):
        raise KeyLocked(
            tr(
                "QGIS's master password was not given or is wrong, so the Google key stays locked. Try again, "
                "or choose Nominatim in the settings of the address line."
            )
        )
