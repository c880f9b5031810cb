"""What mutated files once ended with that was no sentence: each is read or refused like any other."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from table_files import mat, npy, npz

from spike2pop_nb.errors import SpikeTrainError, printable
from spike2pop_nb.spiketrains import read_spike_trains, read_voltage
from spike2pop_nb.spiketrains.readers import formats


def refusal(source: Any, name: str | None = "bad.csv", **options: Any) -> str:
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(source, filename=name, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "\r" not in sentence
    return sentence


@pytest.mark.parametrize("name", ["a\nb.csv", "a\rb.csv", "a\u2028b.csv", "a\x1bb.csv"])
def test_a_name_that_breaks_lines(name: str, tmp_path: Path) -> None:
    assert refusal(b"id,time_ms\na,1\na,oops\n", name) == refusal(
        b"id,time_ms\na,1\na,oops\n", printable(name)
    )
    (train,) = read_spike_trains(b"1.5\n20.5\n31\n", filename=name)
    assert train.id == printable(name).removesuffix(".csv")
    with pytest.raises(SpikeTrainError) as caught:
        read_voltage(b"no voltage", filename=name)
    assert str(caught.value).isprintable()
    assert refusal(tmp_path / name / name, None).isprintable()


def test_words_among_numbers_with_a_comma() -> None:
    rows = "\n".join(f"{k},0{k}".replace(",0", ",00") for k in range(1, 9))
    sentence = refusal(f"t;x\n{rows.replace(chr(10), ';1' + chr(10))};1\nt;x\n".encode(), unit="ms")
    assert "row 10" in sentence


def test_an_export_of_spike2_without_a_channel() -> None:
    assert "no channel of events" in refusal(b'"INFORMATION"\n"rec.smr"\n\n"SUMMARY"\n')


@pytest.mark.parametrize("ids", ["short", "lists", "table"])
def test_ids_that_are_asked_for_and_do_not_fit(ids: str) -> None:
    held = {"t": [1.0, 20, 30, 45.5], "short": [1, 2, 1], "lists": [[1, 2], [3.5]], "table": [[1, 2], [3, 4]]}
    how = {"time_column": "t", "id_columns": [ids]}
    assert "no id for each of the 4 times" in refusal(json.dumps(held).encode(), "a.json", **how)
    arrays = {"t": np.array([1.0, 20, 30, 45.5]), "short": np.arange(3), "table": np.ones((4, 2))}
    if ids in arrays:
        for data, name in ((npz(**arrays), "a.npz"), (mat(arrays), "a.mat")):
            assert "no id for each of the 4 times" in refusal(data, name, **how)
    cells = json.dumps({"t": [[1.0, 2], [3.0, 4], [5.0]], "short": [1, 2]}).encode()
    assert "no id for each of the 3 lists" in refusal(cells, "a.json", time_column="t", id_columns=["short"])


def test_shapes_of_arrays_that_are_no_numbers() -> None:
    sound = npy(np.array([1.5]))
    damaged = sound.replace(b"(1,), ", b"(True,), ").replace(b"   \n", b"\n")
    assert len(damaged) == len(sound)
    assert "its header cannot be read" in refusal(damaged, "a.npy")
    nothing = npy(np.empty(0, "<f8")).replace(b"<f8", b"<U0")
    assert "a.npz" in refusal(npz(t=[1.0, 20, 30])[:-1], "a.npz")
    assert refusal(nothing, "a.npy")


def test_thousands_of_columns_take_seconds() -> None:
    head = ",".join(f"n{k}" for k in range(4000))
    rows = "\n".join(",".join(str(1 + k % 3 + 5 * row) for k in range(4000)) for row in range(3))
    before = time.process_time()
    assert len(read_spike_trains(f"{head}\n{rows}\n".encode(), unit="ms")) == 4000
    assert time.process_time() - before < 10


def test_traces_of_one_name_are_told_apart() -> None:
    volts = -60 + 5 * np.sin(np.arange(60))
    rows = "\n".join(f"{k / 1000},{v:.2f},{v + 1:.2f}" for k, v in enumerate(volts))
    traces = read_voltage(f"time_s,V_mV,V_mV\n{rows}\n".encode())
    assert [trace.id for trace in traces] == ["V_mV", "V_mV (2)"]
    assert "an id that was taken, 'V_mV', now numbered" in traces.repairs[0]
    (second,) = read_voltage(f"time_s,V_mV,V_mV\n{rows}\n".encode(), recordings="V_mV (2)")
    assert second.V_mV[0] == pytest.approx(-59)
    sweeps = "\n".join(f"{1 + k // 15 % 2},{k / 1000},{v:.2f}" for k, v in enumerate(volts))
    assert [trace.id for trace in read_voltage(f"sweep,time_s,V_mV\n{sweeps}\n".encode())] == [
        "1", "2", "1 (2)", "2 (2)"
    ]  # fmt: skip


@pytest.mark.parametrize("ids", [np.empty(0, "<U1"), np.repeat([1, 2], 10)])
def test_ids_in_arrays_that_are_shorter_than_the_trace(ids: np.ndarray) -> None:
    volts = -60 + 5 * np.sin(np.arange(60))
    (trace,) = read_voltage(npz(V_mV=volts, fs=1000.0, trial=ids), filename="a.npz")
    assert trace.V_mV == pytest.approx(volts)


def test_a_small_file_has_less_than_ten_seconds() -> None:
    assert formats._MAT.allowed(5000) < 10


@pytest.mark.filterwarnings("error")
def test_times_that_are_too_large_for_any_number_are_refused_without_a_warning() -> None:
    assert "times must lie within" in refusal(b"id,time_s\na,1e307\na,1.5e307\n")


@pytest.mark.parametrize("traces", [[[], []], [[None] * 3, [None] * 3]])
def test_traces_of_nothing_are_refused(traces: list[Any]) -> None:
    data = json.dumps({"V_mV": traces, "min": []}).encode()
    with pytest.raises(SpikeTrainError, match=r"^a\.json: [^\n]*$"):
        read_voltage(data, filename="a.json", sampling_rate_hz=1000)


def test_a_name_that_is_too_long_for_a_sentence_is_cut() -> None:
    long = ",".join(f"n{k}" for k in range(5000))
    sentence = refusal(f"{long};time_s\nx;1\ny,2;?\n".encode(), time_column=long[:-1] + "x")
    assert len(sentence) < 500
    assert f"'{long[:50]}" in sentence
