"""Where a camera looks: its slowly learnt background of edges, and whether the view has shifted for good."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

_WIDTH: Final = 160
_RECENT_TAU_S: Final = 10.0
_NORMAL_TAU_S: Final = 600.0
_LEARNT_S: Final = 60.0
_EVERY_S: Final = 2.0
#: A shift by more than this share of the width is a movement, by less than the second it is none any more.
_FAR: Final = 0.02
_NEAR: Final = 0.01
#: Mean gradient below which a view has too few edges to be recognised: fog, night.
_FEWEST_EDGES: Final = 4.0
#: Below this likeness the view may be another: it is learnt ten times slower until that is clear.
_SURE: Final = 0.6
#: Likeness of two streets is below 0.15, that of a street to itself, measured on clips, above 0.9.
_ELSEWHERE: Final = 0.25
_SCALE: Final = 50.0


def edges(grey: Any) -> tuple[Any, float]:
    """Return the edges of a grey picture, `_WIDTH` wide, apart from light and contrast, and their mean."""
    height = max(2, round(_WIDTH * grey.shape[0] / grey.shape[1]))
    small = cv2.resize(grey, (_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    strength = cv2.magnitude(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1))
    mean = float(strength.mean())
    return np.minimum(strength / (mean + 1e-3), 4.0).astype(np.float32), mean


def likeness(one: Any, other: Any) -> float:
    """Return the correlation of two pictures of edges, 1 for the same."""
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def shifted(picture: Any, dx: float, dy: float) -> Any:
    """Return a picture moved by so many pixels; what comes in from outside is 0."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(picture, matrix, (picture.shape[1], picture.shape[0]))


class View:
    """The learnt view of one camera."""

    def __init__(self) -> None:
        self._normal: Any = None
        self._recent: Any = None
        self._learnt_s = 0.0
        self._looked_s = 0.0
        self._due_s = 0.0
        self._moved: bool | None = None
        self._like = 1.0
        self.why = ""
        #: How sure the newest movement is, 0..1.
        self.sure = 0.0

    def see(self, grey: Any, at_s: float, step_s: float, *, already: bool) -> bool | None:
        """Say whether the view differs from the learnt one; None while that cannot be said.

        ``step_s`` is the time that this picture stands for, ``already`` whether the camera counts as moved.
        """
        now, strength = edges(grey)
        if strength < _FEWEST_EDGES:
            return None
        if self._recent is None or self._recent.shape != now.shape:
            self._recent, self._looked_s = now, 0.0
            if self._normal is not None and self._normal.shape != now.shape:
                self._normal, self._learnt_s = None, 0.0
        self._looked_s += step_s
        weight = step_s / max(step_s, min(self._looked_s, _RECENT_TAU_S)) if step_s else 0.0
        self._recent += np.float32(weight) * (now - self._recent)
        if at_s >= self._due_s or at_s < self._due_s - 2 * _EVERY_S:
            self._due_s = at_s + _EVERY_S
            self._moved = self._compare(already=already)
        if not self._moved and not already:
            self._learn(now, step_s if self._like > _SURE else step_s / 10)
        return self._moved

    def _learn(self, now: Any, step_s: float) -> None:
        if self._normal is None:
            self._normal = now.copy()
        self._learnt_s += step_s
        if step_s:
            weight = step_s / max(step_s, min(self._learnt_s, _NORMAL_TAU_S))
            self._normal += np.float32(weight) * (now - self._normal)

    def _compare(self, *, already: bool) -> bool | None:
        if self._normal is None or self._learnt_s < _LEARNT_S or self._looked_s < _RECENT_TAU_S / 2:
            return None
        here = self._like = likeness(self._normal, self._recent)
        if already and here > 0.6:
            return False
        window = cv2.createHanningWindow((_WIDTH, self._normal.shape[0]), cv2.CV_32F)
        (dx, dy), _ = cv2.phaseCorrelate(self._normal - 1.0, self._recent - 1.0, window)
        there = likeness(self._normal, shifted(self._recent, -dx, -dy))
        far = (dx * dx + dy * dy) ** 0.5 / _WIDTH
        if there > 0.35 and there > here + 0.1 and far > (_NEAR if already else _FAR):
            self.why = f"the view has shifted by {far:.0%} of its width"
            self.sure = there
            return True
        if max(here, there) < (1.5 * _ELSEWHERE if already else _ELSEWHERE):
            self.why = "the camera looks somewhere else"
            self.sure = 1.0 - max(here, there)
            return True
        return False

    def head(self) -> dict[str, Any]:
        """Return what `recall` needs beside `remember`."""
        shape = [] if self._normal is None else list(self._normal.shape)
        return {"shape": shape, "learnt_s": self._learnt_s, "why": self.why, "sure": self.sure}

    def remember(self) -> bytes:
        """Return the learnt view."""
        if self._normal is None:
            return b""
        return bytes(np.clip(self._normal * _SCALE, 0, 255).astype(np.uint8).tobytes())

    def recall(self, head: dict[str, Any], data: bytes) -> None:
        """Take over what another view has learnt. Raises ValueError, KeyError."""
        if head["shape"]:
            values = np.frombuffer(data, np.uint8).reshape(head["shape"])
            self._normal = values.astype(np.float32) / np.float32(_SCALE)
            self._learnt_s = float(head["learnt_s"])
            self.why = str(head["why"])
            self.sure = float(head["sure"])
