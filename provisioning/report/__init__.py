"""The record of a box: what hangs on it, how it does, what it sees. The city keeps it as the acceptance."""

from lamppost.provisioning.report import texts
from lamppost.provisioning.report.gather import gather
from lamppost.provisioning.report.page import page

__all__ = ["gather", "page", "texts"]
