"""`lamppost support`, and that no secret of a box is in it, in a check or in a report."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest
from plugins import lamppost

from lamppost.agent.config import secret as known
from lamppost.provisioning.scrub import scrub_tree, scrubber

#: One canary for each place where a secret can be; with letters that URLs and JSON escape.
CANARIES = {
    place: f'canary-{place}-"7/ß'
    for place in (
        "env",
        "file",
        "url",
        "service",
        "status",
        "journal",
        "literal",
        "hj212",
        "otp",
        "token",
        "pem",
    )
}
CANARIES["hj212"] = "canary-hj212-123456"
CANARIES["journal"] = "canary-journal"


def forms(secret: str) -> set[bytes]:
    """Return the ways in which a secret could stand in a file."""
    texts = {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
    texts |= {json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {text.encode() for text in texts} | {base64.b64encode(f"viewer:{secret}".encode())}


def assert_clean(data: bytes, where: str) -> None:
    for place, secret in CANARIES.items():
        for form in forms(secret):
            assert form not in data, f"the canary of {place} sings in {where}"


def site(folder: Path, extra: str = "") -> Path:
    (folder / "camera-password").write_text(CANARIES["file"] + "\n")
    (folder / "camera-password").chmod(0o600)
    service = CANARIES["service"].replace('"', '\\"')
    (folder / "secrets.env").write_text(f'# for the unit\nHUB_PASSWORD="{service}"\n')
    state = folder / "state"
    state.mkdir(exist_ok=True)
    (state / "key.pem").write_text(CANARIES["pem"])
    path = folder / "lamppost.toml"
    path.write_text(
        '[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "run"\nstate_dir = "state"\n'
        '[hub]\nurl = "mqtt://127.0.0.1:1"\nusername = "box"\npassword = "${HUB_PASSWORD}"\n'
        '[devices.one]\ndriver = "camera"\nsource = "rtsp://viewer:${CAMERA}@127.0.0.1:1/stream"\n'
        '[devices.two]\ndriver = "camera"\nsource = "http://127.0.0.1:1/x"\nusername = "viewer"\n'
        'password = "file:camera-password"\n'
        '[devices.three]\ndriver = "modbus"\nurl = "tcp://127.0.0.1:1"\n'
        f"registers.level = {{ address = 0 }}\n{extra}"
    )
    run = folder / "run"
    (run / "devices").mkdir(parents=True, exist_ok=True)
    told = f"rtsp://viewer:{quote(CANARIES['status'], safe='')}@10.0.0.1/ refused"
    (run / "status.json").write_text(json.dumps({"devices": {"one": {"error": told}}}))
    (folder / "agent.log").write_text(log())
    return path


def log() -> str:
    basic = base64.b64encode(f"viewer:{CANARIES['env']}".encode()).decode()
    lines = [
        f"curl: > Authorization: Basic {basic}",
        f"camera said 401 to Basic {basic}",
        json.dumps({"event": "opened", "url": f"rtsp://viewer:{CANARIES['journal']}@10.0.0.1/"}),
        f"##0136QN=20260101;ST=21;CN=2011;PW={CANARIES['hj212']};MN=A;Flag=5;CP=&&&&",
        json.dumps({"event": "enrolling", "otp": CANARIES["otp"]}),
        f"env CITY_API_TOKEN is {CANARIES['token']}",
        f"-----BEGIN PRIVATE KEY-----\n{CANARIES['pem']}\n-----END PRIVATE KEY-----",
        f"password=  {CANARIES['journal']}",
        "an ordinary line with voltage=230.1 and unit 5",
    ]
    return "\n".join(lines)


ENV = {"CAMERA": quote(CANARIES["env"], safe=""), "CITY_API_TOKEN": CANARIES["token"]}


def unpacked(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: archive.extractfile(member).read()
            for member in archive.getmembers()
        }


#: All in one fresh process: what this one has loaded it might know as secrets.
ALL = """
import sys
from lamppost.provisioning.cli import main
for command in (["check", "--json"], ["report", "--json"], ["report", "-o", "out.html"]):
    assert main(command) == 1
sys.exit(main(["support", "-o", "bundle.tar.gz", "--log", "agent.log"]))
"""


def test_no_canary_sings_in_check_report_or_bundle_which_holds_what_helps(tmp_path):
    site(tmp_path)
    env = {k: v for k, v in os.environ.items() if k != "LAMPPOST_CONFIG"} | ENV
    command = [sys.executable, "-c", ALL]
    seen = subprocess.run(command, capture_output=True, cwd=tmp_path, env=env, timeout=120, check=False)
    assert seen.returncode == 0, seen.stderr
    assert_clean(seen.stdout + seen.stderr, "what was printed")
    assert b'"colour": "red"' in seen.stdout
    assert_clean((tmp_path / "out.html").read_bytes(), "the page")
    out = tmp_path / "bundle.tar.gz"
    assert out.stat().st_mode & 0o777 == 0o600
    files = unpacked(out)
    for name, data in files.items():
        assert_clean(data, name)
    assert {"README.txt", "about.json", "config.toml", "check.json", "status.json", "spool.json"} <= set(
        files
    )
    assert b"voltage=230.1 and unit 5" in files["logs/0-agent.log"]
    assert b"${HUB_PASSWORD}" in files["config.toml"]
    assert b"file:camera-password" in files["config.toml"]
    assert b"key.pem" in files["files.txt"]
    assert json.loads(files["about.json"])["packages"]["lamppost"]
    assert json.loads(files["check.json"])


@pytest.mark.parametrize("tail", ["[devices.four]\nevry = 1\n", "[devices.four\n"])
def test_a_file_that_does_not_hold_is_packed_without_its_literal_secrets(tmp_path, tail):
    literal = CANARIES["literal"].replace('"', '\\"')
    plain = "canary-literal-plain"
    extra = (
        f'[devices.five]\ndriver = "camera"\nsource = "rtsp://u:{plain}@10.0.0.1/"\npassword = "{literal}"\n'
    )
    path = site(tmp_path, f"{extra}api_key = '{plain}'\n{tail}")
    out = tmp_path / "bundle.tar.gz"
    seen = lamppost("support", "-c", str(path), "-o", str(out), "--no-check", env=ENV)
    assert seen.returncode == 0, seen.stderr
    files = unpacked(out)
    for name, data in files.items():
        assert_clean(data, name)
        assert plain.encode() not in data, name
    assert b"lamppost.toml" in files["problems.txt"]
    assert b"[devices.five]" in files["config.toml"]


def test_scrubbing_leaves_what_is_no_secret(monkeypatch):
    monkeypatch.setattr(known, "_known", set())
    scrub = scrubber({"canary-1"})
    for text in (
        'password = "${HUB_PASSWORD}"',
        'password = "file:hub-password"',
        "mqtts://hub.example:8883",
        "topic lamppost/v1/site/node/status",
        "voltage=231.2",
    ):
        assert scrub(text) == text
    assert scrub("x canary-1 y") == "x ******** y"
    tree = {"password": "a", "list": ["canary-1", 1, None], "deep": {"token": "t", "value": 2}}
    assert scrub_tree(tree, scrub) == {
        "password": "********",
        "list": ["********", 1, None],
        "deep": {"token": "********", "value": 2},
    }
