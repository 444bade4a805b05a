"""Taking secrets out of any text, also out of one that no configuration explains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lamppost.agent.config.secret import MASK, redact

#: Names that hold secrets, in a file, an environment or a log.
_NAME: Final = r"[A-Za-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api_?key|pin|otp|credential)"
_SECRET_NAME: Final = re.compile(_NAME + r"s?", re.IGNORECASE)
#: ``password = "x"``, ``"password": "x"``, ``PASSWORD=x``; a reference to a secret is none.
_ASSIGNED: Final = re.compile(
    rf"""(?P<head>["']?{_NAME}["']?\s*[=:]\s*)(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,;&}}\]"']+)""",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(r"""["']?(?:file:[^"']*|\$\{[A-Za-z_][A-Za-z0-9_]*\}|\*{8}|null|None)["']?""")
_FORMS: Final = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    (re.compile(r"(Authorization:?\s*)[^\r\n\"']+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(Basic|Bearer|Digest)\s+[A-Za-z0-9+/=._~-]{8,}"), rf"\1 {MASK}"),
    # HJ 212-2017, 6.3.3: the password of a data segment.
    (re.compile(r"\b(PW=)[^;&\s\"']+"), rf"\1{MASK}"),
)


def scrubber(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """Return what takes out these secrets, those of all configurations loaded, and what looks like one."""
    known = frozenset(secret for secret in secrets if secret)

    def scrub(text: str) -> str:
        text = redact(redact(text, known))
        for pattern, mask in _FORMS:
            text = pattern.sub(mask, text)
        return _ASSIGNED.sub(_masked, text)

    return scrub


def _masked(match: re.Match[str]) -> str:
    value = match["value"]
    if _REFERENCE.fullmatch(value):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match['head']}{quote}{MASK}{quote}"


def secret_values(env: Mapping[str, str]) -> set[str]:
    """Return the values of variables whose names say that they are secrets."""
    return {value for name, value in env.items() if _SECRET_NAME.fullmatch(name)}


def scrub_tree(value: Any, scrub: Callable[[str], str]) -> Any:
    """Do it in every text of a JSON value, by the key as well."""
    if isinstance(value, dict):
        return {key: _scrub_at(str(key), child, scrub) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_tree(child, scrub) for child in value]
    return scrub(value) if isinstance(value, str) else value


def _scrub_at(key: str, value: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, str) and value and _SECRET_NAME.fullmatch(key) and not _REFERENCE.fullmatch(value):
        return MASK
    return scrub_tree(value, scrub)
