"""Predictors: any number of spikes, any batch, and weights that are refused in one sentence when unfit."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import Network, attempt_predictions, load_predictor, network_words
from spike2pop_nb.inference.blocks import Blocks
from spike2pop_nb.inference.domain import Domain
from spike2pop_nb.inference.lora import adapter_state, apply_lora, merged_state
from spike2pop_nb.inference.network import AttentionNetwork, NetworkConfig
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.statistics import STATISTICS
from spike2pop_nb.inference.tokens import CHANNELS, N_STATISTICS, TokenScale, pad_intervals
from spike2pop_nb.inference.weights import WEIGHTS_FOLDER, FeatureScale, load_network, save_weights
from spike2pop_nb.spiketrains import SpikeTrain

CONFIG = NetworkConfig(
    n_channels=len(CHANNELS), n_statistics=N_STATISTICS, width=16, n_blocks=2, n_components=3
)


def _metadata(neuron: str) -> dict[str, object]:
    return {
        "neuron": neuron,
        "config": CONFIG.as_dict(),
        "dic_range": {"g_s": [-20.0, 20.0], "g_u": [0.0, 20.0]},
        "max_intervals": 64,
        "base": None,
        "data": {"share_drawn": 0.25},
    }


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    scale = TokenScale.measure(*pad_intervals([rng.gamma(2, 20, 50) for _ in range(50)]))
    state = AttentionNetwork(CONFIG).state_dict()
    features = FeatureScale(np.zeros(5), np.ones(5))
    return save_weights(tmp_path / "toy.safetensors", state, scale, features, _metadata("toy"))


@pytest.fixture
def predictor(weights: Path) -> Predictor:
    return load_predictor("toy", weights)


@dataclass
class Recording:
    id: str
    times_ms: np.ndarray


def _train(n: int, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).gamma(2, 20, n))


def test_alone_or_together_the_answer_is_the_same(predictor: Predictor) -> None:
    trains = [Recording(f"r{n}", _train(n, n)) for n in (60, 3, 17, 5, 4, 33, 64)]
    together = predictor.predict(trains)
    assert [p.id for p in together] == [t.id for t in trains]
    for train, answer in zip(trains, together, strict=True):
        alone = predictor.predict([train])[0]
        np.testing.assert_array_equal(alone.mean, answer.mean)
        np.testing.assert_array_equal(alone.cov, answer.cov)
        assert sum(answer.pattern.values()) == pytest.approx(1)
        assert answer.n_spikes == train.times_ms.size


def test_time_origin_does_not_matter(predictor: Predictor) -> None:
    a, b = predictor.predict([_train(40), _train(40) + 5000])
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_silent_recordings_get_a_clear_answer(predictor: Predictor, n: int) -> None:
    answer = predictor.predict([np.arange(n) * 50.0])[0]
    assert not answer.usable
    assert answer.pattern["silent"] == 1
    assert "silent" in answer.notes[0]


def test_recordings_longer_than_the_data_are_read_in_pieces(weights: Path) -> None:
    loaded = load_network(weights)
    loaded.metadata["data"]["longest_s"] = 1.0
    predictor = Predictor(loaded)
    times = 50.0 * np.arange(61)
    assert [p.n_windows for p in predictor.predict([times, times[:21], times[:23], 20 * times])] == [
        3,
        1,
        1,
        3,
    ]
    (answer,) = predictor.predict([times])
    alone = predictor.predict([times[:21], times[20:41], times[40:]])
    np.testing.assert_allclose(answer.mean, np.mean([p.mean for p in alone], axis=0), rtol=1e-4)
    assert answer.notes[-1].startswith("Longer than 64 intervals or 1 s, which the network reads at once: 3 ")


def test_long_recordings_are_read_whole_in_pieces(predictor: Predictor) -> None:
    answer = predictor.predict([_train(1000)])[0]
    assert answer.n_windows == 16
    assert any("16 consecutive pieces" in note for note in answer.notes)
    assert answer.mixture is not None
    assert np.exp(answer.mixture.log_weights).sum() == pytest.approx(1)
    # A repeating train is the same in every window: pooling changes nothing.
    period = np.cumsum(np.tile([5.0, 5.0, 90.0, 20.0], 200))
    long, short = predictor.predict([period[:513], period[:65]])
    np.testing.assert_allclose(long.mean, short.mean, atol=0.3)


def test_what_is_strange_in_a_piece_is_said_of_that_piece() -> None:
    slow = 10e3 * np.arange(65)  # a spike every 10 s
    long, short = load_predictor("pyloric").predict([slow, slow[:5]])
    assert (long.n_windows, short.n_windows) == (4, 1)
    pieces = tuple(f"from {start} to {start + 160} s it fires at 0.1 Hz" for start in range(0, 640, 160))
    assert long.domain.reasons[0].startswith(pieces)
    assert short.domain.reasons[0].startswith("it fires at 0.1 Hz")
    assert long.domain.reasons[1:] == short.domain.reasons[1:] != ()


def test_each_prior_has_its_answer(predictor: Predictor) -> None:
    made, drawn, both = (
        predictor.predict([_train(30)], prior=prior)[0] for prior in ("compensated", "drawn", "both")
    )
    assert (made.prior, drawn.prior, both.prior) == ("compensated", "drawn", "both")
    np.testing.assert_allclose(
        both.mean, (1 - both.p_drawn) * made.mean + both.p_drawn * drawn.mean, rtol=1e-5
    )
    with pytest.raises(PredictorError, match="'compensated' or 'drawn' or 'both', not 'flat'"):
        predictor.predict([_train(30)], prior="flat")


def test_a_prior_that_was_not_trained_is_refused(weights: Path, tmp_path: Path) -> None:
    tensors = load_file(weights)
    text = json.dumps({"format": 2, **_metadata("toy"), "data": {"share_drawn": 0.0}})
    save_file(tensors, tmp_path / "one.safetensors", metadata={"spike2pop_nb": text})
    predictor = load_predictor("toy", tmp_path / "one.safetensors")
    answer = predictor.predict([_train(30)])[0]
    assert np.isnan(answer.p_drawn)
    with pytest.raises(PredictorError, match="knows the prior 'compensated', not 'both'"):
        predictor.predict([_train(30)], prior="both")


def test_a_long_recording_has_a_course(predictor: Predictor) -> None:
    short, long = predictor.predict([_train(100), _train(1000) + 5000.0])
    assert short.course is None
    assert long.course is not None
    assert len(long.course.time_s) == 32
    assert long.course.time_s[0] > 5
    assert (np.diff(long.course.time_s) > 0).all()


def test_progress_counts_windows(predictor: Predictor) -> None:
    calls: list[tuple[int, int]] = []
    predictor.predict([_train(n) for n in range(3, 600)], progress=lambda a, b: calls.append((a, b)))
    done = [a for a, _ in calls]
    assert done == sorted(done)
    assert calls[-1][0] == calls[-1][1]
    assert len(calls) > 1


def test_unfit_times_are_refused(predictor: Predictor) -> None:
    for bad in ([1.0, np.nan, 3.0], [3.0, 2.0, 1.0], [1.0, 1.0, 2.0]):
        with pytest.raises(PredictorError, match="finite spike times in increasing order"):
            predictor.predict([Recording("x", np.array(bad))])
    with pytest.raises(PredictorError, match="dimensions"):
        predictor.predict([np.zeros((2, 2))])
    with pytest.raises(PredictorError, match="not a list of spike times"):
        predictor.predict([["a", "b"]])


def test_rows_that_have_a_say_in_each_other_are_computed_one_by_one(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trains = [_train(n, n) for n in (20, 30, 70, 400)]
    plain = load_predictor("toy", weights).predict(trains)
    block = Blocks._block

    def uneven(self: Blocks, windows: list[np.ndarray], width: int, *known: np.ndarray) -> object:
        found = block(self, windows, width, *known)
        found.means[1:] += 1.0
        return found

    monkeypatch.setattr(Blocks, "_block", uneven)
    for one, other in zip(plain, load_predictor("toy", weights).predict(trains), strict=True):
        np.testing.assert_allclose(one.mean, other.mean, rtol=1e-4)


def test_the_test_for_strange_recordings_sees_few_rows_at_once(
    judging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score, seen = Domain.score, []

    def counted(self: Domain, statistics: np.ndarray) -> np.ndarray:
        seen.append(len(statistics))
        return score(self, statistics)

    monkeypatch.setattr(Domain, "score", counted)
    load_predictor("toy", judging).predict([_train(30, seed) for seed in range(40)])
    assert 1 <= max(seen) <= 4


def test_a_posterior_names_its_network_and_is_pickled_with_its_predictor(weights: Path) -> None:
    predictor = load_predictor("toy", weights)
    silent, found = predictor.predict([[1.0], _train(200)])
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert silent.network == found.network == Network("toy.safetensors", sha256)
    again = pickle.loads(pickle.dumps(found))
    assert again.network == found.network
    np.testing.assert_array_equal(again.mean, found.mean)
    other = pickle.loads(pickle.dumps(predictor)).predict([_train(200)])[0]
    np.testing.assert_array_equal(other.mean, found.mean)


def test_shipped_networks_say_what_they_were_trained_on_and_what_they_adapt() -> None:
    strange = np.cumsum(np.random.default_rng(0).exponential(100.0, 200))
    (found,) = load_predictor("stg").predict([strange])
    assert found.network.file == "stg.safetensors"
    assert found.network.n_trains > 100_000
    assert found.network.data
    assert all(len(sha256) == 64 for _name, sha256 in found.network.data)
    assert not found.domain.inside
    assert pickle.loads(pickle.dumps(found)).notes == found.notes
    adapters = load_network(WEIGHTS_FOLDER / "adapters" / "da.safetensors")
    assert (adapters.origin.file, adapters.origin.base) == ("da.safetensors", "stg")


def test_a_recording_that_fails_leaves_the_others_their_answers(predictor: Predictor) -> None:
    trains = [SpikeTrain("a", _train(30)), SpikeTrain("b", _train(40)), SpikeTrain("c", _train(50))]
    whole = attempt_predictions(predictor, trains)
    posterior = predictor._posterior

    def fails(plan: Any, *more: Any) -> Any:
        return 1 / 0 if plan.name == "b" else posterior(plan, *more)

    predictor._posterior = fails  # type: ignore[method-assign]
    found = attempt_predictions(predictor, trains)
    assert [p.id for p in found] == ["a", "b", "c"]
    assert [p.usable for p in found] == [True, False, True]
    assert "ZeroDivisionError in test_predictor.py" in found[1].failure
    assert found[1].notes[0].startswith("Nothing was predicted: ZeroDivisionError")
    for i in (0, 2):
        np.testing.assert_array_equal(found[i].mean, whole[i].mean)
    with pytest.raises(PredictorError, match="Nothing was predicted for recording 'b'"):
        found[1].sample(3)
    assert found.to_frame()["g_s"].isna().tolist() == [False, True, False]
    with pytest.raises(PredictorError, match="not 'flat'"):
        attempt_predictions(predictor, trains, prior="flat")


def test_no_trains_no_answers(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


def test_it_is_said_whose_network_a_neuron_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    (tmp_path / "leech.safetensors").touch()
    assert network_words("stg") == "A network is shipped with it."
    assert network_words("leech") == "It has a network of your own."
    assert "It has an atlas" in network_words("pyloric")
    assert "`spike2pop atlas --neuron octopus` changes that in minutes." in network_words("octopus")


def test_missing_damaged_and_foreign_weights(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(PredictorError, match="no network for neuron 'octopus'"):
        load_predictor("octopus")
    with pytest.raises(PredictorError, match="No network weights at"):
        load_predictor("toy", tmp_path / "none.safetensors")
    with pytest.raises(PredictorError, match="for neuron 'toy', not 'stg'"):
        load_predictor("stg", weights)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(PredictorError, match="damaged"):
        load_predictor("toy", damaged)
    damaged.write_bytes(b"")
    with pytest.raises(PredictorError, match="damaged"):
        load_predictor("toy", damaged)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(3)}, foreign)
    with pytest.raises(PredictorError, match="no network of this package"):
        load_predictor("toy", foreign)


def test_weights_that_do_not_fit_are_refused(weights: Path, tmp_path: Path) -> None:
    def changed(tensors: dict[str, torch.Tensor], **metadata: object) -> Path:
        path = tmp_path / "changed.safetensors"
        text = json.dumps({"format": 2, **_metadata("toy"), **metadata})
        save_file(tensors, path, metadata={"spike2pop_nb": text})
        return path

    tensors = load_file(weights)
    missing = {k: v for k, v in tensors.items() if k != "network.embed.weight"}
    with pytest.raises(PredictorError, match="does not fit"):
        load_predictor("toy", changed(missing))
    with pytest.raises(PredictorError, match="does not fit"):
        load_predictor("toy", changed(tensors, config={"width": 3}))
    with pytest.raises(PredictorError, match="other interval statistics"):
        load_predictor("toy", changed(tensors, config={**CONFIG.as_dict(), "n_statistics": 35}))
    with pytest.raises(PredictorError, match="told of other things"):
        load_predictor("toy", changed(tensors, config={**CONFIG.as_dict(), "n_told": 1}))
    with pytest.raises(PredictorError, match="format 99"):
        load_predictor("toy", changed(tensors, format=99))
    broken = {
        k: torch.full_like(v, torch.nan) if k == "network.embed.bias" else v for k, v in tensors.items()
    }
    with pytest.raises(PredictorError, match="not finite"):
        load_predictor("toy", changed(broken))


@pytest.fixture
def judging(weights: Path) -> Path:
    """Weights with a test for strange recordings, of two bands of time, that gives every recording 0."""
    loaded = load_network(weights)
    inputs, n = N_STATISTICS, len(STATISTICS)
    domain = Domain(
        *(np.zeros(shape) for shape in ((4, inputs), 4, (4, 4), 4, (1, 4), 1)),
        span_edges_ms=np.array([1000.0]),
        length_edges=np.array([8.0]),
        quantiles=np.broadcast_to(np.linspace(-10, 10, 201), (2, 2, 201)),
        examples=np.zeros((3, n)),
        least=np.full(n, -np.inf),
        most=np.full(n, np.inf),
    )
    state = loaded.network.state_dict()
    path = weights.with_name("judging.safetensors")
    return save_weights(path, state, loaded.scale, loaded.feature_scale, _metadata("toy"), domain)


def test_weights_of_bands_of_length_alone_still_judge(judging: Path, tmp_path: Path) -> None:
    tensors = load_file(judging)
    metadata = {"spike2pop_nb": json.dumps({"format": 2, **_metadata("toy")})}
    del tensors["domain.span_edges_ms"]
    tensors["domain.quantiles"] = tensors["domain.quantiles"][0].contiguous()
    save_file(tensors, tmp_path / "earlier.safetensors", metadata)
    domain = load_network(tmp_path / "earlier.safetensors").domain
    assert domain is not None
    assert domain.p_value(-5.0, 20, 10.0) == domain.p_value(-5.0, 20, 1e6) == pytest.approx(0.75)


def test_most_pieces_must_be_strange(judging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = STATISTICS.index("log_mean_isi")
    monkeypatch.setattr(Domain, "score", lambda _self, x: np.where(x[:, slow] > 0, 9.9, -9.0))
    predictor = load_predictor("toy", judging)
    inside = []
    for n_slow in (64, 128):
        isi_ms = np.concatenate([np.full(64, 1.0), np.full(n_slow, 1e4)])
        (answer,) = predictor.predict([np.cumsum(isi_ms)])
        assert answer.domain is not None
        inside.append(answer.domain.inside)
    assert inside == [True, False]


def test_the_shipped_adapters_are_small_and_fit_the_shipped_base() -> None:
    path = WEIGHTS_FOLDER / "adapters" / "da.safetensors"
    assert path.stat().st_size < 1_000_000
    adapted = load_predictor("da", path)
    assert adapted.metadata["base"]["neuron"] == "stg"
    times = np.arange(40) * 250.0
    low, high = adapted.predict([times])[0].mean, load_predictor("da").predict([times])[0].mean
    assert low == pytest.approx(high, abs=2.5)


def test_fused_layers_compute_the_same() -> None:
    torch.manual_seed(0)
    network = AttentionNetwork(CONFIG).eval()
    tokens, statistics = torch.randn(3, 16, len(CHANNELS)), torch.randn(3, N_STATISTICS)
    with torch.inference_mode():
        before = network(tokens, None, statistics)
        names = set(network.state_dict())
        after = network.fuse()(tokens, None, statistics)
    assert set(network.state_dict()) == names
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b)


def test_merged_adapters_compute_the_same() -> None:
    torch.manual_seed(0)
    network = AttentionNetwork(CONFIG)
    base = {k: v.clone() for k, v in network.state_dict().items()}
    adapted = apply_lora(network, rank=4)
    with torch.no_grad():
        for p in adapted.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn_like(p))
    plain = AttentionNetwork(CONFIG)
    plain.load_state_dict(merged_state(base, adapter_state(adapted)))
    tokens, statistics = torch.randn(3, 16, len(CHANNELS)), torch.randn(3, N_STATISTICS)
    for a, b in zip(adapted(tokens, None, statistics), plain(tokens, None, statistics), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("patch", [1, 2])
def test_padding_is_not_seen(patch: int) -> None:
    torch.manual_seed(0)
    network = AttentionNetwork(NetworkConfig(**{**CONFIG.as_dict(), "patch": patch})).eval()
    tokens, statistics = torch.randn(2, 8, len(CHANNELS)), torch.randn(2, N_STATISTICS)
    wide = torch.cat([tokens, torch.randn(2, 6, len(CHANNELS))], dim=1)
    alone = network(tokens, None, statistics)
    padded = network(wide, torch.tensor([8, 8]), statistics)
    for a, b in zip(alone, padded, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_importing_the_room_leaves_torch_alone() -> None:
    code = "import sys, spike2pop_nb.inference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
