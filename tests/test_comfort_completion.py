"""The tab key: commands, options and names, in every shell that is here, and fast."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plugins import lamppost

from lamppost.provisioning.cli.completing import complete

CONFIG = """
[node]
id = "pole-1"
site = "site-1"
[devices.kerb-cam]
driver = "camera"
source = "rtsp://camera.example/stream1"
[devices.supply]
driver = "modbus"
[rules.flood]
kind = "waterlogging"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "lamppost.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAMPPOST_CONFIG", raising=False)
    return tmp_path


def offered(*words: str) -> list[str]:
    return list(complete("bash", len(words) - 1, words))


def test_commands_options_choices_and_names_are_offered(here):
    assert offered("lamppost", "stat") == ["status"]
    assert offered("lamppost", "camera", "snap") == ["snapshot"]
    assert offered("lamppost", "camera", "snapshot", "") == ["kerb-cam"]
    assert offered("lamppost", "status", "--device", "") == ["kerb-cam", "supply"]
    assert "--technician" in offered("lamppost", "report", "--te")
    assert offered("lamppost", "report", "--lang", "") == ["en", "zh"]
    assert {"disk", "hub", "supply", "flood"} <= set(offered("lamppost", "check", "--only", ""))
    assert "water" in offered("lamppost", "model", "verify", "w")
    assert offered("lamppost", "camera", "snapshot", "-c", "no-such.toml", "") == []
    assert offered("lamppost", "report", "--out", "") == []  # files: the shell's own business
    assert offered("lamppost", "no-such-command", "") == []


def test_a_broken_file_is_silence(here):
    (here / "lamppost.toml").write_text("[devices\n")
    seen = lamppost("__complete", "bash", "3", "lamppost", "camera", "snapshot", "", cwd=here)
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "", "")
    assert lamppost("__complete", "bash").returncode == 0


def test_names_are_read_without_the_heavy_modules(here):
    code = (
        "import sys; from lamppost.provisioning.cli import main; "
        "main(['__complete', 'bash', '3', 'lamppost', 'status', '--device', '']); "
        "print(sorted({'numpy', 'cv2', 'onnxruntime', 'pymodbus', 'cryptography'} & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here, check=True)
    assert seen.stdout.splitlines()[-1] == "[]"


SHELLS = {
    "bash": "source <(lamppost completion bash); COMP_WORDS=(lamppost camera snapshot k); COMP_CWORD=3; "
    '_lamppost; echo "${COMPREPLY[@]}"',
    "fish": 'lamppost completion fish | source; complete -C "lamppost camera snapshot k"',
    "zsh": "autoload -Uz compinit; compinit -u -D; source <(lamppost completion zsh); "
    '_describe() { echo "${(@P)2}" }; words=(lamppost camera snapshot k); CURRENT=4; _lamppost',
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_completes(here, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "HOME": str(here)}
    seen = subprocess.run(
        [program, "-c", SHELLS[shell]],
        capture_output=True,
        text=True,
        cwd=here,
        env=env,
        timeout=60,
        check=False,
    )
    assert seen.stdout.split()[0].startswith("kerb-cam"), seen.stderr


def test_it_is_put_where_the_shell_looks(here):
    seen = lamppost("--install-completion", env={"SHELL": "/bin/bash", "HOME": str(here)})
    assert seen.returncode == 0
    assert "_lamppost" in (here / ".local/share/bash-completion/completions/lamppost").read_text()
    assert lamppost("completion", env={"SHELL": "/bin/tcsh"}).returncode == 2
