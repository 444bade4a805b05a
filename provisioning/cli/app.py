"""The group of all commands; each is imported when it is called, not when it is listed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lamppost.provisioning.cli import COMMANDS

#: rich would double the time of `--help`.
_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


class MissingCommandError(Exception):
    """A command of the table whose module is not installed."""


class Lamppost(TyperGroup):
    """Lists commands by their names and one-line helps, and loads the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=command.help, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command in place of the one that is only listed."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest


def load(name: str) -> TyperCommand | TyperGroup:
    """Import the command ``name`` of the table."""
    module, attribute, text = COMMANDS[name]
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MissingCommandError(f"the command {name!r} is not part of this installation") from error
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        app = typer.Typer(**_PLAIN)
        app.command(name)(found)
        command = typer.main.get_command(app)
    command.name = name
    command.help = command.help or text
    _without_rich(command)
    return command  # type: ignore[no-any-return]


def _without_rich(command: Any) -> None:
    command.rich_markup_mode = None
    for child in getattr(command, "commands", {}).values():
        _without_rich(child)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        typer.echo(f"lamppost {version('lamppost')}")
        raise typer.Exit


app = typer.Typer(
    cls=Lamppost, no_args_is_help=True, context_settings={"help_option_names": ["--help", "-h"]}, **_PLAIN
)


def _install(wanted: bool) -> None:
    if wanted:
        from lamppost.provisioning.cli.completion import completion  # noqa: PLC0415

        raise typer.Exit(completion(None, install=True))


@app.callback()
def lamppost(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    _install_wanted: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install,
            is_eager=True,
            help="Let your shell complete commands and names; as `lamppost completion --install`.",
        ),
    ] = False,
) -> None:
    """Runtime for the box on the lamp post: reads devices, sees events, tells the hub."""


def call(args: Sequence[str]) -> int:
    """Run the command that ``args`` name; return its exit code."""
    group = typer.main.get_group(app)
    try:
        code = group.main(list(args), prog_name="lamppost", standalone_mode=False)
    except typer.Abort:
        return 130
    except SystemExit as end:
        # typer ends the process itself when nobody reads its output; that is for `main` to say.
        raise end.__context__ if isinstance(end.__context__, BrokenPipeError) else end from None
    except Exception as error:
        # click's errors know how to show themselves; which click typer brings along differs by version.
        show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
        if show is None or not isinstance(code, int):
            raise
        show()
    return code if isinstance(code, int) and not isinstance(code, bool) else 0
