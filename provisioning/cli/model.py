"""`lamppost model list|verify|bench|evaluate`: which models there are, what they cost, how good they are."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lamppost.models.errors import ModelError
from lamppost.models.manifest import ZOO, find_manifest, find_manifests, model_folders, read_manifest
from lamppost.provisioning.cli.evaluate import evaluate
from lamppost.provisioning.cli.options import ConfigFile

app = typer.Typer(no_args_is_help=True)
app.command("evaluate")(evaluate)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[MODEL]...", help="Names, or paths of manifests; all if none.")
]


@app.callback()
def model() -> None:
    """Show the models of this box: shipped, in /etc/lamppost/models or beside the configuration."""


@app.command("list")
def list_models(config: ConfigFile, as_json: AsJson = False) -> int:
    """List the models: licence, place, and what is wrong with a manifest.

    Example: `lamppost model list --json`.
    """
    found = {name: _describe(path) for name, path in find_manifests(model_folders(config)).items()}
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    for name, about in found.items() if not as_json else ():
        print(f"{name}  ({about['from']})")
        if "problem" in about:
            print(f"    {about['problem']}")
            continue
        size = f"{about['bytes'] / 1e6:.1f} MB" if about["bytes"] is not None else "file missing"
        shape = f"{about['task']} · {about['decoder']} {about['input']} · {about['labels']} labels"
        print(f"    {about['version']} · {size} · {shape}")
        print(f"    {about['licence']}")
        print(f"    {about['path']}")
    return 1 if any("problem" in about or about["bytes"] is None for about in found.values()) else 0


def _describe(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = {"from": "shipped" if path.parent == ZOO else str(path.parent), "path": str(path)}
    try:
        manifest = read_manifest(path)
    except ModelError as error:
        return about | {"problem": str(error)}
    file = manifest.model_path
    return about | {
        "version": manifest.version,
        "bytes": file.stat().st_size if file.is_file() else None,
        "sha256": manifest.sha256,
        "task": manifest.task,
        "decoder": manifest.decoder,
        "input": f"{manifest.input.width}x{manifest.input.height}",
        "labels": len(manifest.labels),
        "licence": manifest.licence,
        "origin": manifest.origin,
    }


@app.command("verify")
def verify(config: ConfigFile, names: Names = None, as_json: AsJson = False) -> int:
    """Check hashes, load each model, run it once and hold what comes out against its manifest.

    Exit code 1 if one is refused. Examples: `lamppost model verify`, `lamppost model verify ./street.toml`.
    """
    from lamppost.models.load import load_model  # noqa: PLC0415 - `list` needs no runtime

    folders = model_folders(config)
    results: dict[str, str | None] = {}
    for name in names or find_manifests(folders):
        try:
            load_model(name, folders=folders)
            results[name] = None
        except ModelError as error:
            results[name] = str(error)
        if not as_json:
            print(f"{name}: {results[name] or 'ok'}")
    if as_json:
        said = {name: {"ok": problem is None, "problem": problem} for name, problem in results.items()}
        print(json.dumps(said, indent=2, ensure_ascii=False))
    return 1 if any(results.values()) else 0


@app.command("bench")
def bench(
    config: ConfigFile,
    names: Names = None,
    threads: Annotated[
        list[int] | None, typer.Option("--threads", "-t", min=1, help="Threads; again for more rows.")
    ] = None,
    frames: Annotated[int, typer.Option("--frames", "-n", min=1, help="Pictures to time.")] = 50,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            "--provider", help="auto, tensorrt, cuda or cpu; again for the next best. [default: cpu]"
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", exists=True, dir_okay=False, help="A picture of your street.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Time models on this box: milliseconds a frame, and the memory of a process that does nothing else.

    `frame` is all from the picture to boxes or map, `model` the network alone. Without --threads: 1 and 2.

    Examples: `lamppost model bench`, `lamppost model bench water -t 1 -n 20 --json`.
    """
    from lamppost.models.bench import measure  # noqa: PLC0415 - imports numpy

    folders = model_folders(config)
    rows = []
    for name in names or find_manifests(folders):
        manifest = find_manifest(name, folders)
        for count in threads or [1, *([2] if len(os.sched_getaffinity(0)) > 1 else [])]:
            cost = measure(
                manifest.path, threads=count, frames=frames, providers=provider or (), picture=picture
            )
            rows.append({"model": name, **asdict(cost)})
    if as_json:
        print(json.dumps(rows, indent=2))
        return 0
    width = max((len(str(row["model"])) for row in rows), default=5)
    print(f"{'model':{width}}  threads  frame ms  95 %  model ms  load ms  RSS MB  on")
    for row in rows:
        print(
            f"{row['model']:{width}}  {row['threads']:7}  {row['frame_ms']:8}  {row['frame_p95_ms']:4.0f}"
            f"  {row['model_ms']:8}  {row['load_ms']:7}  {row['rss_mb']:6}  {', '.join(row['providers'])}"
        )
    return 0
