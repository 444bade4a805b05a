"""The verdict of a scenario as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from lamppost.simulators.hub.words import measures
from lamppost.simulators.scenarios import Row, Verdict

_OK, _WRONG = "green", "bold red"


def show(verdict: Verdict, console: Console) -> None:
    """Print the verdict; lines are cut to a terminal's width, but never in a pipe."""
    for line in lines(verdict):
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


def lines(verdict: Verdict) -> Iterator[Text]:
    """Yield the verdict line by line."""
    yield Text()
    yield Text(f"Verdict of {verdict.scenario} after {verdict.duration_s:.0f} s", style="bold")
    if verdict.rows:
        yield Text()
        yield from _events(verdict.rows)
    yield Text()
    width = max(len(check.name) for check in verdict.checks)
    for check in verdict.checks:
        yield Text.assemble(
            ("ok    " if check.ok else "WRONG ", _OK if check.ok else _WRONG),
            (f"{check.name:<{width}}  ", "bold"),
            check.found.replace("\n", " | "),
        )
    for note in verdict.notes:
        yield Text(f"{'':<{width + 8}}{note}", style="dim")
    yield Text()
    yield last_line(verdict)
    if verdict.folder:
        yield Text(f"The agent's files and log are in {verdict.folder}")


def last_line(verdict: Verdict) -> Text:
    """Return ``PASSED: 7 event messages expected, 7 received, lost 0, duplicates 0``."""
    expected = sum(row.expected is not None for row in verdict.rows)
    received = sum(row.letter is not None for row in verdict.rows)
    totals = verdict.totals
    return Text.assemble(
        ("PASSED", f"bold {_OK}") if verdict.ok else ("FAILED", _WRONG),
        f": {expected} event messages expected, {received} received, "
        f"lost {totals.lost}, duplicates {totals.duplicates}",
    )


def _events(rows: Sequence[Row]) -> Iterator[Text]:
    cells = [
        (
            row.state,
            row.what,
            "-" if row.expected is None else str(row.expected.window),
            "-" if row.at_s is None else f"{row.at_s:.1f} s",
            "" if row.letter is None else measures(row.letter.measures),
        )
        for row in rows
    ]
    head = ("", "event message", "expected", "received", "")
    w = [max(len(line[n]) for line in [head, *cells]) for n in range(4)]
    yield Text(f"{'':<{w[0]}}  {head[1]:<{w[1]}}  {head[2]:>{w[2]}}  {head[3]:>{w[3]}}", style="dim")
    for row, (state, what, between, at_s, told) in zip(rows, cells, strict=True):
        yield Text.assemble(
            (f"{state:<{w[0]}}  ", _OK if row.ok else _WRONG),
            f"{what:<{w[1]}}  {between:>{w[2]}}  {at_s:>{w[3]}}  {told}",
        )
