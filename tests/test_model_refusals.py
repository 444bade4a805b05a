"""A model that is damaged, another one, or not what its manifest says is refused with the reason."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from modelling import LABELS, outputs_of, places, put_model, toy
from onnx_writer import model

from lamppost.models.detector import load_detector, replace
from lamppost.models.errors import ModelError
from lamppost.models.manifest import ZOO, find_manifests, model_folders, read_manifest

SIZE = (64, 64)


def quiet(decoder: str = "nanodet", labels: int = 3, bins: int = 11) -> list[np.ndarray]:
    count = len(places(decoder, SIZE))
    return outputs_of(
        decoder, np.zeros((count, labels), np.float32), np.zeros((count, 4 * bins), np.float32), SIZE
    )


def refusal(path) -> str:
    with pytest.raises(ModelError) as refused:
        load_detector(path)
    assert str(path.parent) in str(refused.value)
    return str(refused.value)


def test_a_truncated_file_is_refused_by_its_hash(tmp_path):
    path = put_model(tmp_path, model(quiet()))
    load_detector(path)
    file = tmp_path / "toy.onnx"
    file.write_bytes(file.read_bytes()[:-100])
    said = refusal(path)
    assert "SHA-256" in said
    assert "cut short" in said
    assert f"{file.stat().st_size} bytes" in said


def test_a_truncated_file_whose_hash_was_taken_afterwards_is_refused_by_the_runtime(tmp_path):
    content = model(quiet())[:-100]
    assert "cannot load it" in refusal(put_model(tmp_path, content))
    assert "cannot load it" in refusal(put_model(tmp_path, b"not a model at all"))
    assert "cannot load it" in refusal(put_model(tmp_path, b""))


def test_a_missing_file_says_which(tmp_path):
    path = put_model(tmp_path, b"")
    (tmp_path / "toy.onnx").unlink()
    assert "No such file" in refusal(path)


def test_an_opset_of_the_future_is_refused_in_the_runtimes_words(tmp_path):
    said = refusal(put_model(tmp_path, model(quiet(), opset=99)))
    assert "opset 99" in said.lower()
    assert "ONNX Runtime" in said


@pytest.mark.parametrize(
    ("outputs", "decoder", "expected"),
    [
        (quiet(labels=4), "nanodet", "64x64"),
        (quiet(labels=2), "nanodet", "with 3 labels"),
        (quiet(), "yolox", "1x84x8"),
        (quiet(), "nanodet-plus", "stride 64"),
        (quiet("nanodet-plus"), "nanodet", "1x84x"),
        (quiet()[:4], "nanodet", "stride"),
        ([np.zeros((1, 10), np.float32)], "nanodet-plus", "1x10"),
        ([np.full_like(part, -3) for part in quiet()], "nanodet", "sigmoid"),
        ([np.full_like(part, np.nan) for part in quiet()], "nanodet", "nan"),
    ],
)
def test_outputs_that_do_not_fit_decoder_and_labels_are_refused(tmp_path, outputs, decoder, expected):
    said = refusal(put_model(tmp_path, model(outputs), decoder=decoder))
    assert "does not fit" in said
    assert expected in said


@pytest.mark.parametrize(
    ("made", "manifest", "expected"),
    [
        ({"size": (96, 96)}, {}, "fixed at 96"),
        ({"kind": "uint8"}, {}, "uint8"),
        ({"kind": "float16"}, {}, "float16"),
        ({"shape": (1, 4, 64, 64)}, {}, "3 channels"),
        ({"shape": (1, 64, 64, 3)}, {}, "3 channels"),
        ({"shape": (1, 3, 64)}, {}, "3 axes"),
        ({"inputs": 2}, {}, "2 inputs"),
        ({}, {"trim": True}, "trim"),
    ],
)
def test_an_input_that_is_not_as_the_manifest_says_is_refused(tmp_path, made, manifest, expected):
    said = refusal(put_model(tmp_path, model(quiet(), **made), **manifest))
    assert "does not fit toy.toml" in said
    assert expected in said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("decoder = 'nanodet'", "decoder = 'ssd'"), "decoder: Input should be"),
        (("version", "versoin"), "versoin: Extra inputs"),
        (("sha256", "sha255"), "sha256: Field required"),
        (("score = 0.3", "score = 3"), "thresholds.score: Input should be less than 1"),
        (("height = 64", "height = 65"), "input.height: Input should be a multiple of 32"),
        (("'truck'", "'car'"), "labels named twice: car"),
        (("one_thing = []", "one_thing = [['tram']]"), "the model has not: tram"),
        (("toy.onnx", "toy.pt"), "file must end in .onnx or .tflite"),
        (("[input]", "[input"), "not TOML"),
        (("width = 64", "width = 64\nstd = [0, 1, 1]"), "std must be above 0"),
        (("width = 64", "width = 64\ndtype = 'uint8'\nmean = [1, 1, 1]"), "takes the picture as it is"),
    ],
)
def test_a_wrong_manifest_says_file_and_key(tmp_path, change, expected):
    path = put_model(tmp_path, model(quiet()))
    text = path.read_text().replace('"nanodet"', "'nanodet'")
    assert change[0] in text
    path.write_text(text.replace(*change))
    assert expected in refusal(path)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"'nanodet-x' is unknown: there are .*nanodet-g"):
        load_detector("nanodet-x")


def test_a_provider_that_is_not_installed_is_refused_but_auto_goes_on(tmp_path):
    path = put_model(tmp_path, model(quiet()))
    with pytest.raises(ModelError, match=r"'tensorrt' is not installed here; there is .*cpu"):
        load_detector(path, providers=["tensorrt", "cpu"])
    assert load_detector(path, providers="auto").session.providers[-1] == "CPUExecutionProvider"
    assert load_detector(path, providers=["cpu"]).session.providers == ("CPUExecutionProvider",)


def test_a_refused_successor_leaves_the_last_good_one_at_work(tmp_path):
    first = load_detector(put_model(tmp_path, model(quiet()), name="first"))
    broken = put_model(tmp_path, model(quiet(labels=7)), name="broken")
    reasons: list[ModelError] = []
    assert replace(first, broken, reasons.append) is first
    assert "does not fit" in str(reasons[0])
    assert first(np.zeros((64, 64, 3), np.uint8)).labels == ()
    second = put_model(tmp_path, model(quiet()), name="second")
    assert replace(first, second, reasons.append).manifest.name == "second"
    assert len(reasons) == 1


def test_a_tflite_model_without_its_runtime_says_what_to_install(tmp_path):
    path = put_model(tmp_path, b"\x1c\0\0\0TFL3 and no more", file="toy.tflite")
    said = refusal(path)
    assert "pip install ai-edge-litert" in said or "LiteRT cannot load it" in said


def test_a_model_of_the_box_is_found_beside_the_configuration_and_goes_before_a_shipped_one(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    count = len(places("nanodet", SIZE))
    toy(folder, "nanodet", np.zeros((count, 3)), np.zeros((count, 44)), name="nanodet-g")
    folders = model_folders(tmp_path / "lamppost.toml")
    assert find_manifests(folders)["nanodet-g"] == folder / "nanodet-g.toml"
    assert load_detector("nanodet-g", folders=folders).manifest.labels == LABELS
    assert len(load_detector("nanodet-g", folders=()).manifest.labels) == 80


def test_a_name_that_is_not_its_files_name_is_refused(tmp_path):
    put_model(tmp_path, model(quiet()), name="one").rename(tmp_path / "other.toml")
    with pytest.raises(ModelError, match=r"calls itself 'one'; name the file one\.toml"):
        load_detector("other", folders=(tmp_path,))


def test_every_shipped_model_has_its_file_hash_and_licence():
    shipped = sorted(ZOO.glob("*.toml"))
    assert shipped
    for path in shipped:
        manifest = read_manifest(path)
        assert manifest.name == path.stem
        assert hashlib.sha256(manifest.model_path.read_bytes()).hexdigest() == manifest.sha256
        assert manifest.licence
        assert manifest.origin
    models = {path.name for path in ZOO.iterdir() if path.suffix in {".onnx", ".tflite"}}
    assert models == {read_manifest(path).file for path in shipped}
