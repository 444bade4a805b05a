"""The camera driver: its settings, and the pace at which it wants pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lamppost.drivers.api import Driver, DriverError, Emit, Frame, Reading
from lamppost.drivers.camera.child import Child, Ended, started
from lamppost.drivers.camera.job import Job
from lamppost.drivers.camera.past import Past
from lamppost.drivers.camera.reach import knock
from lamppost.drivers.camera.reasons import DAMAGE, explain, plain
from lamppost.drivers.camera.source import NOTATION, Source, conceal, parse, split_login
from lamppost.drivers.camera.zones import line, polygon

#: Longest side of a picture where neither width nor height is limited.
_LONGEST_SIDE = 1280
_LONGEST_OTHER = 8192
#: Starting Python and OpenCV on a small box, before the camera is even called.
_START_S = 10.0
#: The reading process finds a stall itself; if it hangs it is ended so much later.
_HANG_S = 1.0
_DAMAGE_EVERY_S = 1.0
_RATE_S = 1.0

Share = Annotated[float, Field(allow_inf_nan=False)]
Polygon = Annotated[list[tuple[Share, Share]], Field(min_length=3), BeforeValidator(polygon)]
Line = Annotated[list[tuple[Share, Share]], Field(min_length=2, max_length=2), BeforeValidator(line)]
PlaceName = Annotated[str, Field(min_length=1, max_length=100)]


class Camera(Driver):
    """A camera, a recording, or any pipeline that ends in raw video."""

    model_config = ConfigDict(hide_input_in_errors=True)

    summary: ClassVar[str] = "Cameras: RTSP, HTTP (MJPEG), V4L2, recordings, GStreamer pipelines (CSI)"
    #: Pictures are to be back within seconds of the camera's return.
    host_defaults: ClassVar[Mapping[str, float]] = {"backoff_max_s": 2.0, "down_after_s": 30.0}

    source: str = Field(description=f"Where the pictures come from: {NOTATION}.")
    username: str | None = Field(None, description="User at the camera, if not in the URL.")
    password: SecretStr | None = Field(None, description="Password at the camera: ${NAME} or file:path.")
    fps: float = Field(2.0, gt=0.0, le=60.0, description="Pictures per second that are looked at.")
    width: int | None = Field(
        None,
        ge=16,
        le=_LONGEST_OTHER,
        description="Wider pictures are scaled down; else the longest is 1280.",
    )
    height: int | None = Field(None, ge=16, le=_LONGEST_OTHER, description="Higher pictures are scaled down.")
    zones: dict[PlaceName, Polygon] = Field(
        default_factory=dict,
        description="Polygons by name: zones.NAME = [[x, y], [x, y], [x, y]], shares of width and height.",
    )
    lines: dict[PlaceName, Line] = Field(
        default_factory=dict,
        description="Lines by name: lines.NAME = [[x, y], [x, y]], shares of width and height.",
    )
    open_timeout_s: float = Field(5.0, gt=0.0, le=300.0, description="How long opening may take.")
    read_timeout_s: float = Field(5.0, gt=0.0, le=300.0, description="Longest pause between two pictures.")
    realtime: bool = Field(True, description="A recording keeps its own pace; false: as fast as possible.")
    loop: bool = Field(False, description="A recording begins anew at its end.")
    frozen_s: float = Field(
        30.0,
        ge=0.0,
        le=86400.0,
        description="Seconds of the very same picture that make it frozen; 0: never.",
    )
    picture_after_s: float = Field(
        10.0,
        ge=0.0,
        le=7 * 86400.0,
        description="A picture that is black, blinded, frozen, blurred or moved for so long is an event.",
    )

    _source: Source = PrivateAttr()
    _past: Past = PrivateAttr(default_factory=Past)

    @model_validator(mode="before")
    @classmethod
    def _takes_login_out_of_url(cls, data: Any) -> Any:
        """Move credentials out of ``source``, so that it can be shown anywhere."""
        if not isinstance(data, dict) or not isinstance(data.get("source"), str):
            return data
        source, login = _split(data["source"])
        if login is None:
            return data
        if data.get("username") is not None or data.get("password") is not None:
            raise ValueError("username and password stand in the URL and beside it; once is enough")
        return {**data, "source": source, "username": login.username, "password": SecretStr(login.password)}

    @field_validator("source")
    @classmethod
    def _is_a_source(cls, source: str) -> str:
        parse(source)
        return source

    @model_validator(mode="after")
    def _makes_sense(self, info: ValidationInfo) -> Self:
        base = (info.context or {}).get("base")
        self._source = parse(self.source, Path(base) if base else None)
        if self.password is not None and self.username is None:
            raise ValueError("a password needs a username")
        if self.username is not None and not self._source.is_network:
            raise ValueError("username is for rtsp:// and http:// sources only")
        return self

    @cached_property
    def shown(self) -> str:
        """The source as it may be shown."""
        return f"gst:{self._source.address}" if self._source.kind == "gst" else self._source.address

    def expected_interval_s(self) -> float:
        """Return the longest pause that the driver itself bears: a longer one ends it with a reason."""
        opening_s = _START_S + self.open_timeout_s + _HANG_S
        return max(1.0 / self.fps, opening_s / 3) + self.read_timeout_s + _HANG_S

    def _job(self) -> Job:
        unlimited = self.width is None and self.height is None
        rest = _LONGEST_SIDE if unlimited else _LONGEST_OTHER
        return Job(
            kind=self._source.kind,
            address=self._source.address,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            fps=self.fps,
            max_width=self.width or rest,
            max_height=self.height or rest,
            open_timeout_s=self.open_timeout_s,
            read_timeout_s=self.read_timeout_s,
            realtime=self.realtime,
            loop=self.loop,
            frozen_s=self.frozen_s,
            memory=self._past.learnt,
        )

    def remember(self) -> str:
        """Return what is normal for this camera's pictures."""
        return self._past.save(self._outlook)

    def recall(self, memory: str) -> None:
        """Take it back, unless the camera is another or its zones were drawn anew for another view."""
        self._past.restore(memory, self._outlook)

    @property
    def _outlook(self) -> object:
        return self.shown, sorted(self.zones.items()), sorted(self.lines.items())

    async def run(self, emit: Emit) -> None:
        """Emit the newest picture ``fps`` times a second, and how the pictures are (``picture``)."""
        await self._knock()
        loop = asyncio.get_running_loop()
        async with started(self._job(), self._damage(emit)) as child:
            await self._opened(child)
            due = loop.time()
            asked_until: float | None = None
            while True:
                if asked_until is None and loop.time() >= due:
                    child.ask()
                    asked_until = loop.time() + self.read_timeout_s + _HANG_S
                message = await self._hear(child, due if asked_until is None else asked_until, emit)
                if message is None:
                    if asked_until is not None:
                        raise self._failed("stall", f"no picture for {self.read_timeout_s:g} s", emit)
                elif message["say"] == "frame":
                    emit(self._frame(child, message))
                    asked_until = None
                    due = max(due + 1 / self.fps, loop.time()) if self._paced else loop.time()
                else:
                    self._report(message, emit)

    async def _knock(self) -> None:
        """Raise DriverError if a camera that is to be read once more is not even there."""
        if self._past.tried and (words := await knock(self._source, self.open_timeout_s)):
            raise self._failed("open", words, None)
        self._past.tried = True

    @property
    def _paced(self) -> bool:
        return self.realtime or self._source.kind != "file"

    async def _opened(self, child: Child) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        if await self._hear(child, loop.time() + _START_S, None) is None:
            raise DriverError(f"{self.shown}: the reading process does not start; is the box overloaded?")
        message = await self._hear(child, loop.time() + self.open_timeout_s + _HANG_S, None)
        if message is None:
            raise DriverError(f"{self.shown}: no picture within {self.open_timeout_s:g} s")
        return message

    async def _hear(self, child: Child, until: float, emit: Emit | None) -> dict[str, Any] | None:
        """Return the next message; an end is a DriverError in words."""
        try:
            message = await child.hear(until)
        except Ended:
            await child.last_words()
            reason = explain(self._source.kind, child.printed())
            last = conceal(plain(child.printed().rpartition("\n")[2]), *self._secrets())
            words = reason.words if reason else f"the reading process died: {last or 'without a word'}"
            raise self._failed("died", words, emit) from None
        if message is None or message["say"] != "error":
            return message
        await child.last_words()
        kind, words, retry = message["kind"], message["detail"], message["retry"]
        reason = explain(self._source.kind, child.printed()) if kind == "open" else None
        if reason is not None:
            words, retry = reason.words, reason.retry
        raise self._failed(kind, words, emit, retry=retry)

    def _failed(self, kind: str, words: str, emit: Emit | None, *, retry: bool = True) -> DriverError:
        text = conceal(words, *self._secrets())
        if emit is not None:
            emit.fault(kind, text)
        return DriverError(text if self.shown in text else f"{self.shown}: {text}", retry=retry)

    def _secrets(self) -> tuple[str | None, ...]:
        return (self.password.get_secret_value() if self.password else None,)

    def _frame(self, child: Child, message: dict[str, Any]) -> Frame:
        image = child.picture(message["width"], message["height"])
        return Frame(self.name, image, datetime.fromtimestamp(message["at"], UTC), message["seq"])

    def _report(self, message: dict[str, Any], emit: Emit) -> None:
        if message["say"] == "picture":
            at = datetime.fromtimestamp(message["at"], UTC)
            if message["state"] != "ok":
                emit.fault(message["state"], message["detail"])
            sure = Reading(self.name, "picture-confidence", message["sure"], "/", at)
            emit(sure, Reading(self.name, "picture", message["state"], "", at))
        elif message["say"] == "memory":
            self._past.learnt = message["data"]
        elif message["say"] == "fault":
            emit.fault(message["kind"], message["detail"])

    def _damage(self, emit: Emit) -> Any:
        """Return what counts the damage that FFmpeg prints, at most once a second."""
        newest = 0.0

        def on_line(line: str) -> None:
            nonlocal newest
            if DAMAGE.search(line) and time.monotonic() - newest >= _DAMAGE_EVERY_S:
                newest = time.monotonic()
                emit.fault("corrupt", conceal(plain(line), *self._secrets()))

        return on_line

    async def probe(self) -> str:
        """Open the camera and say what came. Raises DriverError."""
        begun = time.monotonic()
        async with started(self._job(), lambda _line: None) as child:
            info = await self._opened(child)
            first = await self._picture(child)
            first_s = time.monotonic() - begun
            fps = info["fps"] or await self._rate(child, first)
        rate = f" at {fps:.3g} fps" if fps else ""
        return f"{info['width']}x{info['height']}{rate}, {info['codec']}, first picture after {first_s:.1f} s"

    async def snapshot(self) -> Frame:
        """Return one picture. Raises DriverError."""
        return (await self.snapshots(1))[0]

    async def snapshots(self, count: int, every_s: float = 0.0) -> list[Frame]:
        """Return several pictures, so many seconds apart. Raises DriverError."""
        async with started(self._job(), lambda _line: None) as child:
            await self._opened(child)
            frames = [self._frame(child, await self._picture(child))]
            while len(frames) < count:
                await asyncio.sleep(every_s)
                frames.append(self._frame(child, await self._picture(child)))
            return frames

    async def _picture(self, child: Child) -> dict[str, Any]:
        """Ask for a picture and return its announcement."""
        child.ask()
        until = asyncio.get_running_loop().time() + self.read_timeout_s + _HANG_S
        while (message := await self._hear(child, until, None)) is not None:
            if message["say"] == "frame":
                return message
        raise self._failed("stall", f"no picture for {self.read_timeout_s:g} s", None)

    async def _rate(self, child: Child, first: dict[str, Any]) -> float:
        """Measure the pictures per second of a stream that does not say."""
        newest = first
        while newest["at"] - first["at"] < _RATE_S:
            newest = await self._picture(child)
        return float((newest["seq"] - first["seq"]) / (newest["at"] - first["at"]))


def _split(source: str) -> tuple[str, Any]:
    try:
        return split_login(source)
    except ValueError:  # no URL at all: `parse` says why
        return source, None
