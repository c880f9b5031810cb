"""Members drawn from a posterior: its prior, a problem whose answer is known, and the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

import spike2pop_nb as s2p
from spike2pop_nb.errors import Cancelled, CompensationError, SpikeTrainError
from spike2pop_nb.fidelity import LearnedPosterior, MemberPrior, load_posterior, sample_posterior
from spike2pop_nb.fidelity import learned_posterior as learning
from spike2pop_nb.fidelity import posterior_sampling as sampling
from spike2pop_nb.fidelity.drawn_posterior import effective
from spike2pop_nb.spiketrains import SpikeTrain

_LENGTH_MS = 15_000.0


class _Clocks(MemberPrior):
    """Neurons whose period is 50 to 150 ms by their first conductance, and that know of nothing else."""

    def fired(self, u, seeds, duration_ms, *, accuracy="standard", cancel=None, workers=None):  # type: ignore[no-untyped-def]
        trains = []
        for row, seed in zip(np.asarray(u), seeds, strict=True):
            isi = (50.0 + 100.0 * row[0]) * np.random.default_rng(int(seed)).normal(1.0, 0.1, 300)
            times = np.cumsum(np.maximum(isi, 1.0))
            trains.append(times[times < duration_ms])
        return trains


def _clocks() -> _Clocks:
    return _Clocks(s2p.get_neuron("prebotc"))


@pytest.fixture(scope="module")
def clocks() -> LearnedPosterior:
    """What clocks tell, learned in a second or two."""
    prior, rng = _clocks(), np.random.default_rng(1)
    u = rng.random((1500, len(prior.names)))
    seeds = rng.integers(0, 2**63, len(u), dtype=np.uint64)
    return learning.learned(prior, u, prior.fired(u, seeds, _LENGTH_MS), len(u), epochs=6)


def _train(period_ms: float, seed: int = 3) -> SpikeTrain:
    isi = period_ms * np.random.default_rng(seed).normal(1.0, 0.1, 300)
    times = np.cumsum(isi)
    return SpikeTrain("clock", times[times < _LENGTH_MS], (0.0, _LENGTH_MS))


def test_the_prior_is_uniform_in_its_quantiles() -> None:
    prior = MemberPrior(s2p.get_neuron("stg"))
    u = np.random.default_rng(0).random((500, 10))
    values = prior.values(u)
    assert np.allclose(prior.quantiles(values), u, atol=1e-3)
    low, high = prior.ranges.T
    assert ((values >= low) & (values <= high)).all()
    assert 0.4 < (np.abs(values[:, -2]) < 1.0).mean() < 0.6  # half of 68 % near none, and some of the others
    assert "uniform over the range that the stg neuron declares" in prior.describe()


def test_members_are_of_the_recording(clocks: LearnedPosterior) -> None:
    found = sample_posterior(_train(80.0), clocks.prior.neuron, size=96, budget=2048, learned=clocks)
    u = clocks.prior.quantiles(found.values)
    # of the period, the mean of 187 intervals of 8 ms SD tells 0.6 ms, which is 0.006 of the range
    assert abs(float(found.weights @ u[:, 0]) - 0.3) < 0.05
    assert u[:, 0].std() < 0.1
    assert found.n_effective >= 60
    # nothing is told of the rest
    for column in u[:, 1:].T:
        assert kstest(column, "uniform").pvalue > 1e-3
    table = found.to_frame().set_index("value")
    assert table["told"].idxmax() == found.prior.names[0]
    assert "tells next to nothing of" in found.describe()


def test_with_any_distance_allowed_members_are_the_prior(clocks: LearnedPosterior) -> None:
    heard, length_ms = sampling._middle(_train(80.0))
    cloud = sampling._Cloud(clocks, heard, length_ms, 2, None, 1)
    cloud.draw(1024)
    cloud.draw(1024)
    weights = cloud.kernel(1e9)
    mean = weights @ cloud.u / weights.sum()
    error = np.sqrt(1.0 / 12.0 / effective(weights))
    assert (np.abs(mean - 0.5) < 4.0 * error).all()


def test_weights_are_kept_by_who_is_chosen() -> None:
    rng = np.random.default_rng(0)
    weights = np.array([0.0, 1.0, 1.0, 2.0, 200.0])
    seen = np.zeros(5)
    for _ in range(400):
        rows, kept = sampling._chosen(weights, 2, rng)
        assert len(set(rows.tolist())) == len(rows)
        seen[rows] += kept
    assert seen[0] == 0.0
    assert seen[4] > 0.8 * seen.sum()


def test_what_is_kept_says_the_same(clocks: LearnedPosterior, tmp_path: Path) -> None:
    path = tmp_path / "clocks.safetensors"
    learning.keep(clocks, path)
    again = LearnedPosterior(clocks.prior, *learning._read(path, 0))
    summary = clocks.summaries([_train(80.0).times_ms])
    assert np.array_equal(again.summaries([_train(80.0).times_ms]), summary)
    u = np.full((1, len(clocks.prior.names)), 0.4)
    ranks, log_density = clocks.ranked(summary, u)
    assert np.allclose(again.drawn(summary, ranks)[0], u, atol=1e-4)
    assert np.array_equal(again.ranked(summary, u)[1], log_density)


def test_the_same_seed_gives_the_same_members() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    one, other = (
        sample_posterior(train, "stg", size=8, budget=64, seed=4, workers=workers) for workers in (1, 2)
    )
    assert one.population.table.equals(other.population.table)
    again = s2p.simulate(
        one.population,
        duration_ms=3000.0 + one.length_ms,
        transient_ms=3000.0,
        record="spikes",
    )
    for times, seen in zip(one.spike_times_ms, again.spike_times_ms, strict=True):
        assert np.allclose(times, seen - 3000.0, atol=1e-3)


def test_what_makes_no_sense_is_refused(clocks: LearnedPosterior) -> None:
    neuron = clocks.prior.neuron
    with pytest.raises(SpikeTrainError, match="has 3 spikes; a posterior needs 6"):
        sample_posterior(np.arange(3) * 100.0, neuron, learned=clocks)
    with pytest.raises(CompensationError, match="whole number from 1"):
        sample_posterior(_train(80.0), neuron, size=0, learned=clocks)
    with pytest.raises(CompensationError, match="at least the size"):
        sample_posterior(_train(80.0), neuron, size=64, budget=32, learned=clocks)


def test_it_can_be_cancelled() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    with pytest.raises(Cancelled):
        sample_posterior(train, "stg", learned=load_posterior("stg"), cancel=lambda: True)


def test_members_that_do_not_fire_alike_are_no_answer(clocks: LearnedPosterior) -> None:
    found = sample_posterior(_train(80.0), clocks.prior.neuron, size=32, budget=1024, learned=clocks)
    assert found.trusted
    assert not found.describe().startswith("This posterior is not to be trusted.")
    doubtful = replace(found, within=0.1)
    assert not doubtful.trusted
    assert doubtful.describe().startswith(
        "This posterior is not to be trusted. Only 10 % of the members fire"
    )
