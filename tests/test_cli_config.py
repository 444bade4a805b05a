"""The command line: check, schema, drivers, help, and what a person sees when something is wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from plugins import lamppost, write_plugin
from toys import toys_folder

__all__ = ["toys_folder"]

CANARY = "kanarie-vogel-77"
GOOD = """
[node]
id = "pole-1"
site = "s"
[hub]
url = "mqtts://box:${HUB_PASSWORD}@hub.example"
[devices.a]
driver = "toy"
token = "${HUB_PASSWORD}"
[devices.b]
driver = "toy"
enabled = false
password = "file:pw"
[rules.r]
kind = "toy-rule"
device = "b"
"""
BAD = GOOD.replace("enabled", "enabeld").replace('"toy-rule"', '"toy-rul"')


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "lamppost.toml"
    path.write_text(GOOD)
    (tmp_path / "pw").write_text(CANARY + "\n")
    (tmp_path / "pw").chmod(0o644)
    return path


ENV = {"HUB_PASSWORD": CANARY}


def test_a_good_file_is_summed_up_in_one_line(file, toys_folder):
    done = lamppost("config", "check", str(file), path=toys_folder, env=ENV)
    assert done.returncode == 0
    assert done.stdout == (
        f"{file}: good; node pole-1 at s; hub: mqtts://hub.example; "
        "2 devices: a (toy), b (toy, off); 1 rule: r\n"
    )
    assert [line.split(": ")[:3] for line in done.stderr.splitlines()] == [
        [f"{file}:13", "warning", "devices.b.password"],
        [f"{file}:14", "warning", "rules.r"],
    ]


def test_a_bad_file_gets_every_problem_and_exit_code_2(file, toys_folder):
    file.write_text(BAD)
    done = lamppost("config", "check", str(file), path=toys_folder, env=ENV)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        [f"{file}:12", "devices.b.enabeld"],
        [f"{file}:15", "rules.r.kind"],
    ]
    assert lines[-1].startswith("2 problems")


def test_the_result_can_be_had_as_json(file, toys_folder):
    good = json.loads(lamppost("config", "check", str(file), "--json", path=toys_folder, env=ENV).stdout)
    assert good["ok"]
    assert (good["devices"], good["rules"], good["problems"]) == ({"a": "toy", "b": "toy"}, ["r"], [])
    assert [warning["line"] for warning in good["warnings"]] == [13, 14]

    file.write_text(BAD)
    done = lamppost("config", "check", str(file), "--json", path=toys_folder, env=ENV)
    bad = json.loads(done.stdout)
    assert (done.returncode, done.stderr, bad["ok"]) == (2, "", False)
    assert bad["problems"][0] == {
        "file": str(file), "line": 12, "column": None, "key": "devices.b.enabeld",
        "found": "unknown key 'enabeld'", "expected": bad["problems"][0]["expected"],
        "hint": "did you mean 'enabled'?",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", [GOOD, BAD, GOOD.replace('"pole-1"', "3 ["), GOOD.replace("hub.example", "%%:x")]
)
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_no_output_shows_a_secret(file, toys_folder, text, arguments):
    file.write_text(text)
    env = {**ENV, "LAMPPOST_DEBUG": "1"}
    done = lamppost("config", "check", str(file), *arguments, path=toys_folder, env=env)
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode == (0 if text == GOOD else 2)


def test_the_file_is_looked_for_where_the_help_says(file, toys_folder, tmp_path):
    def checked(**where):
        done = lamppost("config", "check", path=toys_folder, **where)
        return (done.stdout or done.stderr).split(": ")[0]

    empty = tmp_path / "empty"
    empty.mkdir()
    assert checked(env=ENV, cwd=tmp_path) == "lamppost.toml"
    assert checked(env={**ENV, "LAMPPOST_CONFIG": str(file)}, cwd=empty) == str(file)
    if not Path("/etc/lamppost/lamppost.toml").exists():
        assert checked(env=ENV, cwd=empty) == "/etc/lamppost/lamppost.toml"


def test_help_imports_none_of_the_heavy_libraries():
    code = (
        "import sys; from lamppost.provisioning.cli import main; main(['--help']);"
        "print(*sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "pymodbus", "aiomqtt", "rich", "cbor2", "structlog", "asyncio"} & set(
        done.stderr.split()
    )
    for command in ("run", "config", "driver", "status", "tail", "spool", "simulate", "demo"):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)


def test_run_imports_no_command_line_library(tmp_path):
    code = (
        "import sys; from lamppost.provisioning.cli import main\n"
        "code = main(['run', '--config', sys.argv[1]])\n"
        "print(code, *sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "none.toml")], capture_output=True, text=True, check=True
    )
    code, *modules = done.stdout.split()
    assert code == "2"
    assert not {"typer", "click", "rich"} & set(modules)
    assert "none.toml: there is no such file" in done.stderr


def test_the_help_of_run_has_the_options_that_run_takes():
    from lamppost.agent.__main__ import parser  # noqa: PLC0415

    taken = {option for action in parser()._actions for option in action.option_strings}
    shown = set(
        re.findall(r"(?<![\w-])--?[a-z][a-z-]*", lamppost("run", "--help").stdout.split("Options:")[1])
    )
    assert taken == shown - {"--help", "-h"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("confg",),
        ("config", "chek"),
        ("config", "check", "--jsn"),
        ("run", "-x"),
        (),
        ("simulate", "hub", "--broker", "foo"),
        ("simulate", "hub", "--port", "70000"),
        ("simulate", "modbus", "-d", "generic", "--tcp", "80000"),
        ("simulate", "link", "--to", "a:99999"),
    ],
)
def test_wrong_arguments_end_with_code_2_and_the_usage(arguments):
    done = lamppost(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_command_is_guessed_from_a_typo():
    assert "Did you mean 'config'?" in lamppost("confg").stderr


def test_the_version_is_that_of_the_package():
    assert re.fullmatch(r"lamppost \d+\.\d+\.\d+\S*\n", lamppost("--version").stdout)


def test_drivers_are_listed_with_what_keeps_one_from_working(tmp_path):
    write_plugin(
        tmp_path,
        "lamppost_torn",
        "import nothing_of_this_name",
        "[lamppost.drivers]\ntorn = lamppost_torn:T\n",
    )
    done = lamppost("driver", "list", path=tmp_path)
    assert done.returncode == 1
    assert "modbus  (lamppost " in done.stdout
    assert "eastron-sdm120 " in done.stdout
    assert "'torn' of lamppost_torn 1.0 cannot be loaded: ModuleNotFoundError" in done.stdout
    assert done.stderr == ""


FAILING = """
from lamppost.drivers.api import DriverError
from lamppost.agent.config import Config, redact
import os, sys

def no_file(): open("/nowhere/at all")
def driver(): raise DriverError("supply: no answer; is it on?")
def bug(): raise KeyError("kanarie-vogel-77 at rtsp://a:b@c")
def interrupted(): raise KeyboardInterrupt
def several(): raise ExceptionGroup("x", [OSError(5, "torn", "cable"), DriverError("supply: gone")])
def code(): return 1
"""


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("no_file", 1, "lamppost: /nowhere/at all: No such file or directory\n"),
        ("driver", 1, "lamppost: supply: no answer; is it on?\n"),
        ("several", 1, "lamppost: cable: torn\nlamppost: supply: gone\n"),
        ("interrupted", 130, ""),
        ("code", 1, ""),
    ],
)
def test_an_error_is_one_clear_message(tmp_path, command, code, message):
    done = run_failing(tmp_path, command)
    assert (done.returncode, done.stderr, done.stdout) == (code, message, "")


def test_an_unexpected_error_shows_its_traceback_only_when_asked(tmp_path):
    quiet = run_failing(tmp_path, "bug")
    assert quiet.returncode == 1
    assert quiet.stderr.startswith("lamppost: unexpected KeyError: ")
    assert "Traceback" not in quiet.stderr
    loud = run_failing(tmp_path, "bug", LAMPPOST_DEBUG="1")
    assert "Traceback" in loud.stderr
    assert "rtsp://a:b@c" not in quiet.stderr + loud.stderr


def run_failing(folder: Path, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a table that has been given the failing ones."""
    (folder / "failing.py").write_text(FAILING)
    code = (
        "import sys; from lamppost.provisioning import cli; name = sys.argv[1]\n"
        "cli.COMMANDS[name] = cli.Command('failing', name, 'fails')\n"
        "sys.exit(cli.main([name]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, command],
        env={**os.environ, "PYTHONPATH": str(folder), **env},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_reader_that_goes_away_is_no_error():
    code = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", code, "config", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def on_a_terminal(*args: str, **env: str) -> str:
    """Run the command line with a terminal for its output; return what it wrote."""
    ours, its = pty.openpty()
    code = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
    clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen([sys.executable, "-c", code, *args], env={**clean, **env}, stderr=its, stdout=its):
        os.close(its)
        text = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                text += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    return text.decode()


def test_colours_are_for_terminals_that_want_them(tmp_path):
    path = str(tmp_path / "none.toml")
    assert "\033[1m" in on_a_terminal("config", "check", path)
    assert "\033" not in on_a_terminal("config", "check", path, NO_COLOR="1")
    assert "\033" not in lamppost("config", "check", path).stderr
