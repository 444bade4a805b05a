"""Secrets come from outside the file and show themselves nowhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from pathlib import Path

import pytest
from pydantic import BaseModel
from toys import toys, toys_folder

from lamppost.agent.config import Config, ConfigError, Secret, load, redact, redact_line
from lamppost.agent.config.secret import MASK

__all__ = ["toys", "toys_folder"]

NODE = '[node]\nid = "pole-1"\nsite = "s"\n'
CANARY = "kanarie\"vogel's \\ 7/+ü"


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "lamppost.toml"


def good(file: Path, text: str, **env: str) -> Config:
    file.write_text(NODE + text)
    return load(file, env)


def bad(file: Path, text: str, **env: str) -> list[str]:
    file.write_text(NODE + text)
    with pytest.raises(ConfigError) as caught:
        load(file, env)
    return [f"{problem.line}: {problem.text}" for problem in caught.value.problems]


def password(config: Config) -> str:
    assert config.hub
    assert config.hub.password
    return config.hub.password.reveal()


def keep(file: Path, name: str, text: str, mode: int = 0o600) -> Path:
    path = file.parent / name
    path.write_text(text)
    path.chmod(mode)
    return path


class Holder(BaseModel):
    secret: Secret


def test_a_secret_shows_itself_to_reveal_only():
    holder = Holder(secret=CANARY)
    secret = holder.secret
    shown = [
        str(secret), repr(secret), f"{secret}", f"{secret!r:>30}", f"{[secret]}", repr(holder),
        str(holder.model_dump(mode="json")), holder.model_dump_json(), repr(holder.model_dump()),
        logging.LogRecord("a", 1, "b", 1, "%s", (secret,), None).getMessage(),
    ]  # fmt: skip
    assert not [text for text in shown if "kanarie" in text]
    assert all(MASK in text for text in shown)
    assert secret.reveal() == CANARY
    assert copy.deepcopy(secret) == secret
    assert Secret("other") != secret
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_the_environment_fills_any_text(toys, file):
    text = '[devices.a]\ndriver = "${D}"\nurl = "toy://${HOST}:${PORT}/$${x}"\ntags = ["${HOST}"]\n'
    config = good(file, f'{text}token = "${{T}}"\n', D="toy", HOST="h", PORT="7", T=CANARY)
    driver = config.devices["a"].driver
    assert (driver.url, driver.tags) == ("toy://h:7/${x}", ["h"])
    assert driver.token.get_secret_value() == CANARY


def test_a_file_beside_the_configuration_fills_a_secret(toys, file):
    keep(file, "pw", f"{CANARY}\n")
    for name in ("pw", str(file.parent / "pw"), "${HERE}/pw"):
        hub = f'[hub]\nurl = "mqtts://h"\nusername = "u"\npassword = "file:{name}"\n'
        config = good(file, hub, HERE=str(file.parent))
        assert password(config) == CANARY
        assert config.warnings == ()


@pytest.mark.parametrize(("content", "value"), [("a-b\n\n", "a-b\n"), ("a-b\r\n", "a-b"), (" a-b", " a-b")])
def test_one_newline_at_the_end_of_a_secret_file_is_none_of_it(file, content, value):
    (file.parent / "pw").write_bytes(content.encode())
    (file.parent / "pw").chmod(0o600)
    assert password(good(file, '[hub]\nurl = "mqtts://h"\nusername = "u"\npassword = "file:pw"\n')) == value


def test_a_file_reference_is_a_plain_text_where_no_secret_belongs(toys, file):
    config = good(file, '[devices.a]\ndriver = "toy"\nurl = "file:/etc/hostname"\n')
    assert config.devices["a"].driver.url == "file:/etc/hostname"


def test_a_secret_file_that_others_may_read_is_a_warning(file):
    keep(file, "pw", CANARY, 0o644)
    config = good(file, '[hub]\nurl = "mqtts://h"\nusername = "u"\npassword = "file:pw"\n')
    (warning,) = config.warnings
    assert (warning.line, warning.key) == (7, "hub.password")
    assert "may be read by others (mode 644)" in warning.text


def test_a_password_over_a_readable_line_and_a_short_secret_are_warnings(file):
    config = good(file, '[hub]\nurl = "mqtt://h"\nusername = "u"\npassword = "${P}"\n', P="abc")
    assert [(warning.line, warning.key) for warning in config.warnings] == [
        (5, "hub.url"),
        (7, "hub.password"),
    ]


HUB = '[hub]\nurl = "mqtts://h"\nusername = "u"\npassword = '
TOY = '[devices.a]\ndriver = "toy"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{HUB}"{CANARY[:7]}"', "7: hub.password: found a secret in the file itself, expected ${NAME}"),
        (f"{HUB}1234567", "7: hub.password: found a secret in the file itself"),
        (f'{HUB}"$${{x}}kanarie"', "7: hub.password: found a secret in the file itself"),
        (f'{HUB}"${{NOPE}}"', "7: hub.password: the environment has no variable NOPE; set NOPE in the"),
        (f'{HUB}"${{EMPTY}}"', "7: hub.password: found an empty secret"),
        (f'{HUB}"${{NOPE"', '7: hub.password: found "${NOPE", expected ${NAME}'),
        (f'{HUB}"${{a b}}"', '7: hub.password: found "${a b}", expected ${NAME}'),
        (f'{HUB}"file:none"', "none cannot be read: No such file or directory; write the secret"),
        (f'{HUB}"file:."', "cannot be read: Is a directory"),
        ('[hub]\nurl = "mqtts://u:kanarie@h"\n', "5: hub.url: found a password in a URL of the file"),
        (f'{TOY}url = "rtsp://u:kanarie@h/1"\n', "6: devices.a.url: found a password in a URL of the file"),
        (f'{TOY}token = "kanarie"\n', "6: devices.a.token: found a secret in the file itself"),
        (f'{TOY}password = "kanarie"\n', "6: devices.a.password: found a secret in the file itself"),
        (f'{TOY}parts.x = {{ size_mm = 1, pin_token = "kanarie" }}\n', "6: devices.a.parts.x.pin_token: "),
        ('[devices.a]\ndriver = "nobody"\npassword = "kanarie"\n', "6: devices.a.password: found a secret"),
        (f'{TOY}url = "toy://u:${{C}}@h"\n', "6: devices.a.url: found C has characters that end"),
        (f'{TOY}mode = "${{C}}"\n', f"6: devices.a.mode: found \"{MASK}\", expected 'slow' or 'fast'"),
        (f'{TOY}every_s = "${{C}}"\n', f'6: devices.a.every_s: found "{MASK}", expected a number'),
        (f'{TOY}url = "toy://closed"\ntoken = "${{C}}"\n', f"'toy://closed' cannot be opened with '{MASK}'"),
        (f'{TOY}url = "${{U}}"\nmode = "x"\n', "7: devices.a.mode"),
    ],
)  # fmt: skip
def test_a_problem_with_a_secret_never_shows_it(toys, file, text, expected):
    problems = bad(file, text, EMPTY="", C=CANARY, U="toy://u:kanarie@h")
    assert any(expected in problem for problem in problems), problems
    assert not [problem for problem in problems if "kanarie" in problem]


def test_user_and_password_leave_the_url_of_the_hub(file):
    config = good(file, '[hub]\nurl = "mqtts://box:${P}@h:1"\n', P="a%40kanarie")
    assert config.hub
    assert (config.hub.url, config.hub.username, password(config)) == ("mqtts://h:1", "box", "a@kanarie")
    assert config.redact("tried a@kanarie and a%40kanarie") == f"tried {MASK} and {MASK}"


def test_credentials_that_are_given_twice_are_a_problem(file):
    text = '[hub]\nurl = "mqtts://box:${P}@h"\nusername = "box"\n'
    assert bad(file, text, P="kanarie") == [
        '5: hub.url: found "mqtts://********@h": give user name and password once: in the URL, or as '
        "username and password".replace('found "', '"')
    ]


def test_redact_finds_a_secret_in_every_form(toys, file):
    config = good(file, f'{TOY}token = "${{C}}"\nurl = "${{U}}"\n', C=CANARY, U="toy://u:other-bird@h")
    for text in (CANARY, repr(CANARY), json.dumps(CANARY), json.dumps({"a": CANARY}, ensure_ascii=False)):
        assert "kanarie" not in config.redact(f"x {text} y")
        assert "kanarie" not in redact(text)
        assert "kanarie" not in redact_line(None, "info", text)
    assert config.redact("pw other-bird.") == f"pw {MASK}."
    assert (
        config.redact("at rtsp://any:body@h/1 and mqtt://h:1883") == f"at rtsp://{MASK}@h/1 and mqtt://h:1883"
    )
    assert config.redact("nothing to hide") == "nothing to hide"


def test_names_and_hosts_from_the_environment_are_no_secrets(toys, file):
    file.write_text(
        '[node]\nid = "${N}"\nsite = "${N}"\n[hub]\nurl = "mqtts://${H}:8883"\nusername = "${N}"\n'
        f'{TOY}url = "toy://${{H}}/${{S}}"\n'
    )
    config = load(file, {"N": "pole-0017", "H": "hub.example", "S": "kanarie"})
    assert config.redact("pole-0017 at hub.example via kanarie") == f"pole-0017 at hub.example via {MASK}"


def test_a_key_of_several_lines_is_redacted_line_by_line(toys, file):
    key = "-----BEGIN KEY-----\nMIIkanarieMIIkanarieMII\n-----END KEY-----\n"
    keep(file, "key", key)
    config = good(file, f'{TOY}token = "file:key"\n')
    assert "kanarie" not in config.redact("line MIIkanarieMIIkanarieMII failed")
