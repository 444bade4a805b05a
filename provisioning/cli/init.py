"""`lamppost init`: from a blank box to a configuration that names it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lamppost.agent.config import ConfigError
from lamppost.agent.config.read import read
from lamppost.provisioning.cli.commissioning_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.draft import draft_of, drop_draft, keep_draft, read_draft
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

    What options and the list of poles do not say is asked; answers survive an interruption, and are proposed
    when it is begun again. Of a file that is there only node and hub change.

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
        listed = _listed(poles, pole or id, asks=not yes and not as_json, as_json=as_json)
        if listed is None:
            return 0
        given = {key: getattr(listed, key) if value is None else value for key, value in given.items()}
    before = _before(config)
    answers = _asked(given, before, config) if not yes and sys.stdin.isatty() else _answered(given, before)
    backup = _written(config, answers)
    drop_draft(config)
    told = {"file": str(config), "backup": None if backup is None else str(backup), "node": answers.as_json()}
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    print(say("init.written", file=config, id=answers.id, site=answers.site))
    if backup is not None:
        print(say("init.backup", backup=backup))
    print(say("init.next"))
    return 0


def _listed(path: Path, wanted: str | None, *, asks: bool, as_json: bool) -> Pole | None:
    """Return the pole of the list; None after having listed them. Raises BadParameter."""
    try:
        known = read_poles(path)
    except PolesError as error:
        raise typer.BadParameter(str(error), param_hint="--poles") from None
    if wanted is None and asks and sys.stdin.isatty():
        wanted = typer.prompt(say("init.which"))
    if wanted is None and as_json:
        print(json.dumps([asdict(one) for one in known.values()], indent=2, ensure_ascii=False))
        return None
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


def _asked(given: Mapping[str, Any], before: Mapping[str, Any], config: Path) -> Answers:
    """Ask for what is missing, keeping each answer until the configuration is written."""
    values = dict(given)
    draft = _draft(config, values.get("id"))
    if draft:
        print(say("init.again"), file=sys.stderr)
    try:
        for key in _ASKED:
            if values.get(key) is not None:
                continue
            values[key] = _ask(key, say(f"init.{key}"), draft.get(key, before.get(key)))
            if values["id"] != draft.get("id"):
                draft = {}  # another pole: what was said of the first does not hold here
            keep_draft(config, values)
    except typer.Abort:
        print(file=sys.stderr)  # the cursor stands behind the question
        if draft_of(config).exists():
            print(say("init.kept"), file=sys.stderr)
        raise
    values["username"] = values.get("username") or draft.get("username")
    return _answered(values, before)


def _draft(config: Path, node: str | None) -> dict[str, Any]:
    """Return what was answered before an interruption, if it was about this node."""
    draft = read_draft(config)
    return draft if node in (None, draft.get("id")) else {}


def _answered(given: Mapping[str, Any], before: Mapping[str, Any]) -> Answers:
    """Put together what is known. Raises BadParameter for what is missing, or cannot be."""
    values = {key: before.get(key) if value is None else value for key, value in given.items()}
    missing = [f"--{key}" for key in _NEEDED if not values.get(key)]
    if missing:
        raise typer.BadParameter(f"nobody can be asked here; give {', '.join(missing)}")
    try:
        return Answers(**{key: value for key, value in values.items() if value not in (None, "")})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _ask(key: str, question: str, proposed: Any) -> Any:
    """Ask until the answer can be used. All is said on stderr: stdout is for what was written."""
    while True:
        answer = typer.prompt(
            question, default="" if proposed is None else str(proposed), show_default=bool(proposed), err=True
        )
        text = str(answer).strip()
        if not text and key in _NEEDED:
            print(say("init.needed"), file=sys.stderr)
            continue
        try:
            Answers.check(key, text)
        except ValueError as error:
            print(error, file=sys.stderr)
            continue
        return float(text) if key in ("lat", "lon") and text else text
