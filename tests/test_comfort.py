"""What holds for every command: documented, with an example, no traceback, colours for terminals only."""

from __future__ import annotations

import functools
import io
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lamppost.provisioning.cli import COMMANDS, main
from lamppost.provisioning.cli.app import MissingCommandError, load

PAGE = (Path(__file__).parent.parent / "docs/COMMANDS.md").read_text(encoding="utf-8")

#: Commands that print no answer in JSON, and why.
WITHOUT_JSON = {
    "run": "an agent: its log is JSON lines already",
    "config schema": "prints JSON only",
    "replay": "prints JSON lines only",
    "completion": "prints a script for a shell",
    "simulate modbus": "a stage that people type at",
    "simulate serial": "a stage that people type at",
    "simulate camera": "a stage that people type at",
    "simulate link": "a stage that people type at",
    "portal": "a page that stays until it is stopped",
}


@functools.cache
def leaves() -> dict[str, object]:
    """Return all commands by their full names."""
    found: dict[str, object] = {}

    def walk(name, command):
        children = getattr(command, "commands", None)
        for child in (children or {}).values():
            walk(f"{name} {child.name}", child)
        if not children:
            found[name] = command

    for name in COMMANDS:
        walk(name, load(name))
    return found


def options(command) -> list[str]:
    wanted = [
        p for p in command.params if p.param_type_name == "option" and p.name != "help" and not p.hidden
    ]
    return [name for option in wanted for name in (*option.opts, *option.secondary_opts)]


def test_every_command_and_option_is_in_the_docs():
    sections = dict(
        re.findall(r"^### `lamppost ([a-z -]+)`\n(.*?)(?=^### |^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    )
    for name, command in leaves().items():
        assert name in sections, f"docs/COMMANDS.md: nothing on `lamppost {name}`"
        for option in options(command):
            assert f"`{option}`" in sections[name], f"docs/COMMANDS.md: {name}: no {option}"
    for name in sections:
        assert name in leaves(), f"docs/COMMANDS.md: there is no `lamppost {name}`"


def test_every_help_has_an_example_that_holds():
    for name, command in leaves().items():
        text = " ".join((command.help or "").split())
        examples = re.findall(r"`(lamppost [^`]+)`", text.partition("Example")[2])
        assert examples, f"`lamppost {name} --help` shows no example"
        assert any(example.startswith(f"lamppost {name}") for example in examples), name
        for example in examples:
            check_example(shlex.split(example.partition(">")[0])[1:])


def check_example(words: list[str]) -> None:
    for count in range(len(words), 0, -1):
        if command := leaves().get(" ".join(words[:count])):
            break
    else:
        raise AssertionError(f"no such command: {words}")
    for word in words[count:]:
        if word.startswith("-"):
            assert word in [*options(command), "--help"], f"{words}: no option {word}"


def test_every_command_that_answers_answers_programs_too():
    for name, command in leaves().items():
        if name in WITHOUT_JSON or name.split()[0] in WITHOUT_JSON:
            continue
        assert "--json" in options(command), f"`lamppost {name}` has no --json"


def words_for(command, folder: Path) -> list[str]:
    """Return arguments that a command needs before it looks at anything: files that are not there."""
    words = []
    for param in command.params:
        if param.param_type_name == "argument" and param.required:
            words += [str(folder / "no-such-thing")] * max(1, param.nargs)
        elif param.param_type_name == "option" and param.required and param.name != "config":
            words += [param.opts[0], "x"]
    return words


BROKEN = {
    "missing": lambda _path: None,
    "no-toml": lambda path: path.write_text("[node\n"),
    "binary": lambda path: path.write_bytes(b"\xff\xfe\x00node"),
    "wrong": lambda path: path.write_text(
        "[node]\nid = 7\nsite = '/'\n[devices.x]\ndriver = 'no-such'\n[rules]\nx=1\n"
    ),
    "folder": lambda path: path.mkdir(),
    "forbidden": lambda path: (path.write_text("[node]\n"), path.chmod(0)),
}
#: These work, or wait, without a good configuration: their own tests hold them.
ELSEWHERE = ("run", "simulate", "demo", "completion", "driver", "model", "support", "portal", "scan")


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_configuration_gives_words_and_an_exit_code(tmp_path, capsys, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there to be asked
    path = tmp_path / "lamppost.toml"
    BROKEN[how](path)
    if how == "forbidden" and os.access(path, os.R_OK):
        pytest.skip("to this user nothing is forbidden")
    for name, command in leaves().items():
        names = options(command)
        if name.split()[0] in ELSEWHERE or ("--config" not in names and name != "config check"):
            continue
        where = [str(path)] if name == "config check" else ["--config", str(path)]
        code = main([*name.split(), *words_for(command, tmp_path), *where])
        said = capsys.readouterr()
        assert code in (1, 2), f"{name}: {how}: {code} {said}"
        assert said.err.strip(), f"{name}: {how}: no words"
        for bad in ("Traceback", "unexpected", 'File "'):
            assert bad not in said.err + said.out, f"{name}: {how}: {said.err}"


@pytest.mark.parametrize(
    "args", [["no-such"], ["status", "--no-such"], ["model", "no-such"], ["camera", "snapshot"]]
)
def test_wrong_words_say_what_is_expected(args, capsys):
    assert main(args) == 2
    said = capsys.readouterr().err
    assert "Usage: lamppost" in said
    assert "--help" in said


def test_a_module_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(
        COMMANDS, "gone", COMMANDS["status"]._replace(module="lamppost.provisioning.cli.gone")
    )
    with pytest.raises(MissingCommandError, match="'gone' is not part of this installation"):
        load("gone")


BOX = '[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "run"\nstate_dir = "state"\n'
PRINTING = (
    ["check", "--only", "disk", "--only", "config"],
    ["config", "check"],
    ["driver", "list"],
    ["spool"],
)


def test_colours_are_for_terminals_that_want_them(tmp_path):
    (tmp_path / "lamppost.toml").write_text(BOX)

    def seen(*args: str, **env: str) -> str:
        leader, follower = pty.openpty()
        whole = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "LAMPPOST_CONFIG")}
        code = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
        with subprocess.Popen(
            [sys.executable, "-c", code, *args],
            stdin=follower, stdout=follower, stderr=follower, cwd=tmp_path,
            env=whole | {"TERM": "xterm"} | env,
        ) as process:  # fmt: skip
            os.close(follower)
            text = b""
            while chunk := read(leader):
                text += chunk
            process.wait()
        os.close(leader)
        return text.decode()

    assert "\x1b[32m" in seen("check", "--only", "disk")
    assert "\x1b" not in seen("check", "--only", "disk", NO_COLOR="1")
    assert "\x1b" not in seen("config", "check", "no-such.toml", TERM="dumb")


@pytest.mark.parametrize("args", PRINTING)
def test_a_pipe_gets_no_colours(tmp_path, monkeypatch, capfd, args):
    (tmp_path / "lamppost.toml").write_text(BOX)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    main(args)
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err


def read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:  # Linux says so when the other end of a pty is closed
        return b""


@pytest.mark.parametrize("args", [["driver", "list"], ["--help"]])
def test_a_pipe_that_nobody_reads_is_no_error(tmp_path, args):
    (tmp_path / "lamppost.toml").write_text(BOX)
    code = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        seen = subprocess.run(
            [sys.executable, "-c", code, *args],
            stdout=writer, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (seen.returncode, seen.stderr) == (0, "")


def test_help_and_status_import_nothing_heavy(tmp_path):
    (tmp_path / "lamppost.toml").write_text(
        BOX + '[devices.cam]\ndriver = "camera"\nsource = "x.mp4"\n[devices.m]\ndriver = "modbus"\n'
    )
    heavy = {
        "numpy",
        "cv2",
        "onnxruntime",
        "pymodbus",
        "cryptography",
        "starlette",
        "aiomqtt",
        "structlog",
        "tomlkit",
    }
    for args, more in ((["--help"], {"rich", "pydantic"}), (["status"], {"lamppost.agent.config.load"})):
        code = (
            f"import sys; from lamppost.provisioning.cli import main; main({args}); "
            f"print(sorted({heavy | more} & set(sys.modules)))"
        )
        seen = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert seen.stdout.splitlines()[-1] == "[]", args
