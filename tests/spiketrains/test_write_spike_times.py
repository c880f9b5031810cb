"""What is written is read back the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains, write_spike_times

NAMES = (
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")),
        min_size=1,
        max_size=20,
    )
    .map(str.strip)
    .filter(bool)
)
AWKWARD = st.sampled_from(
    [
        "1",
        "nan",
        "#1",
        "a,b",
        "(1)",
        "[2]",
        '"q"',
        "a;b",
        "1 2",
        "sep=;",
        "1,5",
        "<b>x</b>",
        "=1+1",
        "'",
        "id",
        "% c",
    ]
)
TIMES = st.lists(
    st.floats(-1e8, 9e8, allow_nan=False, allow_subnormal=False), max_size=12, unique_by=lambda x: x + 0.0
).map(sorted)


@given(st.dictionaries(NAMES | AWKWARD, TIMES, min_size=1, max_size=6))
@example({":": [], "sep=;": [0.0, 1.0, 2.0, 3.0], "0": [0.0, 1.0, 2.0]})
@example({":": [], "sep=;": [0.0, 1.0, 2.0, 3.0], "0": [0.0, 1.0, 2.0], "[": []})
@example({"k=1": [1.0, 2.0], "k=2": [1.0, 2.0], "3": [4.0, 5.0, 6.0, 7.0]})
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path: Path, content: dict[str, list[float]]) -> None:
    trains = [SpikeTrain(name, times) for name, times in content.items()]
    path = tmp_path / "spikes.csv"
    write_spike_times(trains, path)
    back = read_spike_trains(path)
    assert back.ids == [train.id for train in trains]
    for one, other in zip(trains, back, strict=True):
        np.testing.assert_array_equal(one.times_ms, other.times_ms)
        assert (np.diff(other.times_ms) > 0).all()
    assert back.report.unit == "ms"
    assert not back.report.repairs


def test_columns(tmp_path: Path) -> None:
    write_spike_times([SpikeTrain("a", [1.5, 2]), SpikeTrain("b", [])], tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == "id,time_ms\na,1.5\na,2.0\nb,\n"


def test_same_id_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpikeTrainError, match="'a'"):
        write_spike_times([SpikeTrain("a", []), SpikeTrain("a", [1])], tmp_path / "s.csv")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpikeTrainError, match="cannot be written"):
        write_spike_times([SpikeTrain("a", [1])], tmp_path / "none" / "s.csv")


def test_no_trains_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpikeTrainError, match=r"There are no trains to write to s\.csv"):
        write_spike_times([], tmp_path / "s.csv")
    assert not list(tmp_path.iterdir())
