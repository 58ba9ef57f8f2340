"""Model folders: what is written is what is opened, and damage is named."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import ARRAYS, MANIFEST, ModelFolder, open_model, resolve_model, write_model


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return write_model(
        tmp_path / "toy",
        kind="toy",
        name="toy",
        version="1",
        details={"labels": ["a", "b"]},
        arrays={"weights": np.arange(6, dtype=np.float32).reshape(2, 3)},
        card="# Toy\n",
    )


def test_round_trip(folder: ModelFolder) -> None:
    again = open_model(folder.path)
    assert again.manifest["labels"] == ["a", "b"]
    np.testing.assert_array_equal(again.arrays()["weights"], np.arange(6, dtype=np.float32).reshape(2, 3))
    assert again.fingerprint == folder.fingerprint
    assert again.require("toy") is again


def test_the_card_does_not_change_the_fingerprint(folder: ModelFolder) -> None:
    (folder.path / "README.md").write_text("# Other words\n", encoding="utf-8")
    assert open_model(folder.path).fingerprint == folder.fingerprint


def test_another_kind_is_refused(folder: ModelFolder) -> None:
    with pytest.raises(ModelError, match="holds a 'toy' model, 'sentiment' is needed"):
        folder.require("sentiment")


def test_a_damaged_file_is_named(folder: ModelFolder) -> None:
    path = folder.path / ARRAYS
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        open_model(folder.path)


def test_a_missing_file_is_named(folder: ModelFolder) -> None:
    (folder.path / ARRAYS).unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        open_model(folder.path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as JSON"),
        (json.dumps({"kind": "toy"}), "lacks name, version"),
        (
            json.dumps({"kind": "t", "name": "t", "version": "1", "format_version": 99, "files": {}}),
            "format 99 is newer",
        ),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(folder: ModelFolder, content: str, message: str) -> None:
    (folder.path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        open_model(folder.path)


def test_names_are_looked_up_in_added_folders(folder: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_NLP_MODELS", str(folder.path.parent))
    assert resolve_model("toy") == folder.path
    with pytest.raises(ModelError, match="Looked in"):
        resolve_model("no-such-model")


def test_what_an_older_folder_lacks_is_named_with_its_file(folder: ModelFolder) -> None:
    with pytest.raises(ModelError, match=rf"{folder.path / ARRAYS}: lacks 'bias'.*Train the model again"):
        folder.arrays()["bias"]
    with pytest.raises(ModelError, match=rf"{folder.path / MANIFEST}: lacks 'calibration'"):
        folder.manifest["calibration"]
    assert folder.manifest.get("calibration") is None
    assert pickle.loads(pickle.dumps(folder)) == folder
