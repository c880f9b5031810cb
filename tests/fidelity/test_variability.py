"""How much a recording differs from itself, and what lies within that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.fidelity import Variability
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
Times = npt.NDArray[np.float64]


def tonic(rng: np.random.Generator, n: int = 120, cv: float = 0.25) -> Times:
    return np.cumsum(rng.gamma(1 / cv**2, 100 * cv**2, n))


def bursts(rng: np.random.Generator, n: int = 12) -> Times:
    isi: list[float] = []
    for _ in range(n):
        within = 18.0 * np.exp(0.15 * rng.normal(size=rng.integers(5, 9)))
        isi += [*within, float(600.0 * np.exp(0.1 * rng.normal()))]
    return np.cumsum(isi)


@pytest.mark.parametrize("make", [tonic, bursts])
def test_second_windows_of_a_cell_are_within_it_and_other_cells_are_not(
    make: Callable[[np.random.Generator], Times],
) -> None:
    rng = np.random.default_rng(3)
    passed, slower = 0, 0
    for _ in range(30):
        own = Variability.of(SpikeTrain("cell", make(rng)))
        other = make(rng)
        passed += own.distance(other) <= 1
        slower += own.distance(1.5 * other) <= 1
    assert passed >= 26
    assert slower <= 3


def test_shuffled_bursts_are_another_cell() -> None:
    rng = np.random.default_rng(4)
    own = Variability.of(SpikeTrain("cell", bursts(rng)))
    isi = np.diff(bursts(rng))
    assert not any(own.distance(np.cumsum(rng.permutation(isi))) <= 1 for _ in range(20))


@pytest.mark.parametrize("make", [tonic, bursts])
def test_trains_judged_together_are_judged_as_each_by_itself(
    make: Callable[[np.random.Generator], Times],
) -> None:
    rng = np.random.default_rng(6)
    own = Variability.of(SpikeTrain("cell", make(rng)))
    trains = [maker(rng) * rng.uniform(0.8, 1.2) for maker in 10 * [make, make, tonic]] + [np.zeros(0)]
    assert own.distances(trains).tolist() == [own.distance(times) for times in trains]
    members = [trains[:3], trains[3:4], trains[-3:], trains[4:6]]
    for member, found in zip(members, own.differences_of(members), strict=True):
        np.testing.assert_array_equal(found, own.differences(*member))
    assert own.differences_of([]) == [] == own.distances([]).tolist()


def test_a_burster_and_a_tonic_train_are_never_alike() -> None:
    rng = np.random.default_rng(5)
    own = Variability.of(SpikeTrain("cell", bursts(rng)))
    assert own.bursting
    assert own.differences(tonic(rng)) is None
    assert own.distance(np.zeros(0)) == np.inf
    said = own.judge(tonic(rng))
    assert not said["passed"]
    assert said["reasons"] == "regular tonic instead of bursting"


def test_a_recording_is_within_its_own_variability_and_a_clock_is_told() -> None:
    for train in read_spike_trains(example_path("stg_set.csv")):
        own = Variability.of(train)
        assert own.clock
        assert own.distance(train.times_ms) == 0
        # what a recording cannot tell is no reason to be stricter than with a population that is refined
        assert min(own.tolerance) >= 0.01
    noisy = Variability.of(SpikeTrain("cell", tonic(np.random.default_rng(6))))
    assert not noisy.clock


def test_several_trains_of_one_member_are_judged_on_average_and_most_of_them_by_themselves() -> None:
    rng = np.random.default_rng(7)
    train = SpikeTrain("cell", tonic(rng, 200))
    own = Variability.of(train)
    faster, slower = 0.7 * tonic(rng, 200), 1.43 * tonic(rng, 200)
    assert own.distance(faster) > 1 < own.distance(slower)
    said = own.judge(faster, slower)
    assert said["windows_within"] == 0
    assert not said["passed"]
    assert own.judge(tonic(rng, 200), tonic(rng, 200), tonic(rng, 200))["passed"]


def test_one_missing_burst_leaves_the_period_known() -> None:
    rng = np.random.default_rng(11)
    isi = np.diff(bursts(rng, 6))
    longest = int(np.argsort(isi)[-3])
    isi[longest] *= 2.5
    own = Variability.of(SpikeTrain("cell", np.r_[0.0, np.cumsum(isi)]))
    assert own.tolerance[own.names.index("burst period")] < np.log(1.5)
    assert own.distance(bursts(rng, 6)) < own.distance(bursts(rng, 6) / 1.6) > 1
    assert "burst period" not in own.vague


def test_cells_drift_a_little_between_windows() -> None:
    rng = np.random.default_rng(12)
    own = Variability.of(SpikeTrain("cell", np.cumsum(rng.normal(100, 5, 80))))
    assert own.distance(np.cumsum(rng.normal(95, 5, 80))) <= 1
    assert own.distance(np.cumsum(rng.normal(75, 5, 80))) > 1


def test_drift_counts_as_variability() -> None:
    rng = np.random.default_rng(8)
    isi = rng.normal(100, 5, 200)
    steady = Variability.of(SpikeTrain("cell", np.cumsum(isi)))
    drifting = Variability.of(SpikeTrain("cell", np.cumsum(isi * np.linspace(0.8, 1.2, 200))))
    assert drifting.tolerance[0] > 3 * steady.tolerance[0]


def test_a_short_recording_is_refused_and_a_vague_one_says_so() -> None:
    with pytest.raises(SpikeTrainError, match=r"'cell' has 4 intervals; 10 are needed"):
        Variability.of(SpikeTrain("cell", np.arange(5) * 100.0))
    rng = np.random.default_rng(9)
    isi = rng.normal(100, 5, 60)
    isi[30:] *= 4
    own = Variability.of(SpikeTrain("cell", np.cumsum(isi)))
    assert own.vague == ("rate",)
    assert "too short to say much of its rate" in own.describe()


def test_two_whole_bursts_are_judged_by_limits_of_other_cells() -> None:
    rng = np.random.default_rng(12)
    passed, slower = 0, 0
    for _ in range(30):
        own = Variability.of(SpikeTrain("cell", bursts(rng, 3)))
        assert own.few
        assert "With two whole bursts it does not say how they vary" in own.describe()
        other = bursts(rng, 8)
        passed += own.distance(other) <= 1
        slower += own.distance(2.0 * other) <= 1
    assert passed >= 26
    assert slower <= 1
    assert not Variability.of(SpikeTrain("cell", bursts(rng, 4))).few
    with pytest.raises(SpikeTrainError, match=r"has 1 whole burst; 2 are needed .* so record for longer"):
        Variability.of(SpikeTrain("cell", bursts(rng, 2)))


def test_it_is_said_tabled_and_read_back() -> None:
    own = Variability.of(SpikeTrain("cell", bursts(np.random.default_rng(10))))
    table = own.to_frame().set_index("measure")
    assert (table["least"].iloc[:-1] <= table["recording"].iloc[:-1]).all()
    assert 500 < table.loc["burst period", "recording"] < 900
    assert "burst period from" in own.describe()
    assert "e+" not in own.describe()
    assert Variability(**own.model_dump()) == own
    longer = SpikeTrain("cell", bursts(np.random.default_rng(10), 60))
    assert Variability.of(longer, longest_ms=8_000).tolerance[0] > Variability.of(longer).tolerance[0]


def test_noise_of_a_member_is_no_other_cell() -> None:
    """Members of the example's kind with other noise pass against each other."""
    run = simulate(
        np.tile(np.array([400, 2.5, 6, 50, 10, 100, 0.01, 0.01]), (4, 1)),
        "pyloric",
        noise_sigma=2.0,
        seed=1,
        duration_ms=15_000,
        record="spikes",
    )
    first, *others = run.spike_times_ms
    own = Variability.of(SpikeTrain("cell", first))
    assert own.bursting
    assert sum(own.distance(times) <= 1 for times in others) >= 2


@pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of real cells are not beside this project")
def test_real_cells_are_told_from_each_other() -> None:
    trains = {path.stem: read_spike_trains(path, unit="s")[0] for path in sorted(REAL.glob("*.txt"))}
    own = {name: Variability.of(train) for name, train in trains.items()}
    assert [name for name in own if own[name].bursting] == ["crab_LP_10s", "crab_PD_10s", "gnb_PD_5_bursts"]
    wrong = [
        (name, other)
        for name in own
        for other, train in trains.items()
        if name != other and own[name].distance(train.times_ms) <= 1
    ]
    assert len(wrong) <= 1
    # four cycles, one of which lacks its burst
    short = own["gnb_PD_5_bursts"]
    assert short.distance(trains["gnb_PD_5_bursts"].times_ms / 1.5) > 1
    assert not short.vague
