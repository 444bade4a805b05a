"""Evidence from camera to hub: real agent, broker, link and kill -9, and a detector that sees one car.

The model gives the same box whatever it is shown, so that what is tested is the way of the pictures.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from evidencing import one_car, street

from agent import Agent
from lamppost.drivers import registry
from lamppost.simulators.hub import Broker, Hub
from lamppost.simulators.link import Link

SCHEMAS = Path(__file__).parent.parent / "agent/schemas"

pytestmark = pytest.mark.skipif(
    "camera" not in registry.names(), reason="the driver camera is not installed: pip install -e . again"
)


def config(folder, port, dwell_s, more=""):
    return f"""
[hub]
url = "mqtt://127.0.0.1:{port}"
keepalive_s = 5
backoff_max_s = 1
{more}
[sight]
model = "{one_car(folder)}"
[devices.kerb-cam]
driver = "camera"
source = "{street(folder)}"
loop = true
fps = 5
zones.stop = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
[rules.stop]
kind = "parking"
camera = "kerb-cam"
zone = "stop"
dwell_s = {dwell_s}
"""


class Post:
    """One box with a camera, its link and its hub."""

    def __init__(self, agent, link, hub):
        self.agent, self.link, self.hub = agent, link, hub

    @property
    def kept(self):
        """The hashes of the pictures on disk, by moment."""
        found = {}
        for path in (self.agent.state_dir / "evidence").glob("*.jpg"):
            found[path.name.split("=")[3]] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def held(self):
        return (self.agent.status().get("evidence") or {}).get("held", 0)

    def event(self):
        """The open message, once it came."""
        opened = [letter for letter in self.hub.book.event_messages if letter.phase == "open"]
        return next((letter for letter in opened if letter.kind == "parking.illegal"), None)

    async def proven(self, pictures=3, within_s=20.0):
        """Wait for the event and its pictures; return the event."""
        await self.hub.until(self.event, within_s, "the event")
        await self.hub.until(lambda: self.hub.book.totals().matched == pictures, within_s, "the pictures")
        return self.event()

    def pictures(self):
        return sorted(self.hub.book.gallery.pictures.values(), key=lambda letter: letter.number)


@asynccontextmanager
async def post(folder, dwell_s=4, more="", protocol="5"):
    async with (
        Broker() as broker,
        Link("127.0.0.1", broker.port) as link,
        Hub(broker.url, protocol=protocol, schemas=SCHEMAS, from_start=True, keep_pictures=True) as hub,
    ):
        more = f'protocol = "{protocol}"\n{more}'
        with Agent(folder, config(folder, link.port, dwell_s, more)) as agent:
            yield Post(agent, link, hub)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_three_pictures_come_after_their_event_and_fit_its_hashes(tmp_path, protocol):
    async def main():
        async with post(tmp_path, protocol=protocol) as box:
            event = await box.proven()
            assert [entry["moment"] for entry in event.evidence] == ["arrival", "half-way", "alarm"]
            assert event.evidence[0]["at"] < event.evidence[1]["at"] < event.evidence[2]["at"]
            assert event.missing == []
            for picture, entry in zip(box.pictures(), event.evidence, strict=True):
                assert picture.order > event.order
                assert picture.size == entry["bytes"] <= 60_000
                image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
                assert image.shape[1] == 640
                assert image.shape[0] > 360
            await box.agent.until(lambda: not box.kept, what="the files to go")
            await box.agent.terminate()
            totals = box.hub.book.totals()
            assert (totals.lost, totals.duplicates, totals.undecodable, totals.orphaned) == (0, 0, 0, 0)

    asyncio.run(main())


def test_a_kill_between_half_way_and_alarm_keeps_the_first_two(tmp_path):
    async def main():
        async with post(tmp_path, dwell_s=10) as box:
            await box.agent.until(lambda: len(box.kept) == 2, 20, "two pictures on disk")
            before = box.kept
            assert before.keys() == {"arrival", "half-way"}
            box.agent.kill()
            assert box.event() is None
            box.agent.start()
            event = await box.proven()
            assert {e["moment"]: e["sha256"] for e in event.evidence[:2]} == before
            assert (event.at - event.since).total_seconds() == pytest.approx(10, abs=3)

    asyncio.run(main())


def test_an_orderly_stop_keeps_the_arrival_and_nothing_is_written_before(tmp_path):
    async def main():
        async with post(tmp_path, dwell_s=10) as box:
            await box.agent.until(lambda: box.held() == 1, 20, "the arrival")
            assert not (tmp_path / "state/evidence").exists()
            await box.agent.terminate()
            before = box.kept
            assert before.keys() == {"arrival"}
            box.agent.start()
            event = await box.proven()
            assert event.evidence[0]["sha256"] == before["arrival"]

    asyncio.run(main())


def test_a_dead_link_and_a_kill_lose_neither_event_nor_pictures(tmp_path):
    async def main():
        async with post(tmp_path) as box:
            await box.agent.until(lambda: (box.agent.status().get("hub") or {}).get("connected"))
            await box.link.cut()
            await box.agent.until(
                lambda: box.agent.status()["spool"]["lanes"]["alarms"]["written"], 20, "the event on disk"
            )
            box.agent.kill()
            box.agent.start()
            await box.agent.until(lambda: box.agent.status()["pid"] == box.agent.process.pid)
            assert box.agent.status()["spool"]["lanes"]["evidence"]["depth"] == 3
            await box.link.restore()
            event = await box.proven()
            assert all(picture.order > event.order for picture in box.pictures())
            assert box.hub.book.totals().lost == 0

    asyncio.run(main())


def test_a_full_lane_drops_pictures_and_never_the_event(tmp_path):
    async def main():
        async with post(tmp_path, more="[spool]\nevidence_mb = 0\n") as box:
            await box.hub.until(box.event, 20, "the event")
            assert len(box.event().evidence) == 3
            lanes = box.agent.status()["spool"]["lanes"]
            await box.agent.until(lambda: box.agent.status()["spool"]["lanes"]["evidence"]["dropped"] == 3)
            assert lanes["alarms"]["dropped"] == 0
            await box.agent.terminate()
            totals = box.hub.book.totals()
            assert (totals.pictures, totals.missing, totals.lost) == (0, 3, 0)

    asyncio.run(main())
