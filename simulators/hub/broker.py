"""An MQTT broker as a child process: mosquitto where it is installed, else amqtt (MQTT 3.1.1 only)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self, TypeAlias

from lamppost.simulators.child import Child, ChildError

Program: TypeAlias = Literal["mosquitto", "amqtt"]

START_S = 15.0
_SBIN = ":/usr/sbin:/usr/local/sbin"


class BrokerError(Exception):
    """The broker cannot be started: why, and what to do."""


class Tls(NamedTuple):
    """Files of the broker's certificate (PEM); with ``ca_file`` it demands one of its clients."""

    cert_file: Path
    key_file: Path
    ca_file: Path | None = None


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def mosquitto() -> str | None:
    """Return the path of mosquitto, None where it is not installed."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + _SBIN)


class Broker:
    """A broker on one port, which it keeps through restarts; what it held in memory it forgets.

    ``users`` are the names and passwords that it lets in (everybody without any), ``settings`` more
    lines for mosquitto's configuration. As an async context manager it is started and, in the end,
    stopped. Nothing is ever dropped for a slow subscriber: a gap is the sender's.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        users: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        settings: Sequence[str] = (),
        program: Program | None = None,
    ) -> None:
        self.program: Program = program or ("mosquitto" if mosquitto() else "amqtt")
        self.host = host
        self.port = port or free_port()
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._folder = folder
        self._users = dict(users or {})
        self._tls = tls
        self._settings = settings
        self._child: Child | None = None
        if self.program == "amqtt" and (users or tls or settings):
            raise BrokerError("users, TLS and settings need mosquitto; install it (apt install mosquitto)")

    @property
    def url(self) -> str:
        """Where clients on this machine find it."""
        return f"mqtt{'s' if self._tls else ''}://{self.host}:{self.port}"

    @property
    def protocol(self) -> Literal["5", "3.1.1"]:
        """The newest MQTT version that it speaks."""
        return "5" if self.program == "mosquitto" else "3.1.1"

    @property
    def running(self) -> bool:
        """Whether its process runs (or is frozen)."""
        return self._child is not None and self._child.running

    @property
    def log(self) -> str:
        """The end of what it has said."""
        return "" if self._child is None else self._child.logged()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._own is not None:
            self._own.cleanup()

    async def start(self) -> None:
        """Start it (again) on its port; return when it accepts. Raises BrokerError."""
        if self._child is None:
            if self._folder is None:
                self._own = tempfile.TemporaryDirectory(prefix="lamppost-broker-")
                self._folder = Path(self._own.name)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._child = Child(self._command(self._folder), self._folder / "broker.log", cwd=self._folder)
        try:
            self._claim()
            await self._child.start()
            await asyncio.wait_for(self._accepts(), START_S)
        except (ChildError, OSError, TimeoutError) as error:
            await self._child.end(signal.SIGKILL)
            raise BrokerError(
                f"{self.program} does not start on {self.host}:{self.port}: {error}; it said: {self.log}"
            ) from error

    async def stop(self) -> None:
        """Stop it the polite way."""
        if self._child is not None:
            await self._child.end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it, frozen or not."""
        if self._child is not None:
            await self._child.end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open, nobody answers."""
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self._child is not None:
            self._child.send(signal.SIGCONT)

    def _claim(self) -> None:
        """Raise OSError if somebody else has the port: he would be taken for the broker."""
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, self.port))

    async def _accepts(self) -> None:
        """Return when a connection succeeds. Raises ChildError if the program has ended."""
        assert self._child is not None
        while True:
            if not self._child.running:
                raise ChildError(f"it ended with exit code {self._child.exit_code}")
            try:
                _, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return

    def _command(self, folder: Path) -> list[str]:
        path = mosquitto()
        if self.program == "amqtt" or path is None:
            listen = ["--host", self.host, "--port", str(self.port)]
            return [sys.executable, "-m", "lamppost.simulators.hub.embedded", *listen]
        config = folder / "mosquitto.conf"
        config.write_text("\n".join(self._lines(folder)) + "\n", encoding="utf-8")
        return [path, "-c", str(config)]

    def _lines(self, folder: Path) -> list[str]:
        lines = ["user root"] if os.geteuid() == 0 else []  # else it could not read files of ours
        lines += [
            f"listener {self.port} {self.host}",
            f"allow_anonymous {'false' if self._users else 'true'}",
            "persistence false",
            "max_queued_messages 0",
            "max_queued_bytes 0",
            "set_tcp_nodelay true",
        ]
        if self._users:
            lines.append(f"password_file {self._passwords(folder)}")
        if self._tls is not None:
            lines += [f"certfile {self._tls.cert_file}", f"keyfile {self._tls.key_file}"]
            if self._tls.ca_file is not None:
                lines += [f"cafile {self._tls.ca_file}", "require_certificate true"]
        return [*lines, *self._settings]

    def _passwords(self, folder: Path) -> Path:
        path = folder / "passwords"
        path.write_text("".join(f"{name}:{word}\n" for name, word in self._users.items()), encoding="utf-8")
        path.chmod(0o600)
        program = shutil.which("mosquitto_passwd", path=os.environ.get("PATH", "") + _SBIN)
        if program is None:
            raise BrokerError("users need mosquitto_passwd, which comes with mosquitto")
        subprocess.run([program, "-U", str(path)], check=True, capture_output=True)  # noqa: S603
        return path
