"""Where the configuration file is looked for when nobody names it."""

from lamppost.agent.paths import HERE, SYSTEM, default_path

__all__ = ["HERE", "SYSTEM", "default_path"]
