"""The configuration: one TOML file, checked as a whole, every problem with its line."""

from lamppost.agent.config.load import load
from lamppost.agent.config.model import Config, DeviceConfig, Hub, Node, Policy, SpoolSettings
from lamppost.agent.config.paths import default_path
from lamppost.agent.config.problem import ConfigError, Problem
from lamppost.agent.config.secret import Secret, redact, redact_line

__all__ = [
    "Config",
    "ConfigError",
    "DeviceConfig",
    "Hub",
    "Node",
    "Policy",
    "Problem",
    "Secret",
    "SpoolSettings",
    "default_path",
    "load",
    "redact",
    "redact_line",
]
