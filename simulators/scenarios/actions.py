"""What can be done to the link, the broker and the agent in a scenario, by the word in ``do``."""
# ruff: noqa: D102 - each run does what its class says

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from lamppost.simulators.scenarios.model import Scenario
from lamppost.simulators.scenarios.stage import Stage
from lamppost.simulators.scenarios.step import Action, Seconds, action

# The link between box and hub


@action("link.cut")
class LinkCut(Action):
    """Connections end, new ones are refused."""

    text = "the link goes down"

    async def run(self, stage: Stage) -> None:
        await stage.set_link("cut")


@action("link.stall")
class LinkStall(Action):
    """A black hole: everything stays open, nothing passes."""

    text = "the link becomes a black hole"

    async def run(self, stage: Stage) -> None:
        await stage.set_link("stalled")


@action("link.slow")
class LinkSlow(Action):
    """Everything passes, but slowly."""

    text = "the link becomes slow"

    bytes_per_s: float | None = Field(None, gt=0, description="Most bytes a second, each way.")
    delay_s: Seconds = Field(0.0, description="Everything comes so much later.")

    async def run(self, stage: Stage) -> None:
        await stage.set_link("slow", self.bytes_per_s, self.delay_s)


@action("link.restore")
class LinkRestore(Action):
    """Everything passes again; with ``reset`` what was held back in a black hole is lost."""

    text = "the link comes back"

    reset: bool = False

    async def run(self, stage: Stage) -> None:
        await stage.set_link("up", reset=self.reset)


# The hub's broker


@action("broker.kill")
class BrokerKill(Action):
    """Kill -9, once the hub has all that the broker has acknowledged."""

    text = "the hub's broker is killed"

    async def run(self, stage: Stage) -> None:
        await stage.end_broker(kill=True)


@action("broker.stop")
class BrokerStop(Action):
    """SIGTERM, once the hub has all that the broker has acknowledged."""

    text = "the hub's broker is stopped"

    async def run(self, stage: Stage) -> None:
        await stage.end_broker(kill=False)


@action("broker.start")
class BrokerStart(Action):
    """Start it again; the box reaches it when the hub has subscribed."""

    text = "the hub's broker is back"

    async def run(self, stage: Stage) -> None:
        await stage.start_broker()


@action("broker.pause")
class BrokerPause(Action):
    """Freeze it: connections stay open, nobody answers."""

    text = "the hub's broker freezes"

    async def run(self, stage: Stage) -> None:
        stage.broker.pause()


@action("broker.resume")
class BrokerResume(Action):
    """Let it go on."""

    text = "the hub's broker goes on"

    async def run(self, stage: Stage) -> None:
        stage.broker.resume()


# The agent


@action("agent.kill")
class AgentKill(Action):
    """Kill -9."""

    text = "the agent is killed (kill -9)"

    async def run(self, stage: Stage) -> None:
        await stage.agent.kill()


@action("agent.stop")
class AgentStop(Action):
    """SIGTERM; the exit code must be 0."""

    text = "the agent is stopped (SIGTERM)"

    async def run(self, stage: Stage) -> None:
        await stage.stop_agent()


@action("agent.start")
class AgentStart(Action):
    """Start it again."""

    text = "the agent starts again"

    async def run(self, stage: Stage) -> None:
        await stage.agent.start()


@action("agent.reload")
class AgentReload(Action):
    """Change its configuration and send SIGHUP."""

    text = "the agent reloads its configuration (SIGHUP)"

    replace: dict[str, str] = Field({}, description="Text of the configuration, and what stands there now.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield text that is not there to be replaced."""
        try:
            text = scenario.config()
        except OSError:
            return
        yield from (f"the configuration has no {old!r} to replace" for old in self.replace if old not in text)

    async def run(self, stage: Stage) -> None:
        stage.replace_in_config(self.replace)
        stage.agent.reload()
