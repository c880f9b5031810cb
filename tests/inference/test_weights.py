"""Files of weights: whole, of a known format, with a checksum; old ones are read, damaged ones are not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import load_predictor, published_files, weights, weights_version, which
from spike2pop_nb.inference import published as of_published
from spike2pop_nb.inference.weights import FORMAT, OLDEST, read_tensors, write_tensors

#: A small network of each format that was ever written; a reader of an old one is never taken away unsaid.
OLD = sorted((Path(__file__).parent / "old_weights").glob("format_*.safetensors"))
TRAIN = np.cumsum(np.tile([7.0, 8.0, 9.0, 11.0, 120.0], 8))


def header(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["spike2pop_nb"])
    return found


def damaged(path: Path, place: int = -5) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    tensors = {"layer.weight": torch.arange(12.0).reshape(3, 4), "layer.half": torch.ones(3).half()}
    return write_tensors(tmp_path / "some.safetensors", tensors, {"names": ("a", "b"), "score": 0.1})


def test_what_is_written_is_read_and_says_by_what(written: Path) -> None:
    tensors, told = read_tensors(written)
    assert tensors["layer.weight"].shape == (3, 4)
    assert tensors["layer.half"].dtype == torch.float16
    assert {key: told[key] for key in ("names", "score", "format")} == {
        "names": ["a", "b"], "score": 0.1, "format": FORMAT,
    }  # fmt: skip
    assert "written_by" in told
    assert "sha256" not in told  # what is copied into another file must not say the checksum of this one
    assert len(header(written)["sha256"]) == 64


def test_one_bit_of_a_number_is_enough(written: Path) -> None:
    damaged(written)
    with pytest.raises(PredictorError, match="damaged: it has not the checksum that was written"):
        read_tensors(written)


def test_what_is_said_of_numbers_counts_as_well(written: Path) -> None:
    told = header(written) | {"score": 0.2}
    save_file(load_file(written), written, metadata={"spike2pop_nb": json.dumps(told)})
    with pytest.raises(PredictorError, match="checksum"):
        read_tensors(written)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format": FORMAT + 1, "written_by": "9.1"},
            r"by spike2pop_nb 9\.1 in format 3, .* update spike2pop",
        ),
        (
            {"format": FORMAT + 1, "written_by": None},
            "by a newer version in format 3, .* update spike2pop",
        ),
        ({"format": OLDEST - 1}, "of format 1, which is no longer read; make it again"),
        ({"format": "two"}, "no network of this package"),
    ],
)
def test_another_format_is_one_sentence(changes: dict[str, Any], message: str, written: Path) -> None:
    told = {key: value for key, value in (header(written) | changes).items() if value is not None}
    save_file(load_file(written), written, metadata={"spike2pop_nb": json.dumps(told)})
    with pytest.raises(PredictorError, match=message):
        read_tensors(written)


def test_every_format_that_is_read_has_a_file_that_was_written_in_it() -> None:
    assert [path.stem for path in OLD] == [f"format_{number}" for number in range(OLDEST, FORMAT + 1)]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_old_weights_say_what_they_said(path: Path) -> None:
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    found = load_predictor("toy", path).predict([TRAIN])[0]
    np.testing.assert_allclose([*found.mean, *found.std], told, rtol=1e-4)


def test_all_weights_that_are_shipped_are_listed_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(weights.__file__).parent
    assert set(published_files()) == set(folder.rglob("*.safetensors"))
    for path, digest in published_files().items():
        assert of_published.sha256_of(path) == digest, path
    # listing them again changes nothing; other weights get another version
    listed = tmp_path / "published.json"
    shutil.copyfile(folder / "published.json", listed)
    monkeypatch.setattr(of_published, "_LIST", listed)
    of_published.write_published()
    assert listed.read_bytes() == (folder / "published.json").read_bytes()
    before = int(weights_version())
    listed.write_text(json.dumps({"version": weights_version(), "files": {}}), encoding="utf-8")
    of_published.write_published()
    assert json.loads(listed.read_text("utf-8"))["version"] == str(before + 1)


def test_shipped_weights_that_are_not_those_published_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stg.safetensors"
    shutil.copyfile(weights.WEIGHTS_FOLDER / "stg.safetensors", path)
    monkeypatch.setattr(weights, "published_files", lambda: {path: of_published.sha256_of(path)})
    read_tensors(path)
    monkeypatch.setattr(weights, "published_files", lambda: {path: "0" * 64})
    with pytest.raises(PredictorError, match="the checksum that was published; install spike2pop_nb again"):
        read_tensors(path)


def test_what_is_learned_on_the_way_is_learned_again_where_its_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    own = which.own_atlases_folder()
    own.mkdir()
    (own / "which.safetensors").write_bytes(b"no tensors")
    which._remembered.cache_clear()
    try:
        assert which._remembered(which._known())  # the shipped one
    finally:
        which._remembered.cache_clear()


def _emptied(value: torch.Tensor) -> torch.Tensor:
    return value[:0].clone()


def _with_nan(value: torch.Tensor) -> torch.Tensor:
    changed = value.clone()
    changed.view(-1)[0] = torch.nan
    return changed


_BESIDE = [
    "scale.token_std",
    "scale.statistic_std",
    "scale.statistic_knots",
    "feature.mean",
    "domain.weight_1",
]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((name, change) for name in _BESIDE for change in (_emptied, _with_nan, lambda value: value[None])),
        *((name, torch.zeros_like) for name in _BESIDE[:2]),
    ],
)
def test_numbers_beside_the_network_that_do_not_fit_are_refused(
    name: str, change: Any, tmp_path: Path
) -> None:
    """Their checksum is right, as where another program has written them."""
    tensors, metadata = read_tensors(weights.WEIGHTS_FOLDER / "stg.safetensors")
    path = write_tensors(tmp_path / "stg.safetensors", {**tensors, name: change(tensors[name])}, metadata)
    with pytest.raises(PredictorError, match=r"stg\.safetensors does not fit .*: it[^\n]*$"):
        load_predictor("stg", path)


@pytest.mark.parametrize(
    "said",
    [
        {"config": {"patch": 0}},
        {"config": {"n_heads": 3}},
        {"config": {"n_blocks": 10**9}},
        {"config": {"width": 2048}},
        {"config": {"dropout": "x"}},
        {"data": ["x"]},
        {"data": {"share_drawn": {"x": 1}}},
        {"base": 3},
        {"recipes": [1]},
        {"max_intervals": 0},
        {"max_intervals": float("inf")},
        {"dic_range": {"g_s": [1, 1], "g_u": [0, 2]}},
    ],
)
def test_what_is_said_of_the_network_and_cannot_be_is_refused(said: dict[str, Any], tmp_path: Path) -> None:
    tensors, metadata = read_tensors(weights.WEIGHTS_FOLDER / "stg.safetensors")
    said = {"config": metadata["config"] | said["config"]} if "config" in said else said
    path = write_tensors(tmp_path / "stg.safetensors", tensors, metadata | said)
    with pytest.raises(PredictorError, match=r"^stg\.safetensors [^\n]*$"):
        load_predictor("stg", path)


def test_more_bits_than_are_needed_change_nothing(tmp_path: Path) -> None:
    tensors, metadata = read_tensors(weights.WEIGHTS_FOLDER / "stg.safetensors")
    wide = {name: value.double() for name, value in tensors.items()}
    times = np.arange(40) * 250.0 + np.arange(40) % 3
    (answer,) = load_predictor("stg", write_tensors(tmp_path / "stg.safetensors", wide, metadata)).predict(
        [times]
    )
    (expected,) = load_predictor("stg").predict([times])
    assert (answer.g_s, answer.g_u) == (expected.g_s, expected.g_u)
