"""A real `lamppost portal` in a process of its own, for tests."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psutil


class Portal:
    """A portal that runs; ``url`` ends with a slash, ``pin`` is empty where none is asked for."""

    def __init__(self, process, url, pin):
        self.process, self.url, self.pin = process, url, pin
        self.netloc = urlsplit(url).netloc

    def children(self, of):
        """Yield the child processes that run a module."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if of in " ".join(child.cmdline()):
                yield child

    def ask(self, path, method="GET", body=None, **headers):
        """Return status and answer of a request, as JSON or bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        told = {"content-type": "application/json"} if data is not None else {}
        request = urllib.request.Request(
            self.url + path.lstrip("/"),
            data=data,
            method=method,
            headers=told | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, said, kind = answer.status, answer.read(), answer.headers["content-type"]
        except urllib.error.HTTPError as error:
            with error:
                status, said, kind = error.code, error.read(), error.headers["content-type"]
        return status, json.loads(said) if kind == "application/json" else said


@asynccontextmanager
async def portal(config, *options, env=None):
    """Start a portal on a free port, and stop it in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from lamppost.provisioning.cli import main; sys.exit(main())",
        "portal",
        "--config",
        str(config),
        "--port",
        "0",
        *options,
        stdout=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        url = re.search(r"http://\S+", line)
        assert url, line
        pin = re.search(r"PIN (\d+)", line)
        yield Portal(process, url[0], pin[1] if pin else "")
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 15)
