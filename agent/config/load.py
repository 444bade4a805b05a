"""From the file to a `Config`: every problem is noted on the way, and all are raised at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lamppost.agent.config import literals, review
from lamppost.agent.config.model import (
    Config,
    DeviceConfig,
    DeviceSettings,
    EvidenceSettings,
    Hub,
    Node,
    Policy,
    SightSettings,
    SpoolSettings,
    check_name,
)
from lamppost.agent.config.notes import Notes, nearest
from lamppost.agent.config.plugins import Finder, valid
from lamppost.agent.config.problem import ConfigError
from lamppost.agent.config.read import read
from lamppost.agent.config.references import References
from lamppost.agent.config.secret import remember
from lamppost.agent.config.substitute import Substitution
from lamppost.agent.paths import run_dir, state_dir
from lamppost.agent.rules.api import Rule
from lamppost.drivers import registry
from lamppost.drivers.api import Driver

RULES = "lamppost.rules"
TABLES = ("node", "hub", "spool", "sight", "evidence", "telemetry", "devices", "rules")

M = TypeVar("M", bound=BaseModel)


def load(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration file. Raises ConfigError with every problem that it has."""
    text, data = read(path)
    notes = Notes(str(path))
    config = _Loading(path, env, notes).config(data)
    remember(notes.secrets)
    if config is not None:
        review.warn(config, notes)
    errors, warnings = notes.problems(text)
    if config is None or errors:
        raise ConfigError(errors)
    config = config.model_copy(update={"warnings": tuple(warnings)})
    config._secrets = frozenset(notes.secrets)  # noqa: SLF001 - set here only
    return config


class _Loading:
    """One pass over the tables of one file."""

    def __init__(self, path: Path, env: Mapping[str, str], notes: Notes) -> None:
        self._path = path
        self._env = env
        self._notes = notes
        self._base = path.absolute().parent
        self._substitution = Substitution(notes, self._base, env)
        self._drivers = Finder(notes, registry.DRIVERS, "driver", DeviceSettings.model_fields)
        self._rules = Finder(notes, RULES, "kind", ("kind",))

    def config(self, data: dict[str, Any]) -> Config | None:
        """Return the configuration, or None after noting why there is none."""
        if not data:
            self._notes.error((), "the file is empty", "at least [node] with id and site")
            return None
        for key in data:
            if key not in TABLES:
                expected = f"one of: {', '.join(TABLES)}"
                self._notes.error((key,), f"unknown table {key!r}", expected, nearest(key, TABLES))
        node = self._node(data)
        policy = self._section("telemetry", Policy, data) or Policy()
        hub, spool = self._hub(data, node), self._spool(data, node)
        sight = self._section("sight", SightSettings, data) or SightSettings()
        evidence = self._section("evidence", EvidenceSettings, data) or EvidenceSettings()
        devices = {name: self._device(name, table, policy) for name, table in self._named("devices", data)}
        rules = {name: self._rule(name, table) for name, table in self._named("rules", data)}
        References(data, devices, self._notes).check(rules)
        review.lines(devices, self._notes)
        if hub is not None:
            review.files(hub, self._notes)
        if node is None or spool is None or self._notes.errors:
            return None
        return Config(
            node=node,
            hub=hub,
            spool=spool,
            sight=sight,
            evidence=evidence,
            telemetry=policy,
            devices={name: device for name, device in devices.items() if device is not None},
            rules={name: rule for name, rule in rules.items() if rule is not None},
            path=self._path,
        )

    def _node(self, data: dict[str, Any]) -> Node | None:
        defaults = {"run_dir": run_dir(self._env), "state_dir": state_dir(self._env)}
        if "node" not in data:
            self._notes.error(("node",), "nothing", "a table [node] with id and site")
            return None
        return self._section("node", Node, data, defaults)

    def _hub(self, data: dict[str, Any], node: Node | None) -> Hub | None:
        if "hub" not in data:
            return None
        default = {"client_id": f"lamppost-{node.site}-{node.id}"} if node else {}
        return self._section("hub", Hub, data, default)

    def _spool(self, data: dict[str, Any], node: Node | None) -> SpoolSettings | None:
        default = {"path": node.state_dir / "spool.db"} if node else {}
        return self._section("spool", SpoolSettings, data, default)

    def _section(
        self, key: str, model: type[M], data: dict[str, Any], defaults: dict[str, Any] | None = None
    ) -> M | None:
        table = data.get(key, {})
        if not isinstance(table, dict):
            self._notes.error((key,), self._notes.shown(table), f"a table [{key}]")
            return None
        literals.check((model,), table, (key,), self._notes)
        table = self._substitution.tree(table, (key,), (model,))
        return valid(model, {**(defaults or {}), **table}, (key,), self._notes, self._base)

    def _named(self, key: str, data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Return the tables of ``[devices.NAME]`` or ``[rules.NAME]`` that are tables of good names."""
        tables = data.get(key, {})
        expected = f"a table [{key}.NAME]"
        if not isinstance(tables, dict):
            self._notes.error((key,), self._notes.shown(tables), expected)
            return []
        good = []
        for name, table in tables.items():
            if not isinstance(table, dict):
                self._notes.error((key, name), self._notes.shown(table), expected.replace("NAME", name))
                continue
            try:
                check_name(name)
            except ValueError as error:
                self._notes.error((key, name), str(error))
            good.append((name, table))
        return good

    def _device(self, name: str, table: dict[str, Any], default: Policy) -> DeviceConfig | None:
        at = ("devices", name)
        named = self._substitution.tree({k: table[k] for k in ("driver",) if k in table}, at, ())
        driver_class = self._drivers.find({**table, **named}, at, Driver)
        models = (DeviceSettings,) if driver_class is None else (DeviceSettings, driver_class)
        literals.check(models, table, at, self._notes)
        table = self._substitution.tree(table, at, models)
        keys = DeviceSettings.model_fields
        # What is wrong with `driver` has been said.
        host = _defaults(driver_class, table) | {k: v for k, v in table.items() if k in keys}
        host["driver"] = str(table.get("driver"))
        own = {k: v for k, v in table.items() if k not in keys}
        settings = valid(DeviceSettings, host, at, self._notes, self._base)
        driver = None
        if driver_class is not None:
            driver = valid(driver_class, own, at, self._notes, self._base, name=name, host_keys=keys)
        if settings is None or driver is None:
            return None
        policy = default.changed_by(settings.telemetry)
        changes = settings.telemetry.quantities
        return DeviceConfig(
            name=name,
            driver=driver,
            driver_name=settings.driver,
            enabled=settings.enabled,
            stall_s=settings.stall_s,
            backoff_s=settings.backoff_s,
            backoff_max_s=settings.backoff_max_s,
            down_after_s=settings.down_after_s,
            telemetry=policy,
            quantities={quantity: policy.changed_by(change) for quantity, change in changes.items()},
        )

    def _rule(self, name: str, table: dict[str, Any]) -> Rule | None:
        at = ("rules", name)
        named = self._substitution.tree({k: table[k] for k in ("kind",) if k in table}, at, ())
        rule_class = self._rules.find({**table, **named}, at, Rule)
        models = () if rule_class is None else (rule_class,)
        literals.check(models, table, at, self._notes)
        table = self._substitution.tree(table, at, models)
        if rule_class is None:
            return None
        own = {key: value for key, value in table.items() if key != "kind"}
        return valid(rule_class, own, at, self._notes, self._base, name=name, host_keys=("kind",))


def _defaults(driver_class: type[Driver] | None, table: dict[str, Any]) -> dict[str, Any]:
    """Return what the driver wants of the host where the file says nothing."""
    wanted: dict[str, Any] = {} if driver_class is None else dict(driver_class.host_defaults)
    first_s = table.get("backoff_s")
    if "backoff_max_s" in wanted and isinstance(first_s, int | float):
        wanted["backoff_max_s"] = max(wanted["backoff_max_s"], first_s)
    return wanted
