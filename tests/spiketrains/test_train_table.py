"""The table of recordings."""

from __future__ import annotations

import time

import numpy as np
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import Recordings, SpikeTrain, features, isi_statistics, read_spike_trains

COLUMNS = [
    "id",
    "n_spikes",
    "duration_s",
    "rate_hz",
    "cv",
    "cv2",
    "lv",
    "pattern",
    "confidence",
    "pattern_note",
    "longest_gap_s",
    "rate_change_ratio",
]


def test_a_row_per_train_in_order() -> None:
    trains = read_spike_trains(example_path("stg_set.csv"))
    table = trains.to_frame()
    assert list(table.columns) == COLUMNS
    assert table["id"].tolist() == trains.ids
    assert table["n_spikes"].tolist() == [train.n_spikes for train in trains]
    np.testing.assert_allclose(table["rate_hz"], [train.rate_hz for train in trains])
    np.testing.assert_allclose(table["duration_s"], [train.duration_ms / 1000 for train in trains])
    np.testing.assert_allclose(table["longest_gap_s"], [train.isi_ms.max() / 1000 for train in trains])
    np.testing.assert_allclose(table["lv"], [isi_statistics(train).lv for train in trains])
    assert table["pattern"].tolist() == ["regular tonic", *["bursting"] * 4]


def test_published_rule_is_kept() -> None:
    trains = read_spike_trains(example_path("stg_set.csv"))
    table = trains.to_frame(rule="published")
    assert table["pattern"].tolist() == ["spiking", *["bursting"] * 4]
    assert table["pattern_note"].tolist() == [" ".join(features(train).notes) for train in trains]
    assert table["confidence"].isna().all()


def test_drift_and_doubt_are_noted() -> None:
    drifting = SpikeTrain("drifting", np.cumsum(100 * 2 ** np.linspace(1, -1, 80)))
    table = (
        Recordings([drifting, SpikeTrain("short", [0.0, 100, 201]), SpikeTrain("none", [])])
        .to_frame()
        .set_index("id")
    )
    assert table["rate_change_ratio"]["drifting"] == pytest.approx(4, rel=0.03)
    assert "rises" in table["pattern_note"]["drifting"]
    assert table["pattern_note"]["short"].startswith("Uncertain (confidence 0.")
    assert np.isnan(table["rate_change_ratio"]["short"])
    assert table["pattern"]["none"] == "silent"
    assert np.isnan(table["longest_gap_s"]["none"])


def test_no_trains_give_an_empty_table_of_the_same_columns() -> None:
    empty, full = Recordings([]).to_frame(), Recordings([SpikeTrain("a", [1.0])]).to_frame()
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(SpikeTrainError, match="no pattern rule 'best'; it must be 'honest' or 'published'"):
        Recordings([]).to_frame(rule="best")  # type: ignore[arg-type]
    with pytest.raises(SpikeTrainError, match="Train 2 is of type list; it must be a SpikeTrain"):
        Recordings([SpikeTrain("a", [1.0]), [1.0]])  # type: ignore[list-item]


def test_ten_thousand_trains_take_seconds() -> None:
    rng = np.random.default_rng(1)
    trains = [SpikeTrain(str(number), np.cumsum(rng.gamma(4, 20, 100))) for number in range(1000)]
    start = time.process_time()
    Recordings(trains).to_frame()
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("name", ["stim_s", "trial (ms)", "cell_s"])
@pytest.mark.parametrize("filled", [4, 60])
def test_a_column_that_names_a_unit_of_time_identifies_no_train(name: str, filled: int) -> None:
    rows = [f"{0.2 + 0.1 * k:.1f},{2 * k + 1 if k < filled else ''}" for k in range(60)]
    trains = read_spike_trains("\n".join([f"spike_s,{name}", *rows]).encode(), filename="a.csv")
    assert [train.n_spikes for train in trains] == [60]
    assert any(repr(name) in said for said in trains.report.skipped)


@pytest.mark.parametrize(
    ("above", "names", "ids"),
    [
        ("Cell 1,Cell 2", "time (s),time (s)", ["Cell 1", "Cell 2"]),
        ("A,,B,", "pre_s,post_s,pre_s,post_s", ["A pre_s", "A post_s", "B pre_s", "B post_s"]),
        ("", "time (s),time (s)", ["time (s)", "time (s) (2)"]),
    ],
)
def test_names_that_repeat_are_told_apart_by_the_row_above_them(
    above: str, names: str, ids: list[str]
) -> None:
    n = len(ids)
    rows = [",".join(f"{0.2 + 0.13 * i + 0.01 * k:.3f}" for k in range(n)) for i in range(40)]
    trains = read_spike_trains("\n".join([above, names, *rows]).encode(), filename="a.csv")
    assert trains.ids == ids
    assert trains.report.unit == "s"
    assert not (above and trains.report.skipped)
