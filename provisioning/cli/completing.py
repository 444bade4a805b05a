"""What the shell may offer at the cursor: commands, options, and names from the configuration.

Called at each press of the tab key, so it imports what it must only: names are read from the TOML as it is.
A shell must never see an error here: what cannot be known is not offered.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from lamppost.agent.paths import default_path, tables
from lamppost.provisioning.cli import COMMANDS

Offer = tuple[str, str]


def answer(args: Sequence[str]) -> int:
    """Print the lines for ``SHELL INDEX WORD...``; whatever goes wrong is silence."""
    with contextlib.suppress(Exception):
        shell, index, *words = args
        for line in complete(shell, int(index), words):
            print(line)
    return 0


def complete(shell: str, index: int, words: Sequence[str]) -> Iterator[str]:
    """Yield the lines for a shell. ``words`` begin with the program; the cursor is in that of ``index``."""
    begun = words[index] if index < len(words) else ""
    offers = {
        value: about for value, about in _offers(list(words[1:index]), begun) if value.startswith(begun)
    }
    for value, about in offers.items():
        if shell == "zsh":
            yield f"{value.replace(':', chr(92) + ':')}:{about}" if about else value
        elif shell == "fish" and about:
            yield f"{value}\t{about}"
        else:
            yield value


def _offers(before: list[str], begun: str) -> Iterator[Offer]:
    if not before:
        if begun.startswith("-"):
            yield from (("--help", ""), ("--version", ""), ("--install-completion", ""))
        else:
            yield from ((name, command.help) for name, command in COMMANDS.items())
        return
    if before[0] not in COMMANDS:
        return
    from lamppost.provisioning.cli.app import load  # noqa: PLC0415 - the list of commands needs no typer

    command, path, rest = load(before[0]), [before[0]], before[1:]
    while (children := getattr(command, "commands", None)) and rest and rest[0] in children:
        command = children[rest[0]]
        path.append(rest.pop(0))
    if children := getattr(command, "commands", None):
        yield from ((name, _first(child.short_help or child.help)) for name, child in children.items())
        return
    yield from _of_command(command, path, rest, begun)


def _of_command(command: Any, path: list[str], rest: list[str], begun: str) -> Iterator[Offer]:
    options = [p for p in command.params if p.param_type_name == "option"]
    awaiting = next((p for p in options if rest and rest[-1] in p.opts and not p.is_flag), None)
    config = _config(rest)
    if awaiting is not None:
        yield from _values(awaiting, path, config)
        return
    if begun.startswith("-"):
        for option in options:
            yield from ((name, _first(option.help)) for name in (*option.opts, *option.secondary_opts))
        yield "--help", ""
        return
    for argument in command.params:
        if argument.param_type_name == "argument":
            yield from _values(argument, path, config)


def _values(param: Any, path: list[str], config: Path) -> Iterator[Offer]:
    if choices := _choices(param):
        yield from ((choice, "") for choice in choices)
    elif find := _NAMES.get((path[0], param.name)) or _NAMES.get(("", param.name)):
        yield from find(config)


def _choices(param: Any) -> list[str]:
    """Return the words that a parameter takes if not any; typer's versions keep them differently."""
    known = getattr(getattr(param, "type", None), "choices", None)
    if known:
        return [str(choice) for choice in known]
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    return [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []


def _config(rest: list[str]) -> Path:
    """Return the configuration that the line names, else the default."""
    for option, value in itertools.pairwise(rest):
        if option in ("-c", "--config"):
            return Path(value).expanduser()
    return default_path()


def _named(config: Path, table: str) -> Mapping[str, Any]:
    found = tables(config).get(table, {})
    return found if isinstance(found, dict) else {}


def devices(config: Path) -> Iterator[Offer]:
    """Yield the devices of the file, each with its driver."""
    for name, device in _named(config, "devices").items():
        yield name, str(device.get("driver", "")) if isinstance(device, dict) else ""


def cameras(config: Path) -> Iterator[Offer]:
    """Yield the devices that are cameras: they have zones, or their driver is called so."""
    for name, device in _named(config, "devices").items():
        if isinstance(device, dict) and (device.get("driver") == "camera" or "zones" in device):
            yield name, str(device.get("source", "")).partition("://")[0]


def checks(config: Path) -> Iterator[Offer]:
    """Yield what `lamppost check --only` takes."""
    from lamppost.provisioning.check.names import NAMES  # noqa: PLC0415

    yield from ((name, "") for name in NAMES)
    yield from devices(config)
    yield from ((name, str(rule.get("kind", ""))) for name, rule in _named(config, "rules").items())


def models(config: Path) -> Iterator[Offer]:
    """Yield the models in the folders that the configuration sees."""
    from lamppost.models.manifest import find_manifests, model_folders  # noqa: PLC0415

    yield from ((name, "") for name in find_manifests(model_folders(config)))


#: By command and parameter; "" stands for any command.
_NAMES: Mapping[tuple[str, str], Callable[[Path], Iterator[Offer]]] = {
    ("", "device"): devices,
    ("", "camera"): cameras,
    ("camera", "device"): cameras,
    ("replay", "device"): cameras,
    ("check", "only"): checks,
    ("model", "names"): models,
    ("", "model"): models,
    ("device", "name"): devices,
}


def _first(text: str | None) -> str:
    return " ".join((text or "").partition("\n")[0].split())
