"""What is raised when a model cannot be used."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be used: which file, what is wrong with it, and what to do about it."""
