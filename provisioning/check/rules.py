"""Models and rules: what sees, and what rules lack to see as well as they could."""

from __future__ import annotations

from collections.abc import Iterator

from lamppost.agent.config import Config
from lamppost.drivers.api import HasView
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.water import water_notes


def models(bench: Bench) -> Iterator[Finding]:
    """Load each model that this configuration looks with, run it once, and hold it against its manifest."""
    names = wanted_models(bench.config)
    if not names:
        return
    from lamppost.models.errors import ModelError  # noqa: PLC0415 - heavy, and only with a camera
    from lamppost.models.load import load_model  # noqa: PLC0415
    from lamppost.models.manifest import find_manifest, model_folders  # noqa: PLC0415

    folders = model_folders(bench.config.path)
    for model in names:
        try:
            load_model(model, folders=folders)
            version = find_manifest(model, folders).version
        except ModelError as error:
            yield red(f"model/{model}", "model.bad", "model.bad.todo", why=error, model=model)
        else:
            yield green(f"model/{model}", "model.ok", version=version)


def wanted_models(config: Config) -> list[str]:
    """Return the models that some rule of the file needs."""
    cameras = {name for name, device in config.devices.items() if isinstance(device.driver, HasView)}
    watched = {
        device for rule in config.rules.values() for device, quantity in rule.watches() if not quantity
    }
    names = [config.sight.model] if watched & cameras else []
    return [*names, *([config.sight.water_model] if config.wanting("water") else [])]


def rules(bench: Bench) -> Iterator[Finding]:
    """Say what the rules themselves remark: what the file lacks, and what the running agent noticed."""
    config = bench.config
    if not config.rules:
        yield yellow("rules", "rules.none", "rules.none.todo")
        return
    remarked = False
    for warning in config.warnings:
        remarked = True
        yield _remark("rules", f"{warning.place}: {warning.text}")
    for note in water_notes(config):
        remarked = True
        camera, _, text = note.partition(": ")
        yield _remark(f"rules/{camera}", text)
    for rule, remarks in (bench.status or {}).get("remarks", {}).items():
        for remark in remarks:
            remarked = True
            yield _remark(f"rules/{rule}", remark)
    if not remarked:
        yield green("rules", "rules.ok", count=len(config.rules))


def _remark(name: str, words: str) -> Finding:
    what, _, advice = words.rpartition("; ")
    if what:
        return yellow(name, "rule.remark", "rule.told.todo", what=what, advice=advice)
    return yellow(name, "rule.remark", "rule.remark.todo", what=words)
