"""How the plain commands print: colours on a terminal only, and none where NO_COLOR is set."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

_CODES: Final = {"green": "32", "yellow": "33", "red": "31", "bold": "1"}


def colours(stream: TextIO) -> bool:
    """Say whether a stream shows colours (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return the text in a colour, where the stream (stdout) shows colours."""
    if not colours(sys.stdout if stream is None else stream):
        return text
    return f"\033[{_CODES[colour]}m{text}\033[0m"
