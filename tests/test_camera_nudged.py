"""A camera that was nudged for good: it is told as moved, and the stay of a parked car goes on."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
from roads import START, Car, Street, Watch

from lamppost.agent.event import Phase
from lamppost.agent.sight.scene import Eye
from lamppost.drivers.api import Frame
from lamppost.drivers.camera.picture import PictureWatch, small_grey
from lamppost.models.detections import Detections

NUDGED_AT_S, PARKED_AT_S = 150, 100
BY = (12, -5)  # pixels of 320x180: 3.8 % of the width


def test_a_permanent_nudge_is_told_and_the_dwell_goes_on():
    street, watch = Street(), PictureWatch()
    zone = [(0.2, 0.3), (0.8, 0.3), (0.8, 0.9), (0.2, 0.9)]
    parking = Watch(street, zone="bay", dwell_s=120.0)
    seen: list[Detections] = []
    eye = Eye(lambda _image: seen[-1], {"bay": zone})
    states, events = {}, []
    for at_s in np.arange(0, 300, 0.5):
        cars = [Car(0.15, y=0.4, width=0.1, height=0.1, look=9)]
        cars += [Car(0.5)] if at_s >= PARKED_AT_S else []
        scene = street.scene(at_s, cars)
        picture, found = scene.grey, scene.detections
        if at_s >= NUDGED_AT_S:
            picture = cv2.warpAffine(
                picture, np.float32([[1, 0, BY[0]], [0, 1, BY[1]]]), (320, 180), borderMode=cv2.BORDER_REFLECT
            )
            found = found._replace(boxes=found.boxes + np.float32([BY[0] / 320, BY[1] / 180] * 2))
        seen.append(found)
        image = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        states[at_s] = watch.look(small_grey(image), at_s)
        looked = eye.look(Frame("kerb", image, START + timedelta(seconds=at_s), int(at_s * 2)))
        events += parking.state.step(looked, looked.at)
    assert {state for at_s, state in states.items() if at_s < NUDGED_AT_S} == {"ok"}
    assert states[NUDGED_AT_S + 60] == "moved"
    assert [event.phase for event in events] == [Phase.OPEN]
    assert abs((events[0].since - START).total_seconds() - PARKED_AT_S) <= 2
    assert abs((events[0].at - START).total_seconds() - PARKED_AT_S - 120) <= 2
