"""How long a device that is down is left alone."""

from __future__ import annotations

import random

from lamppost.agent.supervisor import Backoff


def test_pauses_double_up_to_the_longest_and_vary():
    backoff = Backoff(1, 60, FullLength())
    ceilings = [backoff.pause_s() for _ in range(8)]
    assert ceilings == [1, 2, 4, 8, 16, 32, 60, 60]
    varied = Backoff(1, 60, random.Random(7))
    for ceiling in ceilings:
        assert ceiling / 2 <= varied.pause_s() <= ceiling


def test_error_that_trying_cannot_help_goes_to_the_longest_pause():
    backoff = Backoff(1, 60, FullLength())
    assert backoff.pause_s(longest=True) == 60
    assert backoff.pause_s() == 60


def test_a_device_that_goes_on_refusing_is_not_asked_more_than_once_a_minute():
    backoff = Backoff(1, 3, FullLength())
    assert [backoff.pause_s(longest=True) for _ in range(5)] == [3, 3, 3, 60, 60]
    assert backoff.pause_s() == 3
    assert backoff.pause_s(longest=True) == 3
    patient = Backoff(1, 300, FullLength())
    assert [patient.pause_s(longest=True) for _ in range(5)] == [300] * 5


def test_pauses_start_anew_only_after_the_device_has_delivered_for_a_while():
    backoff = Backoff(1, 60, FullLength())
    assert [backoff.pause_s() for _ in range(6)][-1] == 32
    backoff.delivered(31)
    assert backoff.pause_s() == 60
    backoff.delivered(60)
    assert backoff.pause_s() == 1
    backoff.delivered(9)
    assert backoff.pause_s() == 2


class FullLength(random.Random):
    """Chance that always gives the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)
