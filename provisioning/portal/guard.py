"""Who is answered at all: the page's own requests only, and with a PIN only those who came in by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "lamppost"
#: No request of the page is larger.
LARGEST: Final = 64 << 10
#: What is answered before the PIN: the page itself, which knows nothing, and the way in.
_OPEN: Final = ("/", "/api/enter")
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Guard:
    """Refuses what did not come from the page.

    A foreign page in the same browser could send requests (CSRF), or have its own name point to this
    machine (DNS rebinding): Host and Origin are held to what the page is reached by.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str], knows: Callable[[str], bool], touched: Callable[[], None]
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._knows = knows
        self._touched = touched

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        self._touched()
        await self._app(scope, receive, guarded)

    def _refusal(self, request: Request) -> JSONResponse | None:
        headers = request.headers
        if urlsplit(f"//{headers.get('host', '')}").hostname not in self._hosts:
            return _no(
                "this page is not served under that name; use the address that the terminal shows", 421
            )
        if request.method not in ("GET", "HEAD") and not _is_own(headers):
            return _no("this request did not come from the page", 403)
        if int(headers.get("content-length") or 0) > LARGEST or "transfer-encoding" in headers:
            return _no("that is more than the page ever sends", 413)
        path = request.url.path
        if path in _OPEN or path.startswith("/static/") or self._knows(request.cookies.get(COOKIE, "")):
            return None
        return _no("the PIN first", 401)


def _is_own(headers: Headers) -> bool:
    """Say whether a change was asked for by the page itself: a form of another page cannot send JSON."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    return headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def _no(words: str, code: int) -> JSONResponse:
    return JSONResponse({"error": words}, code)


class Activity:
    """When the page was last used."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()

    def touch(self, *_: Any) -> None:
        """Note that it is used."""
        self._at = self._clock()

    async def over(self, idle_s: float) -> None:
        """Return when it was not used for so long."""
        while True:
            left_s = idle_s - (self._clock() - self._at)
            if left_s <= 0:
                return
            await asyncio.sleep(left_s)
