"""A technician's evening: a blank box is commissioned by commands and the page, no file edited."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from contextlib import ExitStack, contextmanager

import pytest
from broker import Broker, free_port, mosquitto
from browser import CHROMIUM, PHONE, browsing
from portals import portal
from waiting import until_sync

COMMAND = (sys.executable, "-c", "import sys; from lamppost.provisioning.cli import main; sys.exit(main())")


class Evening:
    """The folder of one box, and `lamppost` as its technician types it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "lamppost.toml"
        self.env = {
            **os.environ,
            "RUNTIME_DIRECTORY": str(folder / "run"),
            "STATE_DIRECTORY": str(folder / "state"),
            "LAMPPOST_CONFIG": str(self.config),
            "NO_COLOR": "1",
        }

    def __call__(self, *words, code=0):
        """Run a command; return what it printed."""
        done = subprocess.run(
            [*COMMAND, *map(str, words)], capture_output=True, text=True, env=self.env, cwd=self.folder,
            stdin=subprocess.DEVNULL, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def connected(self):
        """Whether the agent's status says that the hub is connected."""
        with contextlib.suppress(FileNotFoundError):
            return json.loads((self.folder / "run/status.json").read_text())["hub"]["connected"]
        return False

    @contextmanager
    def beside(self, *words):
        """Run a command until the end of the block; yields its first line of output."""
        with (self.folder / f"{words[-1]}.log").open("wb") as log:
            child = subprocess.Popen(
                [*COMMAND, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, env=self.env, cwd=self.folder,
            )  # fmt: skip
        try:
            yield child.stdout.readline()
        finally:
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=20)


async def drawn(evening):
    """Draw the zone on a phone."""
    async with portal(evening.config, env=evening.env) as at, browsing(PHONE) as page:
        await page.go(f"{at.url}#/camera/kerb-cam")
        await page.until("document.querySelector('.picture img')?.naturalWidth > 0", 30)
        await page.click("#new-zone")
        await page.until("document.querySelector('#trial')")
        x, y, width, height = await page.see(
            "(() => { scrollTo(0, 0); const r = document.querySelector('canvas').getBoundingClientRect();"
            " return [r.x, r.y, r.width, r.height]; })()"
        )
        for px, py in ((0.1, 0.4), (0.9, 0.4), (0.9, 0.9), (0.1, 0.9)):
            await page.finger([(x + px * width, y + py * height)])
        await page.until("document.querySelector('#trial').innerText.includes('Now in the zone')", 60)
        await page.fill("#zone-name", "bus-stop")
        await page.fill("[data-dwell=parking]", "120")
        await page.click("#save")
        await page.until("document.querySelector('[data-zone=bus-stop]')")
        assert page.complaints == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
def test_a_blank_box_is_commissioned_without_editing_a_file(tmp_path):
    mosquitto()
    evening = Evening(tmp_path)
    port, meters, gauge = free_port(), tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
    (tmp_path / "poles.csv").write_text(
        "id,site,lat,lon,hub\n"
        f"pole-0017,longgang-07,22.72,114.25,mqtts://127.0.0.1:{port}\n"
        f"pole-0018,longgang-07,22.73,114.25,mqtts://127.0.0.1:{port}\n"
    )
    with ExitStack() as street:
        beside = street.enter_context
        office = beside(evening.beside("simulate", "est", "--port", 0, "--folder", tmp_path / "office",
                                       "--hub-name", "127.0.0.1", "--json"))  # fmt: skip
        beside(evening.beside("simulate", "modbus", "-d", "eastron-sdm120", "--pty", meters))
        beside(evening.beside("simulate", "serial", "-d", "a02yyuw", "--pty", gauge))
        camera = beside(evening.beside("simulate", "camera", "--traffic", 0, "--port", 0))
        until_sync(lambda: meters.is_symlink() and gauge.is_symlink(), 20)
        authority = tmp_path / "office"
        (tmp_path / "acl").write_text("pattern readwrite lamppost/v1/longgang-07/%u/#\n")
        street.enter_context(
            Broker(
                tmp_path,
                f"cafile {authority}/ca.pem",
                f"certfile {authority}/hub.pem",
                f"keyfile {authority}/hub.key",
                f"crlfile {authority}/crl.pem",
                "require_certificate true",
                "use_identity_as_username true",
                f"acl_file {tmp_path}/acl",
                port=port,
            )
        )

        evening("init", "--poles", "poles.csv", "--pole", "pole-0017", "--yes")
        only = ("--port", meters, "--port", gauge, "--speeds", "9600N", "--units", "1-4")
        found = json.loads(evening("scan", *only, "--no-tcp", "--no-cameras", "--add", "--json"))
        assert sum(one["added"] is not None for one in found) == 2
        evening("device", "add", "kerb-cam", "--driver", "camera", "--source", camera.split()[-1])
        asyncio.run(drawn(evening))
        evening("enrol", json.loads(office)["labels"][0])
        with evening.beside("run", "--config", evening.config):
            until_sync(evening.connected, 30)
            checks = json.loads(evening("check", "--json"))
            assert {one["name"] for one in checks["findings"] if one["colour"] == "red"} == set()
            green = {one["name"] for one in checks["findings"] if one["colour"] == "green"}
            assert {"hub/round-trip", "certificate", "picture/kerb-cam", "agent"} <= green
            evening("report", "--technician", "Li Wei", "--out", tmp_path / "report.html")
            record = json.loads(evening("report", "--technician", "Li Wei", "--json"))

    settings = tomllib.loads(evening.config.read_text())
    assert len(settings["devices"]) == 3
    assert {device["driver"] for device in settings["devices"].values()} == {"modbus", "serial", "camera"}
    assert settings["rules"]["bus-stop-parking"]["dwell_s"] == 120
    assert record["technician"] == "Li Wei"
    assert record["cameras"]["kerb-cam"]["zones"].keys() == {"bus-stop"}
    assert record["cameras"]["kerb-cam"]["jpeg"]
    page = (tmp_path / "report.html").read_text()
    assert "Li Wei" in page
    assert "pole-0017" in page
    shutil.rmtree(tmp_path / "state")
