"""What becomes of Google's key in a QGIS profile of its own; prints one line of JSON. Run by test_geocoder_key.py.

In a process of its own, because the authentication database of a running QGIS cannot be exchanged.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsCredentials, QgsNetworkAccessManager, QgsSettings
from qgis.PyQt.QtWidgets import QLineEdit

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, str(Path(__file__).parents[1]))

application = QgsApplication([], True)
application.initQgis()
QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()

from crime_risk.bridge import geocoder_choice, geocoder_key, geocoding  # noqa: E402
from crime_risk.ui.score.geocoder_settings import GeocoderSettings  # noqa: E402
from kit.geocoder_server import GOOD_KEY, geocoder_server  # noqa: E402


class Password(QgsCredentials):
    """The user who is asked for the master password: refuses, or answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: str | None = None
        self.asked = 0
        self.setInstance(self)

    def request(self, *_: Any) -> tuple[bool, str, str]:
        return False, "", ""

    def requestMasterPassword(self, password: str, stored: bool = False) -> tuple[bool, str]:  # noqa: N802
        self.asked += 1
        return self.answer is not None, self.answer or ""


said: list[str] = []
urls: list[str] = []
seen: dict[str, Any] = {}
QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: said.append(text))
QgsNetworkAccessManager.instance().requestAboutToBeCreated.connect(
    lambda request: urls.append(request.request().url().toString())
)
user = Password()


def sentence(call: Any, *arguments: Any, **named: Any) -> str:
    try:
        return f"no error but {call(*arguments, **named)!r}"
    except geocoder_choice.GeocodingError as error:
        return f"{type(error).__name__}: {error}"


manager = QgsApplication.authManager()
seen["no key"] = sentence(geocoder_key.read_key)
seen["refused"] = sentence(geocoder_key.store_key, GOOD_KEY), geocoder_key.has_key()
user.answer = "el señor de la clave"
geocoder_key.store_key(f"  {GOOD_KEY}\n")
seen["kept"] = geocoder_key.has_key(), geocoder_key.read_key() == GOOD_KEY

with geocoder_server() as server:
    geocoder_choice.save_service(geocoder_choice.Service("google", server.google, "mx"))
    service = dataclasses.replace(geocoding.read_service_with_key(), timeout=1.0)
    seen["service"] = repr(service)
    seen["found"] = [place.name for place in geocoding.search("Zócalo", None, None, service)]
    seen["sentences"] = [
        sentence(geocoding.search, text, None, None, service)
        for text in ("many requests", "forbidden", "broken", "hang up", "elsewhere", "slow", "web page", "quota")
    ]
    wrong = dataclasses.replace(service, key="A-wrong-key")
    seen["sentences"].append(sentence(geocoding.search, "Zócalo 3", None, None, wrong))
    seen["asked with"] = sorted({request["params"].get("key", "") for request in server.asked})
    seen["trapped"] = [request["path"] for request in server.asked if request["path"] == "/trap"]
    seen["elsewhere"] = sorted({request["path"] for request in server.asked})
refused = dataclasses.replace(service, endpoint="https://127.0.0.1:1/geocode/json")
seen["sentences"].append(sentence(geocoding.search, "Zócalo 2", None, None, refused))

dialog = GeocoderSettings()
dialog.show()
seen["dialog"] = {
    "text": dialog.key_field.text(),
    "placeholder": dialog.key_field.placeholderText(),
    "masked": dialog.key_field.echoMode() == QLineEdit.EchoMode.Password,
    "removable": dialog.remove_button.isEnabled(),
}

manager.clearMasterPassword()
asked = user.asked
seen["locked"] = sentence(geocoder_key.read_key, ask=False), user.asked - asked
user.answer = None
seen["declined"] = sentence(geocoder_key.read_key), user.asked - asked
user.answer = "wrong"
seen["wrong password"] = sentence(geocoder_key.read_key)
seen["still there"] = geocoder_key.has_key()
dialog.key_field.setText("another-key-9876")
dialog.accept()
seen["not replaced"] = dialog.problem_label.text(), dialog.isVisible()
user.answer = "el señor de la clave"
dialog.accept()
seen["replaced"] = geocoder_key.read_key() == "another-key-9876", dialog.isVisible(), dialog.key_field.text()
dialog = GeocoderSettings()
dialog.show()
dialog.remove_button.click()
seen["removed"] = geocoder_key.has_key(), dialog.remove_button.isEnabled(), dialog.problem_label.text()

QgsSettings().sync()
for _ in range(50):
    application.processEvents()
seen["log"] = said
seen["urls"] = urls
print("RESULT " + json.dumps(seen), flush=True)
