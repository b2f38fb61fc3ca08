"""A user's own format: a profile in a file, saved by one import and read by the next."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ...ground.artefacts import whole_file
from ...ground.errors import ParameterError
from ..timezones import find_zone
from . import Profile

_REMEDY = "Save the format again with SAVE_PROFILE, or choose another file"


def read_format(path: str) -> Profile:
    """Read a saved format.

    Raises
    ------
    ParameterError
        If it is not there or no format; says which of its entries is wrong.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _make_error(file, "is no JSON text") from None
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise _make_error(file, why, "Choose an existing file") from error
    try:
        profile = Profile.model_validate_json(text)
    except ValidationError as error:
        raise _make_error(file, _describe_wrong(error)) from None
    if profile.zone:
        try:
            find_zone(profile.zone)
        except ParameterError as error:
            raise _make_error(file, f"has a zone that is none: {error.problem}", error.remedy or _REMEDY) from None
    # A copy of a format that comes with the plugin is its user's.
    return profile.model_copy(update={"number": None})


def write_format(profile: Profile, path: str) -> None:
    """Write a format, whole or not at all."""
    text = profile.model_dump_json(indent=2, exclude_defaults=True)
    with whole_file(path, "save_profile") as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _make_error(file: Path, why: str, remedy: str = _REMEDY) -> ParameterError:
    return ParameterError(f"The saved format {file} {why}", parameter="profile_file", value=file, remedy=remedy)


def _describe_wrong(error: ValidationError) -> str:
    """Describe the first thing that is wrong with a format."""
    wrong = error.errors()[0]
    if wrong["type"] == "json_invalid":
        return f"is no JSON text ({wrong['ctx']['error']})"
    entry = ".".join(map(str, wrong["loc"]))
    if not entry:
        return "is JSON, but no format of Crime Risk"
    if wrong["type"] == "missing":
        return f"is JSON, but lacks {entry!r}, which a format has"
    if wrong["type"] == "extra_forbidden":
        return f"has {entry!r}, which no format has"
    return f"has a wrong value of {entry!r}: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}"
