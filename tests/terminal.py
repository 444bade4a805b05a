"""The command line in a process of its own, at a terminal that a test types into and reads."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence

from waiting import until_sync

_COMMAND = "import sys; from lamppost.provisioning.cli import main; sys.exit(main(sys.argv[1:]))"


class Terminal:
    """``child`` is the process; ``said`` waits for words on the terminal and forgets all up to them."""

    def __init__(self, child: subprocess.Popen[bytes], master: int) -> None:
        self.child = child
        self._master = master
        self._seen = bytearray()

    def said(self, words: str) -> None:
        until_sync(lambda: self._read() or words.encode() in self._seen, what=words)
        del self._seen[: self._seen.index(words.encode()) + len(words.encode())]

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """Wait for the end, taking what is still said; return the exit code."""
        until_sync(lambda: self._read() or self.child.poll() is not None, what="end of the command")
        self._read()
        return self.child.returncode

    def rest(self) -> str:
        """Return what was said since."""
        return self._seen.decode()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self._master, 4096):
                self._seen.extend(piece)


@contextlib.contextmanager
def at_terminal(args: Sequence[str], *, first: str = "") -> Iterator[Terminal]:
    """Run a command at a terminal of its own; the code in ``first`` runs before it."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", f"{first}\n{_COMMAND}", *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    os.set_blocking(master, False)
    try:
        yield Terminal(child, master)
    finally:
        child.kill()
        child.wait()
        os.close(master)
