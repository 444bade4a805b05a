"""What keeps no box from running, and should better be changed."""

from __future__ import annotations

from lamppost.agent.config.model import Config
from lamppost.agent.config.notes import Notes


def warn(config: Config, notes: Notes) -> None:
    """Note what keeps no box from running, but is hardly meant."""
    if hub := config.hub:
        if hub.password is not None and not hub.tls:
            notes.warn(("hub", "url"), "the password travels readable for others", "use mqtts://")
        for key in ("ca_file", "cert_file", "key_file"):
            file = getattr(hub, key)
            if file is not None and not file.is_file():
                notes.warn(
                    ("hub", key), f"there is no file {file}", "until it is there no connection is made"
                )
    for name, rule in config.rules.items():
        asleep = {d for d, _ in rule.watches() if not config.devices[d].enabled}
        if asleep:
            notes.warn(("rules", name), f"watches a device that is not enabled: {', '.join(sorted(asleep))}")
