"""Pictures out of a multipart/x-mixed-replace stream (RFC 2046): what HTTP cameras call MJPEG."""

from __future__ import annotations

from typing import Final

#: A larger picture than this is none.
LARGEST: Final = 16 << 20
_LONGEST_HEAD = 16 << 10
_END_OF_JPEG = b"\xff\xd9"


class MultipartError(Exception):
    """The stream cannot be read on."""


class Multipart:
    """Cuts a stream of bytes into parts. Works with and without Content-Length, and where it lies."""

    def __init__(self, boundary: str) -> None:
        # Cameras announce "--x" and send "--x", or announce "x" and send "--x".
        self._mark = b"--" + boundary.strip().strip('"').lstrip("-").encode("latin-1")
        self._buffer = bytearray()
        self._searched = 0
        self._length: int | None = None
        self._inside = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the parts that ``data`` completes. Raises MultipartError."""
        self._buffer += data
        parts = []
        while (part := self._next()) is not None:
            if part:
                parts.append(part)
        return parts

    def _next(self) -> bytes | None:
        if not self._inside and not self._enter():
            return None
        if self._length is not None and len(self._buffer) >= self._length:
            if self._buffer[self._length - 2 : self._length] == _END_OF_JPEG:
                return self._cut(self._length)  # without waiting for the mark, which comes with the next
            after = bytes(self._buffer[self._length : self._length + len(self._mark) + 2]).lstrip(b"\r\n")
            if after == self._mark[: len(after)]:
                return self._cut(self._length) if len(after) == len(self._mark) else None
            self._length = None  # it lied: look for the mark
        if self._length is None:
            start = max(0, self._searched - len(self._mark))
            end = self._buffer.find(self._mark, start)
            if end >= 0:
                return self._cut(end).rstrip(b"\r\n")
            self._searched = len(self._buffer)
        if len(self._buffer) > LARGEST:
            raise MultipartError(f"a picture of more than {LARGEST >> 20} MB")
        return None

    def _enter(self) -> bool:
        """Go past the mark and the head of a part; return False if they are not there yet."""
        start = self._buffer.find(self._mark)
        if start < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise MultipartError("the stream has lost its boundary")
            return False
        for end_of_head in (b"\r\n\r\n", b"\n\n"):
            end = self._buffer.find(end_of_head, start)
            if end >= 0:
                self._length = _content_length(bytes(self._buffer[start:end]))
                if self._length is not None and self._length > LARGEST:
                    raise MultipartError(f"a picture of {self._length >> 20} MB")
                del self._buffer[: end + len(end_of_head)]
                self._inside, self._searched = True, 0
                return True
        if len(self._buffer) - start > _LONGEST_HEAD:
            raise MultipartError("the head of a picture has no end")
        return False

    def _cut(self, end: int) -> bytes:
        part = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._inside, self._length = False, None
        return part


def _content_length(head: bytes) -> int | None:
    for line in head.splitlines():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None
