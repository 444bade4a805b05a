"""Stays as JSON values, for the way through a restart."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from lamppost.models.appearance import SIDE
from lamppost.models.geometry import Floats
from lamppost.models.stay import Stay
from lamppost.models.stays import Stays

#: A patch is stored in steps of this: a hundredth of its standard deviation is more than enough.
STEP = 0.04


def save_stays(stays: Stays) -> list[dict[str, Any]]:
    """Return the stays as JSON values; a patch takes 768 characters."""
    return [
        {
            "number": stay.number,
            "anchor": [round(float(v), 5) for v in stay.anchor],
            "since": stay.since,
            "seen_at": stay.seen_at,
            "label": stay.label,
            "still_s": round(stay.still_s, 2),
            "scores": [round(s, 3) for s in stay.scores],
            "template": None if stay.template is None else _packed(stay.template),
        }
        for stay in stays.all
    ]


def restore_stays(saved: list[dict[str, Any]]) -> Stays:
    """Return stays as saved. Raises KeyError, TypeError or ValueError if they are none.

    Nothing was seen while the agent was away: each stay has `models.stay.CLEAR_S` to show itself.
    """
    stays = Stays()
    for one in saved:
        anchor = np.array(one["anchor"], np.float32)
        if anchor.shape != (4,):
            raise ValueError("an anchor has four numbers")
        stay = Stay(int(one["number"]), anchor, float(one["since"]), float(one["seen_at"]), str(one["label"]))
        stay.still_s = float(one["still_s"])
        stay.scores.extend(float(s) for s in one["scores"])
        stay.template = None if one["template"] is None else _unpacked(one["template"])
        stay.learnt_at = stay.seen_box_at = stay.seen_at
        stays.add(stay)
    return stays


def _packed(template: Floats) -> str:
    steps = np.clip(np.round(template / STEP), -127, 127).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode()


def _unpacked(text: str) -> Floats:
    steps = np.frombuffer(base64.b64decode(text), np.int8)
    return steps.reshape(SIDE, SIDE).astype(np.float32) * np.float32(STEP)
