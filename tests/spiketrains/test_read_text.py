"""CSV and TXT files in every layout, and what is repaired in them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

SHARED = Path(__file__).parents[3] / "shared" / "examples"


def times(text: str | bytes, name: str = "file.csv", **options: Any) -> dict[str, list[float]]:
    data = text.encode() if isinstance(text, str) else text
    return {train.id: train.times_ms.tolist() for train in read_spike_trains(data, filename=name, **options)}


def test_list_per_row() -> None:
    recordings = read_spike_trains(example_path("stg_set.csv"))
    assert recordings.ids == ["1", "2", "3", "4", "5"]
    assert [train.n_spikes for train in recordings] == [33, 48, 67, 105, 48]
    assert recordings[0].times_ms[0] == 3015.122
    report = recordings.report
    assert (report.format, report.layout, report.unit) == ("CSV", "list", "ms")
    assert report.columns == {"id": "ID", "time": "spiking_times_ms"}
    assert report.unit_reason == "ms, as the column name 'spiking_times_ms' says"
    unnamed = example_path("stg_set.csv").read_bytes().replace(b"times_ms", b"times")
    assert "assumed" in read_spike_trains(unnamed).report.unit_reason
    assert not report.repairs
    assert not report.skipped
    provenance = recordings[1].provenance
    assert provenance is not None
    assert (provenance.source, provenance.location) == ("stg_set.csv", "row 3")


def test_row_per_spike() -> None:
    recordings = read_spike_trains(str(example_path("hard_set.csv")))
    assert recordings.ids == ["doublets", "noisy", "drifting", "follower"]
    assert [train.n_spikes for train in recordings] == [98, 150, 544, 159]
    assert recordings.report.layout == "long"
    assert recordings.report.unit_reason == "ms, as the column name 'time_ms' says"
    assert "id from 'neuron'" in str(recordings.report)


def test_one_time_per_line(tmp_path: Path) -> None:
    # A clock of 10 kHz: times in µs are multiples of 100, which sample numbers are not.
    spikes = 100 * np.cumsum(np.random.default_rng(14).integers(20, 200, 929))
    lines = [*(f"# comment {line}" for line in range(14)), *map(str, spikes)]
    (tmp_path / "receptor.txt").write_text("\n".join(lines) + "\n")
    recordings = read_spike_trains(tmp_path / "receptor.txt")
    assert recordings.ids == ["receptor"]
    np.testing.assert_allclose(recordings[0].times_ms, spikes / 1000)
    assert recordings.report.unit == "us"
    assert "µs assumed" in recordings.report.unit_reason
    assert any("14 comment lines" in text for text in recordings.report.skipped)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not here")
def test_one_time_per_line_of_a_real_receptor() -> None:
    recordings = read_spike_trains(SHARED / "grasshopper.txt")
    assert recordings.ids == ["grasshopper"]
    assert recordings[0].n_spikes == 929
    assert recordings[0].times_ms[0] == 6.7
    assert recordings.report.unit == "us"
    assert "µs assumed" in recordings.report.unit_reason
    assert any("14 comment lines" in text for text in recordings.report.skipped)


@pytest.mark.parametrize(
    "text",
    [
        'ID,spiking_times\na,"[1.5, 20, 30]"\nb,"[15, 25.5]"\n',
        "ID,spiking_times\na,[1.5, 20, 30]\nb,[15, 25.5]\n",
        'ID,spiking_times\na,"(1.5; 20; 30)"\nb,"(15; 25.5)"\n',
        "ID,spiking_times\na,1.5 20 30\nb,15 25.5\n",
        "ID,spiking_times\na,1.5;20;30\nb,15;25.5\n",
        "ID,spiking_times\na,1.5,20,30\nb,15,25.5\nc,1,2,3\n",
        'ID;spiking_times\na;"1,5; 20; 30"\nb;"15; 25,5"\n',
        "ID;spiking_times\na;1,5 20,0 30,0\nb;15,0 25,5\n",
        "ID\tspiking_times\na\t[1.5, 20, 30]\nb\t[15, 25.5,]\n",
        'ID,spiking_times\na,"[np.float64(1.5), np.float64(20.0), 30]"\nb,"array([15. , 25.5])"\n',
        'ID,spiking_times\na,"[1.5 20.\n 30. ]"\nb,"[15. 25.5]"\n',
        'spiking_times,ID\n"[1.5, 20, 30]",a\n"[15, 25.5]",b\n',
        'a,"[1.5, 20, 30]"\nb,"[15, 25.5]"\n',
        "id,time_ms\na,1.5\nb,15\na,20\na,30\nb,25.5\n",
        "time_ms,id\n1.5,a\n20,a\n30,a\n15,b\n25.5,b\n",
        "unit;t (ms)\na;1,5\na;20\na;30\nb;15\nb;25,5\n",
        "sep=;\nid;time_ms\na;1,5\na;20\na;30\nb;15\nb;25,5\n",
        ",id,time_ms\n0,a,1.5\n1,a,20\n2,a,30\n3,b,15\n4,b,25.5\n",
        "id,time_ms,\na,1.5,\na,20,\na,30,\nb,15,\nb,25.5,\n",
        "# made by hand\n\nid,time_ms\na,1.5\na,20\na,30\nb,15\nb,25.5\n",
        "a,b\n1.5,15\n20,25.5\n30,\n",
        "a;b\n1,5;15\n20;25,5\n30;\n",
        "a,b\n1.5,15\n20,25.5\n30\n",
        "b,a\n15,1.5\n25.5,20\n,30\n",
        "id,time_ms\na,1.5,,\na,20,,,\na,30\nb,15\nb,25.5\n",
        ",a,b\n0,1.5,15\n1,20,25.5\n2,30,\n",
        "a,b\n1.5,15\n20,25.5\n30,NaN\n",
        "a: 1.5 20 30\nb: 15 25.5\n",
        "a [1.5, 20, 30]\nb [15, 25.5]\n",
        "a\t1.5\t20\t30\nb\t15\t25.5\n",
        "id time_ms\na 1.5\na 20\na 30\nb 15\nb 25.5\n",
        "# id time_ms\na 1.5\na 20\na 30\nb 15\nb 25.5\n",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_layouts_give_the_same_trains(text: str, ending: str) -> None:
    expected = {"a": [1.5, 20, 30], "b": [15, 25.5]}
    if "\nc," in text:
        expected["c"] = [1, 2, 3]
    assert times(text.replace("\n", ending), unit="ms") == expected


@pytest.mark.parametrize(
    "text",
    [
        "1.5 20 30\n15 25.5\n",
        "1.5,20,30\n15,25.5\n",
        "1,5 20,0 30,0\n15,0 25,5\n",
        "[1.5, 20, 30]\n[15, 25.5]\n",
        '"1.5, 20, 30"\n"15, 25.5"\n',
        "1.5 20 30\n\n# pause\n15 25.5\n",
        "1.5\t20\t30\n15\t25.5\t\n",
    ],
)
def test_train_per_line_without_ids(text: str) -> None:
    assert times(text, "file.txt") == {"1": [1.5, 20, 30], "2": [15, 25.5]}


def test_numbered_lines() -> None:
    assert times("1,3.5,20\n2,4.5,30\n3,1.5,9\n") == {"1": [3.5, 20], "2": [4.5, 30], "3": [1.5, 9]}


@pytest.mark.parametrize(
    "text", ["time (ms)\n1.5\n20\n", "1.5\n20\n", "1,5\n20,0\n", "# x\n1.5\n\n20\n", "times_ms\n1,5\n20,0\n"]
)
def test_single_train(text: str) -> None:
    assert times(text, "cell.csv") == {"cell": [1.5, 20]}


def test_long_table_without_names() -> None:
    assert times("1 10.5\n1 20.5\n2 5\n2 30\n2 50\n") == {"1": [10.5, 20.5], "2": [5, 30, 50]}
    assert times("10.5,a\n20.5,a\n5,b\n30,b\n") == {"a": [10.5, 20.5], "b": [5, 30]}


def test_numbered_columns() -> None:
    assert times("0,1,2\n5,6,7\n10,12,14\n20,30,40\n") == {
        "0": [5, 10, 20],
        "1": [6, 12, 30],
        "2": [7, 14, 40],
    }


def test_id_and_member() -> None:
    text = "id,member,time_ms\n1,0,5\n1,0,50\n1,1,7\n2,0,9\n2,1,\n"
    assert times(text) == {"1/0": [5, 50], "1/1": [7], "2/0": [9], "2/1": []}
    assert read_spike_trains(text.encode()).report.columns["member"] == "member"


def test_columns_chosen_by_hand() -> None:
    text = "a,b,c\nx,5,1\nx,15,2\ny,2,3\n"
    assert times(text, id_columns="a", time_column="b") == {"x": [5, 15], "y": [2]}
    assert times(text, id_columns=0, time_column=2, unit="ms") == {"x": [1, 2], "y": [3]}
    assert times("a,b\n5,1\n15,2\n", layout="columns", unit="ms") == {"a": [5, 15], "b": [1, 2]}
    assert times("1 5\n2 15\n3 8\n", layout="long") == {"1": [5], "2": [15], "3": [8]}
    assert times("1 5\n2 15\n3 8\n", layout="rows") == {"1": [1, 5], "2": [2, 15], "3": [3, 8]}
    assert times("t,v\n1,5\n2,7\n", layout="single", time_column="t", unit="ms") == {"file": [1, 2]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings(encoding: str) -> None:
    data = "neuron,time_ms\nCôte,5\nCôte,11\n".encode(encoding)
    assert times(data) == {"Côte": [5, 11]}
    repairs = read_spike_trains(data).report.repairs
    assert bool(repairs) == (encoding != "utf-8")


def test_sources_of_every_kind(tmp_path: Path) -> None:
    data = b"id,time_ms\na,5\na,11\n"
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    with path.open("rb") as stream:
        for source in (path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), stream):
            assert read_spike_trains(source).ids == ["a"]
    assert read_spike_trains(data, filename="up.csv").report.filename == "up.csv"


def test_repairs_are_counted() -> None:
    report = read_spike_trains(b"id,time_ms\na,5\na,1\na,5\n\nb,2\nc,\na,\n").report
    assert report.n_trains == 3
    assert report.repairs == (
        "1 train with times out of order, now sorted",
        "1 time given twice, in 1 train, kept once",
    )
    assert report.skipped == (
        "1 blank line",
        "1 row without a time, of trains that have spikes elsewhere",
    )
    assert report.cautions == ("1 train without any spike, kept as silent",)
    assert "Repaired: 1 train" in str(report)


def test_decimal_commas_are_counted() -> None:
    report = read_spike_trains(b"id;time_ms\na;1,5\na;20\na;30,5\n").report
    assert report.repairs == ("2 numbers with a decimal comma",)


def test_exponents_of_fortran_beside_commas_that_may_part_thousands() -> None:
    (train,) = read_spike_trains(b"time_ms\n1d-3\n1,234\n2,345\n3,456\n2D1\n")
    assert train.times_ms.tolist() == [0.001, 1.234, 2.345, 3.456, 20.0]


def test_negative_times_are_kept_and_said() -> None:
    recordings = read_spike_trains(b"id,time_ms\na,-5\na,11\n")
    assert recordings[0].times_ms.tolist() == [-5, 11]
    assert "before zero" in recordings.report.cautions[0]


def test_times_that_run_backwards_are_pointed_out() -> None:
    text = "\n".join(str(x) for x in np.random.default_rng(0).permutation(100))
    cautions = read_spike_trains(text.encode()).report.cautions
    assert "names no unit" in cautions[0]
    assert "ran backwards" in cautions[1]


def test_empty_trains_are_kept() -> None:
    assert times('ID,spiking_times\n1,"[]"\n2,\n3,"[5, 9]"\n') == {"1": [], "2": [], "3": [5, 9]}


def test_repeated_ids_are_made_unique() -> None:
    text = 'ID,spiking_times\n7,"[1, 20]"\n7,"[2, 30]"\n7 (2),"[3, 40]"\n7,"[4, 50]"\n'
    recordings = read_spike_trains(text.encode())
    assert recordings.ids == ["7", "7 (3)", "7 (2)", "7 (4)"]
    assert "2 trains with an id that was taken, '7'" in recordings.report.repairs[0]


def test_ignored_columns_are_named() -> None:
    report = read_spike_trains(b"id,depth,time_ms\na,1,5\na,1,11\n").report
    assert report.skipped == ("the column 'depth', neither ids nor times",)


def test_markup_in_an_id_is_kept_as_it_is() -> None:
    name = "<script>alert('x')</script>"
    assert times(f"id,time_ms\n{name},5\n{name},11\n") == {name: [5, 11]}


def test_recordings_behave_like_a_sequence() -> None:
    recordings = read_spike_trains(example_path("stg_set.csv"))
    assert recordings.by_id("3") is recordings["3"] is recordings[2]
    assert [train.id for train in recordings[1:3]] == ["2", "3"]
    assert recordings[-1] in recordings
    assert len(list(recordings)) == 5
    assert "5 trains" in repr(recordings)


def test_a_large_file_is_read_quickly_enough() -> None:
    rng = np.random.default_rng(0)
    spikes = np.cumsum(rng.uniform(5, 20, 300_000))
    text = "id,time_ms\n" + "\n".join(f"{k % 40},{t:.2f}" for k, t in enumerate(spikes))
    recordings = read_spike_trains(text.encode())
    assert (len(recordings), recordings.report.n_spikes) == (40, 300_000)


@pytest.mark.parametrize("behind", ["", " ", ",", "# a comment"])
def test_lines_of_bare_numbers_are_read_as_those_with_something_behind_some(behind: str) -> None:
    lines = ["time_ms", "10", "", "25.5", "39", "", "51.25"]
    report = read_spike_trains("\n".join(lines).encode()).report
    other = [*lines[:5], behind, *lines[6:]] if behind.startswith("#") else [*lines[:6], lines[6] + behind]
    recordings = read_spike_trains("\n".join(other).encode())
    assert recordings[0].times_ms.tolist() == [10, 25.5, 39, 51.25]
    assert (recordings.report.unit, recordings.report.layout_reason) == (report.unit, report.layout_reason)
    wrong = "\n".join([*other[:4], "x", *other[5:]]).encode()
    with pytest.raises(SpikeTrainError, match="row 5"):
        read_spike_trains(wrong)
