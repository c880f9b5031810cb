"""A run learns, resumes where it was killed, adapts to another neuron, and is scored."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import DIC_RANGE, toy_train, write_shards

from spike2pop_nb.errors import Cancelled, PredictorError, TrainingError
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.inference.network import NetworkConfig
from spike2pop_nb.inference.tokens import CHANNELS, N_STATISTICS
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training.batches import Trains
from spike2pop_nb.training.disturbances import alike
from spike2pop_nb.training.evaluate import evaluate
from spike2pop_nb.training.options import changes
from spike2pop_nb.training.train import TrainingOptions, train

SMALL = TrainingOptions(
    batch_size=32,
    learning_rate=4e-3,
    ema=0.98,
    lora_rank=4,
    domain_steps=150,
    network=NetworkConfig(
        n_channels=len(CHANNELS),
        n_statistics=N_STATISTICS,
        width=16,
        n_blocks=1,
        latent=8,
        decoder_width=32,
        n_decoder_blocks=1,
        n_components=3,
    ),
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"), n_groups=320, members=2)


@pytest.fixture(scope="module")
def trained(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(
        shards, tmp_path_factory.mktemp("run"), "toy", epochs=8, options=SMALL, seed=1, dic_range=DIC_RANGE
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_training_improves_and_predicts(trained: Path) -> None:
    rows = _rows(trained.with_name("history.csv"))
    assert len(rows) == 8
    assert float(rows[-1]["val_loss"]) < float(rows[0]["val_loss"]) - 1
    predictor = load_predictor("toy", trained)
    rng = np.random.default_rng(0)
    low, high = predictor.predict([toy_train(-15, 10, 0, rng), toy_train(12, 10, 0, rng)])
    assert low.g_s < -5 < 5 < high.g_s
    assert low.most_likely_pattern == "bursting"
    assert high.most_likely_pattern == "spiking"


def test_a_killed_run_ends_where_an_unbroken_one_does(shards: Path, tmp_path: Path) -> None:
    def go(folder: Path, stop: int | None = None) -> Path:
        steps = iter(range(10_000))
        return train(
            shards,
            folder,
            "toy",
            epochs=2,
            options=SMALL,
            dic_range=DIC_RANGE,
            cancel=lambda: stop is not None and next(steps) == stop,
        )

    with pytest.raises(Cancelled, match="checkpoint is kept"):
        go(tmp_path / "broken", stop=22)
    broken, whole = go(tmp_path / "broken"), go(tmp_path / "whole")
    columns = ("train_loss", "val_loss")
    kept, fresh = _rows(broken.with_name("history.csv")), _rows(whole.with_name("history.csv"))
    assert [r["step"] for r in kept] == [r["step"] for r in fresh]
    assert float(kept[-1]["val_loss"]) == pytest.approx(float(fresh[-1]["val_loss"]), rel=1e-4)
    assert set(columns) <= set(kept[0])
    # A finished run that is started again has nothing left to do.
    before = broken.stat().st_mtime_ns
    go(tmp_path / "broken")
    assert broken.stat().st_mtime_ns == before


def test_a_checkpoint_of_another_run_is_refused(trained: Path, shards: Path) -> None:
    with pytest.raises(TrainingError, match="seed = 1, not 2"):
        train(shards, trained.parent, "toy", epochs=8, options=SMALL, seed=2, dic_range=DIC_RANGE)


def test_a_minute_budget_ends_the_run(shards: Path, tmp_path: Path) -> None:
    path = train(shards, tmp_path, "toy", max_minutes=0.005, options=SMALL, dic_range=DIC_RANGE)
    assert load_predictor("toy", path).predict([np.arange(10) * 20.0])[0].usable


def test_it_computes_on_one_thread_and_leaves_others_theirs(shards: Path, tmp_path: Path) -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        train(
            shards,
            tmp_path,
            "toy",
            epochs=1,
            options=SMALL,
            dic_range=DIC_RANGE,
            report=lambda _row: seen.append(torch.get_num_threads()),
        )
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_adapters_are_small_and_keep_the_base_frozen(trained: Path, shards: Path, tmp_path: Path) -> None:
    base = tmp_path / "toy.safetensors"
    base.write_bytes(trained.read_bytes())
    path = train(shards, tmp_path, "other", base=base, epochs=1, options=SMALL, dic_range=DIC_RANGE)
    assert base.read_bytes() == trained.read_bytes()
    predictor = load_predictor("other", path)
    assert predictor.metadata["base"]["neuron"] == "toy"
    answer = predictor.predict([toy_train(-15, 10, 0, np.random.default_rng(0))])[0]
    assert np.isfinite(answer.mean).all()
    base.unlink()
    with pytest.raises(PredictorError, match=r"'toy' network, whose weights are missing"):
        load_predictor("other", path)
    other = train(shards, tmp_path / "b", "toy", epochs=1, options=SMALL, seed=5, dic_range=DIC_RANGE)
    base.write_bytes(other.read_bytes())
    with pytest.raises(PredictorError, match="trained on other 'toy' weights"):
        load_predictor("other", path)


def test_a_base_is_learned_on_with_more_components(trained: Path, shards: Path, tmp_path: Path) -> None:
    def go(n_components: int) -> Path:
        network = replace(SMALL.network, n_components=n_components)
        options = replace(SMALL, lora_rank=0, learning_rate=0.001, network=network)
        folder = tmp_path / str(n_components)
        return train(shards, folder, "toy", base=trained, epochs=1, options=options, dic_range=DIC_RANGE)

    path = go(6)
    assert load_network(path).network.config.n_components == 6
    rows = [_rows(weights.with_name("history.csv"))[0] for weights in (path, trained)]
    assert float(rows[0]["val_loss"]) < float(rows[1]["val_loss"])
    with pytest.raises(TrainingError, match="n_components=4: the base has 3 components"):
        go(4)


def test_all_weights_are_learned_from_those_of_a_base_on(trained: Path, shards: Path, tmp_path: Path) -> None:
    whole = replace(SMALL, lora_rank=0, learning_rate=0.001)
    path = train(shards, tmp_path, "toy", base=trained, epochs=1, options=whole, dic_range=DIC_RANGE)
    assert load_predictor("toy", path).metadata["base"] is None
    # On other data too, inputs are scaled as the weights learned them.
    other = write_shards(tmp_path / "other", n_groups=100, seed=7)
    again = train(other, tmp_path / "on", "toy", base=path, epochs=1, options=whole, dic_range=DIC_RANGE)
    scales = [load_network(weights).scale for weights in (trained, again)]
    for name in ("token_mean", "statistic_std", "statistic_knots"):
        np.testing.assert_array_equal(*(getattr(scale, name) for scale in scales))
    rows = _rows(path.with_name("history.csv"))
    assert float(rows[0]["val_loss"]) < float(_rows(trained.with_name("history.csv"))[0]["val_loss"])
    first_scores = evaluate(path, shards, tmp_path, baseline=False)
    scores = evaluate(path, shards, tmp_path, ablations=[trained], baseline=False)
    assert scores["bands"] == first_scores["bands"]
    card = (tmp_path / "model_card.md").read_text()
    assert "whole network, begun from that of 'toy'" in card
    first = card.index(f"spike2pop train data/{shards.name} --neuron toy --epochs 8 --seed 1 --set")
    assert card.index("--base runs/toy_1/toy.safetensors --epochs 1 --seed 0 --set") > first
    evaluate(again, other, tmp_path / "on", baseline=False)
    later = (tmp_path / "on" / "model_card.md").read_text()
    for start in ("runs/toy_1", "runs/toy_2"):
        assert later.index(f"--out {start}") < later.index(f"--base {start}/toy.safetensors")
    assert "(learned from 640 rows of data)" in later
    assert f"* 400 of `other`\n* 640 of `{shards.name}`\n* 640 of `{shards.name}`\n" in later
    run = scores["ablations"][trained.parent.name]["run"]
    assert run["trains"] == scores["weights"]["data"]["trains"]
    assert "n_components=3" in run["changes"]
    assert f"| {trained.parent.name.replace('_', ' ')} | " in card


@pytest.mark.parametrize("alone", ["latent=0", "n_statistics=0"])
def test_attention_and_statistics_can_stand_alone(alone: str, shards: Path, tmp_path: Path) -> None:
    options = SMALL.changed([alone, "domain_steps=10"])
    path = train(shards, tmp_path, "toy", epochs=1, options=options, dic_range=DIC_RANGE)
    answer = load_predictor("toy", path).predict([toy_train(-15, 10, 0, np.random.default_rng(0))])[0]
    assert np.isfinite(answer.mean).all()


def test_numbers_of_a_run_are_changed_and_found_again() -> None:
    texts = ["learning_rate=0.0005", "lora_rank=0", "n_components=1", "crop=0", "feature=0"]
    options = TrainingOptions().changed(texts)
    assert (options.network.n_components, options.augmentation.crop, options.loss.feature) == (1, 0, 0)
    assert changes(asdict(options), options.network.as_dict()) == texts
    assert changes(asdict(TrainingOptions()), NetworkConfig().as_dict()) == []
    # Runs before times were sampled in training did not sample them.
    earlier = asdict(TrainingOptions())
    del earlier["augmentation"]["sample"], earlier["augmentation"]["finest_ms"]
    assert changes(earlier, NetworkConfig().as_dict()) == ["sample=0"]
    for text in (
        "depth=3",
        "width=2.5",
        "width=0",
        "crop=nan",
        "crop=-1",
        "crop",
        "n_statistics=7",
        "n_priors=1",
    ):
        with pytest.raises(TrainingError, match=f"--set {text}: "):
            TrainingOptions().changed([text])


def test_regular_trains_of_different_neurons_are_compared(trained: Path) -> None:
    rng = np.random.default_rng(0)
    n = 400
    targets = np.column_stack([rng.uniform(-10, 10, n), np.zeros(n)]).astype(np.float32)
    period = np.where(np.arange(n) < n // 2, 50.0, 50.0 * np.exp(rng.uniform(0, 1, n)))
    times = (np.arange(10) * period[:, None]).astype(np.float32)
    trains = Trains(
        times.ravel(),
        np.arange(n + 1) * 10,
        targets,
        np.full((n, 5), np.nan, dtype=np.float32),
        np.ones(n, dtype=np.int8),
        np.zeros(n, dtype=np.float32),
        np.arange(n),
        np.zeros(n, dtype=bool),
        np.arange(n),
        np.zeros(n, dtype=np.float32),
    )
    found = alike(load_predictor("toy", trained), trains, fewest=1)
    assert found is not None
    assert "network" not in (alike(load_predictor("toy", trained), trains) or {})
    # Uniform over a width of 20: 5 on average, a little less in hindsight.
    assert found["hindsight"] == pytest.approx([4.7, 0.0], abs=0.4)
    assert n // 2 - 12 < found["trains"] < n // 2 + 36
    assert found["network"]["trains"] > 0
    assert alike(load_predictor("toy", trained), trains.take(np.arange(n) < 5)) is None


def test_evaluation_writes_scores_and_card(trained: Path, shards: Path, tmp_path: Path) -> None:
    other = write_shards(tmp_path / "other", n_groups=60, seed=7)
    scores = evaluate(trained, shards, tmp_path, held_out=[other], baseline_rounds=20)
    row = scores["bands"]["all"]["all"]
    assert row["trains"] == scores["test_trains"]
    assert row["mae"]["mean"][0] < row["mae"]["constant"][0]
    assert row["mae"]["mean"][0] < row["mae"]["shuffled"][0]
    assert 0 <= row["coverage"]["0.5"] <= row["coverage"]["0.95"] <= 1
    assert json.loads((tmp_path / "scores.json").read_text())["neuron"] == "toy"
    card = (tmp_path / "model_card.md").read_text()
    assert "| gradient-boosted trees, taught disturbed trains | " in card
    assert row["mae"]["trees"] != row["mae"]["trees_disturbed"]
    assert "Training curve" in card
    assert "| other | all | " in card
    assert " | flagged as strange | said to drift |" in card
    kept_out = scores["held_out"]["other"]["all"]["all"]
    assert 0 <= kept_out["flagged"] <= 1
    assert f"spike2pop train data/{shards.name} --neuron toy --epochs 8 --seed 1 --set batch_size=32" in card
    assert "--set n_components=3 --out runs/toy\n" in card
    assert "SHA-256" in card
    assert (tmp_path / "toy_failures.svg").read_text().startswith("<?xml")
    assert set(scores["drawn"]) == {"compensated", "drawn", "recognised"}
    assert scores["strange"]["kinds"]["Poisson"]["auroc"] > 0.7
    assert scores["disturbed"]["as simulated"]["trains"] > 0
    stepped = scores["disturbed"]["times in steps of 0.1 ms"]
    assert stepped["trains"] > 0
    assert set(stepped["rivals"]) == {"trees", "trees_disturbed"}
    assert sum(row["trains"] for row in scores["by_seconds"].values()) <= row["trains"]


def test_wrong_requests_are_explained(shards: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="how long"):
        train(shards, tmp_path, "toy", dic_range=DIC_RANGE)
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="no CUDA device"):
            train(shards, tmp_path, "toy", epochs=1, device="cuda", dic_range=DIC_RANGE)
