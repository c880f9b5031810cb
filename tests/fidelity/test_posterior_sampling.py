"""Members drawn from a posterior: its prior, problems whose answers are known, and the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

import spike2pop_nb as s2p
from spike2pop_nb.errors import Cancelled, CompensationError, SpikeTrainError
from spike2pop_nb.fidelity import MemberPrior, Variability, sample_posterior
from spike2pop_nb.fidelity import posterior_sampling as sampling
from spike2pop_nb.fidelity.drawn_posterior import DrawnPosterior, effective
from spike2pop_nb.fidelity.evolution import burst_period_ms
from spike2pop_nb.spiketrains import SpikeTrain

_LENGTH_MS = 10_000.0


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


def _train(period_ms: float, seed: int = 3) -> SpikeTrain:
    isi = period_ms * np.random.default_rng(seed).normal(1.0, 0.1, 300)
    times = np.cumsum(isi)
    return SpikeTrain("clock", times[times < _LENGTH_MS], (0.0, _LENGTH_MS))


def _cloud(own: Variability, seed: int, n: int = 48) -> sampling._Cloud:
    """Members to begin around whose period is that of the recording, in a corner of all the rest."""
    prior = _clocks()
    first = np.random.default_rng(seed).uniform(0.0, 0.4, (n, len(prior.names)))
    first[:, 0] = 0.3
    return sampling._Cloud(prior, own, _LENGTH_MS, first, seed)


@pytest.fixture(scope="module")
def posterior() -> DrawnPosterior:
    """That of an example, drawn once."""
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    return sample_posterior(train, "stg", size=32, budget=2048, seed=4, workers=1)


def test_the_prior_is_uniform_in_its_quantiles() -> None:
    prior = MemberPrior(s2p.get_neuron("stg"))
    u = np.random.default_rng(0).random((500, 10))
    values = prior.values(u)
    assert np.allclose(prior.quantiles(values), u, atol=1e-3)
    low, high = prior.ranges.T
    assert ((values >= low) & (values <= high)).all()
    assert 0.4 < (np.abs(values[:, -2]) < 1.0).mean() < 0.6  # half of 68 % near none, and some of the others
    assert "uniform over the range that the stg neuron declares" in prior.describe()


def test_a_prior_may_have_an_inhibition() -> None:
    prior = MemberPrior(s2p.get_neuron("pyloric"), 900.0)
    assert prior.names[-4:] == ("inhibition", "share", "I", "σ")
    assert len(prior.names) == len(prior.columns) == len(prior.units) == len(prior.ranges)
    values = prior.values(np.full((2, len(prior.names)), 0.5))
    received = prior.drive(values)["inhibition"]
    assert received.period_ms.tolist() == [900.0, 900.0]
    assert received.conductance.tolist() == [0.1, 0.1]
    assert received.share.tolist() == [0.5, 0.5]
    assert "a rhythmic inhibition every 900 ms" in prior.describe()


def test_a_current_that_is_known_is_given_and_not_drawn() -> None:
    prior = MemberPrior(s2p.get_neuron("pyloric"), 900.0, -0.5)
    assert prior.names[-3:] == ("inhibition", "share", "σ")
    assert len(prior.names) == len(prior.columns) == len(prior.units) == len(prior.ranges)
    u = np.random.default_rng(0).random((50, len(prior.names)))
    values = prior.values(u)
    assert np.allclose(prior.quantiles(values), u, atol=1e-9)
    received = prior.drive(values)
    assert set(received["current"]) == {-0.5}
    assert np.array_equal(received["noise_sigma"], values[:, -1])
    assert np.array_equal(received["inhibition"].conductance, values[:, -3])
    assert np.array_equal(received["inhibition"].share, values[:, -2])
    assert "The constant current is known, −0.5 µA/cm²; noise is 12" in prior.describe()


def test_a_posterior_given_the_current() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    found = sample_posterior(train, "stg", size=8, budget=1024, seed=4, current=0.25)
    assert found.population.current.tolist() == [0.25] * 8
    table = found.to_frame()
    assert table["value"].tolist() == [*found.neuron.channel_names, "σ"]
    assert np.isfinite(table.drop(columns=["value", "unit"]).to_numpy(float)).all()
    assert found.correlations().shape == (9, 9)
    assert s2p.plots.posterior_pairs(found).data
    with pytest.raises(
        CompensationError, match="known current must be a number from −100 to 100 µA/cm², not"
    ):
        sample_posterior(train, "stg", current=float("nan"))


def test_the_sample_is_the_posterior() -> None:
    own = Variability.of(_train(80.0))
    cloud = _cloud(own, 1)
    for _ in range(8):
        cloud.move(sampling._AT_ONCE)
    assert cloud.tolerance == 1.0
    # the answer, from how often members of each period are within the variability
    prior, rng = cloud.prior, np.random.default_rng(2)
    u = np.repeat(np.linspace(0.15, 0.45, 61), 40)
    rows = np.full((len(u), len(prior.names)), 0.5)
    rows[:, 0] = u
    seeds = rng.integers(0, 2**63, len(u), dtype=np.uint64)
    within = np.array([own.distance(times) <= 1.0 for times in prior.fired(rows, seeds, _LENGTH_MS)])
    mean, sd = u[within].mean(), u[within].std()
    found = cloud.near[:, 0]
    n = effective(cloud.weights)
    assert n > 200
    assert abs(cloud.weights @ found - mean) < 4.0 * sd / np.sqrt(n)
    assert np.sqrt(cloud.weights @ (found - cloud.weights @ found) ** 2) == pytest.approx(sd, rel=0.15)
    # nothing is told of the rest, although it began in a corner
    rest = cloud.near[:, 1:]
    assert (np.abs(cloud.weights @ rest - 0.5) < 4.0 * np.sqrt(1.0 / 12.0 / n)).all()


def test_members_chosen_are_as_probable_as_their_weights() -> None:
    cloud = _cloud(Variability.of(_train(80.0)), 5)
    for _ in range(8):
        cloud.move(sampling._AT_ONCE)
    drawn = sampling._drawn(cloud, _train(80.0), 128, 5, "standard", 0)
    u = cloud.prior.quantiles(drawn.values)
    for column in u[:, 1:].T:
        assert kstest(column, "uniform").pvalue > 1e-3
    assert drawn.trusted
    table = drawn.to_frame().set_index("value")
    assert table["told"].idxmax() == cloud.prior.names[0]
    assert "tells next to nothing of" in drawn.describe()


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


def test_members_of_a_posterior_fire_as_they_say(posterior: DrawnPosterior) -> None:
    again = s2p.simulate(
        posterior.population,
        duration_ms=3000.0 + posterior.length_ms,
        transient_ms=3000.0,
        record="spikes",
    )
    for times, seen in zip(posterior.spike_times_ms, again.spike_times_ms, strict=True):
        assert np.allclose(times, seen - 3000.0, atol=1e-6)
    own = Variability.of(posterior.recording, longest_ms=20_000.0)
    within = np.mean([own.distance(times) <= 1.0 for times in posterior.spike_times_ms])
    assert posterior.within == pytest.approx(within)
    assert posterior.trusted


def test_the_same_seed_gives_the_same_members(posterior: DrawnPosterior) -> None:
    again = sample_posterior(posterior.recording, "stg", size=32, budget=2048, seed=4, workers=2)
    assert again.population.table.equals(posterior.population.table)


def test_a_recording_with_a_rhythm_has_an_inhibition_in_its_posterior() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    found = sample_posterior(train, "stg", size=4, budget=1024, inhibition=True)
    assert found.prior.period_ms == pytest.approx(burst_period_ms(Variability.of(train)))
    assert found.to_frame()["unit"].tolist()[-4:] == ["mS/cm²", "", "µA/cm²", "µA/cm²"]
    assert "inhibition" in found.to_frame()["value"].tolist()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpikeTrainError, match="has 2 intervals; 10 are needed"):
        sample_posterior(np.arange(3) * 100.0, "stg")
    with pytest.raises(CompensationError, match="whole number from 1"):
        sample_posterior(_train(80.0), "stg", size=0)
    with pytest.raises(CompensationError, match="at least the size"):
        sample_posterior(_train(80.0), "stg", size=64, budget=32)
    with pytest.raises(SpikeTrainError, match="none of 2 stg neurons tried"):
        sample_posterior(_train(80.0), "stg", size=1, budget=1)


def test_a_recording_that_no_member_fires_like_is_refused() -> None:
    fast = SpikeTrain("fast", np.cumsum(np.random.default_rng(0).normal(3.0, 0.3, 1000)))
    with pytest.raises(SpikeTrainError, match=r"no posterior of recording 'fast': none of \d+ stg neurons"):
        sample_posterior(fast, "stg", size=8, budget=256)


def test_it_can_be_cancelled() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    with pytest.raises(Cancelled):
        sample_posterior(train, "stg", cancel=lambda: True)


def test_members_that_owe_it_to_luck_are_no_answer(posterior: DrawnPosterior) -> None:
    assert not posterior.describe().startswith("This posterior is not to be trusted.")
    doubtful = replace(posterior, within=0.1)
    assert not doubtful.trusted
    assert doubtful.describe().startswith(
        "This posterior is not to be trusted. Only 10 % of the members fire"
    )
    far = replace(posterior, tolerance=2.0)
    assert far.describe().startswith("This posterior is not to be trusted. Members up to 2 times as far")
