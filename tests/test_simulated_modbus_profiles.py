"""The product's profiles and the simulators' register maps were written apart: they must agree."""

from __future__ import annotations

import asyncio

import pytest
from waiting import until

from lamppost.drivers.api import Quality, Reading
from lamppost.drivers.modbus import Modbus
from lamppost.simulators.modbus import device, serve_tcp
from lamppost.simulators.modbus.devices import PRODUCTS

#: Where a profile gives a unit other than the simulator's, and what one of it is there.
IN_SIMULATOR_UNITS = {"kW": ("W", 1000.0), "/": ("", 1.0)}


class Caught:
    """Keeps what a driver emits."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.faults: list[str] = []

    def __call__(self, *samples: Reading) -> None:
        self.readings.update({reading.quantity: reading for reading in samples})

    def fault(self, kind: str, detail: str) -> None:
        self.faults.append(f"{kind}: {detail}")


@pytest.mark.parametrize("name", PRODUCTS)
def test_profile_reads_what_the_simulated_device_measures(name):
    async def run() -> None:
        unit = device(name, clock=lambda: 43200.0)
        caught = Caught()
        async with serve_tcp([unit]) as line:
            settings = {"name": "it", "url": f"tcp://127.0.0.1:{line.port}", "unit": unit.id, "every_s": 1.0}
            driver = Modbus.model_validate({**settings, "profile": name})
            running = asyncio.create_task(driver.run(caught))
            # The second poll begins only when the first has been emitted.
            await until(lambda: max(unit.by_range.values(), default=0) == 2)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert caught.faults == []
        assert caught.readings
        for quantity, reading in caught.readings.items():
            shown = IN_SIMULATOR_UNITS.get(reading.unit, (reading.unit, 1.0))
            point = unit.state.point(quantity)
            assert (reading.quality, shown[0]) == (Quality.GOOD, point.unit)
            # Half a step of the register, or the two decimals that a profile keeps.
            step = 0.5 * max(
                point.scale if point.coding != "f32" else 0.0, 0.1 if point.unit == "W" else 0.02
            )
            assert reading.value * shown[1] == pytest.approx(unit.value(quantity), abs=step * 1.001), quantity

    asyncio.run(run())
