"""`lamppost status` and `lamppost tail` beside a running agent, as a person and a script see them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from boxes import RULE, device
from plugins import lamppost

from agent import Agent
from lamppost.simulators.modbus import Fault, Unit, serve_tcp

LAMPPOST = Path(sys.executable).with_name("lamppost")


async def look(agent: Agent, *args: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(lamppost, *args, "--config", str(agent.config))


def test_status_shows_devices_with_reasons_and_open_events(tmp_path):
    async def main():
        dead = Unit(2, holding=[1])
        dead.faults.add(Fault.no_answer())
        async with serve_tcp([Unit(1, holding=[500]), dead]) as line:
            config = device("tank", line.port) + device("dead", line.port, 2) + RULE
            with Agent(tmp_path, config) as agent:
                await agent.until(lambda: agent.device("dead")["state"] == "failing")
                await agent.until(lambda: agent.status()["open_events"])
                seen = await look(agent, "status")
                assert seen.returncode == 0
                for said in (
                    "running",
                    "tank",
                    "ok",
                    "failing",
                    "unit 2 did not answer",
                    "water.high",
                ):
                    assert said in " ".join(seen.stdout.split())
                assert "\x1b[" not in seen.stdout
                one = await look(agent, "status", "--device", "tank")
                assert "level" in one.stdout
                assert "500" in one.stdout
                wrong = await look(agent, "status", "--device", "tnak")
                assert wrong.returncode == 2
                assert "tank" in wrong.stderr
                raw = await look(agent, "status", "--json")
                assert json.loads(raw.stdout)["node"] == "pole-1"
                await agent.terminate()
                after = await look(agent, "status")
                assert after.returncode == 1
                assert "NOT RUNNING" in after.stdout

    asyncio.run(main())


def test_a_broken_file_or_a_missing_secret_does_not_keep_anybody_from_looking(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=[500])]) as line:
            config = (
                device("tank", line.port)
                + '[hub]\nurl = "mqtt://127.0.0.1:1"\npassword = "${CANARY_PASSWORD}"\n'
            )
            config += 'username = "box"\n'
            with Agent(tmp_path, config, env={"CANARY_PASSWORD": "canary-7f3a"}) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                for command in (["status"], ["spool"], ["tail", "-n", "1"]):
                    assert "canary" not in (seen := await look(agent, *command)).stdout
                    assert seen.returncode == 0, seen.stderr
                agent.write(config.replace("every_s", "evry_s"))
                agent.reload()
                await agent.until(lambda: agent.status()["config_problem"])
                seen = await look(agent, "status")
                assert "was not taken" in seen.stdout
                assert "evry_s" in seen.stdout

    asyncio.run(main())


def test_status_before_the_first_start_says_what_to_do(tmp_path):
    agent = Agent(tmp_path, "")
    seen = lamppost("status", "--config", str(agent.config))
    assert seen.returncode != 0
    assert "lamppost run" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_tail_shows_samples_and_events_as_they_pass(tmp_path):
    async def main():
        unit = Unit(1, holding=[5])
        async with serve_tcp([unit]) as line:
            with Agent(tmp_path, device("tank", line.port) + device("other", line.port) + RULE) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                seen = await look(agent, "tail", "-n", "3", "--json", "--device", "tank")
                records = [json.loads(row) for row in seen.stdout.splitlines()]
                assert [(r["type"], r["device"], r["quantity"], r["value"]) for r in records] == [
                    ("reading", "tank", "level", 5)
                ] * 3
                events = asyncio.create_task(look(agent, "tail", "-n", "1", "--events"))
                await agent.until(lambda: any((agent.run_dir / "tail").iterdir()))
                # The agent looks for new readers once a second: raise events until one is seen.
                while not events.done():
                    unit.poke("holding", 0, [500])
                    await agent.until(lambda: agent.status()["open_events"])
                    unit.poke("holding", 0, [5])
                    await agent.until(lambda: not agent.status()["open_events"])
                assert "water.high" in events.result().stdout
                await agent.until(lambda: not any((agent.run_dir / "tail").iterdir()))

    asyncio.run(main())


def test_a_tail_that_does_not_read_slows_nobody_and_is_told_what_it_missed(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=list(range(100)))]) as line:
            config = device("tank", line.port, every_s=0.02).replace(
                "registers.level = { address = 0 }", "registers.level = { address = 0, count = 100 }"
            )
            with Agent(tmp_path, config) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                reader, writer = os.pipe()
                command = [
                    LAMPPOST,
                    "tail",
                    "--json",
                    "-c",
                    str(agent.config),
                ]
                with subprocess.Popen(command, stdout=writer) as tail:
                    os.close(writer)
                    await agent.until(lambda: any((agent.run_dir / "tail").iterdir()))
                    seen = agent.device("tank")["samples"]
                    # Nobody reads the pipe: it fills, and the tailer stands still with it.
                    await agent.until(lambda: agent.device("tank")["samples"] > seen + 30_000, 60)
                    text = b""
                    while b"missed" not in text:
                        text += await asyncio.to_thread(os.read, reader, 1 << 20)
                    tail.terminate()
                os.close(reader)
                assert agent.device("tank")["state"] in ("ok", "degraded")  # a poll may have been late

    asyncio.run(main())


def test_a_tailer_that_was_killed_leaves_nothing_behind(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=[5])]) as line:
            with Agent(tmp_path, device("tank", line.port)) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                command = [LAMPPOST, "tail", "-c", str(agent.config)]
                with subprocess.Popen(command, stdout=subprocess.DEVNULL) as tail:
                    await agent.until(lambda: any((agent.run_dir / "tail").iterdir()))
                    tail.kill()
                await agent.until(lambda: not any((agent.run_dir / "tail").iterdir()))
                os.mkfifo(agent.run_dir / "tail" / "left-over")
                await agent.until(lambda: not any((agent.run_dir / "tail").iterdir()))

    asyncio.run(main())
