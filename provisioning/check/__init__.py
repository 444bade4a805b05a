"""Is this box as it should be? For `lamppost check`, the portal and the report."""

from typing import TYPE_CHECKING, Any

from lamppost.provisioning.check import texts
from lamppost.provisioning.check.finding import Colour, Finding, worst
from lamppost.provisioning.check.names import NAMES

if TYPE_CHECKING:
    from lamppost.provisioning.check.run import checks

__all__ = ["NAMES", "Colour", "Finding", "checks", "texts", "worst"]


def __getattr__(name: str) -> Any:
    if name == "checks":  # imports the agent's configuration; who asks for names only must not wait for it
        from lamppost.provisioning.check.run import checks  # noqa: PLC0415

        return checks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
