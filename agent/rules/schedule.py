"""When a rule applies: days and hours in the street's own time zone."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def _days(text: str) -> str:
    for part in text.split(","):
        ends = part.strip().lower().split("-")
        if len(ends) > 2 or any(end not in DAYS for end in ends):
            raise ValueError(f"{part.strip()!r} is no day; expected for example mon-fri or sat,sun")
    return text


def _hours(text: str) -> str:
    match = _SPAN.fullmatch(text.replace(" ", ""))
    if match is None or int(match[1]) > 23 or int(match[3]) > 24 or max(int(match[2]), int(match[4])) > 59:
        raise ValueError(f"{text!r} is no span of hours; expected for example 07:00-19:00 or 22:00-06:00")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{text!r} is no time zone; expected for example Asia/Shanghai") from error
    return text


class Schedule(BaseModel):
    """Days and hours; hours may run over midnight and then belong to the day on which they begin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[str, AfterValidator(_days)] = Field("mon-sun", description="Days: mon-fri, sat,sun.")
    hours: Annotated[str, AfterValidator(_hours)] = Field(
        "00:00-24:00", description="Hours: 07:00-19:00; 22:00-06:00 runs over midnight."
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="Time zone of days and hours, such as Asia/Shanghai."
    )

    def began(self, at: datetime) -> datetime | None:
        """Return when the span around ``at`` began; None if the schedule does not apply then."""
        here = at.astimezone(ZoneInfo(self.time_zone))
        for day in (here.date(), here.date() - timedelta(days=1)):
            if day.weekday() not in self._weekdays():
                continue
            start, length = self._span()
            begins = datetime.combine(day, start, here.tzinfo)
            if begins <= here < begins + length:
                return begins
        return None

    def _weekdays(self) -> set[int]:
        found: set[int] = set()
        for part in self.days.lower().split(","):
            first, _, last = part.strip().partition("-")
            day, end = DAYS.index(first), DAYS.index(last or first)
            found.add(day)
            while day != end:
                day = (day + 1) % 7
                found.add(day)
        return found

    def _span(self) -> tuple[time, timedelta]:
        match = _SPAN.fullmatch(self.hours.replace(" ", ""))
        assert match is not None
        start = timedelta(hours=int(match[1]), minutes=int(match[2]))
        end = timedelta(hours=int(match[3]), minutes=int(match[4]))
        length = end - start if end > start else end - start + timedelta(days=1)
        return time(int(match[1]), int(match[2])), length
