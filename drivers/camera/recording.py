"""Recordings picture by picture, on the file's own presentation time, damage told by the second."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2

_LOOKED_AT: Final = 60
_MOST_FAILED: Final = 1000
#: Pictures that may be missing at the end before the file counts as cut off.
_MISSING: Final = 3


class RecordingError(Exception):
    """The recording cannot be read, or not beyond ``at_s`` seconds of its own time."""

    def __init__(self, message: str, at_s: float | None = None) -> None:
        super().__init__(message)
        self.at_s = at_s


def open_recording(
    path: Path | str, on_break: Callable[[RecordingError], None] | None = None
) -> Iterator[tuple[float, Any]]:
    """Yield each picture with its presentation time in seconds, as ``ffprobe`` shows it.

    The time is that of the file: a file that begins at 1.4 s begins at 1.4 s here, and pictures come at
    the pace that they were taken, constant or not. Where the file is damaged, RecordingError is
    raised; with ``on_break`` it is handed there and reading goes on behind the damage.
    A file that cannot be opened, or has no picture, raises at once.
    """
    file = Path(path)
    if not file.is_file():
        raise RecordingError(f"{file}: there is no such file")
    capture = _open(file)
    capture.release()
    return _read(file, on_break or _raise)


def _raise(error: RecordingError) -> None:
    raise error


def _open(file: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise RecordingError(f"{file}: not a video, or cut off before its index was written")
    return capture


def _begin_s(file: Path) -> float:
    """Return the presentation time of the file's zero.

    OpenCV counts POS_MSEC from the stream's beginning. PTS does not, but comes rounded to pictures of the
    nominal rate: the median over many pictures gets closer than half of one.
    """
    capture = _open(file)
    try:
        fps = capture.get(cv2.CAP_PROP_FPS)
        if fps <= 0:
            return 0.0
        begins: list[float] = []
        while len(begins) < _LOOKED_AT and capture.grab():
            begins.append(capture.get(cv2.CAP_PROP_PTS) / fps - capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    finally:
        capture.release()
    begin_s = statistics.median(begins) if begins else 0.0
    return begin_s if abs(begin_s) > 0.5 / fps else 0.0


def _read(file: Path, on_break: Callable[[RecordingError], None]) -> Iterator[tuple[float, Any]]:
    begin_s = _begin_s(file)
    capture = _open(file)
    try:
        newest_s: float | None = None
        while failed := _grab(capture):
            if failed > 1:
                at_s = newest_s or 0.0
                on_break(RecordingError(f"{file}: damaged at {at_s:.1f} s", at_s))
            good, image = capture.retrieve()
            at_s = begin_s + capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if newest_s is not None and at_s <= newest_s:
                continue  # a picture that damage has put out of order
            newest_s = at_s
            if good:
                yield at_s, image
        if newest_s is None:
            raise RecordingError(f"{file}: holds no picture that can be decoded", 0.0)
        if left_s := _left_s(capture):
            text = f"{file}: ends at {newest_s:.1f} s, {left_s:.0f} s before it should"
            on_break(RecordingError(text, newest_s))
    finally:
        capture.release()


def _left_s(capture: cv2.VideoCapture) -> float:
    """Return how long the file should go on behind the newest picture; 0 if by less than a second.

    Some formats count their pictures, others let them be guessed from a duration that includes what
    stands before the first picture: PTS, which includes it too, fits both.
    """
    count, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    left = count - capture.get(cv2.CAP_PROP_PTS) - 1 - _MISSING
    return float(left / fps) if 0 < fps < left else 0.0


def _grab(capture: cv2.VideoCapture) -> int:
    """Grab the next picture, over damage if there are pictures behind it; return the number of tries.

    0 is the end.
    """
    tries = range(1, _MOST_FAILED)
    return next((number for number in tries if capture.grab()), 0)
