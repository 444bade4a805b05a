"""What would have alarmed: zones that are not saved yet, on the pictures of the last minutes.

Runs in a child process, ``python -m lamppost.provisioning.portal.trial``: what sees is heavy, and the page
must go on. Reads one JSON line and then the JPEGs, one after the other; prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from lamppost.agent.config import Config
from lamppost.agent.event import Event, Phase
from lamppost.provisioning.service_env import load_as_service

#: What stood for so long is told, even where it was not long enough to alarm.
SHORT_S: Final = 5.0
_SHORT = "~short"


def tried(config: Config, camera: str, pictures: Sequence[tuple[float, bytes]]) -> dict[str, Any]:
    """Return what the rules of a camera make of pictures (unix seconds, JPEG), the oldest first.

    ``events`` are those that would have been told, ``stays`` whatever stood for `SHORT_S`, ``now`` what is to
    be seen in the last picture. Raises ModelError.
    """
    import cv2  # noqa: PLC0415 - this child only
    import numpy as np  # noqa: PLC0415

    from lamppost.agent.sight.detector import detector, segmenter  # noqa: PLC0415
    from lamppost.agent.sight.replay import replay  # noqa: PLC0415
    from lamppost.agent.sight.water_turns import WaterTurns  # noqa: PLC0415

    driver: Any = config.devices[camera].driver
    rules = [rule for rule in config.rules.values() if (camera, "") in set(rule.watches())]
    short = [
        rule.model_copy(update={"name": f"{rule.name}{_SHORT}", "dwell_s": min(SHORT_S, dwell_s)})
        for rule in rules
        if (dwell_s := getattr(rule, "dwell_s", None)) is not None
    ]
    start_s = pictures[0][0] if pictures else 0.0
    water = None
    if any((camera, "water") in set(rule.wants()) for rule in rules):
        segment = segmenter(config.sight, config.path)
        water = WaterTurns(lambda: segment, config.dry_dir, min(2.0, config.sight.water_every_s))
        water.wanted = [camera]

    def images() -> Iterator[tuple[float, Any]]:
        for at, jpeg in pictures:
            image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            if image is not None:
                yield at - start_s, image

    events: list[Event] = []
    last = None
    for last in replay(
        images(),
        device=camera,
        zones=driver.zones,
        fps=driver.fps,
        rules=[*rules, *short],
        detect=detector(config.sight, config.path),
        start=datetime.fromtimestamp(start_s, UTC),
        lines=driver.lines,
        water=water,
    ):
        events += last.events
    if last is None:
        return {"seconds": 0.0, "events": [], "stays": [], "now": [], "problem": ""}
    end = last.scene.at
    problems = [] if water is None else [seen["problem"] for seen in water.as_json()["cameras"].values()]
    return {
        "seconds": round(last.at_s, 1),
        "events": [_told(one, end) for one in events if not one.rule.endswith(_SHORT)],
        "stays": list(_stays((one for one in events if one.rule.endswith(_SHORT)), end)),
        "now": list(_now(last.scene, {label for rule in rules for label in getattr(rule, "classes", ())})),
        "problem": "; ".join(filter(None, problems)),
    }


def _told(event: Event, end: datetime) -> dict[str, Any]:
    return {
        "ago_s": round((end - event.at).total_seconds(), 1),
        "kind": event.kind,
        "phase": event.phase.value,
        "zone": event.zone,
        "rule": event.rule.removesuffix(_SHORT),
        "stood_s": round((event.at - event.since).total_seconds(), 1),
        "measures": dict(event.measures),
    }


def _stays(events: Iterator[Event], end: datetime) -> Iterator[dict[str, Any]]:
    """Yield what stayed, each once: how long, and whether it is there still."""
    newest: dict[str, Event] = {event.id: event for event in events}
    for event in newest.values():
        until = event.at if event.phase is Phase.CLOSE else end
        yield {
            **_told(event, end),
            "stood_s": round((until - event.since).total_seconds(), 1),
            "there": event.phase is not Phase.CLOSE,
        }


def _now(scene: Any, labels: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield what the rules look for in the last picture: boxes in 0..1, and the zones that they stand in."""
    import numpy as np  # noqa: PLC0415

    from lamppost.agent.rules.parking_shots import contact  # noqa: PLC0415
    from lamppost.models.geometry import in_polygon  # noqa: PLC0415

    found = scene.detections
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        if label not in labels:
            continue
        place = np.array([contact(box)])
        zones = [name for name, points in scene.zones.items() if in_polygon(place, points)[0]]
        yield {
            "label": label,
            "score": round(float(score), 2),
            "box": [round(float(side), 4) for side in box],
            "zones": zones,
        }


def dried(config: Config, camera: str, pictures: Sequence[tuple[float, bytes]], light: str | None) -> Any:
    """Keep pictures as the dry references of a camera's road; return what was kept. Raises ModelError."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from lamppost.provisioning.water import keep_dry  # noqa: PLC0415

    images = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for _, jpeg in pictures]
    return {"kept": list(keep_dry(config, camera, images, light))}


def main(source: IO[bytes] = sys.stdin.buffer) -> int:
    """Do what the first line asks; an error is an answer, too."""
    asked: Mapping[str, Any] = json.loads(source.readline())
    pictures = [(at, source.read(size)) for at, size in asked["pictures"]]
    try:
        config = load_as_service(Path(asked["config"]))
        if asked["do"] == "dry":
            answer = dried(config, asked["camera"], pictures, asked["light"])
        else:
            answer = tried(config, asked["camera"], pictures)
    except Exception as error:  # noqa: BLE001 - whatever it is, the page says it
        answer = {"error": str(error) or type(error).__name__}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
