"""How the box is: for people as files, for the hub as its retained status."""

from __future__ import annotations

import os
import resource
import time
from datetime import datetime, timedelta
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamppost.agent.event import new_id
from lamppost.agent.log import get_logger
from lamppost.agent.wire import DeviceState, LaneState, NodeId, encode_status

if TYPE_CHECKING:
    from lamppost.agent.box import Box
    from lamppost.agent.devices import Running
    from lamppost.agent.notify import Notifier
    from lamppost.agent.rundir import RunDirectory
    from lamppost.agent.wire import NodeState

log = get_logger()

#: A device with many quantities is shown less often: so many a second cost a small box 1 % of a core.
SHOWN_PER_S = 500
BOOT = new_id()
STARTED = time.monotonic()


@cache
def version() -> str:
    """Return the installed version of Lamppost."""
    try:
        return metadata.version("lamppost")
    except metadata.PackageNotFoundError:
        return "unknown"


class Report:
    """Writes the run directory and says the same to the hub in short."""

    def __init__(self, box: Box, run_dir: RunDirectory, notifier: Notifier) -> None:
        self._box = box
        self._run_dir = run_dir
        self._notifier = notifier
        self._due = 0.0
        self._shown: dict[str, float] = {}
        self._failed = False
        #: Why a changed configuration was not taken.
        self.config_problem: str | None = None

    def write(self, *, last: bool = False) -> None:
        """Write what is due; a run directory that cannot be written is told once and tried again."""
        now = time.monotonic()
        if now < self._due and not last:
            return
        self._due = now + self._box.config.node.status_every_s - 0.05
        try:
            self._run_dir.status(self.status())
            devices = self._box.devices.all()
            for name in self._shown.keys() - devices.keys():
                self._run_dir.forget(name)
                del self._shown[name]
            for name, running in devices.items():
                self._newest(name, running, now)
        except OSError as error:
            if not self._failed:
                log.error(
                    "the run directory cannot be written", path=str(self._run_dir.path), reason=str(error)
                )
            self._failed = True
        else:
            self._failed = False

    def _newest(self, name: str, running: Running, now: float) -> None:
        channel = running.channel
        if not channel.changed or now < self._shown.get(name, 0.0):
            return
        channel.changed = False
        self._shown[name] = (
            now + max(self._box.config.node.status_every_s, len(channel.newest) / SHOWN_PER_S) - 0.05
        )
        self._run_dir.newest(name, channel.newest.values())

    def status(self) -> dict[str, Any]:
        """Return the whole status, as the status file holds it."""
        box, config = self._box, self._box.config
        stats = box.spool.stats()
        up_s = time.monotonic() - STARTED
        return {
            "node": config.node.id,
            "site": config.node.site,
            "version": version(),
            "boot": BOOT,
            "pid": os.getpid(),
            "at": _iso(box.clock.now()),
            "started": _iso(box.clock.now() - timedelta(seconds=up_s)),
            "uptime_s": round(up_s, 1),
            "rss_mb": round(rss_mb(), 1),
            "cpu_s": round(time.process_time(), 2),
            "config": str(config.path),
            "config_problem": self.config_problem,
            "clock": {
                "plausible": box.clock.plausible,
                "source": box.clock.source,
                "ahead_s": round(box.clock.ahead_s, 1),
            },
            "hub": self._hub(),
            "devices": {
                name: {"driver": running.config.driver_name, **running.health.as_json()}
                for name, running in box.devices.all().items()
            },
            "rules": box.engine.rules(),
            "remarks": box.engine.remarks(),
            "open_events": [{"id": id_, **event} for id_, event in box.engine.open_events().items()],
            "telemetry": {"readings": box.outbox.readings},
            "sight": box.seeing.sight.as_json() if box.seeing.sight else None,
            "evidence": box.seeing.album.as_json() if box.seeing.album else None,
            "spool": {
                "durable": stats.durable,
                "stream": stats.stream,
                "trouble": [{"kind": t.kind, "detail": t.detail} for t in stats.trouble],
                "lanes": {
                    lane: {
                        "depth": s.depth,
                        "bytes": s.bytes,
                        "oldest_s": s.oldest_s,
                        "written": s.written,
                        "dropped": s.dropped_count,
                        "dropped_bytes": s.dropped_bytes,
                    }
                    for lane, s in stats.items()
                },
            },
        }

    def _hub(self) -> dict[str, Any] | None:
        uplink, hub = self._box.uplink, self._box.config.hub
        if uplink is None or hub is None:
            return None
        ahead = timedelta(seconds=self._box.clock.ahead_s)
        state = uplink.state._asdict().items()  # its times are the system's
        shown = {k: _iso(v + ahead) if isinstance(v, datetime) else v for k, v in state}
        return {"url": hub.url, **shown}

    def hub_status(self, state: NodeState) -> bytes:
        """Return the status that the hub keeps."""
        box, config = self._box, self._box.config
        return encode_status(
            state,
            node=NodeId(config.node.site, config.node.id),
            encoding=config.hub.encoding if config.hub else "cbor",
            at=box.clock.now(),
            version=version(),
            boot=BOOT,
            devices={
                name: DeviceState(running.health.state.value, running.health.error or "")
                for name, running in box.devices.all().items()
            },
            spool={lane: LaneState(s.depth, s.dropped_count) for lane, s in box.spool.stats().items()},
        )


def rss_mb() -> float:
    """Return the resident memory of this process in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return pages * resource.getpagesize() / 1e6


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
