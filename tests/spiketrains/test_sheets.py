"""Workbooks of several sheets: all recordings are read, the rest is named, what cannot be told refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds import A, B, C, same, train
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains, read_voltage

openpyxl = pytest.importorskip("openpyxl")

Rows = list[list[Any]]


def workbook(**sheets: Rows) -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def below(name: str, times: NDArray[np.float64], factor: float = 1e-3) -> Rows:
    return [[name], *([t * factor] for t in times.tolist())]


def beside(names: list[str], *trains: NDArray[np.float64]) -> Rows:
    return [names, *([t / 1000 for t in row] for row in zip(*(x.tolist() for x in trains), strict=True))]


TWO = {"Cell_1": below("t (s)", A), "Cell_2": below("t (s)", B)}
SUMMARY: Rows = [["cell", "rate (Hz)", "CV", "age"], *([f"c{k}", 2.5 * k, 0.1 * k, 20 + k] for k in range(9))]
VOLTAGE: Rows = [["time (s)", "V (mV)"], *([k / 1000, -60 + 5 * np.sin(k)] for k in range(300))]


def test_each_sheet_is_a_train_named_after_it() -> None:
    notes: Rows = [["rig", "2"], ["Sampling", 20], ["age", 3]]
    recordings = read_spike_trains(workbook(**TWO, Notes=notes, Empty=[]), filename="x.xlsx")
    assert recordings.ids == ["Cell 1", "Cell 2"]
    assert same(recordings, (A, B))
    report = recordings.report
    assert "2 sheets, 'Cell 1', 'Cell 2', each with one train" in report.layout_reason
    assert "the sheets 'Notes', 'Empty', not taken for spike times" in report.skipped
    assert report.sheets == ("Cell 1", "Cell 2", "Notes")
    assert not report.cautions


@pytest.mark.parametrize("other", [SUMMARY, VOLTAGE, below("ISI (ms)", np.diff(A), 1), below("t on (s)", C)])
def test_sheets_of_another_kind_are_left_out(other: Rows) -> None:
    recordings = read_spike_trains(workbook(**TWO, Sheet3=other))
    assert same(recordings, (A, B))
    assert "the sheet 'Sheet3', not taken for spike times" in recordings.report.skipped


def test_columns_and_ids_name_trains_within_a_sheet() -> None:
    columns = workbook(WT=beside(["wt1", "wt2"], A, B), KO=beside(["ko1", "ko2"], C, A + 7))
    assert read_spike_trains(columns).ids == ["WT/wt1", "WT/wt2", "KO/ko1", "KO/ko2"]
    long: Rows = [["unit", "time_s"], *([3 + k % 2, t / 1000] for k, t in enumerate(A.tolist()))]
    recordings = read_spike_trains(workbook(S1=long, S2=long[:30]))
    assert recordings.ids == ["S1/3", "S1/4", "S2/3", "S2/4"]
    assert recordings.report.key == "the name of the sheet, and unit, by name"


def test_lists_in_cells() -> None:
    a, b, c = (" ".join(f"{t / 1000:.5f}" for t in x) for x in (A, B, C))
    data = workbook(
        g1=[["id", "spike times (s)"], ["a", a], ["b", b]], g2=[["id", "spike times (s)"], ["c", c]]
    )
    recordings = read_spike_trains(data)
    assert recordings.ids == ["g1/a", "g1/b", "g2/c"]
    assert same(recordings, (A, B, C))


def test_a_cell_of_three_spikes_is_one_too() -> None:
    recordings = read_spike_trains(workbook(**TWO, Cell_3=below("t (s)", C[:3])))
    assert same(recordings, (A, B, C[:3]))


def test_each_sheet_has_its_unit_and_those_without_have_one_together() -> None:
    recordings = read_spike_trains(workbook(a=below("t (s)", A), b=below("t (ms)", B, 1)))
    assert same(recordings, (A, B))
    assert recordings.report.unit_reason == "ms, from s in 'a', ms in 'b'"
    slow = train(4, 3200.0, 80, 0.7)
    unnamed = read_spike_trains(workbook(a=below("t", A), b=below("t", B), c=below("t", slow)))
    assert same(unnamed, (A, B, slow))
    assert unnamed.report.unit_assumed


@pytest.mark.parametrize(
    ("sheets", "part"),
    [
        ({"Stim": below("t (s)", C)}, "whether 'Stim' among the sheets 'Cell 1', 'Cell 2', 'Stim' are all"),
        ({"bath": [["time (s)", "temp"], *([t / 1e3, 30] for t in C)]}, "whether the sheets"),
        ({"Cell_3": [["t (s)"], *([t / 1e3] for t in C[:9]), ["?"]]}, "sheet 'Cell 3', row 11: '?' is text"),
    ],
)
def test_what_cannot_be_told_is_refused_until_sheets_are_named(sheets: dict[str, Rows], part: str) -> None:
    data = workbook(**TWO, **sheets)
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(data, filename="x.xlsx")
    assert part in str(caught.value)
    assert str(caught.value).endswith("name the sheets that are recordings (sheets).")
    recordings = read_spike_trains(data, sheets=["Cell 1", "Cell 2"])
    assert same(recordings, (A, B))
    assert "not asked for" in recordings.report.skipped[-1]


def test_one_sheet_can_be_named() -> None:
    (one,) = read_spike_trains(workbook(**TWO), sheets="Cell 2")
    assert one.id == "Cell 2"
    assert same(read_spike_trains(workbook(**TWO), sheets="Cell 2, Cell 1"), (B, A))
    with pytest.raises(SpikeTrainError, match="no sheet 'Cell 9'; the sheets are 'Cell 1', 'Cell 2'"):
        read_spike_trains(workbook(**TWO), sheets="Cell 9")
    with pytest.raises(SpikeTrainError, match="this is no workbook"):
        read_spike_trains(b"t\n1\n2\n", sheets="a")


def test_a_sheet_that_was_copied_is_pointed_out() -> None:
    report = read_spike_trains(workbook(a=below("t (s)", A), b=below("t (ms)", A, 1))).report
    assert any("'a' and 'b' hold the same times" in caution for caution in report.cautions)


def test_the_first_sheet_of_voltages_is_read() -> None:
    spiking = [["time (s)", "V (mV)"], *([k / 1000, 30 if k % 50 == 0 else -60] for k in range(300))]
    traces = read_voltage(workbook(a=spiking, b=spiking), filename="x.xlsx")
    assert len(traces) == 1
    assert any("'a' is read and 'b' not" in caution for caution in traces.cautions)


def test_sheets_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from spike2pop_nb.cli.reading import HowToRead

    path = tmp_path / "x.xlsx"
    path.write_bytes(workbook(**TWO))
    assert [t.id for t in HowToRead(sheets=["Cell 1"]).read(path)] == ["Cell 1"]
    with pytest.raises(SpikeTrainError, match="--sheets is for spike times"):
        HowToRead(sheets=["Cell 1"], voltage=True).read(path)
