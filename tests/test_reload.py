"""SIGHUP: what changed is restarted, what did not goes on, what does not hold is refused."""

from __future__ import annotations

import asyncio

from boxes import RULE, device, events, hub, listening, phases
from broker import Broker
from waiting import until

from agent import Agent
from lamppost.simulators.modbus import Unit, serve_tcp


def test_reload_restarts_only_what_changed(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=[1])]) as kept, serve_tcp([Unit(1, holding=[2])]) as changed:
            with Agent(tmp_path, device("kept", kept.port) + device("changed", changed.port)) as agent:
                await agent.until(
                    lambda: agent.device("changed")["state"] == agent.device("kept")["state"] == "ok"
                )
                boot = agent.status()["boot"]
                agent.write(
                    device("kept", kept.port)
                    + device("changed", changed.port, every_s=0.2)
                    + device("new", kept.port)
                )
                agent.reload()
                await agent.until(lambda: agent.device("new")["state"] == "ok")
                await until(lambda: changed.accepted == 2)
                assert kept.accepted == 1
                assert agent.status()["boot"] == boot
                agent.write(device("kept", kept.port))
                agent.reload()
                await agent.until(lambda: list(agent.status()["devices"]) == ["kept"])
                await agent.until(lambda: not (agent.run_dir / "devices/new.json").exists())
                assert kept.accepted == 1

    asyncio.run(main())


def test_a_changed_configuration_that_does_not_hold_is_refused_and_the_old_one_goes_on(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=[1])]) as line:
            with Agent(tmp_path, device("tank", line.port)) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                agent.write(device("tank", line.port, evry_s=3))
                agent.reload()
                await agent.until(lambda: agent.status()["config_problem"])
                assert "every_s" in agent.status()["config_problem"]
                seen = agent.device("tank")["samples"]
                await agent.until(lambda: agent.device("tank")["samples"] > seen)

    asyncio.run(main())


def test_a_rule_that_is_removed_closes_what_it_left_open(tmp_path):
    async def main():
        with Broker(tmp_path) as broker:
            async with listening(broker.port) as got, serve_tcp([Unit(1, holding=[500])]) as line:
                base = hub(broker.port) + device("tank", line.port)
                with Agent(tmp_path, base + RULE) as agent:
                    await until(lambda: phases(got) == [("open", 0)])
                    agent.write(base)
                    agent.reload()
                    await until(lambda: phases(got) == [("open", 0), ("close", 1)])
                assert "removed" in events(got)[-1]["measures"]["reason"]

    asyncio.run(main())
