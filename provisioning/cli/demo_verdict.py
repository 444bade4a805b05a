"""The verdict of a scenario as people read it."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lamppost.simulators.hub.words import measures
from lamppost.simulators.scenarios import Row, Verdict

_MARKS = {True: ("ok", "green"), False: ("WRONG", "bold red")}


def show(verdict: Verdict, console: Console) -> None:
    """Print the verdict."""
    console.print()
    console.print(Text(f"Verdict of {verdict.scenario} after {verdict.duration_s:.0f} s", style="bold"))
    if verdict.rows:
        console.print(Padding(_events(verdict.rows), (1, 0)))
    console.print(_checks(verdict))
    for note in verdict.notes:
        console.print(Text(f"       {note}", style="dim"))
    console.print()
    console.print(last_line(verdict))
    if verdict.folder:
        console.print(Text(f"The agent's files and log: {verdict.folder}"), soft_wrap=True)


def last_line(verdict: Verdict) -> Text:
    """Return ``PASSED: 7 events expected, 7 received, lost 0, duplicates 0``."""
    expected = sum(row.expected is not None for row in verdict.rows)
    totals = verdict.totals
    word, style = ("PASSED", "bold green") if verdict.ok else ("FAILED", "bold red")
    return Text.assemble(
        (word, style),
        f": {expected} event messages expected, {len([r for r in verdict.rows if r.letter])} received, "
        f"lost {totals.lost}, duplicates {totals.duplicates}",
    )


def _mark(ok: bool, word: str = "") -> Text:
    usual, style = _MARKS[ok]
    return Text(word or usual, style=style)


def _events(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True, min_width=5)
    table.add_column("event message", no_wrap=True)
    table.add_column("expected", no_wrap=True, justify="right")
    table.add_column("received", no_wrap=True, justify="right")
    table.add_column("", overflow="ellipsis", no_wrap=True)
    for row in rows:
        expect = row.expected
        between = "-" if expect is None else f"{expect.after_s:g}-{expect.after_s + expect.within_s:g} s"
        table.add_row(
            _mark(row.ok, "" if row.state == "ok" else row.state),
            row.what,
            between,
            "-" if row.at_s is None else f"{row.at_s:.1f} s",
            "" if row.letter is None else measures(row.letter.measures),
        )
    return table


def _checks(verdict: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, min_width=5)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in verdict.checks:
        table.add_row(_mark(check.ok), check.name, check.found)
    return table
