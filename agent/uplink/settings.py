"""What the uplink needs to know of the hub; `lamppost.agent.config.Hub` has it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol


class Revealing(Protocol):
    """A secret that has to be asked for its text."""

    def reveal(self) -> str:
        """Return the text."""


class HubSettings(Protocol):
    """Broker, credentials and pace. Attributes as in `lamppost.agent.config.Hub`."""

    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def port(self) -> int: ...  # noqa: D102
    @property
    def tls(self) -> bool: ...  # noqa: D102
    @property
    def protocol(self) -> Literal["5", "3.1.1"]: ...  # noqa: D102
    @property
    def encoding(self) -> Literal["cbor", "json"]: ...  # noqa: D102
    @property
    def username(self) -> str | None: ...  # noqa: D102
    @property
    def password(self) -> Revealing | str | None: ...  # noqa: D102
    @property
    def ca_file(self) -> Path | None: ...  # noqa: D102
    @property
    def cert_file(self) -> Path | None: ...  # noqa: D102
    @property
    def key_file(self) -> Path | None: ...  # noqa: D102
    @property
    def client_id(self) -> str | None: ...  # noqa: D102
    @property
    def keepalive_s(self) -> int: ...  # noqa: D102
    @property
    def window(self) -> int: ...  # noqa: D102
    @property
    def connect_timeout_s(self) -> float: ...  # noqa: D102
    @property
    def backoff_s(self) -> float: ...  # noqa: D102
    @property
    def backoff_max_s(self) -> float: ...  # noqa: D102
