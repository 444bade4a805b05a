"""`lamppost init`: from a blank box to a configuration that names it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lamppost.agent.config import ConfigError
from lamppost.agent.config.read import read
from lamppost.provisioning.cli.commissioning_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.edit import editing, write_new
from lamppost.provisioning.first import Answers, rendered
from lamppost.provisioning.poles import Pole, PolesError, read_poles
from lamppost.provisioning.words import say

_ASKED = ("id", "site", "lat", "lon", "hub")
_NEEDED = ("id", "site")


def init(
    config: ConfigFile,
    id: Annotated[str | None, typer.Option("--id", help="Node id.")] = None,  # noqa: A002 - the option's name
    site: Annotated[str | None, typer.Option(help="Site.")] = None,
    lat: Annotated[float | None, typer.Option(min=-90, max=90, help="Latitude in degrees.")] = None,
    lon: Annotated[float | None, typer.Option(min=-180, max=180, help="Longitude in degrees.")] = None,
    hub: Annotated[str | None, typer.Option(help="Hub: mqtts://host:8883.")] = None,
    username: Annotated[str | None, typer.Option(help="User name at the hub.")] = None,
    poles: Annotated[
        Path | None,
        typer.Option("--poles", metavar="FILE", help="List of poles from the office: CSV or TOML."),
    ] = None,
    pole: Annotated[str | None, typer.Option("--pole", metavar="ID", help="Which of them this is.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; what is missing is an error.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> int:
    """Write a commented configuration for this box; an old file is kept as a backup.

    What options and the list of poles do not say is asked. Of a file that is there only node and hub change.

    Examples: `lamppost init`, `lamppost init --poles poles.csv --pole pole-0017`,
    `lamppost init --id pole-0017 --site longgang-07 --hub mqtts://hub.example:8883 --yes`.
    """
    given: dict[str, Any] = {
        "id": id or pole,
        "site": site,
        "lat": lat,
        "lon": lon,
        "hub": hub,
        "username": username,
    }
    if poles is not None:
        listed = _listed(poles, pole or id, asks=not yes)
        if listed is None:
            return 0
        given = {key: getattr(listed, key) if value is None else value for key, value in given.items()}
    asks = not yes and sys.stdin.isatty()
    answers = _answered(given, _before(config), asks=asks)
    backup = _written(config, answers)
    told = {"file": str(config), "backup": None if backup is None else str(backup), "node": answers.as_json()}
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    print(say("init.written", file=config, id=answers.id, site=answers.site))
    if backup is not None:
        print(say("init.backup", backup=backup))
    print(say("init.next"))
    return 0


def _listed(path: Path, wanted: str | None, *, asks: bool) -> Pole | None:
    """Return the pole of the list; None after having listed them. Raises BadParameter."""
    try:
        known = read_poles(path)
    except PolesError as error:
        raise typer.BadParameter(str(error), param_hint="--poles") from None
    if wanted is None and asks and sys.stdin.isatty():
        wanted = typer.prompt(say("init.which"))
    if wanted is None:
        for one in known.values():
            print(f"{one.id:20} {one.site or '-'}")
        print(say("init.poles", count=len(known)))
        return None
    if wanted not in known:
        import difflib  # noqa: PLC0415 - a right id has nothing to guess

        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise typer.BadParameter(
            f"{path} has no pole {wanted!r}{hint} ({len(known)} poles)", param_hint="--pole"
        )
    return known[wanted]


def _written(config: Path, answers: Answers) -> Path | None:
    """Write node and hub into the file, or a new file where there is none that can be read."""
    try:
        read(config)
    except ConfigError:
        return write_new(config, rendered(answers))
    with editing(config) as change:
        for key in ("id", "site", "lat", "lon"):
            if (value := getattr(answers, key)) is not None:
                change.set(("node", key), value)
        if answers.hub is not None:
            change.set(("hub", "url"), answers.hub)
        if answers.username is not None:
            change.set(("hub", "username"), answers.username)
    return change.backup


def _before(config: Path) -> dict[str, Any]:
    """Return what a configuration that is there says of the box, as proposals."""
    try:
        data = read(config)[1]
    except ConfigError:
        return {}
    node, hub = data.get("node", {}), data.get("hub", {})
    found = {key: node.get(key) for key in ("id", "site", "lat", "lon")} if isinstance(node, dict) else {}
    if isinstance(hub, dict):
        found |= {"hub": hub.get("url"), "username": hub.get("username")}
    return {key: value for key, value in found.items() if value is not None}


def _answered(given: dict[str, Any], before: dict[str, Any], *, asks: bool) -> Answers:
    """Ask for what is missing. Raises BadParameter where nobody can be asked."""
    values = dict(given)
    for key in _ASKED:
        if values.get(key) is not None:
            continue
        if asks:
            values[key] = _ask(key, say(f"init.{key}"), before.get(key))
        elif key in before:
            values[key] = before[key]
    missing = [f"--{key}" for key in _NEEDED if not values.get(key)]
    if missing:
        raise typer.BadParameter(f"nobody can be asked here; give {', '.join(missing)}")
    values["username"] = values.get("username") or before.get("username")
    try:
        return Answers(**{key: value for key, value in values.items() if value not in (None, "")})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _ask(key: str, question: str, proposed: Any) -> Any:
    """Ask until the answer can be used."""
    while True:
        answer = typer.prompt(
            question, default="" if proposed is None else str(proposed), show_default=bool(proposed)
        )
        text = str(answer).strip()
        if not text and key in _NEEDED:
            print(say("init.needed"))
            continue
        try:
            Answers.check(key, text)
        except ValueError as error:
            print(error)
            continue
        return float(text) if key in ("lat", "lon") and text else text
