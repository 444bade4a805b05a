"""The one place that wires: devices, rules, spool and uplink of one box."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lamppost.agent import clock_memory
from lamppost.agent.camera_watch import CameraWatch
from lamppost.agent.channel import Channel
from lamppost.agent.clock import Clock
from lamppost.agent.config import Config, ConfigError, DeviceConfig, load
from lamppost.agent.devices import Devices
from lamppost.agent.encoder import NodeEncoder
from lamppost.agent.engine import OPEN_EVENTS, Engine, Raised, state_key
from lamppost.agent.gnss import listener
from lamppost.agent.log import get_logger
from lamppost.agent.notify import Notifier
from lamppost.agent.outbox import Outbox
from lamppost.agent.report import Report
from lamppost.agent.rundir import RunDirectory
from lamppost.agent.seeing import Seeing
from lamppost.agent.spool import Spool
from lamppost.agent.tail import Tail, event_record
from lamppost.agent.watch import HealthWatch, SpoolWatch
from lamppost.agent.window import Window
from lamppost.agent.wire import NodeId
from lamppost.drivers.api import JudgesPicture, Sample

if TYPE_CHECKING:
    from lamppost.agent.signals import Signals
    from lamppost.agent.uplink import Uplink

log = get_logger()

#: SIGTERM to exit takes at most 5 s: devices 2.5 s, then the hub gets what is left, then the spool closes.
DRAIN_S = 1.5
BEAT_S = 1.0
#: How often the states of rules that raised nothing are saved: what a kill may cost a pending duration.
SAVE_STATES_S = 30.0


class Box:
    """Everything that runs between one opening of the spool and its close."""

    def __init__(
        self,
        config: Config,
        spool: Spool,
        run_dir: RunDirectory,
        tail: Tail,
        window: Window,
        trouble: SpoolWatch,
        notifier: Notifier,
        make_clock: clock_memory.MakeClock = Clock,
    ) -> None:
        self.config = config
        self.spool = spool
        self.clock = clock_memory.restored(spool.read_state(clock_memory.CLOCK_KEY), make_clock)
        self.engine = Engine()
        self.engine.load(spool.read_state(OPEN_EVENTS))
        self.tail = tail
        self.window = window
        self.outbox = Outbox(
            spool.put,
            NodeEncoder(NodeId(config.node.site, config.node.id), config.hub),
            memory_s=config.spool.telemetry_memory_s,
            take_states=self.engine.take_changed,
            told=self._tell,
        )
        self.seeing = Seeing(self)
        self.devices = Devices(self._channel, self.clock.now, self._changed, self.stamp)
        self.report = Report(self, run_dir, notifier)
        self._trouble = trouble
        trouble.restore(self.saved("spool"))
        self._notifier = notifier
        self._uplink: Uplink | None = None
        self._uplink_task: asyncio.Task[None] | None = None
        self._saved_at = time.monotonic()

    @property
    def uplink(self) -> Uplink | None:
        """The way to the hub, if one is configured."""
        return self._uplink

    async def run(self, signals: Signals) -> Config | None:
        """Run until SIGTERM (None) or a reload that needs another node or spool (its configuration)."""
        self.engine.add("spool", None, self._trouble, ())
        for rule in self.config.rules.values():
            self._start_rule(rule)
        for device in self.config.devices.values():
            self._start_device(device)
        self._start_uplink()
        outbox = asyncio.create_task(self.outbox.run(), name="outbox")
        self.outbox.events(self.engine.abandoned(self.clock.now()))
        log.info(
            "running", node=self.config.node.id, devices=len(self.devices.all()), rules=len(self.config.rules)
        )
        self._notifier.send("READY=1")
        try:
            return await self._beat(signals, outbox)
        finally:
            self._notifier.send("STOPPING=1")
            await self._stop(outbox)

    async def _beat(self, signals: Signals, outbox: asyncio.Task[None]) -> Config | None:
        """Do once a second what has to be done by time; watch the signals and the tasks."""
        every_s = min(BEAT_S, self._notifier.watchdog_s or BEAT_S)
        stop = asyncio.create_task(signals.stop.wait(), name="stop")
        try:
            while True:
                reload = asyncio.create_task(signals.reload.wait(), name="reload")
                watched = {stop, reload, outbox, *([self._uplink_task] if self._uplink_task else [])}
                done, _ = await asyncio.wait(watched, timeout=every_s, return_when=asyncio.FIRST_COMPLETED)
                reload.cancel()
                if stop in done:
                    return None
                for task in done - {reload}:
                    task.result()  # neither ends by itself: what it raises is a bug and ends the agent
                if reload in done:
                    signals.reload.clear()
                    config = await self._reload()
                    if config is not None:
                        return config
                self._by_time()
                self._notifier.send("WATCHDOG=1")
        finally:
            stop.cancel()

    def now(self) -> datetime:
        """Return the time; if somebody has just set the clock, move all that is remembered first."""
        step_s = self.clock.check()
        if step_s is not None:
            log.warning("the clock was set", by_s=round(step_s, 1), source=self.clock.source)
            self.engine.shift(step_s)
            self.seeing.shift(step_s)
            for running in self.devices.all().values():
                running.health.shift(step_s)
        return self.clock.now()

    def stamp(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        """Return what a driver stamped by the system's clock with the box's own time."""
        if self.clock.stirred:
            self.now()
        return self.clock.stamped(samples)

    def _by_time(self) -> None:
        now = self.now()
        for running in self.devices.all().values():
            running.health.refresh()
            running.channel.release()
        raised = self.engine.tick(now)
        if raised:
            self.outbox.events(raised)
        self.measured()
        self.tail.look()
        self.window.look()
        if time.monotonic() - self._saved_at >= SAVE_STATES_S:
            self._saved_at = time.monotonic()
            self.outbox.save({**clock_memory.saved(self.clock), **self.seeing.views(again=False)})
        self.report.write()

    def _channel(self, device: DeviceConfig) -> Channel:
        return Channel(
            device.name,
            device.policy,
            engine=self.engine,
            outbox=self.outbox,
            tail=self.tail,
            now=self.now,
            telemetry=self.config.hub is not None,
            see=self.seeing.entrance(device),
            show=self.window.show,
            hear=listener(device.driver, self.clock.hear_at),
        )

    def _start_device(self, device: DeviceConfig) -> None:
        if not device.enabled:
            return
        running = self.devices.start(device)
        down_after_s = self.config.node.down_after_s if device.down_after_s is None else device.down_after_s
        watch = HealthWatch(running.health, down_after_s, self.saved(f"device/{device.name}"))
        self.engine.add(f"device/{device.name}", None, watch, ())
        if isinstance(device.driver, JudgesPicture):
            name = f"picture/{device.name}"
            picture = CameraWatch(running.health, device.driver, self.saved(name))
            self.engine.add(name, None, picture, picture.watches())

    def measured(self) -> None:
        """Let what rules measured at a device go the way of its own readings."""
        readings, states = self.engine.take_measured()
        for device in dict.fromkeys(reading.device for reading in readings):
            if (running := self.devices.all().get(device)) is not None:
                running.channel.take([reading for reading in readings if reading.device == device])
        if states:
            self.outbox.save_beside(states)

    async def _stop_devices(self, *names: str) -> None:
        await self.devices.stop(*names)
        for name in names:
            self.engine.remove(f"device/{name}")
            self.engine.remove(f"picture/{name}")
            self.seeing.remove(name)

    def _start_rule(self, rule: Any) -> None:
        self.engine.add(rule.name, rule, rule.start(self.saved(rule.name)), rule.watches())

    def saved(self, name: str) -> dict[str, Any] | None:
        """Return a saved state."""
        saved = self.spool.read_state(state_key(name))
        return json.loads(saved) if saved else None

    def _start_uplink(self) -> None:
        if self.config.hub is None:
            return
        from lamppost.agent.uplink import Uplink  # noqa: PLC0415 - MQTT and TLS only where there is a hub

        self._uplink = Uplink(
            self.config.hub,
            NodeId(self.config.node.site, self.config.node.id),
            self.spool,
            status=self.report.hub_status,
            report=self._trouble.refused,
        )
        self._uplink_task = asyncio.create_task(self._uplink.run(), name="uplink")

    async def _stop_uplink(self) -> None:
        await self._end_uplink()
        self._uplink = self._uplink_task = None

    async def _end_uplink(self) -> None:
        """End the link; how it was can still be read."""
        if self._uplink_task is not None:
            self._uplink_task.cancel()
            await asyncio.wait({self._uplink_task}, timeout=2.0)

    def _changed(self) -> None:
        """Tell the hub that a device's state is another."""
        if self._uplink is not None:
            self._uplink.announce()

    def _tell(self, raised: Sequence[Raised]) -> None:
        """Show events to who looks on: they are on disk now."""
        for _, event, _ in raised:
            log.info(
                "event",
                kind=event.kind,
                phase=event.phase.value,
                device=event.device,
                id=event.id,
                **event.measures,
            )
        if self.tail:
            self.tail.write(map(event_record, (event for _, event, _ in raised)))
        self.window.tell(raised)

    async def _reload(self) -> Config | None:
        """Take the changed configuration; return it if node or spool changed, which needs a new start."""
        self._notifier.send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            new = load(self.config.path)
        except ConfigError as error:
            log.error("the changed configuration is not taken", problems=str(error))
            self.report.config_problem = str(error)
            self._notifier.send("READY=1")
            return None
        self.report.config_problem = None
        old = self.config
        if (old.node, old.spool, _wire(old)) != (new.node, new.spool, _wire(new)):
            log.info("node, spool or encoding changed: starting anew")
            return new  # this box says farewell under its own name
        self.config = new
        self._apply_rules(old, new)
        await self._apply_devices(old, new)
        self.seeing.reload(new)
        if old.hub != new.hub:
            await self._stop_uplink()
            self._start_uplink()
        self.outbox.events(self.engine.abandoned(self.clock.now()))
        log.info("configuration reloaded", devices=len(new.devices), rules=len(new.rules))
        self._notifier.send("READY=1")
        return None

    async def _apply_devices(self, old: Config, new: Config) -> None:
        changed = [n for n, d in old.devices.items() if d.enabled and new.devices.get(n) != d]
        await self._stop_devices(*changed)
        for name, device in new.devices.items():
            if old.devices.get(name) != device:
                self._start_device(device)
            elif (running := self.devices.all().get(name)) is not None and running.channel.see is None:
                running.channel.see = self.seeing.entrance(device)  # a new rule may look at it

    def _apply_rules(self, old: Config, new: Config) -> None:
        for name, rule in old.rules.items():
            if new.rules.get(name) != rule:
                # The state goes on where the new settings can use it.
                self.engine.keep(name)
        for name, rule in new.rules.items():
            if old.rules.get(name) != rule:
                self.engine.add(
                    name, rule, rule.start(self.engine.kept(name) or self.saved(name)), rule.watches()
                )

    async def _drain(self, uplink: Uplink) -> None:
        """Give the hub a moment to take what is stored, if it is there."""
        deadline = time.monotonic() + DRAIN_S
        while uplink.state.connected and time.monotonic() < deadline:
            if not any(lane.depth for lane in self.spool.stats().values()):
                return
            await asyncio.sleep(0.02)

    async def _stop(self, outbox: asyncio.Task[None]) -> None:
        """Drain: nothing comes in any more, all is stored, the hub gets what it takes in a moment."""
        log.info("stopping")
        await self.devices.stop_all()
        await self.seeing.stop()
        self.outbox.flush()
        outbox.cancel()
        await asyncio.wait({outbox})
        self.outbox.save({**clock_memory.saved(self.clock), **self.seeing.views(again=True)})
        await self.outbox.once()
        if self._uplink is not None:
            await self._drain(self._uplink)
        await self._end_uplink()
        self.report.write(last=True)
        waiting = {lane: figures.depth for lane, figures in self.spool.stats().items() if figures.depth}
        log.info("stopped", waiting=waiting)


def _wire(config: Config) -> tuple[str, str] | None:
    return (config.hub.encoding, config.hub.compress) if config.hub else None
