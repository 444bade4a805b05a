"""`lamppost device`: add, look at, set and remove the devices of this box."""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from lamppost.agent.config import Config, DeviceConfig
from lamppost.agent.config.notes import nearest
from lamppost.drivers import registry
from lamppost.drivers.api import CanExplain, CanWrite, Driver, DriverError, Look, SharesLine, Value
from lamppost.provisioning.check.live import sampled
from lamppost.provisioning.cli.look import paint
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.edit import editing
from lamppost.provisioning.running import last_status, newest_readings, running
from lamppost.provisioning.service_env import load_as_service

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
#: Seconds that one look at a device may take.
LOOK_S = 15.0

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the device.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback()
def device() -> None:
    """The devices of this box."""


@app.command()
def add(
    name: Name,
    config: ConfigFile,
    driver: Annotated[str | None, typer.Option(help="Driver: see `lamppost driver list`.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile of the product.")] = None,
    url: Annotated[str | None, typer.Option(help="Line of a Modbus device.")] = None,
    unit: Annotated[int | None, typer.Option(help="Unit number of a Modbus device.")] = None,
    port: Annotated[str | None, typer.Option(help="Serial port of a sensor.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of a camera.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key; VALUE as in TOML.")
    ] = None,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Look whether it answers before it is added.")
    ] = True,
    as_json: Json = False,
) -> int:
    """Add a device to the configuration, after a look whether it answers. What is missing is asked.

    Examples: `lamppost device add meter --driver modbus --url tcp://10.0.0.5 --profile eastron-sdm120`,
    `lamppost device add gutter --driver serial --port /dev/serial/by-id/NAME --profile a02yyuw`,
    `lamppost device add kerb-cam --driver camera --source rtsp://10.0.0.6/stream1 --no-test`.
    """
    table: dict[str, Any] = {"driver": driver or _asked("driver", registry.names())}
    kind = _kind(table["driver"])
    given = {"profile": profile, "url": url, "unit": unit, "port": port, "source": source}
    table |= {key: value for key, value in given.items() if value is not None}
    table |= dict(_setting(text) for text in settings or [])
    for key, field in kind.model_fields.items():
        if field.is_required() and key != "name" and key not in table:
            table[key] = _asked(key, [], field.description or "")
    profiles = getattr(kind, "profiles", None)
    if callable(profiles) and "profile" not in table and not {"registers", "values"} & table.keys():
        table["profile"] = _asked("profile", list(profiles()))
    made = _made(kind, name, table, config)
    readings = _run(sampled(made)) if test else {}
    if test and not as_json:
        print(f"{name} answers: {_brief(readings)}")
    with editing(config) as change:
        change.add_device(name, table)
    if as_json:
        print(json.dumps({"file": str(config), "device": name, "readings": readings}, ensure_ascii=False))
        return 0
    print(f"{config}: {name} added; the agent takes it after `systemctl reload lamppost`, or kill -HUP")
    return 0


@app.command("list")
def list_devices(config: ConfigFile, as_json: Json = False) -> int:
    """List the devices, where they are, and how a running agent finds them.

    Example: `lamppost device list --json`.
    """
    settings = load_as_service(config)
    status = (last_status(settings.node.run_dir) or {}) if running(settings.node.run_dir) else {}
    states = status.get("devices", {})
    rows = {name: _row(one, states.get(name, {})) for name, one in settings.devices.items()}
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not rows:
        print("no devices; lamppost device add NAME")
    width = max(map(len, rows), default=0)
    for name, row in rows.items():
        print(f"{name:{width}}  {row['driver']:7} {row['profile'] or '':18} {row['state']:9} {row['where']}")
    return 0


@app.command("test")
def look(name: Name, config: ConfigFile, as_json: Json = False) -> int:
    """Read a device once: every value with its unit, beside what the device sent. Reads only.

    Exit code 1 if it does not answer, or a value is not believed. Example: `lamppost device test meter`.
    """
    settings = load_as_service(config)
    chosen = _chosen(settings, name)
    driver = chosen.driver
    if running(settings.node.run_dir) and chosen.enabled and _holds_port(driver):
        looks = _of_agent(settings.node.run_dir, name)
    elif isinstance(driver, CanExplain):
        looks = list(_run(driver.explain()))
    else:
        looks = _looks(_run(sampled(driver)))
    if as_json:
        print(json.dumps({one.quantity: one._asdict() for one in looks}, indent=2, ensure_ascii=False))
    else:
        for one in looks:
            print(_line(one))
    return 1 if not looks or any(one.value is None for one in looks) else 0


@app.command()
def read(
    name: Name,
    config: ConfigFile,
    quantities: Annotated[
        list[str] | None, typer.Argument(metavar="[QUANTITY]...", help="Only these.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Print the values of a device, one a line: from the running agent, or from the device itself.

    Example: `lamppost device read meter voltage power`.
    """
    settings = load_as_service(config)
    chosen = _chosen(settings, name)
    alive = running(settings.node.run_dir) and chosen.enabled
    found = newest_readings(settings.node.run_dir, name) if alive else {}
    found = found or _run(sampled(chosen.driver))
    for quantity in quantities or []:
        if quantity not in found:
            raise typer.BadParameter(
                f"{name} has no {quantity!r}; it has {', '.join(found)}", param_hint="QUANTITY"
            )
    shown = {key: found[key] for key in quantities or found}
    if as_json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        for key, one in shown.items():
            print(f"{key} {'bad' if one['value'] is None else one['value']} {one['unit']}".rstrip())
    return 1 if any(one["value"] is None for one in shown.values()) else 0


@app.command()
def write(
    name: Name,
    quantity: Annotated[str, typer.Argument(help="What to set; only what the profile says is writable.")],
    value: Annotated[str, typer.Argument(help="Its new value, in its unit.")],
    config: ConfigFile,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Set a quantity of a device, after a confirmation, and read it back.

    Example: `lamppost device write gutter mounting_height 250`.
    """
    settings = load_as_service(config)
    chosen = _chosen(settings, name).driver
    if not isinstance(chosen, CanWrite) or quantity not in chosen.writable():
        allowed = ", ".join(chosen.writable()) if isinstance(chosen, CanWrite) else ""
        raise typer.BadParameter(
            f"{quantity!r} of {name} is not writable; writable: {allowed or 'nothing'}", param_hint="QUANTITY"
        )
    before = _run(sampled(chosen)).get(quantity, {})
    unit = before.get("unit", "")
    print(
        f"{name} {quantity}: {before.get('value')} {unit} now, {value} {unit} then",
        file=sys.stderr if as_json else sys.stdout,
    )
    if not yes and not typer.confirm("Write it"):
        raise typer.Abort
    _run(chosen.write(quantity, _value(value)))
    after = _run(sampled(chosen)).get(quantity, {}).get("value")
    if as_json:
        told = {
            "device": name,
            "quantity": quantity,
            "before": before.get("value"),
            "after": after,
            "unit": unit,
        }
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{name} {quantity}: {after} {unit}")
    if after != _value(value):
        print(f"lamppost: the device keeps {after} {unit}, not {value}", file=sys.stderr)
        return 1
    return 0


@app.command()
def remove(name: Name, config: ConfigFile, yes: Yes = False, as_json: Json = False) -> int:
    """Remove a device from the configuration, which is kept as a backup.

    Example: `lamppost device remove meter`.
    """
    _chosen(load_as_service(config), name)
    if not yes and not typer.confirm(f"Remove {name}"):
        raise typer.Abort
    with editing(config) as change:
        change.remove_device(name)
    if as_json:
        print(json.dumps({"file": str(config), "device": name, "backup": str(change.backup)}))
        return 0
    print(f"{config}: {name} removed; the old file is {change.backup}")
    return 0


def _chosen(settings: Config, name: str) -> DeviceConfig:
    if name in settings.devices:
        return settings.devices[name]
    near = nearest(name, settings.devices)
    known = ", ".join(settings.devices) or "none"
    raise typer.BadParameter(f"there is no device {name!r}; {near} devices: {known}", param_hint="NAME")


def _kind(name: str) -> type[Driver]:
    try:
        found: type[Driver] = registry.load(name)
    except registry.PluginError as error:
        raise typer.BadParameter(str(error), param_hint="--driver") from None
    return found


def _made(kind: type[Driver], name: str, table: dict[str, Any], config: Path) -> Driver:
    """Return the driver, to be tried before anything is written. Raises BadParameter."""
    own = {key: value for key, value in table.items() if key in kind.model_fields}
    try:
        return kind.model_validate({**own, "name": name}, context={"base": config.absolute().parent})
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ").replace("Value error, ", "")
            for one in error.errors()
        )
        raise typer.BadParameter(told) from None


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: expected KEY=VALUE", param_hint="--set")
    return key.strip(), _value(value)


def _value(text: str) -> Any:
    """Return a TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _asked(key: str, choices: list[str], words: str = "") -> str:
    if not sys.stdin.isatty():
        known = f" ({', '.join(choices)})" if choices else ""
        raise typer.BadParameter(f"nobody can be asked here; give {key}{known}")
    if choices:
        print(f"{key}: {', '.join(choices)}")
    elif words:
        print(words)
    return str(typer.prompt(key))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a look at a device; one that takes too long is told like one that does not answer."""

    async def bounded() -> T:
        async with asyncio.timeout(LOOK_S):
            return await work

    try:
        return asyncio.run(bounded())
    except TimeoutError:
        raise DriverError(f"nothing came within {LOOK_S:.0f} s; check power, wires and settings") from None


def _holds_port(driver: Driver) -> bool:
    """Whether nobody else can use the line while the agent does."""
    return isinstance(driver, SharesLine) and driver.connection().line.startswith("/")


def _of_agent(run_dir: Path, name: str) -> list[Look]:
    print("the agent runs and has the port; these are its newest readings", file=sys.stderr)
    return _looks(newest_readings(run_dir, name))


def _looks(readings: dict[str, Any]) -> list[Look]:
    return [
        Look(
            name,
            one["value"],
            one["unit"],
            "",
            "" if one["value"] is not None else "not believed, or no value",
        )
        for name, one in readings.items()
    ]


def _line(one: Look) -> str:
    if one.value is None:
        return f"{paint(' X', 'red')} {one.quantity:20} {one.why:30} {one.raw}".rstrip()
    value = f"{one.value} {one.unit}".strip()
    return f"{paint('ok', 'green')} {one.quantity:20} {value:30} {one.raw}".rstrip()


def _brief(readings: dict[str, Any]) -> str:
    shown: list[str] = []
    for key, one in readings.items():
        value: Value = "bad" if one["value"] is None else one["value"]
        shown.append(f"{key} {value} {one['unit']}".strip())
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return ", ".join(shown[:5]) + more


def _row(one: DeviceConfig, state: dict[str, Any]) -> dict[str, Any]:
    driver = one.driver
    where = driver.connection() if isinstance(driver, SharesLine) else None
    return {
        "driver": one.driver_name,
        "profile": getattr(driver, "profile", None),
        "where": f"{where.line} {where.address}" if where else "",
        "enabled": one.enabled,
        "state": "off" if not one.enabled else state.get("state", "-"),
        "error": state.get("error"),
    }
