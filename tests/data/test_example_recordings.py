"""The example recordings that ship with the package."""

from __future__ import annotations

import pytest

from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains


def test_every_example_reads_and_is_credited() -> None:
    assert {"stg_set.csv", "crab_PD_LP.csv"} <= set(list_examples())
    credits = example_path("stg_set").with_name("README.md").read_text(encoding="utf-8")
    for name in list_examples():
        recordings = read_spike_trains(example_path(name))
        assert all(train.n_spikes >= 3 for train in recordings)
        assert not recordings.report.skipped
        assert f"`{name}`" in credits


def test_names_with_and_without_suffix() -> None:
    assert example_path("stg_set") == example_path("stg_set.csv")


@pytest.mark.parametrize("name", ["nothing", "../errors.py", ""])
def test_unknown_example(name: str) -> None:
    with pytest.raises(SpikeTrainError, match=r"stg_set\.csv"):
        example_path(name)
