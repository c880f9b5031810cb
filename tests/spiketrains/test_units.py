"""The unit of the times: from names, comments and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.spiketrains import read_spike_trains
from spike2pop_nb.spiketrains.units import unit_from_comments, unit_from_intervals, unit_from_name


@pytest.mark.parametrize(
    ("name", "stem", "unit"),
    [
        ("time_ms", "time", "ms"),
        ("t_s", "t", "s"),
        ("time (s)", "time", "s"),
        ("Spikes [ms]", "Spikes", "ms"),
        ("t/µs", "t", "us"),
        ("times in seconds", "times", "s"),
        ("time.us", "time", "us"),
        ("ms", "", "ms"),
        ("spikes", "spikes", None),
        ("neurons", "neurons", None),
        ("ID", "ID", None),
    ],
)
def test_names(name: str, stem: str, unit: str | None) -> None:
    assert unit_from_name(name) == (stem, unit)


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("spike times, milliseconds", "ms"),
        ("Spike times - seconds", "s"),
        ("spike times ms", "ms"),
        ("times, 0.1 ms", "0.1 ms"),
        ("time frame", None),
        ("spike times, sorted", None),
        ("spike times, 30 s", None),
    ],
)
def test_a_unit_that_closes_a_comment(line: str, unit: str | None) -> None:
    assert unit_from_comments([line]) == (None if unit is None else (unit, line))


def test_comments() -> None:
    found = unit_from_comments(["# recorded in spring", "# unit: s"])
    assert found == ("s", "# unit: s")
    assert unit_from_comments(["# stimulus length (msec): 1000", "# ramp (usec): 5"]) is None


@pytest.mark.parametrize(("median_ms", "jitter"), [(3, 0.1), (20, 0.5), (100, 0.01), (1500, 0.2)])
@pytest.mark.parametrize(("unit", "factor"), [("s", 1e-3), ("ms", 1.0), ("us", 1e3)])
def test_intervals(median_ms: float, jitter: float, unit: str, factor: float) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(median_ms * rng.uniform(1 - jitter, 1 + jitter, 300)) * factor
    if unit == "us":
        times = np.rint(times)
    found, reason = unit_from_intervals([times])
    assert found == unit
    assert "assumed" in reason


def test_slow_trains() -> None:
    rng = np.random.default_rng(0)
    slow_s = np.cumsum(rng.exponential(4, 200)) + 0.1
    assert unit_from_intervals([slow_s])[0] == "s"
    slow_ms = np.cumsum(rng.normal(3000, 200, 100))
    assert unit_from_intervals([slow_ms])[0] == "ms"


def test_nothing_to_judge_by() -> None:
    assert unit_from_intervals([np.array([5.0]), np.empty(0)])[0] == "ms"


def test_a_choice_overrides_names_and_intervals() -> None:
    data = b"id,time_ms\na,1\na,2\n"
    assert read_spike_trains(data).report.unit == "ms"
    chosen = read_spike_trains(data, unit="s")
    assert chosen[0].times_ms.tolist() == [1000, 2000]
    assert chosen.report.unit == "s"
    assert "asked" in chosen.report.unit_reason


def test_an_odd_rate_is_pointed_out() -> None:
    report = read_spike_trains(b"id,time_ms\na,0.1\na,0.2\na,0.3\n").report
    assert "faster than any neuron" in report.cautions[0]
