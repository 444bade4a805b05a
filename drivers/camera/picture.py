"""How a picture is: ok, frozen, black, blinded, blurred or moved. Pure: pictures and times in, a word out.

Each word needs seconds to come and seconds to go, never a number of frames: cameras change their rate.
What is normal for this camera (its sharpness, its view) is learnt slowly, and only from good pictures.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from lamppost.drivers.camera.view import View

#: In the order in which one hides the other: a black picture is also blurred and frozen.
STATES: Final = ("black", "blinded", "frozen", "blurred", "moved")
#: Width of the grey picture that is judged, in pixels.
GREY_WIDTH: Final = 320

_FEWEST_LOOKS: Final = 3
_LONGEST_STEP_S: Final = 2.0
_SHARPNESS_TAU_S: Final = 300.0
_SHARPNESS_LEARNT_S: Final = 30.0
_BAND: Final = 48
#: Noise-tolerant stillness needs so many times longer than exact stillness: nights are still.
_NEARLY: Final = 10


class Signs(NamedTuple):
    """What can be said of a single picture."""

    brightness: float  # mean, 0..255
    peak: float  # the brightest 0.5 % begin here
    glare: float  # share of pixels that are white
    sharpness: float  # variance of the Laplacian over that of the picture


def small_grey(image: Any) -> Any:
    """Return a BGR or grey picture as grey, `GREY_WIDTH` wide."""
    height = max(2, round(GREY_WIDTH * image.shape[0] / image.shape[1]))
    small = cv2.resize(image, (GREY_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY) if small.ndim == 3 else small


def signs(grey: Any) -> Signs:
    """Measure one grey picture."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    share = counts / counts.sum()
    values = np.arange(256)
    brightness = float(share @ values)
    variance = float(share @ (values - brightness) ** 2)
    edges = cv2.Laplacian(grey, cv2.CV_16S)
    return Signs(
        brightness,
        float(np.searchsorted(np.cumsum(share), 0.995)),
        float(share[250:].sum()),
        float(edges.var()) / (variance + 25.0),
    )


def is_black(found: Signs) -> bool:
    """Say whether nothing can be seen: a covered lens, or a night without any lamp."""
    return found.peak < 32 and found.brightness < 16


def is_blinded(found: Signs) -> bool:
    """Say whether half of the picture is white, or nearly all of it close to white."""
    return found.glare > 0.5 or found.brightness > 240


def nearly_same(grey: Any, other: Any) -> bool:
    """Say whether two pictures differ by no more than encoding the same picture twice."""
    if grey.shape != other.shape:
        return False
    difference = cv2.absdiff(grey, other)
    return float(difference.mean()) <= 0.25 and int(difference.max()) <= 12


class Hold:
    """A condition that must last before it counts, and must be gone for a while before it does not."""

    def __init__(self, enter_s: float, leave_s: float, looks: int = _FEWEST_LOOKS) -> None:
        """``looks`` is how many pictures at least must say so, however slow they come."""
        self._enter_s = enter_s
        self._leave_s = leave_s
        self._fewest = looks
        self._since: float | None = None
        self._looks = 0
        self.on = False

    def see(self, value: bool | None, at_s: float) -> bool:
        """Take what one look says (None: nothing) and return what counts."""
        if value is None:
            return self.on
        if value == self.on:
            self._since = None
            return self.on
        if self._since is None:
            self._since, self._looks = at_s, 0
        self._looks += 1
        lasted_s = at_s - self._since
        if self._looks >= self._fewest and lasted_s >= (self._enter_s if value else self._leave_s):
            self.on, self._since = value, None
        return self.on


class Stillness:
    """How long the picture has not changed."""

    def __init__(self, before_s: float = 0.0) -> None:
        """``before_s``: for how long it had not changed when it was last looked at, by another watch."""
        self._before_s = before_s
        self._newest: Any = None
        self._reference: Any = None
        self._same_since = 0.0
        self._near_since = 0.0

    def see(self, grey: Any, at_s: float) -> tuple[float, float]:
        """Return for how many seconds it has been exactly the same, and the same but for noise."""
        if self._newest is None:
            self._same_since = at_s - self._before_s
        elif not np.array_equal(grey, self._newest):
            self._same_since = at_s
        if self._reference is None or not nearly_same(grey, self._reference):
            self._reference, self._near_since = grey, at_s
        self._newest = grey
        return at_s - self._same_since, at_s - self._near_since


class Sharpness:
    """The camera's normal sharpness, apart for day, dusk and night."""

    def __init__(self) -> None:
        self.normal: dict[int, tuple[float, float]] = {}  # band: logarithm, seconds learnt

    def ratio(self, found: Signs) -> float | None:
        """Return the sharpness in units of the normal one, None while that is unknown."""
        log, learnt_s = self.normal.get(int(found.brightness // _BAND), (0.0, 0.0))
        return found.sharpness / math.exp(log) if learnt_s >= _SHARPNESS_LEARNT_S else None

    def learn(self, found: Signs, step_s: float) -> None:
        """Take a good picture that stands for ``step_s`` seconds."""
        band = int(found.brightness // _BAND)
        log, learnt_s = self.normal.get(band, (0.0, 0.0))
        learnt_s += step_s
        weight = min(1.0, step_s / min(learnt_s, _SHARPNESS_TAU_S)) if learnt_s else 1.0
        log += weight * (math.log(max(found.sharpness, 1e-6)) - log)
        self.normal[band] = (float(log), learnt_s)


class PictureWatch:
    """Watches one camera's pictures."""

    def __init__(self, frozen_s: float = 30.0, memory: bytes = b"") -> None:
        """``frozen_s`` 0: never frozen. ``memory`` is what another watch said in `remember`."""
        self._frozen_s = frozen_s
        self._holds = {
            "black": Hold(5.0, 3.0),
            "blinded": Hold(10.0, 5.0),
            "frozen": Hold(0.0, 2.0, looks=1),  # stillness has counted its seconds itself
            "blurred": Hold(15.0, 10.0),
            "moved": Hold(20.0, 10.0),
        }
        self._still = Stillness()
        self._sharpness = Sharpness()
        self._view = View()
        self._newest_s: float | None = None
        self.state = "ok"
        self.why = ""
        #: How sure the state is, 0..1.
        self.sure = 1.0
        if memory:
            self._recall(memory)

    def look(self, grey: Any, at_s: float) -> str:
        """Take a picture of `small_grey` at a monotonic time; return ``ok`` or one of `STATES`."""
        step_s = 0.0 if self._newest_s is None else min(_LONGEST_STEP_S, max(0.0, at_s - self._newest_s))
        self._newest_s = at_s
        found = signs(grey)
        black, blinded = is_black(found), is_blinded(found)
        same_s, near_s = self._still.see(grey, at_s)
        frozen = self._frozen_s > 0 and (same_s >= self._frozen_s or near_s >= _NEARLY * self._frozen_s)
        usable = not (black or blinded or same_s > _LONGEST_STEP_S)
        ratio = self._sharpness.ratio(found) if usable else None
        blurred = None if ratio is None else ratio < (0.5 if self._holds["blurred"].on else 0.3)
        judged = usable and not blurred
        moved = self._view.see(grey, at_s, step_s, already=self._holds["moved"].on) if judged else None
        if judged and not moved:
            self._sharpness.learn(found, step_s)
        said = {"black": black, "blinded": blinded, "frozen": frozen, "blurred": blurred, "moved": moved}
        for name, value in said.items():
            self._holds[name].see(value, at_s)
        self._settle(found, ratio, same_s, near_s)
        return self.state

    def _settle(self, found: Signs, ratio: float | None, same_s: float, near_s: float) -> None:
        self.state = next((name for name in STATES if self._holds[name].on), "ok")
        self.why = {
            "ok": "",
            "black": f"black: mean brightness {found.brightness:.0f} of 255",
            "blinded": f"blinded: {found.glare:.0%} of the picture is white",
            "frozen": f"frozen: the same picture for {max(same_s, near_s):.0f} s",
            "blurred": "blurred" if ratio is None else f"blurred: {ratio:.0%} of the normal sharpness",
            "moved": f"moved: {self._view.why}",
        }[self.state]
        sure = {
            "ok": 1.0,
            "black": 1.0 - found.peak / 64,
            "blinded": max(found.glare, found.brightness / 255),
            "frozen": 1.0 if same_s >= self._frozen_s else 0.8,
            "blurred": 0.5 if ratio is None else 1.0 - ratio,
            "moved": self._view.sure,
        }[self.state]
        self.sure = round(min(1.0, max(0.0, sure)), 1)

    def remember(self) -> bytes:
        """Return what a later watch of the same camera should know."""
        head = {
            "holds": [name for name, hold in self._holds.items() if hold.on],
            "sharpness": {str(band): values for band, values in self._sharpness.normal.items()},
            "view": self._view.head(),
        }
        return json.dumps(head).encode() + b"\n" + self._view.remember()

    def _recall(self, memory: bytes) -> None:
        line, _, rest = memory.partition(b"\n")
        try:
            head = json.loads(line)
            self._view.recall(head["view"], rest)
            self._sharpness.normal = {
                int(band): (float(log), float(learnt)) for band, (log, learnt) in head["sharpness"].items()
            }
            for name in head["holds"]:
                self._holds[name].on = True
            if self._holds["frozen"].on:
                self._still = Stillness(before_s=self._frozen_s)
        except (ValueError, KeyError, TypeError):
            return  # of another version: learn anew
        self.state = next((name for name in STATES if self._holds[name].on), "ok")
        self.why = self.state if self.state != "ok" else ""
