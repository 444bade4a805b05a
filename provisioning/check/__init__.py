"""Is this box as it should be? For `lamppost check`, the portal and the report."""

from lamppost.provisioning.check import texts
from lamppost.provisioning.check.finding import Colour, Finding, worst
from lamppost.provisioning.check.run import NAMES, checks

__all__ = ["NAMES", "Colour", "Finding", "checks", "texts", "worst"]
