"""The first configuration of a box, with comments that say what comes next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import tomlkit

from lamppost.agent.config.model import Hub, check_name

_HEAD = """\
# Configuration of this box: docs/configuration.md has every key, `lamppost config check` says what is wrong.
# `lamppost device add` and `lamppost camera zone` change this file and keep the comments.
"""
_DEVICES = """\

# Devices follow, one table each:
# [devices.meter]
# driver = "modbus"
# url = "rtu:///dev/serial/by-id/NAME?baud=9600"
# unit = 1
# profile = "eastron-sdm120"

# And rules:
# [rules.overvoltage]
# kind = "threshold"
# device = "meter"
# quantity = "voltage"
# above = 253
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of a box. Raises ValueError for what cannot be."""

    id: str
    site: str
    lat: float | None = None
    lon: float | None = None
    hub: str | None = None
    username: str | None = None

    def __post_init__(self) -> None:
        for key, value in asdict(self).items():
            if value is not None:
                self.check(key, str(value))
        if (self.lat is None) != (self.lon is None):
            raise ValueError("latitude and longitude belong together: give both or none")

    @staticmethod
    def check(key: str, text: str) -> None:
        """Raise ValueError unless ``text`` can be the answer to ``key``; an empty one says nothing."""
        if not text:
            return
        if key in ("id", "site"):
            check_name(text)
        elif key in ("lat", "lon"):
            most = 90 if key == "lat" else 180
            try:
                number = float(text)
            except ValueError:
                raise ValueError(f"{text!r} is no number of degrees, as 22.7206") from None
            if not -most <= number <= most:
                raise ValueError(f"{text}: expected degrees from {-most} to {most}")
        elif key == "hub":
            Hub.model_validate({"url": text, "client_id": "x"})

    def as_json(self) -> dict[str, Any]:
        """Return what is known as JSON values."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def rendered(answers: Answers) -> str:
    """Return the text of the file."""
    node = tomlkit.table()
    node["id"] = answers.id
    node["site"] = answers.site
    if answers.lat is not None and answers.lon is not None:
        node["lat"], node["lon"] = answers.lat, answers.lon
    document = tomlkit.document()
    document["node"] = node
    text = _HEAD + "\n" + tomlkit.dumps(document)
    if answers.hub is None:
        text += '\n# Where events go. Without it all is kept on this box.\n# [hub]\n# url = "mqtts://hub.example:8883"\n'
        return text + _DEVICES
    hub = tomlkit.table()
    hub["url"] = answers.hub
    if answers.username:
        hub["username"] = answers.username
    document = tomlkit.document()
    document["hub"] = hub
    text += "\n" + tomlkit.dumps(document)
    if answers.username:
        text += '# password = "${HUB_PASSWORD}"     # or "file:secrets/hub"; never the text itself\n'
    return text + _DEVICES
