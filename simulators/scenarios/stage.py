"""All that plays in a scenario, started and ended together: lines, cameras, agent, link, broker, hub."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias

from lamppost.simulators.agent_process import AgentProcess
from lamppost.simulators.camera import CameraError, CameraProcess, CameraSettings
from lamppost.simulators.hub import Broker, Entry, Hub, NeverHappenedError
from lamppost.simulators.link import Link
from lamppost.simulators.modbus import ModbusLine, Unit, serve_rtu_pty, serve_rtu_tcp, serve_tcp
from lamppost.simulators.scenarios.model import LineTable, Scenario, filled
from lamppost.simulators.serial import Sensor, SerialLine, serve_serial
from lamppost.simulators.street.names import ZONES
from lamppost.simulators.street.projection import polygon

LinkState: TypeAlias = Literal["up", "cut", "stalled", "slow"]

#: How long the hub may take to get what the broker has, before the broker is ended.
CATCH_UP_S = 15.0


@dataclass
class Outage:
    """A time in which the box could not reach the hub, in unix seconds; nothing was on its way meanwhile."""

    began: float
    ended: float | None = None


class Stage:
    """The parts of one run. As an async context manager it starts all but the agent, and ends all.

    ``folder`` takes the agent's files and the logs; ``schemas`` is the folder of JSON Schemas that
    messages are held to; ``tell`` is called with each message at the hub.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        *,
        speed: float = 1.0,
        schemas: Path | None = None,
        tell: Callable[[Entry], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.folder = folder
        self.speed = speed
        self.lines: dict[str, ModbusLine | SerialLine] = {}
        self.units: dict[str, Unit | Sensor] = {}
        self.cameras: dict[str, CameraProcess] = {}
        self.outages: list[Outage] = []
        self.problems: list[str] = []
        self.broker = Broker(folder / "broker")
        self.agent = AgentProcess(folder / "lamppost.toml", folder / "run", folder / "agent.log")
        self.link = Link("127.0.0.1", self.broker.port)
        self.hub = Hub(
            self.broker.url,
            protocol=self.broker.protocol,
            schemas=schemas,
            keep={(counter.device, counter.quantity) for counter in scenario.counters},
            from_start=True,
            tell=tell,
        )
        self._wanted: LinkState = "up"
        self._slow: tuple[float | None, float] = (None, 0.0)
        self._places: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._stack.enter_async_context(self.broker)
            await self._stack.enter_async_context(self.hub)
            await self._stack.enter_async_context(self.link)
            for name, table in self.scenario.lines.items():
                await self._serve(name, table)
            for name, settings in self.scenario.cameras.items():
                await self._look(name, settings)
            self._write_config(self._config())
            self._stack.push_async_callback(self.agent.close)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def reachable(self) -> bool:
        """Whether the box can reach the hub now."""
        return self.broker.running and self._wanted in ("up", "slow")

    async def set_link(
        self,
        state: LinkState,
        bytes_per_s: float | None = None,
        delay_s: float = 0.0,
        *,
        reset: bool = False,
    ) -> None:
        """Bring the link into a state; while there is no broker it is only remembered."""
        self._wanted, self._slow = state, (bytes_per_s, delay_s)
        if self.broker.running:
            await self._apply_link(reset=reset)

    async def end_broker(self, *, kill: bool) -> None:
        """End the broker without losing what it has acknowledged: nothing reaches it, and the hub has all.

        Else a message could be lost between broker and hub, which no box can help.
        """
        self.link.stall()
        with contextlib.suppress(NeverHappenedError):
            await self.hub.caught_up(CATCH_UP_S)
        await self.link.cut()
        self._outage_begins()
        await (self.broker.kill() if kill else self.broker.stop())

    async def start_broker(self) -> None:
        """Start the broker; let the box in when the hub has subscribed."""
        await self.broker.start()
        await self.hub.until(lambda: self.hub.connected, CATCH_UP_S, "the hub's connection")
        await self._apply_link()

    async def stop_agent(self) -> None:
        """SIGTERM; what is wrong with its end is remembered."""
        code = await self.agent.stop()
        if code != 0:
            self.problems.append(f"the agent ended with exit code {code} after SIGTERM")

    async def tell_camera(self, name: str, *words: object) -> None:
        """Tell a camera something; if it cannot do that, the verdict says so."""
        try:
            await self.cameras[name].tell(*words)
        except CameraError as error:
            self.problems.append(f"camera {name}: {error}")

    def replace_in_config(self, changes: dict[str, str]) -> None:
        """Write the agent's configuration anew."""
        text = self._config()
        for old, new in changes.items():
            text = text.replace(old, new)
        self._write_config(text)

    async def _apply_link(self, *, reset: bool = False) -> None:
        if self._wanted == "cut":
            await self.link.cut()
            self._outage_begins()
            return
        if self._wanted == "stalled":
            if self.link.state == "cut":
                await self.link.restore()
            self.link.stall()
            return
        if self.outages and self.outages[-1].ended is None:
            self.outages[-1].ended = time.time()
        await self.link.restore(reset=reset)
        if self._wanted == "slow":
            self.link.slow(*self._slow)

    def _outage_begins(self) -> None:
        if not self.outages or self.outages[-1].ended is not None:
            self.outages.append(Outage(time.time()))

    async def _serve(self, name: str, table: LineTable) -> None:
        enter = self._stack.enter_async_context
        if table.kind == "serial":
            sensors = {unit_id: unit.make_sensor(unit_id) for unit_id, unit in table.units.items()}
            self.units |= {table.units[unit_id].name: unit for unit_id, unit in sensors.items()}
            path = self.folder / f"tty-{name}"
            self.lines[name] = await enter(serve_serial(sensors.values(), link=path, speed=self.speed))
            self._places[f"lines.{name}"] = str(path)
            return
        units = {unit_id: unit.make(unit_id, self.scenario.seed) for unit_id, unit in table.units.items()}
        self.units |= {table.units[unit_id].name: unit for unit_id, unit in units.items()}
        made = units.values()
        if table.kind == "pty":
            path = self.folder / f"tty-{name}"
            self.lines[name] = await enter(serve_rtu_pty(made, baud=table.baud, paced=table.paced, link=path))
            self._places[f"lines.{name}"] = f"rtu://{path}?baud={table.baud}"
            return
        if table.kind == "tcp":
            line = await enter(serve_tcp(made))
        else:
            line = await enter(serve_rtu_tcp(made, baud=table.baud if table.paced else None))
        self.lines[name] = line
        scheme = "tcp" if table.kind == "tcp" else "rtu+tcp"
        self._places[f"lines.{name}"] = f"{scheme}://127.0.0.1:{line.port}"

    async def _look(self, name: str, settings: CameraSettings) -> None:
        process = CameraProcess(settings, self.folder / f"camera-{name}.log", speed=self.speed)
        camera = self.cameras[name] = await self._stack.enter_async_context(process)
        self._places[f"cameras.{name}"] = camera.url
        for zone in ZONES:
            self._places[f"cameras.{name}.zones.{zone}"] = polygon(settings.view, zone)

    def _config(self) -> str:
        places = {
            "hub": f"mqtt://127.0.0.1:{self.link.port}",
            "protocol": self.broker.protocol,
            "run_dir": str(self.agent.run_dir),
            "state_dir": str(self.folder / "state"),
            **self._places,
        }
        return filled(self.scenario.config(), places, self.speed)

    def _write_config(self, text: str) -> None:
        self.agent.config.write_text(text, encoding="utf-8")
