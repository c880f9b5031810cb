"""Files as simulators, array systems, songbird labs and interpreters write them: read rightly, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from kinds import A, B, C, Case, each_case, merged

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

_ALL = merged([A, B, C])
_REFUSED = ("refused",)
_RNG = np.random.default_rng(5)


def _s(t: float) -> str:
    return f"{t / 1000:.5f}"


def _text(rows: list[str], end: str = "\n") -> str:
    return "\n".join(rows) + end


def simulators() -> Iterator[Case]:
    """Times and ids without names: no row is taken for names, and either order is told or refused."""
    whole = [np.unique(np.rint(t)) for t in (A, B, C)]
    spikes = sorted((t, k) for k, times in enumerate(whole, 25) for t in times)
    for first, mark in (("", "\t"), ("", " "), ("", ","), ("% spikes\n", "\t")):
        rows = _text([f"{t:.0f}{mark}{k}" for t, k in spikes])
        yield Case(f"time, id {mark!r}", first + rows, whole, "x.dat")
        rows = _text([f"{k}{mark}{t:.0f}" for k, times in enumerate(whole, 25) for t in times])
        yield Case(f"id, time {mark!r}", first + rows, whole, "x.dat")
        falling = sorted(spikes, key=lambda spike: -spike[0])
        rows = _text([f"{k}.0{mark}{t:.1f}" for t, k in falling])
        yield Case(f"falling {mark!r}", first + rows, whole, "x.dat", ("right", "refused"))
    in_ms = sorted((t, k) for k in range(400) for t in _RNG.choice(1000, 3, replace=False))
    yield Case("as many times as ids", _text([f"{t}  {k}" for t, k in in_ms]), (), "x.dat", _REFUSED)
    named = _text(["t  neuron", *(f"{t}  {k}" for t, k in in_ms)])
    trains = [np.array([t for t, own in in_ms if own == k], dtype=float) for k in range(400)]
    yield Case("as many times as ids, named", named, trains, "x.dat")
    for ids in ((1, 3), (4, 9), (0, 7), ("n1", "n2")):
        rows = [f"{t:.3f}\t{ids[k % 2]}" for k, t in enumerate(A)]
        yield Case(f"{ids} in turn", _text(rows), (), "x.spk", _REFUSED)
    rows = [f"{t:.3f} {k % 2}" for k, t in enumerate(A)]
    yield Case("in turn under names of pandas", _text(["0 1", *rows]), (), "x.txt", _REFUSED)
    turned = _text([f"{k},{t}" for t, k in in_ms])
    yield Case("under names of pandas", "0,1\n" + turned, (), "x.csv", _REFUSED)
    rows = [f"{k},{t:.0f}" for t, k in sorted(spikes)]
    yield Case(
        "few trains under names of pandas", _text(["0,1", *rows]), whole, "x.csv", ("right", "refused")
    )
    dense = sorted((t, k) for k in range(60) for t in _RNG.choice(1000, 15, replace=False))
    trains = [np.array([t for t, own in dense if own == k], dtype=float) for k in range(60)]
    yield Case("more spikes than at once", _text([f"{t} {k}" for t, k in dense]), trains, "x.dat")
    yield Case(
        "and turned", _text(["0 1", *(f"{k} {t}" for t, k in dense)]), trains, "x.dat", ("right", "refused")
    )
    for own in (range(3), (7, 10, 113), range(98, 101), (2, 30, 40)):
        rows = [f"{t},{own[k]}" for t, k in sorted((round(t), k) for k, x in enumerate(whole) for t in x)]
        yield Case(f"ids {own} behind commas", _text(rows), whole, "x.csv")
    binned = sorted((round(t, -1), k) for t, k in _ALL if t < 4000)
    rows = [f"{t / 1000:.2f} {k}" for t, k in [*binned, *binned[::4]]]
    yield Case("times that repeat", _text(sorted(rows)), (), "x.txt", _REFUSED)
    rows = [f"{t:.1f},{k},{t * 10:.0f}" for t, k in _ALL]
    yield Case("a step of the clock", _text(["time_ms,neuron_id,step", *rows]), (A, B, C))
    data = {
        "spkt": [t for t, _ in _ALL],
        "spkid": [float(k) for _, k in _ALL],
        "t": [k / 10 for k in range(9999)],
    }
    yield Case("NetPyNE", json.dumps({"simData": data}), (A, B, C), "x.json")
    for step in (0.1, 1.0):
        data = {"t": [k * step for k in range(500)], "cell_a": A.tolist(), "cell_b": B.tolist()}
        yield Case("the clock of a trace", json.dumps(data), (A, B), "x.json", ("right", "warned"))


def lines() -> Iterator[Case]:
    """A train per line of as many whole numbers as the next, and two lines that are times and ids."""
    parts = [np.rint(x[:30]) for x in (A - 150, A - 130.4, A - 140.7, A - 121.2, A - 160.9)]
    rows = [" ".join(f"{t:.0f}" for t in x) for x in parts]
    yield Case("whole numbers", _text(rows), parts, "x.txt")
    yield Case("blank lines between", _text(rows).replace("\n", " \n\n"), parts, "x.txt")
    ids = ",".join(str((295, 39, 8)[k]) for _, k in _ALL)
    yield Case("times above ids", _text([",".join(f"{t:.1f}" for t, _ in _ALL), ids]), (), "x.csv", _REFUSED)


def arrays_of_electrodes() -> Iterator[Case]:
    """Blocks under names that differ in a number, with their units, and settings beside rows."""
    for mark in ("\t", ";", ","):
        for blank in ("", "\n"):
            for n in (2, 30):
                text = "MC_DataTool ASCII conversion\n\n"
                for k, x in enumerate((A, B, C, A[:0])):
                    head = mark.join(["t           ", f"Spikes 2 {21 + k} ", "Unit"])
                    text += f"{head}\n{mark.join(['[ms]        ', '[µV]'])}\n"
                    text += "".join(f"{t:<12.3f}{mark}-9.45       {mark}0\n{blank}" for t in x[:n]) + "\n\n"
                expected = [x[:n] for x in (A, B, C)]
                yield Case(f"MCS {mark!r} {blank!r} {n}", text, expected, "x.txt")
                yield Case(f"MCS {mark!r} {n} Latin-1", text.encode("cp1252"), expected, "x.txt")
    clock = [f"spike,14:{3 + int(t // 60000):02d}:{t % 60000 / 1000:09.6f}" for t in A]
    of_day = A + 1000.0 * (14 * 3600 + 3 * 60)
    yield Case("events on the clock", _text(["event,time of day", *clock]), (of_day,))
    cutouts = "".join(
        f"t\tSpikes 2 {21 + k}\n[ms]\t[µV]\n"
        + "".join(f"{t + j / 25:.2f}\t{-j}.5\n" for t in x for j in range(9))
        for k, x in enumerate((A[:9], B[:9]))
    )
    yield Case("cut-outs", cutouts, (), "x.txt", _REFUSED)
    about = ["Recording Name,rec1", "Well 1,y", "Well 2,y", "Rate,12500"] + [","] * len(_ALL)
    rows = [f"{a},{_s(t)},A1_1{k},0.01" for a, (t, k) in zip(about, _ALL, strict=False)]
    yield Case("settings beside", _text(["Investigator,me,Time (s),Electrode,Amplitude", *rows]), (A, B, C))


def interpreters() -> Iterator[Case]:
    """What pandas, MATLAB, R and Julia write and print."""
    rows = [f"cell{k},{n},{t:.3f}" for k, x in enumerate((A, B, C)) for n, t in enumerate(x)]
    yield Case("stacked", _text(["level_0,level_1,0", *rows]), (A, B, C), ok=("right", "warned"))
    number = [_s(t) for t in A]
    parts = [number[k : k + 8] for k in range(0, len(number), 8)]
    printed = "".join(
        f"  Columns {8 * k + 1} through {8 * k + 8}\n\n    {'    '.join(p)}\n\n" for k, p in enumerate(parts)
    )
    yield Case("columns of MATLAB", "spikeTimes_s =\n\n" + printed, (A,), "x.txt")
    yield Case("columns of MATLAB, alone", printed, (A,), "x.txt")
    matrix = printed.replace("\n\n  Col", "\n    1.5  2.5\n\n  Col")
    yield Case("a matrix of MATLAB", "spikes =\n\n" + matrix, (), "x.txt", _REFUSED)
    yield Case("c() of R", f"c({', '.join(number)})\n", (A,), "x.R")
    yield Case("<- of R", f"spikes_s <- c({', '.join(number)})\n", (A,), "x.R")
    vector = "\n".join(f"{f'[{8 * k + 1}]':>5} {' '.join(p)}" for k, p in enumerate(parts))
    yield Case("a vector of R", vector, (A,), "x.txt")
    yield Case(
        "a list of R",
        f"$u1\n{vector}\n\n$u2\n [1] 0.1 0.3 0.45 0.7\n",
        (A, np.array([100.0, 300, 450, 700])),
        "x.txt",
    )
    nested = ", ".join(f"[{', '.join(map(_s, x))}]" for x in (A, B, C))
    for name, end in (("spikes_s", ""), ("trains.s", ";"), ("spikes", "\n")):
        yield Case(f"{name} = [[…]]", f"{name} = [{nested}]{end}", (A, B, C), "x.jl")
    scaled = "ans =\n\n   1.0e+03 *\n\n" + "".join(f"    {t / 1000:.4f}\n" for t in A)
    yield Case("scaled by MATLAB", scaled, (A,), "x.txt", ("right",))
    slow = "t_s =\n\n   1.0e+03 *\n\n" + "".join(f"    {t / 1000:.4f}\n" for t in A)
    yield Case("scaled by MATLAB, s", slow, (A * 1e3,), "x.txt", within_ms=60)
    later = [f"{t + A[-1] + 50.0:.2f}" for t in B]
    parted = _text([*(f"{t:.2f}" for t in A), "-----", *later])
    yield Case("a rule between rows", parted, (), "x.txt", _REFUSED)
    for rule, mark, foot in (
        ("|---+---|", "|", ""),
        ("| --- | --- |", "|", ""),
        ("---+---", "", "(180 rows)"),
    ):
        rows = [f"{mark} u{k} | {t:.2f} {mark}" for t, k in _ALL]
        yield Case(
            f"ruled by {rule}", _text([f"{mark} unit | time_ms {mark}", rule, *rows, foot]), (A, B, C), "x.md"
        )
    yield Case("YAML", f"unit: s\nu1: [{', '.join(number)}]\n", (), "x.yaml", _REFUSED)
    marked = _text(["# Marker IDs can be arbitrary strings.", "# Marker ID,\tTime (in s)"])
    marked += _text([f"_neuron{k},\t{_s(t)}" for t, k in _ALL])
    yield Case("comma and tab", marked, (A, B, C), "x-events.txt")
    padded = _text(["Experiment 12;;", "Date;12.03.2021;", "", "Cell 1;Cell 2;Cell 3"])
    columns = zip(A[:60], B[:60], C[:60], strict=True)
    padded += _text([";".join(map(_s, row)).replace(".", ",") for row in columns])
    yield Case("titles padded with delimiters", padded, (A, B, C))
    titled = _text(["Experiment 12", "", "cell\ttime\tamplitude", "\t[ms]\t[mV]"])
    yield Case(
        "units below names below a title",
        titled + _text([f"{k}\t{t:.2f}\t{50 + k}.5" for t, k in _ALL]),
        (A, B, C),
    )


def nested() -> Iterator[Case]:
    """Records within records of JSON, and ids that are no times."""
    spikes = [
        {"sweep_number": k, "spikes": [{"peak_t": t / 1000, "peak_v": 31.2} for t in x]}
        for k, x in enumerate((A, B))
    ]
    yield Case("sweeps of spikes", json.dumps({"sweeps": spikes}), (A, B), "x.json")
    hours = [{"time": k, "value": k * 7 % 5} for k in range(24)]
    yield Case("counts of hours", json.dumps([{"subject": 1, "spikes": hours}]), (), "x.json", _REFUSED)
    cells = [
        {"name": "a", "sweeps": [{"id": k, "spike_times_ms": x.tolist()} for k, x in enumerate((A, B))]},
        {"name": "b", "sweeps": [{"id": 0, "spike_times_ms": C.tolist()}]},
    ]
    yield Case("cells of sweeps", json.dumps({"cells": cells}), (A, B, C), "x.json")
    text = ", ".join(f"'{name}': {(x * 1e3).tolist()}" for name, x in (("a", A), ("b", B)))
    yield Case("a unit of a dictionary", f"times_us = {{{text}}}", (A, B), "x.py")
    other = [{"sweep": k, "spikes": [[1.5, "a"], {"b": 2}]} for k in range(3)]
    yield Case("ids beside what is not read", json.dumps(other), (), "x.json", _REFUSED)


def no_times() -> Iterator[Case]:
    """Bins, counts that stand before trains, and samples above a threshold."""
    bits = (_RNG.random((30, 300)) < 0.02).astype(int)
    bits[:, :2] = 0, 1
    for name, mark, ends in (
        ("table", ",", ("", "")),
        ("lists", ", ", ("[", "]")),
        ("blanks", " ", ("", "")),
    ):
        rows = [ends[0] + mark.join(map(str, row)) + ends[1] for row in bits]
        yield Case(f"bins, {name}", _text(rows), (), "x.txt", _REFUSED)
    yield Case("bins of another height", _text(["0", "0", "0", "1000"] * 50), (), "x.txt", _REFUSED)
    clocked = [f"{k},{10 * (k % 3 == 0)},{k % 2}" for k in range(90)]
    yield Case("bins with a clock", _text(["time,u,spike1", *clocked]), (), "x.csv", _REFUSED)
    trains = [x - 600.0 for x in (A, B[:30], C[:20])]
    head = ["1", "3", "4", *(str(len(x)) for x in trains)]
    yield Case("toe_lis", _text(head + [f"{t:.4f}" for x in trains for t in x]), (), "x.toe_lis", _REFUSED)
    above = [(t + j / 10, 15.0 + j) for t in A[:12] for j in range(4)]
    rows = [f"{t:.1f} \t {v:.2f}" if k % 3 else f"{t:.1f}  {v:.2f}" for k, (t, v) in enumerate(above)]
    yield Case("samples above a threshold", _text(["time \t voltage", " ", *rows]), (), "x.dat", _REFUSED)


@each_case(simulators, lines, arrays_of_electrodes, interpreters, nested, no_times)
def test_read_rightly_or_refused(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.startswith(case.ok), outcome
    assert "\n" not in outcome


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            _text([f"{t:.1f}\t{1 + 2 * (k % 2)}" for k, t in enumerate(A)]),
            "say which columns identify a train",
        ),
        (_text(["0 1 0 0 0"] * 9), "only 0 and 1, like binned spikes"),
        (_text(["time,c1,c2", *(f"{k},{k % 2},{k % 3 == 0:d}" for k in range(60))]), "like counts in bins"),
    ],
)
def test_sentences(text: str, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        read_spike_trains(text.encode(), filename="x.txt")


def test_a_name_of_pandas_among_times_is_pointed_out() -> None:
    report = read_spike_trains(_text(["0", *map(_s, A)]).encode(), filename="x.csv").report
    assert any("the first line, 0, is taken for a spike" in caution for caution in report.cautions)


def test_ids_without_names_are_not_said_to_be_asked_for() -> None:
    recordings = read_spike_trains(_text([f"{k}\t{t:.2f}" for t, k in _ALL]).encode(), filename="x.txt")
    assert recordings.report.key == "column 1, since it parts the times into trains"
