"""Serial ports: their settings, and in words why one does not open."""

from __future__ import annotations

import errno
import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LineSettings(BaseModel):
    """Serial settings that a product leaves the factory with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    baud: int = Field(9600, ge=50, le=4_000_000, description="Baud rate.")
    parity: Literal["N", "E", "O"] = Field("N", description="Parity: N, E or O.")
    stop: Literal[1, 2] = Field(1, description="Stop bits.")
    bits: Literal[7, 8] = Field(8, description="Data bits.")

    def __str__(self) -> str:
        return f"{self.baud} {self.bits}{self.parity}{self.stop}"


def advice(path: str, error: BaseException) -> str:
    """Say why the port at ``path`` does not open, and what to do."""
    code = getattr(error, "errno", None)
    if not os.path.exists(path):  # noqa: PTH110
        return "no such serial port; is the adapter plugged in? `ls /dev/serial/by-id` shows those there"
    if code == errno.EACCES:
        return "permission denied; the agent's user must be in the group that owns the port (often dialout)"
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return "the port is in use by another program"
    if code in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "not a tty" in str(error):
        return "this is no serial port, or it does not know these settings"
    return str(error)
