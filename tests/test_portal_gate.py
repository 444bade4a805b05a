"""The portal's PIN: slowed down, locked, and never open to a session it did not give."""

from lamppost.provisioning.portal.gate import FREE_TRIES, TRIES, Answer, Gate, new_pin


class Clock:
    """Seconds that pass when told."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_right_pin_opens_a_session_that_no_other_gate_knows() -> None:
    gate = Gate("123456", Clock())
    answer, session = gate.enter("123456")
    assert answer is Answer.IN
    assert gate.knows(session)
    assert not Gate("123456", Clock()).knows(session)
    assert not gate.knows("")


def test_guesses_are_slowed_down_even_when_the_next_is_right() -> None:
    clock = Clock()
    gate = Gate("123456", clock)
    for _ in range(FREE_TRIES):
        assert gate.enter("000000") == (Answer.WRONG, "")
    assert gate.enter("123456") == (Answer.WAIT, "")
    clock.now_s += gate.wait_s()
    assert gate.enter("123456")[0] is Answer.IN


def test_too_many_guesses_lock_the_gate_and_keep_open_sessions() -> None:
    clock = Clock()
    gate = Gate("123456", clock)
    _, session = gate.enter("123456")
    for _ in range(TRIES):
        gate.enter("\ud800不对")
        clock.now_s += gate.wait_s()
    assert gate.enter("123456") == (Answer.LOCKED, "")
    assert gate.knows(session)


def test_pin_is_six_digits() -> None:
    assert all(len(pin) == 6 and pin.isdigit() for pin in (new_pin() for _ in range(50)))
