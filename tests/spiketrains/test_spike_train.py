"""The SpikeTrain type: what it accepts, keeps and refuses."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.errors import Spike2PopError, SpikeTrainError
from spike2pop_nb.spiketrains import Provenance, SpikeTrain


def test_properties() -> None:
    train = SpikeTrain("a", [10, 30, 70], window_ms=(0, 100), provenance=Provenance("x.csv"))
    assert train.times_ms.dtype == np.float64
    assert train.n_spikes == len(train) == 3
    assert train.isi_ms.tolist() == [20, 40]
    assert train.duration_ms == 60
    assert train.rate_hz == pytest.approx(1000 * 2 / 60)
    assert "3 spikes" in repr(train)
    assert train.provenance is not None
    assert train.provenance.source == "x.csv"


def test_times_are_a_read_only_copy() -> None:
    times = np.array([1.0, 2.0])
    train = SpikeTrain("a", times)
    times[0] = 9
    assert train.times_ms[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        train.times_ms[0] = 5


@pytest.mark.parametrize(
    ("times", "window", "rate"),
    [([], None, 0.0), ([5.0], None, 0.0), ([5.0], (0, 500), 2.0), ([], (0, 1), 0.0)],
)
def test_rate_without_intervals(times: list[float], window: tuple[float, float] | None, rate: float) -> None:
    train = SpikeTrain("a", times, window_ms=window)
    assert train.rate_hz == rate
    assert train.duration_ms == 0
    assert train.isi_ms.size == 0


@pytest.mark.parametrize(
    ("times", "part"),
    [
        ([1, np.nan], "finite"),
        ([1, np.inf], "finite"),
        ([2, 1], "strictly increasing"),
        ([1, 1], "strictly increasing"),
        ([0, 1e12], "within"),
        ([-1e12, 0], "within"),
        ([[1, 2]], "one list"),
        (["a"], "not all numbers"),
    ],
)
def test_refuses_times(times: list[object], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        SpikeTrain("name", times)
    assert "name" in str(caught.value)
    assert isinstance(caught.value, Spike2PopError)


@pytest.mark.parametrize("window", [(0, 0), (5, 1), (0, np.inf), (2, 10), (0, 4)])
def test_refuses_windows(window: tuple[float, float]) -> None:
    with pytest.raises(SpikeTrainError, match="window"):
        SpikeTrain("a", [1.0, 5.0], window_ms=window)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "x" * 201, "evil\u202egnp"])
def test_refuses_ids(name: str) -> None:
    with pytest.raises(SpikeTrainError, match="id"):
        SpikeTrain(name, [])


@pytest.mark.parametrize(("given", "kept"), [(" a ", "a"), (3.0, "3"), (7, "7"), ("<b>µ</b>", "<b>µ</b>")])
def test_keeps_ids(given: object, kept: str) -> None:
    assert SpikeTrain(given, []).id == kept  # type: ignore[arg-type]
