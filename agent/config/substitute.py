"""What the file refers to: ``${NAME}`` of the environment, and ``file:path`` where a secret belongs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lamppost.agent.config.fields import Models, is_secret, step
from lamppost.agent.config.notes import Notes
from lamppost.agent.config.problem import KeyPath
from lamppost.agent.config.secret import SHORTEST

LARGEST_SECRET = 1 << 16
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER_INFO = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://([^\s/?#]*)@")
_HOST = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#]*@)?([^/?#@]*)")
_UNSAFE_IN_URL = re.compile(r"[\s/?#@:\[\]]")
#: These say who and where the box is, and stand in every topic: no secrets.
_OPEN_TABLES = ("node", "spool", "telemetry")
_OPEN_KEYS = ("driver", "kind", "username", "client_id", "ca_file", "cert_file", "key_file")
_ADVICE = "secrets come from the environment (${NAME}) or a file (file:path), never from the TOML"


class Substitution:
    """Replaces references in the values of one file. What it reads is remembered as secret."""

    def __init__(self, notes: Notes, base: Path, env: Mapping[str, str]) -> None:
        self._notes = notes
        self._base = base
        self._env = env

    def tree(self, value: Any, path: KeyPath, models: Models, *, secret: bool = False) -> Any:
        """Return ``value`` with all references in it replaced; ``models`` say where secrets belong."""
        if isinstance(value, dict):
            return {key: self._child(key, child, path, models, secret) for key, child in value.items()}
        if isinstance(value, list):
            return [self._child(index, child, path, models, secret) for index, child in enumerate(value)]
        if secret:
            return self._secret(value, path)
        return self._plain(value, path) if isinstance(value, str) else value

    def _child(self, key: str | int, value: Any, path: KeyPath, models: Models, secret: bool) -> Any:
        below, field = step(models, key)
        return self.tree(value, (*path, key), below, secret=secret or is_secret(key, field))

    def _fail(self, path: KeyPath, found: str, expected: str, hint: str) -> None:
        self._notes.broken.add(path)
        self._notes.error(path, found, expected, hint)

    def _secret(self, value: Any, path: KeyPath) -> Any:
        self._notes.hidden.add(path)
        if isinstance(value, str) and value.startswith("file:"):
            value = self._from_file(self._replace(value[5:], path, keep=False), path)
        elif isinstance(value, str) and any(m[0] != "$${" for m in _REFERENCE.finditer(value)):
            value = self._replace(value, path, keep=True)
        else:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                self._remember(str(value))
            self._fail(path, "a secret in the file itself", "${NAME} or file:path", _ADVICE)
            return value
        if path not in self._notes.broken:
            self._remember(value)
            if not value:
                self._fail(path, "an empty secret", "a text", "is the variable or file filled?")
            elif len(value) < SHORTEST:
                self._notes.warn(
                    path, f"is shorter than {SHORTEST} characters and cannot be kept out of logs"
                )
        return value

    def _plain(self, text: str, path: KeyPath) -> str:
        user_info = _USER_INFO.match(text)
        if user_info and ":" in user_info[1]:
            password = user_info[1].partition(":")[2]
            if password and "${" not in password.replace("$${", ""):
                self._remember(password)
                self._fail(path, "a password in a URL of the file", "${NAME} in its place", _ADVICE)
                return text
        keep = path[0] not in _OPEN_TABLES and path[-1] not in _OPEN_KEYS
        return self._replace(text, path, keep=keep) if "${" in text else text

    def _replace(self, text: str, path: KeyPath, *, keep: bool) -> str:
        """Return ``text`` with its references replaced; ``keep`` makes what comes in a secret."""
        user_info, host = _USER_INFO.match(text), _HOST.match(text)

        def value_of(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name = match[1]
            if not match[2] or not _NAME.fullmatch(name):
                expected = "${NAME} with the name of an environment variable"
                self._fail(path, self._notes.shown(match[0]), expected, "write $${ for the two characters ${")
                return match[0]
            value = self._env.get(name)
            if value is None:
                hint = f"set {name} in the environment, or in the EnvironmentFile of the service"
                self._fail(path, f"the environment has no variable {name}", "", hint)
                return match[0]
            if user_info and match.end() < user_info.end() and _UNSAFE_IN_URL.search(value):
                hint = "write %40 for @, %2F for /, %3A for :, %3F for ?, %23 for # in the variable"
                self._remember(value)
                self._fail(path, f"{name} has characters that end this part of a URL", "%XX for them", hint)
            in_host = host is not None and host.start(1) <= match.start() < host.end(1)
            if keep and not (in_host and "@" not in value):
                self._remember(value)
            return value

        return _REFERENCE.sub(value_of, text)

    def _remember(self, value: str) -> None:
        self._notes.secrets.add(value)
        if user_info := _USER_INFO.match(value):
            self._notes.secrets.add(unquote(user_info[1].partition(":")[2]))

    def _from_file(self, name: str, path: KeyPath) -> str:
        file = self._base / Path(name)
        advice = "let the service's user own it, with mode 600"
        try:
            with file.open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                raw = stream.read(LARGEST_SECRET + 1)
            text = raw.decode("utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            missing = isinstance(error, FileNotFoundError)
            hint = f"write the secret into it; {advice}" if missing else advice
            self._fail(path, f"the file {file} cannot be read: {reason}", "", hint)
            return ""
        if len(raw) > LARGEST_SECRET:
            self._fail(path, f"the file {file} is larger than {LARGEST_SECRET} bytes", "a secret", advice)
        if mode & 0o077:
            self._notes.warn(path, f"the file {file} may be read by others (mode {mode & 0o777:o})", advice)
        return text.removesuffix("\n").removesuffix("\r")
