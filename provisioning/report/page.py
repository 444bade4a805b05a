"""The record as one HTML file: pictures inline, no script, nothing fetched, good on A4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from lamppost.provisioning.check.units import shown_unit
from lamppost.provisioning.words import language, say

_STYLE = Path(__file__).with_name("report.css")


def page(record: Mapping[str, Any]) -> str:
    """Return the file's text in the language of the moment. ``record`` is what `gather` returned."""
    node = record["node"]
    of = say("report.of", node=node["id"], site=node["site"])
    sections = (_head(record, of), _checks(record), _devices(record), _cameras(record), _rules(record))
    body = "\n".join([*sections, _identity(record), _signatures(record)])
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language() == "zh" else "en"}">\n<head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(of)} · {say('report.title')}</title>\n"
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(record: Mapping[str, Any], of: str) -> str:
    node = record["node"]
    colour = record["colour"]
    count = sum(check["colour"] == colour for check in record["checks"])
    position = "" if node["lat"] is None else f"{node['lat']:.6f}, {node['lon']:.6f}"
    facts = [
        (say("report.node"), node["id"]),
        (say("report.site"), node["site"]),
        (say("report.position"), position or "-"),
        (say("report.hub"), record["hub"] or "-"),
        (say("report.technician"), record["technician"] or "-"),
        (say("report.at"), record["at"].replace("T", " ").replace("+00:00", " UTC")),
    ]
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts)
    verdict = say(f"report.{colour}", count=count)
    return (
        f'<header><p class="kind">{say("report.title")} · Lamppost</p><h1>{escape(of)}</h1>'
        f'<p class="verdict {colour}">{escape(verdict)}</p></header>\n<dl class="facts">{rows}</dl>'
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    """Return a table; cells are HTML already."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'


def _section(key: str, content: str) -> str:
    return f"<section><h2>{escape(say(key))}</h2>\n{content}\n</section>"


def _checks(record: Mapping[str, Any]) -> str:
    rows = [
        (
            f'<span class="mark {c["colour"]}">{escape(say("report.colour." + c["colour"]))}</span>',
            f"<code>{escape(c['name']).replace('/', '/<wbr>')}</code>",
            escape(c["says"]) + (f'<p class="todo">{escape(c["todo"])}</p>' if c["todo"] else ""),
        )
        for c in record["checks"]
    ]
    return _section("report.checks", _table(("", say("report.check"), say("report.result")), rows, "checks"))


def _devices(record: Mapping[str, Any]) -> str:
    rows = []
    for name, device in record["devices"].items():
        about = ", ".join(f"{key} {value}" for key, value in device["settings"].items())
        said = f"{device['driver']}{': ' if about else ''}{about}"
        where = f'{escape(said)}<br><span class="dim">{escape(device["where"])}</span>'
        rows.append((f"<code>{escape(name)}</code>", where, _readings(record, name)))
    return _section(
        "report.devices",
        _table((say("report.device"), say("report.where"), say("report.readings")), rows, "devices"),
    )


def _readings(record: Mapping[str, Any], name: str) -> str:
    device = record["devices"][name]
    if not device["enabled"]:
        return escape(say("report.off"))
    if name in record["cameras"]:
        return escape(say("report.pictured"))
    items = []
    for quantity, reading in device["readings"].items():
        if reading["quality"] == "bad":
            value = f'<em class="bad">{escape(say("report.bad"))}</em>'
        else:
            unit = shown_unit(reading["unit"])
            value = f"<b>{escape(_shown(reading['value']))}</b> {escape(unit)}"
        items.append(f"<li><span>{escape(quantity)}</span> {value}</li>")
    return f'<ul class="readings">{"".join(items)}</ul>' if items else escape(say("report.no-readings"))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cameras(record: Mapping[str, Any]) -> str:
    figures = []
    for name, camera in record["cameras"].items():
        places = [
            f"{say(f'report.{kind}')}: {', '.join(camera[kind])}"
            for kind in ("zones", "lines")
            if camera[kind]
        ]
        legend = [f"{label} = {place}" for label, place in camera["legend"].items()]
        about = " · ".join([*(places or [say("report.no-places")]), *legend])
        if camera["jpeg"]:
            picture = f'<img alt="{escape(name)}" src="data:image/jpeg;base64,{camera["jpeg"]}">'
            about = (
                f"{about} · {camera['width']}x{camera['height']} · {camera['at'][:19].replace('T', ' ')} UTC"
            )
        else:
            picture = f'<p class="missing">{escape(say("report.no-picture", why=camera["problem"]))}</p>'
        figures.append(
            f"<figure>{picture}<figcaption><code>{escape(name)}</code> {escape(about)}</figcaption></figure>"
        )
    return _section("report.cameras", f'<div class="cameras">{"".join(figures)}</div>') if figures else ""


def _rules(record: Mapping[str, Any]) -> str:
    if not record["rules"]:
        return ""
    rows = [
        (
            f"<code>{escape(name)}</code>",
            escape(rule["kind"]),
            escape(
                ", ".join(f"{k} = {_shown(v)}" for k, v in rule["settings"].items() if v not in ("", [], {}))
            ),
        )
        for name, rule in record["rules"].items()
    ]
    return _section(
        "report.rules",
        _table((say("report.rule"), say("report.kind"), say("report.settings")), rows, "rules"),
    )


def _identity(record: Mapping[str, Any]) -> str:
    found = record["identity"]
    system = found["system"]
    rows = [
        (say("report.software"), f"lamppost {found['lamppost']['version']}", found["lamppost"]["sha256"]),
        (say("report.config"), found["config"]["path"], found["config"]["sha256"]),
        *(
            (say("report.model", name=name), model["version"] or model.get("problem", ""), model["sha256"])
            for name, model in found["models"].items()
        ),
        (
            say("report.system"),
            " · ".join(filter(None, (system["board"], system["os"], system["kernel"], system["machine"]))),
            "",
        ),
    ]
    cells = [(escape(a), escape(b), f'<span class="hash">{escape(c)}</span>') for a, b, c in rows]
    return _section("report.versions", _table(("", "", ""), cells, "identity"))


def _signatures(record: Mapping[str, Any]) -> str:
    who = (f"{say('report.technician')}: {record['technician']}".rstrip(": "), say("report.for-city"))
    boxes = "".join(f"<div><p>{escape(name)}</p><hr><p>{say('report.signed')}</p></div>" for name in who)
    return f'<footer class="signatures">{boxes}</footer>'
