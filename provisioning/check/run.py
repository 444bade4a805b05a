"""All checks of a box, in a fixed order, bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from lamppost.agent.config import Config
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.check.names import GROUPS, NAMES, Group
from lamppost.provisioning.words import span

#: Seconds that one group may take; no group waits for another.
GROUP_S: Final = 25.0


async def checks(
    config: Config, only: Collection[str] = (), *, root: Path = Path("/")
) -> AsyncIterator[Finding]:
    """Yield the findings, each as soon as those before it are known. Never raises for what it looks at.

    ``only`` holds names of groups (`NAMES`), of findings (``device/supply``) or of what they are about
    (``supply``). Secrets of the configuration are taken out of all words.
    """
    bench = Bench.of(config, root)
    wanted = [group for group in GROUPS if _is_wanted(group, only)]
    tasks = [asyncio.create_task(_findings(group, bench)) for group in wanted]
    try:
        for task in tasks:
            for finding in await task:
                if matches(finding.name, only):
                    yield finding._replace(says=config.redact(finding.says), todo=config.redact(finding.todo))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def matches(name: str, only: Collection[str]) -> bool:
    """Say whether a finding is among those asked for."""
    kind, _, about = name.partition("/")
    return not only or bool({name, kind, about} & set(only))


def _is_wanted(group: Group, only: Collection[str]) -> bool:
    """Say whether a group may hold what is asked for: a bare name may be that of a device or a rule."""
    kinds = {name.partition("/")[0] for name in only}
    return not only or bool(kinds & set(group.names)) or bool(kinds - set(NAMES))


async def _findings(group: Group, bench: Bench) -> list[Finding]:
    """Run one group; a bug in it, or one that hangs, costs its own line only."""
    found: list[Finding] = []
    module, _, name = group.place.partition(":")
    try:
        async with asyncio.timeout(GROUP_S):
            made = getattr(import_module(module), name)(bench)
            if hasattr(made, "__aiter__"):
                async for finding in made:
                    found.append(finding)  # noqa: PERF401 - what came before a failure is kept
            else:
                found.extend(await asyncio.to_thread(list, made))
    except TimeoutError:
        found.append(
            red(group.names[0], "check.slow", "check.slow.todo", seconds=GROUP_S, name=group.names[0])
        )
    except Exception as error:  # noqa: BLE001 - the other checks must still be seen
        why = f"{type(error).__name__}: {error}"
        found.append(red(group.names[0], "check.broke", "check.broke.todo", why=why))
    return found


def agent(bench: Bench) -> Iterator[Finding]:
    """Look at the configuration (which is loaded by now) and at the agent that runs with it."""
    status = bench.status
    if status is not None and status["config_problem"]:
        yield yellow("config", "config.not-taken", "config.not-taken.todo", why=status["config_problem"])
    else:
        yield green("config", "config.good", path=bench.config.path)
    if status is None:
        yield yellow("agent", "agent.down", "agent.down.todo")
    elif bench.hangs:
        yield red("agent", "agent.silent", "agent.silent.todo", span=span(bench.silent_s))
    else:
        yield green("agent", "agent.runs", span=span(status["uptime_s"]), rss=status["rss_mb"])
