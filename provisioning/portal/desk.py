"""What the page works with: the configuration as it is now, cameras, readings, and who may come in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from lamppost.agent.window import EVENTS, FOLDER
from lamppost.provisioning.edit import editing, tried_out
from lamppost.provisioning.portal.gate import Gate
from lamppost.provisioning.portal.history import History
from lamppost.provisioning.portal.pictures import Picture, Views
from lamppost.provisioning.portal.zones import Drawing, erase
from lamppost.provisioning.running import reload
from lamppost.provisioning.service_env import load_as_service

#: A trial on five minutes of pictures takes a small box about a minute.
TRIAL_S: Final = 300.0


class TrialError(Exception):
    """Trying on pictures failed, in words."""


class Desk:
    """One configuration file, and all that the page shows and changes of it."""

    def __init__(self, path: Path, gate: Gate | None) -> None:
        self.path = path
        #: None lets everybody in: the page can be reached from this machine only.
        self.gate = gate
        self._stamp = 0
        self.config = load_as_service(path)
        self.views = Views(lambda: self.config)
        self.history = History(lambda: self.config)
        self._trial = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Follow cameras and devices meanwhile."""
        tasks = [asyncio.create_task(self.views.run()), asyncio.create_task(self.history.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def refresh(self) -> None:
        """Take the file as it is now, if it holds together: the CLI may have changed it."""
        with contextlib.suppress(OSError):
            stamp = self.path.stat().st_mtime_ns
            if stamp != self._stamp:
                self._stamp = stamp
                with contextlib.suppress(Exception):  # the checks say what is wrong with it
                    self.config = load_as_service(self.path)

    def save(self, camera: str, zone: str, drawing: Drawing | None) -> dict[str, Any]:
        """Write a zone, or remove it (None). Raises ConfigError and EditError; nothing is written then."""
        with editing(self.path) as edit:
            if drawing is None:
                erase(edit, camera, zone)
            else:
                drawing.draw(edit, camera, zone)
        self.config = load_as_service(self.path)
        return {
            "backup": edit.backup.name if edit.backup else None,
            "agent": reload(self.config.node.run_dir),
        }

    async def attempt(self, camera: str, zone: str, drawing: Drawing, *, live: bool) -> dict[str, Any]:
        """Return what a zone would have told in the last minutes, or what is in it now (``live``).

        Raises ConfigError, EditError and TrialError.
        """
        recent = self._recent(camera)
        with tried_out(self.path) as (edit, made):
            drawing.draw(edit, camera, zone)
            asked = {"do": "try", "config": str(await asyncio.to_thread(made))}
            found = await self._child(asked, camera, recent[-1:] if live else recent)
        return found | {"picture": base64.b64encode(recent[-1].jpeg).decode()}

    async def dry(self, camera: str, light: str | None, count: int = 5) -> dict[str, Any]:
        """Keep the newest pictures, about a second apart, as those of a dry road. Raises TrialError."""
        recent = self._recent(camera)[-2 * count :: 2]
        return await self._child({"do": "dry", "config": str(self.path), "light": light}, camera, recent)

    def events(self) -> list[dict[str, Any]]:
        """Return the agent's last events, the newest first."""
        try:
            found = json.loads((self.config.node.run_dir / FOLDER / EVENTS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return list(reversed(found))

    def _recent(self, camera: str) -> list[Picture]:
        view = self.views.get(camera)
        recent = view.recent() if view else []
        if not recent:
            raise TrialError(
                f"{camera}: no picture yet" + (f": {view.problem}" if view and view.problem else "")
            )
        return recent

    async def _child(self, asked: dict[str, Any], camera: str, pictures: Sequence[Picture]) -> dict[str, Any]:
        """Let a child process look at pictures; one at a time, as it costs a core."""
        head = asked | {"camera": camera, "pictures": [(one.at, len(one.jpeg)) for one in pictures]}
        async with self._trial:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "lamppost.provisioning.portal.trial",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(TRIAL_S):
                    said, _ = await child.communicate(
                        json.dumps(head).encode() + b"\n" + b"".join(one.jpeg for one in pictures)
                    )
            except TimeoutError:
                raise TrialError(f"not done within {TRIAL_S:g} s; is the box overloaded?") from None
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
        try:
            answer: dict[str, Any] = json.loads(said)
        except ValueError:
            raise TrialError(f"the process that looks at pictures died (code {child.returncode})") from None
        if "error" in answer:
            raise TrialError(self.config.redact(answer["error"]))
        return answer
