"""From the file to a `Config`: every problem is noted on the way, and all are raised at the end."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamppost.agent.config.model import Config, DeviceConfig, DeviceSettings, Policy, run_dir, state_dir
from lamppost.agent.config.problem import ConfigError, Problem, dotted
from lamppost.agent.rules.api import Rule
from lamppost.drivers import registry

RULES = "lamppost.rules"


def load(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration file. Raises ConfigError with every problem that it has."""
    base = path.absolute().parent
    context = {"base": base}
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
        telemetry = Policy.model_validate(data.pop("telemetry", {}))
        devices = {
            name: _device(name, table, telemetry, context) for name, table in data.pop("devices", {}).items()
        }
        rules = {name: _rule(name, table, context) for name, table in data.pop("rules", {}).items()}
        parts = {**data, "telemetry": telemetry, "devices": devices, "rules": rules, "path": path}
        return Config.model_validate(_with_defaults(parts, env), context=context)
    except ValidationError as error:
        problems = [Problem(str(path), None, dotted(e["loc"]), e["msg"]) for e in error.errors()]
        raise ConfigError(problems) from error
    except (OSError, ValueError, registry.PluginError) as error:
        raise ConfigError([Problem(str(path), None, "", str(error))]) from error


def _with_defaults(parts: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Return the tables with what depends on other tables or on the environment."""
    node = {"run_dir": run_dir(env), "state_dir": state_dir(env), **parts.get("node", {})}
    spool = {"path": Path(node["state_dir"], "spool.db"), **parts.get("spool", {})}
    if hub := parts.get("hub"):
        hub = {"client_id": f"lamppost-{node.get('site')}-{node.get('id')}", **hub}
    return {**parts, "node": node, "spool": spool, "hub": hub}


def _device(name: str, table: dict[str, Any], default: Policy, context: dict[str, Any]) -> DeviceConfig:
    host = {key: value for key, value in table.items() if key in DeviceSettings.model_fields}
    own = {key: value for key, value in table.items() if key not in host}
    settings = DeviceSettings.model_validate(host, context=context)
    driver = registry.load(settings.driver).model_validate({**own, "name": name}, context=context)
    policy = default.changed_by(settings.telemetry)
    return DeviceConfig(
        name=name,
        driver=driver,
        driver_name=settings.driver,
        enabled=settings.enabled,
        stall_s=settings.stall_s,
        backoff_s=settings.backoff_s,
        backoff_max_s=settings.backoff_max_s,
        telemetry=policy,
        quantities={q: policy.changed_by(change) for q, change in settings.telemetry.quantities.items()},
    )


def _rule(name: str, table: dict[str, Any], context: dict[str, Any]) -> Rule:
    own = {key: value for key, value in table.items() if key != "kind"}
    return registry.load(table["kind"], RULES, Rule).model_validate({**own, "name": name}, context=context)
