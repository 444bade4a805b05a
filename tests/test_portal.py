"""The page as a technician uses it: a real browser, a real portal, with and without an agent."""

from __future__ import annotations

import asyncio
import re
import tomllib
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from browser import CHROMIUM, LAPTOP, PHONE, browsing
from evidencing import one_car, street
from portals import portal
from waiting import until

from agent import Agent
from lamppost.simulators.modbus import Unit, serve_tcp

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")


def box(folder, more="", meter=0):
    supply = f"""
[devices.tank]
driver = "modbus"
url = "tcp://127.0.0.1:{meter}"
every_s = 0.5
registers.level = {{ address = 0, unit = "mm" }}
"""
    return f"""
[sight]
model = "{one_car(folder)}"
[devices.kerb-cam]   # over the kerb
driver = "camera"
source = "{street(folder)}"
loop = true
fps = 5
{more}{supply if meter else ""}"""


BAY = """zones.bay = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
[rules.bay]
kind = "parking"   # no stopping here
camera = "kerb-cam"
zone = "bay"
dwell_s = 600
"""


@asynccontextmanager
async def meter(value=412):
    unit = Unit(1, holding=[value])
    async with serve_tcp([unit]) as server:
        yield server.port


async def corners(page):
    """Return what makes pixels of shares of the picture."""
    await page.until("document.querySelector('.picture img').naturalWidth > 0")
    await page.see("scrollTo(0, 0)")
    x, y, width, height = await page.see(
        "(() => { const r = document.querySelector('.picture canvas').getBoundingClientRect();"
        " return [r.x, r.y, r.width, r.height]; })()"
    )
    return lambda *points: [(x + px * width, y + py * height) for px, py in points]


def test_a_zone_is_drawn_by_finger_tried_and_saved_without_an_agent(tmp_path):
    async def main():
        agent = Agent(tmp_path, box(tmp_path))
        async with portal(agent.config) as at, browsing(PHONE) as page:
            await page.go(at.url)
            await page.until("document.querySelector('[data-camera=kerb-cam] img')?.naturalWidth > 0")
            assert "agent does not run" in await page.text("header")
            await page.click("[data-camera=kerb-cam] button")
            await page.until("document.querySelector('.picture img').naturalWidth > 0")
            await page.click("#new-zone")
            await page.until("document.querySelector('#trial')")
            place = await corners(page)
            for corner in ((0.1, 0.15), (0.5, 0.15), (0.9, 0.9), (0.1, 0.9)):
                await page.finger(place(corner))
            await page.finger(place((0.5, 0.15), (0.7, 0.15), (0.9, 0.15)))
            await page.until("document.querySelector('#trial').innerText.includes('Now in the zone: car')")
            await page.fill("#zone-name", "no good")
            await page.click("#save")
            assert "needs a name" in await page.text("#trial")
            await page.fill("#zone-name", "kerb")
            await page.fill("[data-dwell=parking]", "1")
            await page.click("#try")
            await page.until("document.querySelector('#trial').innerText.includes('1 alarm(s)')", 60)
            assert "stands there for" in await page.text("#trial")
            await page.click("#save")
            await page.until("document.querySelector('[data-zone=kerb]')")
            assert "when it starts" in await page.text("main")
            assert page.complaints == []
            assert {urlsplit(one).netloc for one in page.requests if one.startswith("http")} == {at.netloc}
        text = agent.config.read_text()
        assert "# over the kerb" in text
        found = tomllib.loads(text)
        drawn = found["devices"]["kerb-cam"]["zones"]["kerb"]
        assert [(round(x, 1), round(y, 1)) for x, y in drawn] == [
            (0.1, pytest.approx(0.15, abs=0.06)),
            (0.9, pytest.approx(0.15, abs=0.06)),
            (0.9, 0.9),
            (0.1, 0.9),
        ]
        (rule,) = found["rules"].values()
        assert rule == {"kind": "parking", "camera": "kerb-cam", "zone": "kerb", "dwell_s": 1}

    asyncio.run(main())


def test_what_is_saved_the_agent_takes_and_its_event_shows_with_pictures(tmp_path):
    async def main():
        async with meter() as port:
            agent = Agent(tmp_path, box(tmp_path, BAY, port)).start()
            try:
                async with portal(agent.config) as at, browsing(LAPTOP) as page:
                    await page.go(f"{at.url}#/camera/kerb-cam")
                    await until(lambda: agent.device("kerb-cam")["state"] == "ok", 30)
                    await page.click("[data-zone=bay]")
                    await page.fill("[data-dwell=parking]", "1")
                    await page.click("#save")
                    await page.until("document.querySelector('main').innerText.includes('takes it now')")
                    await page.see("location.hash = '/events'")
                    await page.until("document.querySelectorAll('.evidence img').length > 0", 30)
                    await page.until(
                        "[...document.querySelectorAll('.evidence img')].every((i) => i.naturalWidth > 0)"
                    )
                    assert "parking.illegal began" in await page.text("[data-event]")
                    await page.see("location.hash = '/devices'")
                    await page.until("document.querySelector('[data-quantity=level] path')", 30)
                    assert "412 mm" in await page.text("[data-device=tank]")
                    # The agent reads the camera; the page looks through it.
                    assert not list(at.children("lamppost.drivers.camera"))
                    assert page.complaints == []
                text = agent.config.read_text()
                assert "# no stopping here" in text
                assert tomllib.loads(text)["rules"]["bay"]["dwell_s"] == 1
            finally:
                agent.kill()

    asyncio.run(main())


def test_the_page_speaks_chinese_and_so_do_its_checks(tmp_path):
    async def main():
        agent = Agent(tmp_path, box(tmp_path))
        async with portal(agent.config) as at, browsing(PHONE, "zh-CN") as page:
            await page.go(f"{at.url}#/checks")
            await page.until("document.querySelector('[data-colour=yellow]')")
            await page.until("!document.querySelector('#check').disabled", 60)
            assert "摄像机" in await page.text("nav")
            assert "代理未运行" in await page.text("header")
            assert re.search(r"[一-鿿]", await page.text("#findings"))
            await page.click("#language")
            assert "Cameras" in await page.text("nav")
            await page.until("document.documentElement.lang === 'en'")

    asyncio.run(main())


def test_the_qr_code_opens_the_page_and_a_wrong_pin_does_not(tmp_path):
    async def main():
        agent = Agent(tmp_path, box(tmp_path))
        async with portal(agent.config, "--interface", "lo") as at, browsing(PHONE) as page:
            assert re.fullmatch(r"\d{6}", at.pin)
            await page.go(at.url)
            await page.until("document.querySelector('#pin')")
            await page.fill("#pin", "000000" if at.pin != "000000" else "111111")
            await page.see("document.querySelector('form').requestSubmit()")
            await page.until("document.querySelector('[role=alert]').innerText === 'Wrong PIN.'")
            assert await page.see("fetch('/api/state').then((r) => r.status)") == 401
            await page.go("about:blank")
            await page.go(f"{at.url}#{at.pin}")
            await page.until("document.querySelector('[data-camera=kerb-cam]')")
            assert at.pin not in await page.see("location.href")

    asyncio.run(main())
