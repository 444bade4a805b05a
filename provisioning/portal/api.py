"""What the page asks, and what it is answered: JSON, pictures, and the checks as they are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lamppost.agent.config import ConfigError
from lamppost.agent.window import FOLDER
from lamppost.provisioning.check import checks
from lamppost.provisioning.edit import EditError
from lamppost.provisioning.portal.desk import Desk, TrialError
from lamppost.provisioning.portal.gate import Answer
from lamppost.provisioning.portal.guard import COOKIE, Activity, Guard
from lamppost.provisioning.portal.summary import cameras, summary
from lamppost.provisioning.portal.zones import Drawing
from lamppost.provisioning.words import LANGUAGES, speaking

STATIC: Final = Path(__file__).parent / "static"
#: A request for a picture waits so long for a newer one.
_PICTURE_S = 5.0
_CODES: Final = {Answer.WRONG: 403, Answer.WAIT: 429, Answer.LOCKED: 423}

Endpoint = Callable[[Request], Awaitable[Response]]


def portal(desk: Desk, hosts: frozenset[str], activity: Activity) -> Starlette:
    """Return the page's server; ``hosts`` are the names that it may be called by."""
    page = _Page(desk)
    camera = "/api/cameras/{camera}"
    routes = [
        Route("/", page.index),
        Route("/api/enter", page.enter, methods=["POST"]),
        Route("/api/state", _answering(page.state)),
        Route("/api/events", _answering(page.events)),
        Route("/api/evidence/{event}/{number:int}.jpg", page.evidence),
        Route("/api/checks", page.checks),
        Route(f"{camera}/picture.jpg", _answering(page.picture)),
        Route(f"{camera}/zones/{{zone}}", _answering(page.save), methods=["PUT"]),
        Route(f"{camera}/zones/{{zone}}", _answering(page.remove), methods=["DELETE"]),
        Route(f"{camera}/zones/{{zone}}/trial", _answering(page.attempt), methods=["POST"]),
        Route(f"{camera}/dry", _answering(page.dry), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    gate = desk.gate
    knows = gate.knows if gate is not None else lambda _session: True
    guard = Middleware(Guard, hosts=hosts, knows=knows, touched=activity.touch)
    return Starlette(routes=routes, middleware=[guard])


def _answering(endpoint: Endpoint) -> Endpoint:
    """Answer what cannot be done in the words that the command line has for it."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (ConfigError, EditError, TrialError) as error:
            return _problem(str(error), HTTPStatus.CONFLICT)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            return _problem(f"{where}: {first['msg']}", HTTPStatus.BAD_REQUEST)
        except OSError as error:
            return _problem(f"{error.filename}: {error.strerror}", HTTPStatus.CONFLICT)

    return answer


def _problem(words: str, code: int) -> JSONResponse:
    return JSONResponse({"error": words}, code)


class _Page:
    """The endpoints."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def index(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def enter(self, request: Request) -> Response:
        gate = self._desk.gate
        if gate is None:
            return JSONResponse({"in": True})
        try:
            pin = str((await request.json())["pin"])
        except (ValueError, KeyError, TypeError):
            return _problem("no PIN", HTTPStatus.BAD_REQUEST)
        answer, session = gate.enter(pin)
        if answer is not Answer.IN:
            return JSONResponse({"answer": answer.value, "wait_s": gate.wait_s()}, _CODES[answer])
        made = JSONResponse({"in": True})
        made.set_cookie(COOKIE, session, httponly=True, samesite="strict")
        return made

    async def state(self, _: Request) -> Response:
        await asyncio.to_thread(self._desk.refresh)
        return JSONResponse(await asyncio.to_thread(summary, self._desk))

    async def events(self, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._desk.events))

    async def evidence(self, request: Request) -> Response:
        event, number = request.path_params["event"], request.path_params["number"]
        path = self._desk.config.node.run_dir / FOLDER / f"{event}-{number}.jpg"
        known = any(one["id"] == event for one in await asyncio.to_thread(self._desk.events))
        if not known or not path.is_file():
            return _problem("this picture is not kept any more", HTTPStatus.NOT_FOUND)
        return FileResponse(path, media_type="image/jpeg")

    async def checks(self, request: Request) -> Response:
        lang = request.query_params.get("lang")
        return StreamingResponse(
            self._findings(lang if lang in LANGUAGES else None), media_type="application/x-ndjson"
        )

    async def _findings(self, lang: str | None) -> AsyncIterator[bytes]:
        """Yield a line for each finding. A task of its own: it speaks one language from beginning to end."""
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def fill() -> None:
            try:
                with speaking(lang):
                    async for finding in checks(self._desk.config):
                        lines.put_nowait(json.dumps(finding.as_json(), ensure_ascii=False).encode() + b"\n")
            finally:
                lines.put_nowait(None)

        task = asyncio.create_task(fill())
        try:
            while (line := await lines.get()) is not None:
                yield line
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _camera(self, request: Request) -> str:
        name = str(request.path_params["camera"])
        if name not in dict(cameras(self._desk.config)):
            raise EditError(f"there is no camera {name!r} in the configuration")
        return name

    async def picture(self, request: Request) -> Response:
        view = self._desk.views.get(self._camera(request))
        after = request.query_params.get("after", "")
        newest = await view.after(int(after) if after.isdigit() else 0, _PICTURE_S) if view else None
        if newest is None:
            return _problem(view.problem if view else "", HTTPStatus.SERVICE_UNAVAILABLE)
        told = {"x-number": str(newest.number), "x-at": f"{newest.at:.3f}"}
        return Response(newest.jpeg, media_type="image/jpeg", headers=told)

    async def save(self, request: Request) -> Response:
        camera, zone = self._camera(request), request.path_params["zone"]
        drawing = Drawing.model_validate_json(await request.body())
        return JSONResponse(await asyncio.to_thread(self._desk.save, camera, zone, drawing))

    async def remove(self, request: Request) -> Response:
        camera, zone = self._camera(request), request.path_params["zone"]
        return JSONResponse(await asyncio.to_thread(self._desk.save, camera, zone, None))

    async def attempt(self, request: Request) -> Response:
        camera, zone = self._camera(request), request.path_params["zone"]
        drawing = Drawing.model_validate_json(await request.body())
        live = request.query_params.get("on") == "live"
        return JSONResponse(await self._desk.attempt(camera, zone, drawing, live=live))

    async def dry(self, request: Request) -> Response:
        light = json.loads(await request.body() or b"{}").get("light")
        if light not in (None, "day", "night"):
            return _problem(f"light: {light!r}; day, night or nothing", HTTPStatus.BAD_REQUEST)
        return JSONResponse(await self._desk.dry(self._camera(request), light))
