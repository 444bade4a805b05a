"""Chromium without a screen, driven by the DevTools protocol, for tests of the page."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import time
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import websockets
from waiting import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, LAPTOP = (390, 844), (1280, 800)


class Page:
    """One page. Expressions are JavaScript; what they throw is an AssertionError here."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers = {}
        #: What the page complained about: exceptions, and refused resources.
        self.complaints = []
        #: Addresses of all that it asked for.
        self.requests = []

    async def listen(self):
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                self.complaints.append(message["params"]["exceptionDetails"])
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["source"] == "security":
                self.complaints.append(message["params"]["entry"]["text"])
            elif message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])

    async def call(self, method, **params):
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        message = await asyncio.wait_for(answer, 30)
        assert "error" not in message, message
        return message["result"]

    async def size(self, width, height, *, touch):
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )
        await self.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    async def go(self, url):
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def see(self, expression):
        found = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression, within_s=20.0):
        deadline = time.monotonic() + within_s
        while True:
            if await self.see(f"Boolean({expression})"):
                return
            if time.monotonic() > deadline:
                text = await self.see("document.body.innerText")
                raise AssertionError(f"never: {expression}; complaints: {self.complaints}; page:\n{text}")
            await asyncio.sleep(0.05)

    async def text(self, selector="body"):
        return await self.see(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    async def click(self, selector):
        """Tap an element that can be seen; it must be there and large enough for a gloved finger."""
        target = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{target} && !{target}.disabled")
        x, y, height = await self.see(
            f"(() => {{ const e = {target}; e.scrollIntoView({{block: 'center'}}); "
            "const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2, r.height]; })()"
        )
        assert height >= 24, f"{selector} is {height} px high"
        await self.tap(x, y)

    async def tap(self, x, y):
        await self.drag([(x, y)])

    async def drag(self, points):
        """Press at the first point, move through the others, let go."""
        (x, y), *rest = points
        mouse = {"button": "left", "clickCount": 1}
        await self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **mouse)
        for x, y in rest:
            await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, buttons=1, **mouse)
        await self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **mouse)

    async def finger(self, points):
        """The same by finger."""
        (x, y), *rest = points
        await self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        for x, y in rest:
            await self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": x, "y": y}])
        await self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def fill(self, selector, text):
        await self.see(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            f"e.value = {json.dumps(text)}; "
            "for (const k of ['input', 'change']) e.dispatchEvent(new Event(k, {bubbles: true})); })()"
        )

    async def screenshot(self, path):
        found = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=False)
        Path(path).write_bytes(base64.b64decode(found["data"]))


@asynccontextmanager
async def browsing(size=PHONE, language="en-US"):
    """Open a browser with one page; phones are touched."""
    # Its helpers may write a last file after it is gone.
    with TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            f"--lang={language}",
            f"--accept-lang={language}",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": folder},
        )
        try:
            port_file = Path(folder, "DevToolsActivePort")
            await until(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1, 30, "Chromium")
            port = int(port_file.read_text().split("\n")[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as found:
                target = next(one for one in json.load(found) if one["type"] == "page")
            async with websockets.connect(target["webSocketDebuggerUrl"], max_size=None) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await page.call(f"{domain}.enable")
                await page.size(*size, touch=size == PHONE)
                try:
                    yield page
                finally:
                    listening.cancel()
                    # Killed, it would leave folders of its own behind.
                    await socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
                    await asyncio.wait_for(process.wait(), 10)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
