"""CSV of which no text but an id is a formula to a spreadsheet, Parquet with units, NPZ without pickle."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from spike2pop_nb.export import neutralised, results_frames, table_csv, table_parquet, traces_npz, write_table
from spike2pop_nb.fidelity import Result
from spike2pop_nb.spiketrains import read_spike_trains

cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20),
    st.builds(
        "{}{}{}".format, st.text("'", max_size=3), st.sampled_from("=+-@\t\r\n＝"), st.text(max_size=5)
    ),
)


@settings(max_examples=60, deadline=None)
@drawn(st.lists(cells.filter(lambda text: "\0" not in text and text.isprintable()), min_size=1, max_size=8))
def test_no_text_cell_is_a_formula_and_none_is_lost(ids: list[str]) -> None:
    numbers = -np.arange(1.0, len(ids) + 1)
    text = table_csv(pd.DataFrame({"compensate": ids, "number": numbers, "reasons": ids}))
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [float(row[1]) for row in rows] == numbers.tolist()
    for name, (first, number, last) in zip(ids, rows, strict=True):
        assert first == last == neutralised(name)
        assert number.startswith("-"), "numbers are left alone"
        assert first[0] not in "=+-@\t\r＝＋－＠"
        assert first in (name, f"'{name}")


@settings(max_examples=60, deadline=None)
@drawn(cells, cells)
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (neutralised(one) == neutralised(other)) == (one == other)


def test_a_hostile_id_reads_back_as_it_was_written(given: Result, tmp_path: Path) -> None:
    frames = results_frames([given])
    write_table(frames["spike_times"], tmp_path / "spike_times.csv")
    trains = read_spike_trains(tmp_path / "spike_times.csv")
    assert [train.id for train in trains] == [f"{given.recording.id}/{member}" for member in (0, 1)]
    for train, times in zip(trains, given.simulated.spike_times_ms, strict=True):
        np.testing.assert_allclose(train.times_ms, times, rtol=1e-12)


def test_parquet_keeps_texts_types_and_units(given: Result, inferred: list[Result]) -> None:
    frame = results_frames([given, *inferred])["population"]
    content = table_parquet(frame)
    table = pq.read_table(io.BytesIO(content))
    pd.testing.assert_frame_equal(table.to_pandas(), frame, check_dtype=False)
    assert table["id"][0].as_py() == given.recording.id
    assert table.schema.field("g_Na").metadata[b"unit"].decode() == "mS/cm²"
    assert table.schema.field("rate_hz").metadata[b"unit"] == b"Hz"
    assert table_parquet(frame) == content


def test_traces_need_no_pickle_and_are_absent_where_not_kept(given: Result, silent: Result) -> None:
    content = traces_npz(given)
    assert content is not None
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert set(file) == {"time_ms", "V_mV", "ids", "members"}
        np.testing.assert_array_equal(file["V_mV"], given.simulated.V_mV)
        np.testing.assert_array_equal(file["time_ms"], given.simulated.time_ms)
        assert file["ids"].tolist() == [given.recording.id] * 2
        assert file["members"].tolist() == [0, 1]
    bare = replace(given.simulated, V_mV=np.zeros((0, 0), np.float32), time_ms=np.zeros(0))
    assert traces_npz(replace(given, simulated=bare)) is None
    assert traces_npz(silent) is None
