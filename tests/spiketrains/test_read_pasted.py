"""Numbers as people paste them, and what the report offers for a correction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import Recordings, read_spike_trains

NAME = "the pasted times"


def pasted(text: str) -> Recordings:
    return read_spike_trains(text.encode(), filename=NAME)


@pytest.mark.parametrize(
    "text",
    [
        "10 20 30.5 47",
        "10, 20, 30.5, 47",
        "10,20,30.5,47",
        "10;20;30.5;47",
        "10; 20; 30,5; 47,0",
        "10\t20\t30.5\t47",
        "10\n20\n30.5\n47",
        "10, 20,\n30.5, 47",
        "10 20\n 30.5\n47",
        "10, 20; 30.5, 47",
        "[10, 20, 30.5, 47]",
        "[10.  20.\n 30.5 47. ]",
        "np.array([10, 20, 30.5, 47])",
        "array([10. , 20. ,\n       30.5, 47. ])",
        "times = [10, 20, 30.5, 47];",
        "spike times\n10 20 30.5 47",
        "# from the oscilloscope\n10 20 30.5 47\n",
        "47 20 10 30.5",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_numbers_are_one_train(text: str, ending: str) -> None:
    recordings = pasted(text.replace("\n", ending) + ending)
    assert recordings.ids == [NAME]
    assert recordings[0].times_ms.tolist() == [10, 20, 30.5, 47]


@given(
    st.lists(st.integers(1, 10**6), min_size=2, max_size=40, unique=True).map(sorted),
    st.sampled_from([" ", ", ", "; ", "\n", ",\n", "\t", "  "]),
)
@settings(deadline=None)
def test_any_numbers_with_any_separator(times: list[int], separator: str) -> None:
    recordings = read_spike_trains(separator.join(f"{t}.5" for t in times).encode(), unit="ms")
    assert recordings[0].times_ms.tolist() == [t + 0.5 for t in times]


def test_names_and_units_of_what_is_pasted() -> None:
    assert pasted("PD = [1 20 30]").ids == ["PD"]
    recordings = pasted("t_s = 0.1, 0.2, 0.5")
    assert recordings.ids == [NAME]
    assert recordings.report.unit_reason == "s, as the name 't_s' says"
    assert pasted("PD: 1 20 30\nLP: 5 25 45").ids == ["PD", "LP"]


def test_lines_that_do_not_go_on_are_trains_of_their_own() -> None:
    assert [train.n_spikes for train in pasted("10 20 30\n15 25\n")] == [3, 2]
    assert "runs on over 2 lines" in pasted("10 20 30\n40 50\n").report.layout_reason
    assert len(read_spike_trains(b"10 20 30\n40 50\n", layout="rows")) == 2


def test_blank_places_are_counted() -> None:
    assert pasted("10, , 20,, 30").report.skipped == ("2 blank places between times",)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("spikes", "nothing below"),
        ("hello", "'hello' is not a number"),
        ("10..20", "'10..20' is not a number"),
        ("10 20 x 30", "row 1.*'x' is text"),
        ("10, 20\n30, 4o", "row 2.*'4o'"),
        ("10 20 1e400", "cannot be used.*finite"),
    ],
)
def test_what_is_no_list_of_times(text: str, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        pasted(text)
    assert str(caught.value).startswith(NAME)


def test_the_report_names_what_else_could_be_chosen() -> None:
    report = read_spike_trains(b"id,t1,time_ms\na,5,1\na,9,2\nb,3,7\n").report
    assert report.candidates == ("id", "t1", "time_ms")
    assert read_spike_trains(b"id,t1,time_ms\na,5,1\na,9,2\n", time_column="t1")[0].times_ms.tolist() == [
        5,
        9,
    ]
    assert not report.unit_assumed
    assert pasted("1 2 3").report.candidates == ()


def test_a_trace_without_column_names_is_no_pair_of_trains() -> None:
    volts = -60 + np.random.default_rng(0).normal(size=40)
    rows = "\n".join(f"{0.1 * k:.2f},{v:.3f}" for k, v in enumerate(volts))
    with pytest.raises(SpikeTrainError, match=r"sampled trace.*read_voltage"):
        read_spike_trains(rows.encode())
