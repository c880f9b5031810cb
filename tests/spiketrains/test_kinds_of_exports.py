"""Exports of more programs: several tables in one text, names in two lines, what lies beside spikes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from kinds import RATE_HZ, A, B, C, Case, each_case, merged
from scipy.io import savemat

from spike2pop_nb.spiketrains import read_spike_trains

_ALL = merged([A, B, C])
_TRIALS = [A[:15] - A[0] + 35.5, A[15:31] - A[15] + 44.25, A[31:45] - A[31] + 50.75]


def _table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def _s(t: float) -> str:
    return f"{t / 1000:.5f}"


def _mat(**variables: Any) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def _block(name: str, header: str, times: np.ndarray, row: Callable[[int, float], str]) -> str:
    return "\n".join(([name] if name else []) + [header, *(row(n, t) for n, t in enumerate(times)), ""])


def blocks() -> Iterator[Case]:
    """The same names of columns above each of several tables."""
    for mark in ("\t", ",", ";"):
        header = f"Time (s){mark}Amp (uV)"

        def row(n: int, t: float, mark: str = mark) -> str:
            return f"{_s(t)}{mark}{50 + n % 4}"

        text = "\n".join(_block(f"Unit {k}", header, x, row) for k, x in enumerate((A, B, C)))
        yield Case(f"names {mark!r}", text, (A, B, C), "x.txt")
        text = "# rig 2\n" + "\n".join(_block("", header, x, row) for x in (A, B))
        yield Case(f"no names {mark!r}", text, (A, B), "x.txt")
        pages = "\n".join(_block("", header, x, row) for x in (A[:30], A[30:]))
        yield Case(f"pages {mark!r}", pages, (), "x.txt", ("refused",))
    alone = "".join(
        _block(f"[cell {k}]", "time (ms)", x, lambda n, t: f"{t:.2f}") for k, x in enumerate((A, B))
    )
    yield Case("one column", alone, (A, B), "x.txt")
    numbered = "\n".join(
        _block(f"Page {k}", "t (s),h", x, lambda n, t: f"{_s(t)},5") for k, x in enumerate((A[:30], A[30:]))
    )
    yield Case("numbered pages", numbered, (), "x.txt", ("refused",))
    joined = "".join(_block("", "unit,time_s", x, lambda n, t: f"{n % 2},{_s(t)}") for x in (A, B))
    yield Case("files joined", joined, (A[::2], A[1::2], B[::2], B[1::2]))
    faulty = joined.replace(_s(B[9]), "?")
    yield Case("a fault in the second", faulty, (), ok=("refused: f.csv, block '2', row 72",))


def names() -> Iterator[Case]:
    """Names of columns in two lines, and names that repeat."""
    both = list(zip(A.tolist(), B.tolist(), strict=True))
    rows = [f"{_s(t)},40,{_s(u)},41" for t, u in both]
    yield Case("cells above", _table("Cell 1,,Cell 2,\nTime (s),Amp,Time (s),Amp", rows), (A, B))
    yield Case("in turn", _table("Time (s),Amp,Time (s),Amp", rows), (A, B))
    rows = [f"{_s(t)},40,{_s(u)},41,7" for t, u in both]
    yield Case("not in turn", _table("Time (s),Amp,Time (s),Amp,n", rows), (), ok=("refused",))
    rows = [f"{'u1' if n == 0 else ''},{_s(t)}" for n, t in enumerate(A)]
    rows += [f"{'u2' if n == 0 else ''},{_s(t)}" for n, t in enumerate(B)]
    yield Case("ids in merged cells", _table("unit,time_s", rows), (A, B))
    rows = [f"{'' if n == 7 else 'u1'},{_s(t)}" for n, t in enumerate(A)]
    yield Case("an id is missing", _table("unit,time_s", rows), (), ok=("refused",))
    for name in ("x", "V1", "value"):
        rows = [f'"{n}" {_s(t)}' for n, t in enumerate(A, 1)]
        yield Case(f"R names {name}", _table(f'"{name}"', rows), (A,), "x.txt")
        yield Case(f"R names {name} alone", _table(f'"{name}"', [_s(t) for t in A]), (A,))
    rows = [f"{k},{n},{t:.3f},{40 + n % 4}" for k, x in enumerate(_TRIALS) for n, t in enumerate(x, 1)]
    for name in ("Trace", "Sweep"):
        yield Case(f"events of a {name}", _table(f"{name},Event #,Time of Peak (ms),Peak", rows), _TRIALS)
    rows = [f"{k},{_s(t)},{n % 5},{n % 4}" for n, (t, k) in enumerate(_ALL)]
    yield Case("components", _table("Unit,Timestamp (s),PC1,PC3", rows), (A, B, C))
    rows = [f"{k},{t:.3f},{_s(t + 5000 * k)}" for k, x in enumerate(_TRIALS) for t in x]
    yield Case(
        "two clocks", _table("Sweep,Time in sweep (ms),Time (s)", rows), (), ok=("refused: f.csv: the co",)
    )


def beside() -> Iterator[Case]:
    """Stimuli, pulses, bursts and bins."""
    both = [f"{_s(t)},{_s(u)}" for t, u in zip(A, C, strict=True)]
    for spikes, other in (
        ("spike_times", "stim_times"), ("SPK01a", "EVT02"), ("unit1 (s)", "TTL (s)"), ("cell 1", "laser"),
    ):  # fmt: skip
        case = Case(f"{spikes} {other}", _table(f"{spikes},{other}", both), (A,))
        yield case
    yield Case("conditions", _table("pre,stim", both), (A, C))
    for edges in (
        ("Sweep_Start", "Sweep_Stop"),
        ("Sweep_Start (s)", "Sweep_Stop (s)"),
        ("Light onset", "Light offset"),
    ):
        ends = ["0.000\t911.600", *[" \t "] * len(both)]
        rows = [f"{own}\t{end}".replace(",", "\t") for own, end in zip(both, ends, strict=False)]
        head = "\t".join(("ch_12A_unit_0", "ch_13A_unit_0", *edges))
        yield Case(f"cells and {edges[0]}", _table(head, rows), (A, C), "x.txt")
    for labels in (("on", "off"), ("up", "down"), ("rising", "falling")):
        rows = [f"{_s(t)}\t{labels[n % 2]}" for n, t in enumerate(A)]
        yield Case(f"{labels}", "\n".join(rows), (), "x.txt", ("refused",))
    for name in ("Size (spikes)", "n_spikes", "spikes per burst", "number of spikes", "spike count"):
        rows = [f"{_s(t)},{3 + n % 4},0.05" for n, t in enumerate(A)]
        yield Case(name, _table(f"Time (s),{name},Duration (s)", rows), (), ok=("refused",))
        options = {"time_column": "Time (s)"}
        yield Case(f"{name} asked", _table(f"Time (s),{name},Duration (s)", rows), (A,), options=options)
    bins = [f"{k / 100:.2f}\t{k % 7 == 0:d}\t{k % 5 == 0:d}" for k in range(200)]
    yield Case("bins of units", _table("Time\tunit1\tunit2", bins), (), "x.txt", ("refused",))
    waves = np.random.default_rng(0).normal(0, 20, (180, 32)).round(1)
    rows = [f"1,{k},{_s(t)}," + ",".join(map(str, own)) for (t, k), own in zip(_ALL, waves, strict=True)]
    yield Case("waveforms without names", "\n".join(rows), (), "x.txt", ("right", "refused"))


def printed() -> Iterator[Case]:
    """What R, Python and MATLAB print."""
    times = [_s(t) for t in A]
    rows = [f" [{n + 1}] {' '.join(times[n : n + 7])}" for n in range(0, 60, 7)]
    yield Case("R prints", "\n".join(rows), (A,), "x.txt")
    a, b = (", ".join(_s(t) for t in x) for x in (A, B))
    yield Case("Python lists", f"{{1: [{a}], 2: [{b}]}}", (A, B), "x.txt")
    yield Case("Python arrays", f"{{'u1': array([{a}]),\n 'u 2': np.array([{b}], dtype=float32)}}", (A, B))
    yield Case("cut off", f"{{'u1': array([{a[:90]}, ..., 7.3])}}", (), ok=("refused",))
    yield Case("MATLAB", f"u1 = [{a.replace(',', '')}];\nu2 = [{b.replace(',', '')}];\n", (A, B), "x.m")


def comments() -> Iterator[Case]:
    """Units in comments, in other languages too; one that is not known is refused."""
    rows = [f"1,{t:.3f}" for t in A]
    for comment in ("# temps en millisecondes", "# Alle Zeiten in ms", "# 时间：毫秒", "# время в мс"):
        yield Case(comment, _table(f"{comment}\nid,t", rows), (A,))
    for comment in (
        "# Zeiten in Zehntelmillisekunden", "# spike times in tenths of a millisecond",
        "# times in decimilliseconds", "# tijden in tienden van milliseconden",
    ):  # fmt: skip
        text = _table(f"{comment}\nid,t", [f"1,{10 * t:.2f}" for t in A])
        yield Case(comment, text, (), ok=("refused",))
        yield Case(f"{comment}, given", text, (A,), options={"unit": "0.1 ms"})
    micros = {"newTimestamps": np.array([t for t, _ in _ALL]) * 1000 + 0.25, "assigned": [k for _, k in _ALL]}
    yield Case("µs with a fraction", _mat(**micros), (A, B, C), "x.mat", ("right", "warned"))


def arrays() -> Iterator[Case]:
    """Ids in a group of their own, trains in a group of times."""
    h5py = pytest.importorskip("h5py")

    def hdf5(**datasets: Any) -> bytes:
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            for name, values in datasets.items():
                file[name.replace("__", "/")] = values
        return stream.getvalue()

    samples = np.array([round(t * RATE_HZ / 1000) for t, _ in _ALL])
    ids = np.array([k for _, k in _ALL])
    spikes = {"g__spikes__time_samples": samples, "g__spikes__clusters__main": ids}
    rate = {"sampling_rate_hz": RATE_HZ}
    yield Case("clusters/main", hdf5(**spikes), (A, B, C), "x.kwik", options=rate)
    two = hdf5(**spikes, g__spikes__clusters__original=ids // 2)
    yield Case("two clusterings", two, (), "x.kwik", ("refused",), options=rate)
    temps = {f"spiketimes__temp_{k}": np.rint(x * RATE_HZ / 1000) for k, x in enumerate((A, B, C))}
    yield Case("spiketimes/temp_0", hdf5(**temps), (A, B, C), "x.hdf5", options=rate)
    apart = {"spike_times__values": np.array([t / 1000 for t, _ in _ALL]), "unit__values": ids}
    yield Case("unit/values", hdf5(**apart, amplitude__values=ids + 40.5), (A, B, C), "x.h5")
    named = json.dumps({"spike_times_s": {"amp": (A / 1000).tolist(), "b": (B / 1000).tolist()}})
    yield Case("names in a group of times", named, (A, B), "x.json")


def regular() -> Iterator[Case]:
    """Cells that fire like a clock, or nearly, are cells still; clocks are clocks."""
    rng = np.random.default_rng(3)
    for n, cv in ((11, 0.1), (40, 0.03), (90, 0.02)):
        for scale in (1, 1000):
            times = 30.0 + np.cumsum(100.0 * (1 + cv * rng.normal(size=n)))
            cells = [f"{t / scale:.{1 if scale == 1 else 4}f}" for t in times]
            pair = list(zip(cells, (f"{t / scale:.4f}" for t in A), strict=False))
            within = 0.06 if scale > 1 else 0.051
            name = f"{n} {cv} {scale}"
            yield Case(f"{name} beside another", _table("c1,c2", [f"{a},{b}" for a, b in pair]),
                       (times[: len(pair)], A[: len(pair)]), within_ms=within)  # fmt: skip
            heights = _table("time,amp", [f"{cell},{40 + k % 3}" for k, cell in enumerate(cells)])
            yield Case(f"{name} with heights", heights, (times,), within_ms=within)
            trains = {"unit1": A / scale, "unit2": times / scale}
            yield Case(f"{name} in arrays", _mat(**trains), (A, times), "x.mat")
    for digits in (3, 4, 6):
        for jitter in (0.0, 0.15):
            clock = np.arange(300) * 0.00025 + jitter * 0.00025 * rng.normal(size=300)
            if digits == 3 and jitter:
                continue
            rows = [f"{t:.{digits}f},{-60 + 5 * np.sin(k / 9):.2f}" for k, t in enumerate(clock)]
            yield Case(f"a clock {digits} {jitter}", _table("time_s,x", rows), (), ok=("refused",))


def around() -> Iterator[Case]:
    """Titles above one column, sums below blank cells, formats of clocks, waves of text."""
    smooth = [f"{-60 + 5 * np.sin(k / 3):.3f}" for k in range(200)]
    yield Case("a smooth trace", _table("data", smooth), (), ok=("refused",))
    shuffled = [_s(t) for t in np.random.default_rng(0).permutation(A)]
    yield Case("times in any order", _table("spike_times", shuffled), (A,))
    rows = [_s(t) for t in A]
    yield Case("titles", _table("Cell A, slice 3\n\nspike times (s)", rows), (A,), "x.txt")
    both = [f"{_s(t)};{_s(u)}".replace(".", ",") for t, u in zip(A, B, strict=True)]
    yield Case(
        "sums below", _table("c1;c2", [*both, "", "Mean;;", "n;60;60"]), (A, B), ok=("right", "refused")
    )
    clocks = [f"{int(t // 60_000):02d}:{t % 60_000 / 1000:06.3f}" for t in A]
    for name in ("Time (mm:ss.ms)", "Time (hh:mm:ss)", "time [m:s]"):
        yield Case(name, _table(name, clocks), (A,), within_ms=0.6)
    words = 'IGOR\nWAVES/T\tnames\nBEGIN\n\t"a"\n\t"b"\nEND\nWAVES/D\tspk\nBEGIN\n'
    yield Case("waves of text", words + "".join(f"\t{t}\n" for t in rows) + "END\n", (A,), "x.itx")


@each_case(blocks, names, beside, printed, comments, arrays, regular, around)
def test_read_rightly_or_refused(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.startswith(case.ok), outcome
    assert "\n" not in outcome


@pytest.mark.parametrize(
    ("data", "name", "part"),
    [
        (b"PAR1" + bytes(90), "x.parquet", "save it as CSV"),
        (b"\x1f\x8b" + bytes(90), "x.rds", "write.csv"),
        (b"RDX3\n" + bytes(90), "x", "write.csv"),
        (b"SQLite format 3\0" + bytes(90), "x.db", "save its spike times as CSV"),
        (b"t (s)\n1600000000.25\n1600000000.5\n", "x.csv", "subtract the start of the recording"),
    ],
)
def test_refusals_name_the_way_out(data: bytes, name: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        read_spike_trains(data, filename=name)


def test_times_of_stimuli_alone_are_pointed_out() -> None:
    report = read_spike_trains(_mat(lick_times=A / 1000)).report
    assert any("'lick_times' may be times of triggers or stimuli" in caution for caution in report.cautions)


def test_blocks_name_their_trains() -> None:
    text = "".join(
        _block(f"# Unit {k}", "t (s),h", x, lambda n, t: f"{_s(t)},5") for k, x in enumerate((A, B))
    )
    recordings = read_spike_trains(text.encode())
    assert recordings.ids == ["Unit 0", "Unit 1"]
    assert "2 blocks, 'Unit 0', 'Unit 1', each with one train" in recordings.report.layout_reason
