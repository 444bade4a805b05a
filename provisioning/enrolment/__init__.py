"""How a box comes to its certificate: a key that never leaves it, a request, a swap without a gap."""

from __future__ import annotations


class EnrolmentError(Exception):
    """Enrolment cannot go on; says what failed, where, and what to do."""
