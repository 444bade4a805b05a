"""Readiness and watchdog for systemd: sd_notify(3), the datagram protocol behind it."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Tells the service manager how the agent is; does nothing where none listens."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        #: Seconds between two signs of life, half of what the unit asks for; None without a watchdog.
        self.watchdog_s = self._watchdog_s() if address else None

    @staticmethod
    def _watchdog_s() -> float | None:
        usec = os.environ.get("WATCHDOG_USEC", "")
        pid = os.environ.get("WATCHDOG_PID", "")
        if not usec.isdigit() or (pid and pid != str(os.getpid())):
            return None
        return int(usec) / 2e6

    def send(self, state: str) -> None:
        """Send one state: ``READY=1``, ``WATCHDOG=1``, ``RELOADING=1``, ``STOPPING=1``, ``STATUS=...``."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(state.encode(), socket.MSG_DONTWAIT, self._address)
        except OSError:
            return  # a manager that does not listen must not stop the agent

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
