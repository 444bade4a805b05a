"""The settings of one box, as the rest of the agent sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lamppost.agent.config.problem import Problem
from lamppost.agent.config.secret import Secret, redact
from lamppost.agent.paths import run_dir, state_dir
from lamppost.agent.rules.api import Rule
from lamppost.drivers.api import Driver

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_RULE = "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
PORTS = {"mqtt": 1883, "mqtts": 8883}


def check_name(text: str) -> str:
    """Return ``text`` if it can stand in a topic, a file name and a SenML name. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} cannot be a name; expected {NAME_RULE}")
    return text


def spool_path(env: Mapping[str, str] | None = None) -> Path:
    """Return where the spool lies if nothing is said."""
    return state_dir(env) / "spool.db"


def _from_file(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    path = path.expanduser()
    return Path(base) / path if base else path


Name = Annotated[str, AfterValidator(check_name)]
Located = Annotated[Path, AfterValidator(_from_file)]


class Settings(BaseModel):
    """A table of the file: frozen, without unknown keys, its field descriptions its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Node(Settings):
    """The box itself."""

    id: Name = Field(description="Name of this box; part of every topic.")
    site: Name = Field(description="Name of the site it belongs to; part of every topic.")
    lat: float | None = Field(None, ge=-90, le=90, description="Latitude in degrees, WGS 84.")
    lon: float | None = Field(None, ge=-180, le=180, description="Longitude in degrees, WGS 84.")
    run_dir: Located = Field(
        default_factory=run_dir,
        description="Folder of status files: $RUNTIME_DIRECTORY, or /run/lamppost for root, or "
        "$XDG_RUNTIME_DIR/lamppost.",
    )
    state_dir: Located = Field(
        default_factory=state_dir,
        description="Folder of what must survive: $STATE_DIRECTORY, or /var/lib/lamppost for root, or "
        "~/.local/state/lamppost.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important message that is logged."
    )
    status_every_s: float = Field(2.0, ge=0.1, le=3600, description="Seconds between two status files.")
    down_after_s: float = Field(
        60.0, ge=0, le=86400, description="A device failing for so many seconds opens a device.down event."
    )

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon belong together: give both or none")
        return self


class Hub(Settings):
    """The city side: an MQTT broker."""

    url: str = Field(description="Broker: mqtt://host:1883, or mqtts://host:8883 with TLS.")
    protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version.")
    encoding: Literal["cbor", "json"] = Field("cbor", description="Encoding of events and telemetry.")
    compress: Literal["zlib", "none"] = Field("zlib", description="Compression of telemetry.")
    username: str | None = Field(None, description="User name at the broker.")
    password: Secret | None = Field(None, description="Password: ${NAME} or file:path, never the text.")
    ca_file: Located | None = Field(None, description="CA certificates; without it those of the system.")
    cert_file: Located | None = Field(None, description="Client certificate (PEM).")
    key_file: Located | None = Field(None, description="Private key of the client certificate (PEM).")
    client_id: str | None = Field(
        None, min_length=1, max_length=200, description="MQTT client id; lamppost-SITE-NODE if not given."
    )
    keepalive_s: int = Field(30, ge=5, le=3600, description="MQTT keep-alive in seconds.")
    window: int = Field(20, ge=1, le=1000, description="Messages in flight before an answer is needed.")
    connect_timeout_s: float = Field(15.0, gt=0, le=300, description="Seconds that connecting may take.")
    backoff_s: float = Field(
        1.0, gt=0, le=3600, description="Longest pause after the first failure in seconds."
    )
    backoff_max_s: float = Field(
        300.0, gt=0, le=86400, description="Longest pause after many failures in seconds."
    )

    @model_validator(mode="before")
    @classmethod
    def _takes_credentials_out_of_the_url(cls, data: Any) -> Any:
        """Leave a URL that may be shown to anybody."""
        if not isinstance(data, dict) or not isinstance(data.get("url"), str) or "@" not in data["url"]:
            return data
        parts = urlsplit(data["url"])
        given = {"username": parts.username, "password": parts.password}
        found = {key: unquote(value) for key, value in given.items() if value}
        if found.keys() & data.keys():
            return data
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return {**data, **found, "url": url}

    @field_validator("url")
    @classmethod
    def _is_a_broker(cls, url: str) -> str:
        expected = "mqtt://host:1883 or mqtts://host:8883"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} is no URL ({error}); expected {expected}") from error
        if parts.scheme not in PORTS or not parts.hostname or port == 0:
            raise ValueError(f"{url!r} names no broker; expected {expected}")
        if "@" in parts.netloc:
            raise ValueError("give user name and password once: in the URL, or as username and password")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(f"{url!r} has more than a host and a port; expected {expected}")
        return url

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both or none")
        if not self.tls and (self.ca_file or self.cert_file):
            raise ValueError("url: certificates are of no use with mqtt://; expected mqtts://")
        if self.password is not None and self.username is None and self.protocol == "3.1.1":
            raise ValueError("password: MQTT 3.1.1 knows no password without a username")
        if self.backoff_max_s < self.backoff_s:
            raise ValueError("backoff_s must not be more than backoff_max_s")
        return self

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """Name or address of the broker."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """Port of the broker."""
        return self._parts.port or PORTS[self._parts.scheme]

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self._parts.scheme == "mqtts"


class SpoolSettings(Settings):
    """The durable outbox on disk. Of a full lane, and of the lowest lane of a full spool, the oldest goes."""

    path: Located = Field(
        default_factory=spool_path, description="Database file; spool.db in node.state_dir if not given."
    )
    max_mb: float = Field(256, ge=1, le=1e6, description="Size of the whole database in MiB.")
    alarms_mb: float = Field(32, ge=0.1, le=1e6, description="Room for alarms in MiB.")
    events_mb: float = Field(32, ge=0.1, le=1e6, description="Room for other events in MiB.")
    evidence_mb: float = Field(128, ge=0, le=1e6, description="Room for pictures in MiB.")
    telemetry_mb: float = Field(64, ge=0, le=1e6, description="Room for telemetry in MiB.")
    alarms_days: float = Field(90, gt=0, le=3650, description="Age in days at which an alarm is dropped.")
    events_days: float = Field(
        30, gt=0, le=3650, description="Age in days at which another event is dropped."
    )
    evidence_days: float = Field(14, gt=0, le=3650, description="Age in days at which a picture is dropped.")
    telemetry_days: float = Field(7, gt=0, le=3650, description="Age in days at which telemetry is dropped.")
    telemetry_memory_s: float = Field(
        10,
        ge=0,
        le=3600,
        description="Seconds that telemetry rides in memory to spare the SD card: what a power cut may cost. "
        "0 writes each poll at once. Events never wait.",
    )
    commit_ms: float = Field(5, ge=0, le=1000, description="Milliseconds that a commit waits for company.")


class SightSettings(Settings):
    """What looks at the cameras' pictures."""

    model: str = Field(
        "nanodet-g",
        min_length=1,
        description="Detector: a shipped or installed one, or the path of a manifest.",
    )
    threads: int = Field(1, ge=1, le=16, description="Threads of one inference.")
    water_model: str = Field(
        "water",
        min_length=1,
        description="Segmenter of water, for cameras that a rule on waterlogging looks at.",
    )
    water_every_s: float = Field(
        2.0, ge=0.2, le=60, description="Seconds between two looks at the water of one camera."
    )


class EvidenceSettings(Settings):
    """Pictures that prove what a rule reports."""

    pictures: bool = Field(
        default=True, description="Take pictures at arrival, half-way and alarm of what a rule reports."
    )
    max_kb: int = Field(60, ge=10, le=1000, description="Largest JPEG, in kB of 1000 bytes.")
    max_width: int = Field(1280, ge=160, le=4096, description="A wider picture is made so many pixels wide.")
    blur: Literal["none", "found", "outside"] = Field(
        "none",
        description="What is made unrecognisable: found = heads of people and lower parts of other vehicles "
        "that the detector finds outside the reported box; outside = all outside that box.",
    )


class Policy(Settings):
    """Which readings are worth sending."""

    interval_s: float = Field(
        0, ge=0, le=86400, description="Shortest time between two changed values in seconds."
    )
    deadband: float = Field(0, ge=0, description="A change is more than this, in the quantity's unit.")
    deadband_percent: float = Field(
        0, ge=0, le=100, description="A change is more than this many percent of the last value sent."
    )
    heartbeat_s: float = Field(
        900,
        ge=0,
        le=31 * 86400,
        description="An unchanged value is sent again after so many seconds; 0 is never.",
    )

    def changed_by(self, change: PolicyChange) -> Policy:
        """Return this policy with what ``change`` gives; the nearest word wins."""
        given = change.model_dump(exclude_none=True, include=set(Policy.model_fields))
        return self.model_copy(update=given) if given else self


class PolicyChange(Settings):
    """What one device or quantity does differently."""

    interval_s: float | None = Field(None, ge=0, le=86400, description="Instead of telemetry.interval_s.")
    deadband: float | None = Field(None, ge=0, description="Instead of telemetry.deadband.")
    deadband_percent: float | None = Field(
        None, ge=0, le=100, description="Instead of telemetry.deadband_percent."
    )
    heartbeat_s: float | None = Field(
        None, ge=0, le=31 * 86400, description="Instead of telemetry.heartbeat_s."
    )


class DeviceTelemetry(PolicyChange):
    """Telemetry policy of one device, and of its quantities by name."""

    quantities: dict[str, PolicyChange] = Field(
        default_factory=dict, description="The same four keys for one quantity: quantities.voltage.deadband."
    )


class DeviceSettings(Settings):
    """The keys of a device's table that belong to the host; all others belong to its driver."""

    driver: str = Field(description="Name of an installed driver; `lamppost driver list` shows them.")
    enabled: bool = Field(default=True, description="false leaves the device alone.")
    stall_s: float | None = Field(
        None,
        gt=0,
        le=30 * 86400,
        description="A device silent for so many seconds is restarted; if not given, after three intervals, "
        "at least 5 s.",
    )
    backoff_s: float = Field(1.0, gt=0, le=3600, description="Pause after the first failure in seconds.")
    backoff_max_s: float = Field(
        60.0,
        gt=0,
        le=86400,
        description="Longest pause after many failures in seconds; 2 for a camera.",
    )
    down_after_s: float | None = Field(
        None,
        ge=0,
        le=86400,
        description="Instead of node.down_after_s; 30 for a camera.",
    )
    telemetry: DeviceTelemetry = Field(
        default_factory=DeviceTelemetry, description="Telemetry policy of this device."
    )

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.backoff_max_s < self.backoff_s:
            raise ValueError("backoff_s must not be more than backoff_max_s")
        return self


class DeviceConfig(Settings):
    """One configured device: its constructed driver and what the host does with it."""

    name: str
    driver: InstanceOf[Driver]
    driver_name: str
    enabled: bool = True
    stall_s: float | None = None
    backoff_s: float = 1.0
    backoff_max_s: float = 60.0
    down_after_s: float | None = None
    telemetry: Policy = Field(default_factory=Policy)
    quantities: dict[str, Policy] = Field(default_factory=dict)

    def policy(self, quantity: str) -> Policy:
        """Return the telemetry policy of one quantity."""
        return self.quantities.get(quantity, self.telemetry)


class Config(Settings):
    """The whole file, checked. ``warnings`` do not keep the box from running."""

    node: Node
    hub: Hub | None = None
    spool: SpoolSettings = Field(default_factory=SpoolSettings)
    sight: SightSettings = Field(default_factory=SightSettings)
    evidence: EvidenceSettings = Field(default_factory=EvidenceSettings)
    telemetry: Policy = Field(default_factory=Policy)
    devices: dict[str, DeviceConfig] = Field(default_factory=dict)
    rules: dict[str, InstanceOf[Rule]] = Field(default_factory=dict)
    path: Path
    warnings: tuple[Problem, ...] = ()

    _secrets: frozenset[str] = PrivateAttr(default=frozenset())

    def wanting(self, sense: str) -> list[str]:
        """Return the cameras that some rule wants a sense of, such as "water"."""
        wants = (want for rule in self.rules.values() for want in rule.wants())
        return list(dict.fromkeys(camera for camera, wanted in wants if wanted == sense))

    @property
    def dry_dir(self) -> Path:
        """Folder of the cameras' dry references."""
        return self.node.state_dir / "dry"

    def redact(self, text: str) -> str:
        """Return ``text`` without the secrets of this configuration and without passwords in URLs."""
        return redact(text, self._secrets)
