"""`lamppost driver list`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from lamppost.drivers import registry

app = typer.Typer(no_args_is_help=True)


@app.callback()
def driver() -> None:
    """Installed drivers."""


@app.command("list")
def list_drivers(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, by driver.")] = False,
) -> int:
    """List the installed drivers, what each is for, and its profiles.

    Example: `lamppost driver list --json`.
    """
    drivers = {name: _describe(name) for name in registry.names()}
    if as_json:
        print(json.dumps(drivers, indent=2, ensure_ascii=False))
    else:
        _print(drivers)
    return 1 if any("problem" in found for found in drivers.values()) else 0


def _describe(name: str) -> dict[str, Any]:
    package = registry.origin(name)
    try:
        found = registry.load(name)
    except registry.PluginError as error:
        return {"package": package, "problem": str(error)}
    doc = (found.__doc__ or "").strip().partition("\n")[0]
    offers = getattr(found, "profiles", None)
    profiles = dict(offers()) if callable(offers) else {}
    return {"package": package, "summary": found.summary or doc, "profiles": profiles}


def _print(drivers: dict[str, dict[str, Any]]) -> None:
    if not drivers:
        print("no driver is installed")
    for name, found in drivers.items():
        print(f"{name}  ({found['package']})")
        print(f"    {found.get('summary') or found.get('problem')}")
        profiles = found.get("profiles", {})
        width = max(map(len, profiles), default=0)
        if profiles:
            print("    profiles:")
        for profile, title in profiles.items():
            print(f"      {profile:{width}}  {title}")
