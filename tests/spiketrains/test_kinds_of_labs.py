"""Files as laboratories keep them: read rightly, or refused; never wrong in silence."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from kinds import RATE_HZ, A, B, C, Case, each_case, merged
from scipy.io import savemat

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

_ALL = merged([A, B, C])
_OR_REFUSED = ("right", "refused")


def _table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows])


def _beside(*trains: np.ndarray, digits: int = 5, comma: str = ",") -> list[str]:
    """Trains as columns of unequal length, in s."""
    most = max(map(len, trains))
    cells = [[f"{t / 1000:.{digits}f}" for t in x] + [""] * (most - len(x)) for x in trains]
    return [comma.join(row) for row in zip(*cells, strict=True)]


def _clock(t: float, hours: int = 0) -> str:
    return str(datetime(2000, 1, 1, hours) + timedelta(milliseconds=round(t)))[11:23]


def _npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _mat(**variables: Any) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def units() -> Iterator[Case]:
    """A line of units, units behind numbers, clocks, and words in other languages."""
    rows = [f"{t:.3f}" for t in A]
    yield Case("a unit alone", "1-3\na", (), "x.txt", ("refused",))
    yield Case("semicolons before", _table("; spike times\n; ms", rows), (A,), "x.txt", _OR_REFUSED)
    two = _beside(A, B)
    yield Case("line of units", _table("n1,n2\n(s),(s)", two), (A, B))
    yield Case("line of two units", _table("n1,n2\ns,ms", two), (), ok=("refused",))
    rows = [f"{t:.3f}\t{k}" for t, k in _ALL]
    yield Case("line of units in brackets", _table("Time\tUnit\n[ms]\t", rows), (A, B, C), "x.txt")
    rows = [f"{k},{t / 1000:.5f},{k + 3.5}" for t, k in _ALL]
    yield Case("line of units with a dash", _table("cell,time,amplitude\n-,s,mV", rows), (A, B, C))
    yield Case("line of units, one column", _table("Spike time\ns", [f"{t / 1000:.5f}" for t in A]), (A,))
    yield Case("name and line differ", _table("t (ms)\ns", [f"{t:.2f}" for t in A]), (), ok=("refused",))
    for gap in ("", " "):
        rows = [f"{k},{t:.3f}{gap}ms" for t, k in _ALL]
        yield Case(f"unit behind numbers {gap!r}", _table("cell,time", rows), (A, B, C))
        alone = [f"{t / 1000:.5f}{gap}s" for t in A]
        yield Case(f"unit behind numbers alone {gap!r}", "\n".join(alone), (A,), "x.txt")
        mixed = [f"{t:.2f}{gap}ms" if t < 1000 else f"{t / 1000:.5f}{gap}s" for t in A]
        yield Case(f"two units behind numbers {gap!r}", "\n".join(mixed), (), "x.txt", ("refused",))
    day = 14 * 3.6e6
    rows = [f"{k};{_clock(t, 14)}".replace(".", ",") for t, k in _ALL]
    yield Case("clock", _table("unit;time", rows), (A + day, B + day, C + day), within_ms=0.6)
    rows = [f"{k},{_clock(t)}" for k, t in enumerate(A, 1)]
    yield Case("clock beside numbered spikes", _table("spike,time", rows), (A,), within_ms=0.6)
    yield Case("clock alone", "\n".join(_clock(t) for t in A), (A,), "x.txt", within_ms=0.6)
    minutes = [f"{int(t // 60_000):02d}:{t % 60_000 / 1000:06.3f}" for t in C * 9]
    yield Case("minutes and seconds", _table("time", minutes), (C * 9,), within_ms=0.6)
    wide = _table("cell 1,cell 2", [f"{_clock(t)},{_clock(u)}" for t, u in zip(A, B, strict=True)])
    yield Case("clocks in columns", wide, (A, B), within_ms=0.6)
    night = [_clock(t + 3.6e6 * 24 - 2000) for t in A]
    yield Case("past midnight", _table("time", night), (), ok=("refused",))
    dates = [(datetime(2021, 5, 3) + timedelta(milliseconds=t)).isoformat() for t in A]
    yield Case("dates", _table("time", dates), (), ok=("refused",))
    rows = [f"{k},{date}" for k, date in enumerate(dates)]
    yield Case("dates beside numbered spikes", _table("spike,time", rows), (), ok=("refused",))
    slow = C * 11
    for name, factor in (
        ("時間（秒）", 1e-3), ("時間 (ミリ秒)", 1), ("时间(毫秒)", 1), ("Время, с", 1e-3), ("Время, мс", 1),
        ("Czas [ms]", 1), ("Zeit in Millisekunden", 1), ("Temps en secondes", 1e-3),
        ("Tiempo (segundos)", 1e-3), ("Tempo (millisecondi)", 1), ("Zeit in Mikrosekunden", 1e3),
        ("Spikezeit [Sek.]", 1e-3),
    ):  # fmt: skip
        text = _table(f'"{name}"', [f"{t * factor:.6f}" for t in slow])
        yield Case(name, text, (slow,), within_ms=0.1)
    rows = [f"{k + 1},{t / 1000:.5f},{40 + round(t) % 3}" for t, k in _ALL]
    yield Case("other letters", _table("細胞,時間(秒),振幅", rows), (A, B, C))
    seconds = [f"{t / 1000:.5f}" for t in A]
    for head in ("# spike times in ms\nid,time_s", "# spike times in s\nid,time_ms", "# unit: s\nid,t (ms)"):
        text = _table(head, [f"1,{t}" for t in seconds])
        yield Case(f"{head!r} differ", text, (), ok=("refused",))
        yield Case(f"{head!r} asked", text, (A,), options={"unit": "s"})
    text = _table("# stimulus times in ms\nid,time_s", [f"1,{t}" for t in seconds])
    yield Case("the unit of stimuli", text, (A,))
    yield Case("odd word", _table("Zeit [Tks.]", seconds), (), ok=("refused",))
    yield Case("impossible", _table("time_ms", seconds), (), ok=("refused",))
    yield Case("impossible, asked", _table("time_ms", seconds), (A,), options={"unit": "s"})
    head = "Rig: 2\nSampling rate: 20 kHz\nsample"
    yield Case("a name below settings", _table(head, [f"{t * 20:.0f}" for t in A]), (A,), "x.txt")
    head = "Rig: 2\nUser: me\nsample"
    yield Case("the same, no rate", _table(head, [f"{t * 20:.0f}" for t in A]), (), "x.txt", ("refused",))


def lines() -> Iterator[Case]:
    """Labels, tables on their side, sums below, spellings of ids."""
    for label in ("cell 1: ", "1: ", "SPK1a:", "unit 1 = "):
        for mark in (", ", " ", "\t", ";"):
            rows = [
                label.replace("1", str(k)) + mark.join(f"{t:.3f}" for t in x) for k, x in enumerate((A, B), 1)
            ]
            yield Case(f"{label!r} {mark!r}", "\n".join(rows), (A, B), "x.txt")
    ids, times = ",".join(f"{k}" for _, k in _ALL), ",".join(f"{t:.3f}" for t, _ in _ALL)
    yield Case("on its side", f"unit,{ids}\ntime_ms,{times}", (A, B, C))
    heights = "\t".join(f"{30 + k % 7}.5" for k in range(60))
    seconds = "\t".join(f"{t / 1000:.5f}" for t in A)
    yield Case("on its side, heights", f"time_s\t{seconds}\namp\t{heights}", (A,), "x.txt")
    exponents = [f"{t / 1000:.6e}".replace(".", ",") for t in A]
    yield Case("decimal commas and exponents", "\n".join(exponents), (A,), "x.txt")
    rows = [f"{t / 1000:.5f}" for t in A]
    for name, last in (("count", "60"), ("sum", f"{A.sum() / 1000:.5f}"), ("mean", f"{A.mean() / 1000:.3f}")):
        yield Case(f"a {name} below", _table("time_s", [*rows, last]), (), ok=("refused",))
        yield Case(f"a {name} below, two", _table("a,b", [*_beside(A, B), f"{last},"]), (), ok=("refused",))
    yield Case("letters", _table("Cell A,Cell B", _beside(A, B[:40])), (A, B[:40]))
    below = [*_beside(A, B), "Mean,4,2", "n,60,60"]
    labelled = [f"{k},{row}" if k <= 60 else row for k, row in enumerate(below, 1)]
    yield Case("sums with names", _table(",Cell A,Cell B", labelled), (A, B), ok=_OR_REFUSED)
    rows = [f"{'1.0' if n % 2 else '1'},{t:.2f}" for n, t in enumerate(A)]
    yield Case("1 and 1.0", _table("unit,time_ms", rows), (A,))
    rows = [f"{('1.1', '1.10')[n % 2]},{t:.2f}" for n, t in enumerate(A)]
    yield Case("1.1 and 1.10", _table("unit,time_ms", rows), (A[::2], A[1::2]))
    bursts = np.diff(
        np.concatenate([k * 600 + np.cumsum([12.0, 13.5, 15.0 + k % 3, 19.5]) for k in range(15)])
    )
    yield Case("intervals of bursts", "\n".join(f"{t:.2f}" for t in bursts), (), "x.txt", ("refused",))


def blocks() -> Iterator[Case]:
    """Names between blocks of numbers, and numbers of cells under names."""
    parts = [A[:20] - A[0] + 9, A[20:40] - A[20] + 7, A[40:] - A[40] + 30]
    for mark in ("Sweep {}", "# trial {}", "--- cell {} ---", "unit {}:"):
        for gap in ("\n", "\n\n"):
            text = gap.join(
                "\n".join([mark.format(k), *(f"{t:.2f}" for t in x)]) for k, x in enumerate(parts)
            )
            yield Case(f"{mark} {len(gap)}", text, parts, "x.txt")
    growing = "\n".join("\n".join([f"# unit {k}", *(f"{t:.2f}" for t in A[k * 30 :][:30])]) for k in (0, 1))
    yield Case("blocks that grow", growing, (A[:30], A[30:]), "x.txt")
    noted = [f"{t:.2f}" for t in A]
    yield Case("one note", "\n".join([*noted[:9], "# drug 1 on", *noted[9:]]), (A,), "x.txt")
    rows = [",".join(f"{t:.2f}" for t in row) for row in zip(A, B, C, strict=True)]
    yield Case("numbers under names", _table("wt,wt,ko", ["1,2,3", *rows]), (), ok=("refused",))
    rows = [f",{row}" for row in rows]
    yield Case("numbers and a label", _table("Group,wt,wt,ko", ["Cell,1,2,3", *rows]), (), ok=("refused",))
    text = _table("All times in seconds since the start\ncell\ttime", [f"1\t{t / 90:.4f}" for t in C])
    yield Case("a sentence above", text, (C / 90 * 1000,), "x.txt")
    igor = "IGOR\nWAVES/D a, b\nBEGIN\n"
    waves = [f"\t{t / 1000:.5f}\t{u / 1000:.5f}" for t, u in zip(A, B, strict=True)]
    waves[40:] = [f"\t{t / 1000:.5f}\tNaN" for t in A[40:]]
    yield Case("waves filled with NaN", igor + "\n".join(waves) + "\nEND\n", (A, B[:40]), "x.itx")


def filled() -> Iterator[Case]:
    """Bytes that fill up the end of a file."""
    text = _table("time_s", [f"{t / 1000:.5f}" for t in A]) + "\n"
    yield Case("NUL at the end", text.encode() + bytes(5000), (A,))
    yield Case("Ctrl-Z at the end", text.encode() + b"\x1a", (A,))
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        for end in ("", "\0" * 40):
            yield Case(f"{encoding} {len(end)}", (text.rstrip() + end).encode(encoding), (A,))


def documents() -> Iterator[Case]:
    """JSON, and what is no table."""
    a, b = ([round(t, 4) for t in x.tolist()] for x in (A, B))
    for name, content in (
        ("lists", [a, b]),
        ("names", {"cell 1": a, "cell 2": b}),
        ("records", {"unit": "ms", "cells": [{"id": 1, "spikes": a}, {"id": 2, "spikes": b}]}),
        ("spikes", [{"unit": k, "time_ms": t} for t, k in _ALL if k < 2]),
        ("padded", {"times_ms": [a, [*b[:40], *[None] * 20]]}),
    ):
        for indent in (None, 1):
            expected = (A, B[:40]) if name == "padded" else (A, B)
            yield Case(f"{name} {indent}", json.dumps(content, indent=indent), expected, "x.json")
    rows = [json.dumps({"unit": k, "time_ms": t}) for t, k in _ALL]
    yield Case("an object a line", "\n".join(rows), (A, B, C), "x.jsonl")
    found = {"unit": [k for _, k in _ALL], "time_ms": [t for t, _ in _ALL]}
    numbered = {name: {str(k): v for k, v in enumerate(values)} for name, values in found.items()}
    yield Case("pandas", json.dumps(numbered), (A, B, C), "x.json")
    rows = list(zip(*found.values(), strict=True))
    split = {"columns": list(found), "index": list(range(180)), "data": rows}
    yield Case("pandas, split", json.dumps(split), (A, B, C), "x.json")
    yield Case("rows without names", json.dumps({"data": rows}), (A, B, C), "x.json", _OR_REFUSED)
    nested = json.dumps({"trials": [a, b]})
    yield Case("trials", nested, (A, B), "x.json")
    yield Case("no numbers", '{"a": {"b": ["x"]}}', (), "x.json", ("refused",))
    yield Case("deep", '{"a":' + "[" * 100_000, (), "x.json", ("refused",))
    for protocol in range(5):
        yield Case(f"pickle {protocol}", pickle.dumps([1.0, 2.0], protocol), (), "x.pkl", ("refused",))
    for text in ("<!DOCTYPE html><p>1</p>", '<?xml version="1.0"?><t>1</t>', r"{\rtf1 12.5}"):
        yield Case(text, text, (), "x.xls", ("refused",))


def arrays() -> Iterator[Case]:
    """Arrays that an index parts, events beside spikes, matrices of several quantities."""
    every, sizes = np.concatenate([A, B, C]) / 1000, np.array([60, 60, 60])
    ends = np.cumsum(sizes)
    for name, index in (
        ("spike_times_index", ends), ("row_splits", np.append(0, ends)), ("offsets", np.append(0, ends[:-1])),
        ("lengths", sizes),
    ):  # fmt: skip
        for times in ("spike_times", "values"):
            yield Case(f"{times} {name}", _npz(**{times: every, name: index}), (A, B, C), "x.npz")
    counts = _npz(spikes=np.concatenate([A, C]) / 1000, counts=np.array([60, 0, 60]))
    yield Case("a silent unit among counts", counts, (A, np.empty(0), C), "x.npz")
    events = np.array([0.9, 1.3, 4.4, 5.2, 9.1])
    strobed = np.column_stack([events, [1, 2, 3, 4, 5]])
    found = {"SPK01a": A / 1000, "SPK02a": B / 1000, "EVT01": events, "KBD1": events, "Strobed": strobed}
    yield Case("events of Plexon", _mat(**found), (A, B), "x.mat")
    level = np.tile([1, 0], 30)
    yield Case("both edges", _mat(s={"times": A / 1000, "level": level}), (), "x.mat", ("refused",))
    axis = np.arange(9000) / 1e4
    noise = np.random.default_rng(0).normal(-60, 2, axis.size)
    yield Case("a clock and samples", _npy(np.column_stack([axis, noise])), (), "x.npy", ("refused",))
    yield Case("samples", _npy(noise), (), "x.npy", ("refused",))
    yield Case("samples as text", "\n".join(f"{v:.6f}" for v in noise), (), "x.txt", ("refused",))
    numbers = np.array([k + 1.0 for _, k in _ALL])
    several = np.column_stack([numbers, [t / 1000 for t, _ in _ALL], numbers % 7 + 30.5])
    yield Case("ids, times and heights", _mat(m=several), (A, B, C), "x.mat", _OR_REFUSED)


@each_case(units, lines, blocks, filled, documents, arrays)
def test_read_rightly_or_refused(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.startswith(case.ok), outcome
    assert "\n" not in outcome


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (
            b"time\n2021-05-03 10:00:00.1\n2021-05-03 10:00:00.2\n2021-05-03 10:00:00.4\n",
            "holds dates such as",
        ),
        (b"time\n23:59:59.1\n23:59:59.9\n00:00:00.7\n", "passes midnight at '00:00:00.7'"),
        (b"1.1 ms\n1.9 ms\n1.2 s\n1.4 s\n", "some numbers are in ms ('1.1 ms') and others in s ('1.2 s')"),
        (b"# spike times in s\nid,time_ms\na,1\na,9\n", "in ms (as the column name 'time_ms' says) and in s"),
        (b"Rig: 3\n0,1\n0.000,2", "'0.000,2' is text where a number should be"),
        (pickle.dumps([1.0], 2), "a Python pickle, which is never loaded"),
    ],
)
def test_the_sentence_names_what_is_wrong(data: bytes, part: str) -> None:
    assert part in Case("", data, ()).outcome()


def test_ids_that_differ_in_capitals_are_pointed_out() -> None:
    rows = [f"{('SPK1a', 'spk1a')[k % 2]},{t:.2f}" for k, t in enumerate(A)]
    recordings = read_spike_trains(_table("unit,time_ms", rows).encode())
    assert any("differ only in capitals" in caution for caution in recordings.report.cautions)


def test_names_of_json_are_kept() -> None:
    text = json.dumps({str(k): x.tolist() for k, x in enumerate((A, B, C))})
    assert read_spike_trains(text.encode(), filename="x.json").ids == ["0", "1", "2"]


@pytest.mark.parametrize("last", [255, 383])
def test_a_channel_255_is_unsorted_only_where_channels_end_there(last: int) -> None:
    channels = [*range(4), 255] if last == 255 else range(384)
    rows = [f"{k},{0.1 * i + 0.001 * (i * i % 7):.4f}" for k in channels for i in range(1, 4)]
    recordings = read_spike_trains(_table("channel,time_s", rows).encode())
    assert ("'255' may hold unsorted" in " ".join(recordings.report.cautions)) == (last == 255)


def test_units_0_of_channels_are_pointed_out() -> None:
    rows = [f"1,{k},{t / 1000:.5f}" for t, k in _ALL]
    recordings = read_spike_trains(_table("Channel,Unit,Timestamp (s)", rows).encode())
    assert "'0' may hold unsorted spikes" in " ".join(recordings.report.cautions)
    rows = [f"{k},{t / 1000:.5f}" for t, k in _ALL]
    recordings = read_spike_trains(_table("neuron,time_s", rows).encode())
    assert not recordings.report.cautions


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (("SPK", "ART"), "artefacts"),
        (("spike", "stim artefact"), "artefacts"),
        (("unit1", "Artifacts"), "artefacts"),
        (("a", "rejected"), "unsorted spikes"),
        (("a", "noise"), "unsorted spikes"),
        (("SPK", "STIM"), "triggers or stimuli"),
    ],
)
def test_labels_that_name_no_neuron_are_pointed_out(labels: tuple[str, str], what: str) -> None:
    rows = [f"{t / 1000:.5f},{labels[k]}" for t, k in merged([A, B])]
    recordings = read_spike_trains(_table("time_s,label", rows).encode())
    assert recordings.report.cautions == (f"{labels[1]!r} may hold {what}, as its id says",)
    rows = [f"{t / 1000:.5f},{'ab'[k]}" for t, k in merged([A, B])]
    assert not read_spike_trains(_table("time_s,label", rows).encode()).report.cautions


def test_units_labelled_artefact_are_left_out() -> None:
    cells = [
        {"id": name, "label": label, "spike_times": (x / 1000).round(5).tolist()}
        for name, label, x in (("a", "good", A), ("b", "artefact", B), ("c", "noise", C))
    ]
    recordings = read_spike_trains(json.dumps(cells).encode(), filename="x.json", unit="s")
    assert recordings.ids == ["a"]
    assert recordings.report.skipped == ("1 unit labelled noise, 'c'", "1 unit labelled artefact, 'b'")


@pytest.mark.parametrize("digits", [3, 6])
def test_bins_at_equal_steps_are_refused_however_their_times_are_rounded(digits: int) -> None:
    rows = [f"{k / 30:.{digits}f},{'ab'[k * 7 % 3 == 0]}" for k in range(1, 80)]
    with pytest.raises(SpikeTrainError, match="like counts in bins"):
        read_spike_trains(_table("time_s,cell", rows).encode())


@pytest.mark.parametrize("name", ["rat.res", "rat.res.3", "RAT.RES"])
def test_files_of_klusters_count_samples(name: str) -> None:
    """Also few of them, which no interval tells from ms."""
    for n in (3, len(A)):
        data = "\n".join(str(round(t * RATE_HZ / 1000)) for t in A[:n]).encode()
        with pytest.raises(SpikeTrainError, match=r"count samples .* give the sampling rate") as error:
            read_spike_trains(data, filename=name)
        assert "sampling_rate_hz" in error.value.settings
        recordings = read_spike_trains(data, filename=name, sampling_rate_hz=RATE_HZ)
        np.testing.assert_allclose(recordings[0].times_ms, A[:n], atol=0.02)
        assert "the spikes of all units of a group" in recordings.report.cautions[0]


def test_what_was_put_right_is_said() -> None:
    report = read_spike_trains(b"unit,time\n,ms\n1,10\n1.0,20\n1,35\n\0\0\0\0").report
    repairs = " ".join(report.repairs)
    for part in ("the line of units", "'1' and '1.0'", "4 bytes that filled up the end"):
        assert part in repairs


def _workbook(*sheets: list[list[Any]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for k, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"sheet {k}")
        for row in rows:
            sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def _times_of_day() -> list[list[Any]]:
    return [["spike", "time"], *([k, time.fromisoformat(_clock(t))] for k, t in enumerate(A, 1))]


@pytest.mark.parametrize(
    "sheets",
    [
        lambda: [[["cell"], ["a"], [3], [datetime(2021, 5, 3)]], [["t (s)"], *([t / 1000] for t in A)]],
        lambda: [[["t (s)"], *([f"{t / 1000:.5f}".replace(".", ",")] for t in A)]],
        lambda: [[[None] * 3, [None, None, "Cell A (ms)"], *([None, None, t] for t in A)]],
        lambda: [_times_of_day()],
        lambda: [[["Time"], ["s"], *([t / 1000] for t in A)]],
    ],
)
def test_workbooks_as_people_keep_them(sheets: Callable[[], list[Any]]) -> None:
    case = Case("", _workbook(*sheets()), (A,), "x.xlsx", within_ms=0.6)
    assert case.outcome() == "right"


def test_samples_at_a_rate_below_settings() -> None:
    samples = np.rint(A * RATE_HZ / 1000).astype(int)
    text = _table("Rig: 2\nDate: today\nsample", [str(n) for n in samples])
    case = Case("", text, (A,), "x.txt", options={"sampling_rate_hz": RATE_HZ})
    assert case.outcome() == "right"
