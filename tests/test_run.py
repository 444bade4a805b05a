"""The agent as a process: start, signals, reload, what it shows and what it never does."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from boxes import RULE, device, events, hub, listening, phases
from broker import Broker, free_port
from waiting import until

from agent import Agent
from lamppost.simulators.modbus import Fault, Unit, serve_tcp


def test_a_device_is_read_and_shown_while_another_cannot_be_reached(tmp_path):
    async def main():
        async with serve_tcp([Unit(1, holding=[42])]) as line:
            config = device("tank", line.port) + device("gone", free_port())
            with Agent(tmp_path, config) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                await agent.until(lambda: agent.newest("tank"))
                reading = agent.newest("tank")["level"]
                assert (reading["value"], reading["quality"]) == (42, "good")
                gone = agent.device("gone")
                assert gone["state"] == "failing"
                assert "connection refused" in gone["error"]
                assert gone["next_try_at"]
                assert agent.status()["pid"] == agent.process.pid
                assert await agent.terminate() == 0
            assert agent.device("tank")["samples"] > 0

    asyncio.run(main())


def test_nothing_listens_and_no_thread_or_child_is_left_to_chance(tmp_path):
    async def main():
        with Broker(tmp_path) as broker:
            async with serve_tcp([Unit(1, holding=[42])]) as line:
                with Agent(tmp_path, hub(broker.port) + device("tank", line.port)) as agent:
                    await agent.until(lambda: (agent.status().get("hub") or {}).get("connected"))
                    process = psutil.Process(agent.process.pid)
                    assert [c for c in process.net_connections("all") if c.status == "LISTEN"] == []
                    assert process.children() == []

    asyncio.run(main())


def test_the_agent_imports_no_command_line_and_no_camera_library():
    code = (
        "import sys, lamppost.agent.__main__, lamppost.agent.app, lamppost.agent.uplink\n"
        "import lamppost.drivers.modbus, lamppost.agent.rules.threshold\n"
        "heavy = {'typer', 'click', 'rich', 'jsonschema', 'numpy', 'cv2', 'onnxruntime', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_sigterm_stores_what_rides_in_memory(tmp_path):
    async def main():
        unit = Unit(1, holding=[42])
        async with serve_tcp([unit]) as line:
            config = hub(free_port()).replace("telemetry_memory_s = 0.2", "telemetry_memory_s = 600")
            with Agent(tmp_path, config + device("tank", line.port)) as agent:
                await agent.until(lambda: agent.device("tank").get("samples", 0) > 10)
                before = agent.status()["spool"]["lanes"]["telemetry"]["depth"]
                unit.poke("holding", 0, [43])
                await agent.until(lambda: agent.newest("tank")["level"]["value"] == 43)
                assert await agent.terminate() == 0
                lanes = agent.status()["spool"]["lanes"]
                assert lanes["telemetry"]["depth"] > before

    asyncio.run(main())


def test_the_hub_sees_the_node_come_and_go(tmp_path):
    async def main():
        with Broker(tmp_path) as broker:
            async with listening(broker.port) as got, serve_tcp([Unit(1, holding=[42])]) as line:
                with Agent(tmp_path, hub(broker.port) + device("tank", line.port)) as agent:
                    await until(lambda: [p for t, p in got if "/telemetry/tank" in t])
                    assert await agent.terminate() == 0
                await until(lambda: [p["state"] for t, p in got if t.endswith("/status")][-1] == "offline")
                states = [p["state"] for t, p in got if t.endswith("/status")]
                assert states[0] == "online"
                with Agent(tmp_path, hub(broker.port) + device("tank", line.port)) as agent:
                    await until(lambda: [p["state"] for t, p in got if t.endswith("/status")][-1] == "online")
                    agent.kill()
                    await until(
                        lambda: [p["state"] for t, p in got if t.endswith("/status")][-1] == "offline"
                    )

    asyncio.run(main())


def test_an_event_goes_on_through_kill_9_under_its_own_id(tmp_path):
    async def main():
        unit = Unit(1, holding=[10])
        with Broker(tmp_path) as broker:
            async with listening(broker.port) as got, serve_tcp([unit]) as line:
                config = hub(broker.port) + device("tank", line.port) + RULE
                with Agent(tmp_path, config) as agent:
                    await agent.until(lambda: agent.device("tank")["state"] == "ok")
                    unit.poke("holding", 0, [500])
                    await until(lambda: phases(got) == [("open", 0)])
                    agent.kill()
                    agent.start()
                    await agent.until(lambda: agent.status()["pid"] == agent.process.pid)
                    await agent.until(lambda: agent.device("tank").get("samples", 0) > 5)
                    assert phases(got) == [("open", 0)]
                    unit.poke("holding", 0, [10])
                    await until(lambda: phases(got) == [("open", 0), ("close", 1)])
                assert len({e["event"] for e in events(got)}) == 1

    asyncio.run(main())


def test_events_of_an_outage_survive_kill_9_and_a_boot_without_broker(tmp_path):
    async def main():
        unit = Unit(1, holding=[10])
        broker = Broker(tmp_path)
        async with serve_tcp([unit]) as line:
            with Agent(tmp_path, hub(broker.port) + device("tank", line.port) + RULE) as agent:
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                unit.poke("holding", 0, [500])
                await agent.until(lambda: agent.status()["spool"]["lanes"]["alarms"]["depth"] == 1)
                agent.kill()
                agent.start()
                await agent.until(lambda: agent.device("tank")["state"] == "ok")
                unit.poke("holding", 0, [10])
                await agent.until(lambda: agent.status()["spool"]["lanes"]["alarms"]["depth"] == 2)
                with broker:
                    async with listening(broker.port) as got:
                        await until(lambda: phases(got) == [("open", 0), ("close", 1)])
                        await agent.until(lambda: agent.status()["spool"]["lanes"]["alarms"]["depth"] == 0)

    asyncio.run(main())


def test_a_dead_unit_costs_its_neighbours_one_time_out_in_each_pause(tmp_path):
    async def main():
        dead = Unit(9, holding=[1])
        dead.faults.add(Fault.no_answer())
        async with serve_tcp([Unit(1, holding=[1]), Unit(2, holding=[2]), dead]) as line:
            config = "".join(device(f"d{u}", line.port, u) for u in (1, 2, 9))
            with Agent(tmp_path, config) as agent:
                await agent.until(lambda: agent.device("d9").get("restarts", 0) >= 3)
                assert agent.device("d1")["state"] == agent.device("d2")["state"] == "ok"
                assert agent.device("d1")["restarts"] == agent.device("d2")["restarts"] == 0
                # One request, and so one time-out, for each of its tries.
                assert dead.requests - agent.device("d9")["restarts"] <= 1
                assert "unit 9 did not answer FC03" in agent.device("d9")["error"]
                dead.faults.clear()
                await agent.until(lambda: agent.device("d9")["state"] in ("ok", "degraded"), 20)

    asyncio.run(main())


def test_a_device_that_stays_down_is_an_event_until_it_delivers(tmp_path):
    async def main():
        unit = Unit(1, holding=[1])
        with Broker(tmp_path) as broker:
            async with listening(broker.port) as got, serve_tcp([unit]) as line:
                config = hub(broker.port) + device("tank", line.port, backoff_max_s=1)
                with Agent(tmp_path, config, node="down_after_s = 1\n") as agent:
                    await agent.until(lambda: agent.device("tank")["state"] == "ok")
                    unit.faults.add(Fault.no_answer())
                    await until(lambda: phases(got, "device.down") == [("open", 0)], 20)
                    unit.faults.clear()
                    await until(lambda: phases(got, "device.down") == [("open", 0), ("close", 1)], 20)

    asyncio.run(main())


def test_a_disk_that_takes_no_more_is_an_alarm_and_no_end(tmp_path):
    async def main():
        unit = Unit(1, holding=[5] * 100)
        with Broker(tmp_path) as broker:
            async with listening(broker.port) as got, serve_tcp([unit]) as line:
                config = hub(broker.port) + device("tank", line.port) + RULE
                with Agent(tmp_path, config, file_bytes=150_000) as agent:
                    await agent.until(lambda: agent.device("tank")["state"] == "ok")
                    # Let the log grow to what the kernel allows: each event is a write that must be synced.
                    while not agent.status()["spool"]["trouble"]:
                        seen = len(phases(got))
                        unit.poke("holding", 0, [500 if seen % 2 == 0 else 5])
                        await until(lambda seen=seen: len(phases(got)) > seen)
                    await until(lambda: ("open", 0) in phases(got, "box.storage"))
                    # Events go on, from memory.
                    seen = len(phases(got))
                    unit.poke("holding", 0, [500 if seen % 2 == 0 else 5])
                    await until(lambda: len(phases(got)) > seen)
                    assert await agent.terminate() == 0

    asyncio.run(main())


def test_the_service_manager_hears_ready_alive_and_stopping(tmp_path):
    async def main():
        path = tmp_path / "notify.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.setblocking(False)
            said: list[str] = []

            def hear() -> list[str]:
                with suppress(BlockingIOError):
                    while True:
                        said.append(manager.recv(1000).decode())
                return said

            env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}
            with Agent(tmp_path, "", env=env) as agent:
                await agent.until(lambda: hear().count("WATCHDOG=1") >= 3)
                agent.reload()
                await agent.until(lambda: any(s.startswith("RELOADING=1") for s in hear()))
                await agent.until(lambda: hear().count("READY=1") == 2)
                assert await agent.terminate() == 0
            assert hear()[0] == "READY=1"
            assert said[-1] == "STOPPING=1"

    asyncio.run(main())


def run_once(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lamppost.agent", *args],
        capture_output=True, text=True, check=False, timeout=30, env={**os.environ, **(env or {})},
    )  # fmt: skip


def test_a_wrong_configuration_ends_with_2_and_every_error(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(
        '[node]\nid = "a"\n[devices.x]\ndriver = "modbos"\n[devices.y]\ndriver = "modbus"\nunit = "one"\n'
    )
    done = run_once("--config", str(path))
    assert done.returncode == 2
    for said in ("node.site", "modbos", "modbus", "devices.y.unit", "devices.y.url"):
        assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_agent_on_the_same_spool_is_refused(tmp_path):
    async def main():
        with Agent(tmp_path, "") as agent:
            await agent.until(agent.status)
            done = await asyncio.to_thread(run_once, "--config", str(agent.config))
            assert done.returncode == 1
            assert "spool" in done.stderr
            assert "Traceback" not in done.stderr
            seen = agent.status()["at"]
            await agent.until(lambda: agent.status()["at"] != seen)

    asyncio.run(main())


def test_a_run_directory_that_cannot_be_made_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "lamppost.toml"
    path.write_text(
        f'[node]\nid = "a"\nsite = "b"\nrun_dir = "{tmp_path}/file/run"\nstate_dir = "{tmp_path}/state"\n'
    )
    done = run_once("--config", str(path))
    assert done.returncode == 1
    assert "run_dir" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_service_file_runs_what_is_installed():
    unit = (Path(__file__).parent.parent / "deploy/lamppost.service").read_text()
    assert "lamppost run --config /etc/lamppost/lamppost.toml" in unit
