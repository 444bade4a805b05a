"""`lamppost model list|verify|bench`, and a page that names every key of a manifest."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from modelling import places, toy
from plugins import lamppost

from lamppost.models.manifest import Input, Manifest, Thresholds, read_manifest

PAGE = Path(__file__).parent.parent / "docs" / "models.md"


@pytest.fixture
def box(tmp_path) -> Path:
    """Return the path of a configuration (which need not be there) with a model beside it."""
    (tmp_path / "models").mkdir()
    count = len(places("nanodet", (64, 64)))
    toy(tmp_path / "models", "nanodet", np.zeros((count, 3)), np.zeros((count, 44)))
    return tmp_path / "lamppost.toml"


def test_list_shows_own_and_shipped_models_with_licence_and_size(box):
    done = lamppost("model", "list", "--config", str(box))
    assert done.returncode == 0, done.stderr
    for said in (
        "nanodet-g  (shipped)",
        "3.9 MB",
        "detect · nanodet 416x416 · 80 labels",
        "Apache-2.0",
        "CC0-1.0",
    ):
        assert said in done.stdout
    listed = json.loads(lamppost("model", "list", "--json", "--config", str(box)).stdout)
    assert listed["toy"]["from"] == str(box.parent / "models")
    assert listed["nanodet-g"]["origin"].startswith("NanoDet-g")


def test_list_tells_of_a_broken_manifest_and_of_a_missing_file(box):
    models = box.parent / "models"
    (models / "toy.onnx").unlink()
    (models / "odd.toml").write_text("name = 1")
    done = lamppost("model", "list", "--config", str(box))
    assert done.returncode == 1
    assert "file missing" in done.stdout
    assert "odd.toml: name: Input should be a valid string" in done.stdout
    assert "nanodet-g  (shipped)" in done.stdout


def test_verify_runs_each_model_and_refuses_the_damaged_one(box):
    done = lamppost("model", "verify", "--config", str(box))
    assert done.returncode == 0
    assert {"nanodet-g: ok", "toy: ok"} <= set(done.stdout.splitlines())
    file = box.parent / "models" / "toy.onnx"
    file.write_bytes(file.read_bytes()[:-1])
    done = lamppost("model", "verify", "--json", "--config", str(box))
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["nanodet-g"] == {"ok": True, "problem": None}
    assert "cut short" in said["toy"]["problem"]


def test_bench_measures_time_and_memory_for_each_number_of_threads(box):
    manifest = str(box.parent / "models" / "toy.toml")
    done = lamppost("model", "bench", manifest, "-t", "1", "-t", "2", "-n", "3", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["threads"] for row in rows] == [1, 2]
    for row in rows:
        assert 0 < row["model_ms"] < row["frame_ms"] <= row["frame_p95_ms"]
        assert 20 < row["rss_mb"] < 500
        assert row["providers"] == ["CPUExecutionProvider"]
    table = lamppost("model", "bench", manifest, "-t", "1", "-n", "3").stdout.splitlines()
    assert table[0].split()[:2] == ["model", "threads"]
    assert len(table) == 2


def test_bench_says_why_it_cannot(box):
    done = lamppost("model", "bench", "nanodet-x", "--config", str(box))
    assert done.returncode != 0
    assert "'nanodet-x' is unknown: there are nanodet-g, toy" in done.stderr
    done = lamppost("model", "bench", "toy", "--provider", "cuda", "--config", str(box))
    assert done.returncode != 0
    assert "'cuda' is not installed here" in done.stderr
    assert "Traceback" not in done.stderr
    picture = box.parent / "picture.jpg"
    picture.write_bytes(b"no picture")
    done = lamppost("model", "bench", "toy", "--picture", str(picture), "--config", str(box))
    assert "not a picture that can be read" in done.stderr


def test_the_page_names_every_key_of_a_manifest():
    page = PAGE.read_text(encoding="utf-8")
    for table in (Manifest, Input, Thresholds):
        for key, field in table.model_fields.items():
            assert f"`{key}`" in page, key
            assert field.description


def test_the_manifest_on_the_page_is_a_manifest(tmp_path):
    (text,) = re.findall(r"```toml\n(name = .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    tomllib.loads(text)
    path = tmp_path / "street.toml"
    path.write_text(text)
    assert read_manifest(path).decoder == "yolox"
