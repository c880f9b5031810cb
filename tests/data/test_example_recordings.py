"""The example recordings that ship with the package: made by it, and what they are meant to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.data import example_path, list_examples, make
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.spiketrains import features, read_spike_trains


def test_every_example_reads_and_is_credited() -> None:
    assert list_examples() == ["da_set.csv", "hard_set.csv", "stg_set.csv"]
    credits = example_path("stg_set").with_name("README.md").read_text(encoding="utf-8")
    for name in list_examples():
        recordings = read_spike_trains(example_path(name))
        assert all(train.n_spikes >= 3 for train in recordings)
        assert not recordings.report.skipped
        assert f"`{name}`" in credits


def test_the_package_makes_its_examples_again(tmp_path: Path) -> None:
    make.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == list_examples()
    for name in list_examples():
        made, kept = read_spike_trains(tmp_path / name), read_spike_trains(example_path(name))
        assert made.ids == kept.ids
        for one, other in zip(made, kept, strict=True):
            # another processor rounds otherwise
            new, old = one.times_ms, other.times_ms
            if one.id == "drifting":
                # Where modulation takes it through a bifurcation, from 9 s on, rounding decides on single
                # spikes: of the eight members, seven come to another number of them by a change of 1e-6.
                counts = [np.histogram(times, np.arange(9000.0, 33_001.0, 3000.0))[0] for times in (new, old)]
                np.testing.assert_allclose(*counts, rtol=0.05, atol=2)
                new, old = new[new < 9000], old[old < 9000]
            np.testing.assert_allclose(new, old, rtol=0, atol=0.5)


@pytest.mark.parametrize(("neuron", "dics"), [("stg", make.STG), ("da", make.DA)])
def test_each_neuron_is_known_by_its_network(neuron: str, dics: tuple) -> None:
    recordings = read_spike_trains(example_path(f"{neuron}_set"))
    assert recordings.ids == ["1", "2", "3", "4", "5"]
    for posterior, ((g_s, g_u), *_) in zip(load_predictor(neuron).predict(recordings), dics, strict=True):
        assert posterior.domain.inside
        low, high = posterior.quantile(0.001), posterior.quantile(0.999)
        assert np.all((low <= (g_s, g_u)) & ((g_s, g_u) <= high))


def test_hard_recordings_are_what_they_are_said_to_be() -> None:
    recordings = read_spike_trains(example_path("hard_set"))
    assert recordings.ids == ["doublets", "noisy", "drifting", "follower"]
    doublets, noisy, drifting, follower = load_predictor("stg").predict(recordings)
    assert features(recordings.by_id("doublets")).spikes_per_burst == 2
    assert features(recordings.by_id("noisy")).cv == pytest.approx(0.124, abs=0.01)
    assert doublets.domain.inside
    assert noisy.domain.inside
    assert [bool(each.course and each.course.drifts) for each in (noisy, drifting, follower)] == [
        False, True, False,
    ]  # fmt: skip
    assert drifting.course.change[0] > 8
    for neuron in ("stg", "da"):
        assert not load_predictor(neuron).predict([recordings.by_id("follower")])[0].domain.inside


def test_names_with_and_without_suffix() -> None:
    assert example_path("stg_set") == example_path("stg_set.csv")


@pytest.mark.parametrize("name", ["nothing", "../errors.py", ""])
def test_unknown_example(name: str) -> None:
    with pytest.raises(SpikeTrainError, match=r"stg_set\.csv"):
        example_path(name)
