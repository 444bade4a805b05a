"""A camera whose picture is wrong is an event: open, update, close, through restarts and outages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from cameras import camera, jpeg, mjpeg_server
from waiting import until

from agent import Agent
from lamppost.agent.camera_watch import CAMERA_PICTURE, CameraWatch
from lamppost.agent.event import Phase, Severity
from lamppost.agent.health import DeviceHealth, State
from lamppost.drivers.api import Reading

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Watched:
    """A watch on a camera that says of its picture what a test wants."""

    def __init__(self, **settings) -> None:
        self.now = NOW
        self.driver = camera("rtsp://127.0.0.1/x", picture_after_s=10.0, **settings)
        self.start(None)

    def start(self, saved) -> None:
        self.health = DeviceHealth("cam", lambda: self.now, lambda: self.now.timestamp())  # noqa: PLW0108
        self.watch = CameraWatch(self.health, self.driver, saved)
        self.health.took([Reading("cam", "picture", "ok", "", self.now)])

    def restart(self) -> None:
        self.start(self.watch.save())

    def says(self, word, sure=0.9):
        if word != "ok":
            self.health.fault(word, f"{word}: as measured")
        readings = [("picture-confidence", sure, "/"), ("picture", word, "")]
        return [
            event
            for quantity, value, unit in readings
            for event in self.watch.step(Reading("cam", quantity, value, unit, self.now), self.now)
        ]

    def after(self, seconds, word=None):
        """Let time pass, with a word every second if one is given; return what came of it."""
        events = []
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            events += self.says(word) if word else []
            events += self.watch.tick(self.now)
        return events


@pytest.mark.parametrize("restarting", [False, True])
def test_a_wrong_picture_is_told_once_and_its_end_too(restarting):
    cam = Watched()
    events = cam.after(60, "ok")
    events += cam.after(15, "black")
    if restarting:
        cam.restart()
    events += cam.after(30, "black")
    if restarting:
        cam.restart()
    events += cam.after(10, "ok")
    assert [(e.phase, e.revision) for e in events] == [(Phase.OPEN, 0), (Phase.CLOSE, 1)]
    opened, closed = events
    assert opened.id == closed.id
    assert (opened.kind, opened.device, opened.rule) == (CAMERA_PICTURE, "cam", "health")
    assert (opened.severity, opened.confidence) == (Severity.NOTICE, 0.9)
    assert opened.measures == {"state": "black", "confidence": 0.9, "detail": "black: as measured"}
    assert opened.since == NOW + timedelta(seconds=61)
    assert (opened.at - opened.since).total_seconds() == 10
    assert closed.measures["duration_s"] == 50


def test_another_fault_is_an_update_of_the_same_event():
    cam = Watched()
    events = cam.after(20, "black") + cam.after(20, "blinded") + cam.after(20, "blinded")
    assert [(e.phase, e.measures["state"]) for e in events] == [
        (Phase.OPEN, "black"),
        (Phase.UPDATE, "blinded"),
    ]
    assert events[0].id == events[1].id


def test_a_short_fault_and_a_short_good_picture_change_nothing():
    cam = Watched()
    assert cam.after(9, "blurred") == []
    assert cam.after(1, "ok") == []
    assert cam.after(9, "blurred") == []
    assert [e.phase for e in cam.after(2, "blurred")] == [Phase.OPEN]
    assert cam.after(4, "ok") == []
    assert cam.after(1, "blurred") == []
    assert cam.after(4, "ok") == []


def test_a_camera_that_is_down_opens_and_closes_nothing():
    cam = Watched()
    cam.after(3, "frozen")
    cam.health.failed("no picture for 5 s", State.FAILING, 1)
    assert cam.after(60) == []
    cam.health.took([Reading("cam", "picture", "ok", "", cam.now)])
    assert [e.phase for e in cam.after(10, "frozen")] == [Phase.OPEN]
    cam.health.failed("no picture for 5 s", State.FAILING, 1)
    assert cam.after(60) == []


def test_the_clock_being_set_opens_nothing():
    cam = Watched()
    cam.after(2, "black")
    cam.watch.shift(86400)
    cam.now += timedelta(days=1)
    assert cam.after(5, "black") == []
    assert [e.phase for e in cam.after(5, "black")] == [Phase.OPEN]


@pytest.mark.parametrize("saved", [{}, {"open": 5, "learnt": ""}, {"open": {"picture": {}}, "learnt": ""}])
def test_saved_nonsense_is_begun_anew(saved):
    cam = Watched()
    cam.start(saved)
    assert cam.after(5, "ok") == []


def test_what_a_camera_has_learnt_is_kept_unless_its_zones_are_drawn_anew():
    zones = {"bay": [[0, 0], [1, 0], [1, 1]]}
    cam = Watched(zones=zones)
    cam.driver._past.learnt = "learnt"
    cam.after(2, "ok")
    saved = cam.watch.save()
    again = Watched(zones=zones)
    again.start(saved)
    assert again.driver.remember() == cam.driver.remember()
    assert again.driver == Watched(zones=zones).driver  # what was learnt is no other setting
    moved = Watched(zones={"bay": [[0, 0], [0.5, 0], [1, 1]]})
    moved.start(saved)
    assert moved.driver.remember() == ""


def test_a_black_camera_is_one_event_through_a_restart_of_the_agent(tmp_path):
    async def main():
        async with mjpeg_server() as server:
            config = f'[devices.cam]\ndriver = "camera"\nsource = "{server.url}"\npicture_after_s = 1\n'
            with Agent(tmp_path, config) as agent:

                def open_now():
                    return [e["id"] for e in agent.status().get("open_events", [])]

                await agent.until(lambda: agent.newest("cam").get("picture"), 30)
                good, server.pictures = server.pictures, [jpeg(np.zeros((180, 320, 3), np.uint8))] * 2
                await agent.until(lambda: agent.logged().count("camera.picture") == 1 and open_now(), 30)
                (id_,) = open_now()
                assert agent.device("cam")["state"] == "degraded"
                assert agent.device("cam")["faults"]["black"]["detail"] == "black: mean brightness 0 of 255"
                agent.kill()
                agent.start()
                await until(lambda: agent.status()["pid"] == agent.process.pid, 30)
                await agent.until(lambda: agent.device("cam")["state"] == "degraded", 30)
                assert open_now() == [id_]
                server.pictures = good
                await agent.until(lambda: not open_now(), 30)
                await agent.until(lambda: agent.logged().count("camera.picture") == 2)
                await agent.terminate()
                assert agent.logged().count(id_) == 2

    asyncio.run(main())


def test_a_camera_that_has_learnt_is_not_restarted_by_a_reload(tmp_path):
    async def main():
        async with mjpeg_server() as server:
            config = f'[devices.cam]\ndriver = "camera"\nsource = "{server.url}"\n'
            with Agent(tmp_path, config) as agent:
                await agent.until(lambda: agent.device("cam").get("samples", 0) > 4, 30)
                requests = server.requests
                agent.reload()
                await agent.until(lambda: "configuration reloaded" in agent.logged())
                samples = agent.device("cam")["samples"]
                await agent.until(lambda: agent.device("cam")["samples"] > samples + 4)
                assert server.requests == requests
                await agent.terminate()

    asyncio.run(main())
