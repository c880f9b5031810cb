"""Text files of the kinds that were misread, in many spellings, and what must come back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from kinds import RATE_HZ, A, B, C, Case, merged

__all__ = ["KINDS"]

_OR_REFUSED = ("right", "refused")
_OR_CAUTIONED = ("right", "refused", "warned")
_ALL = merged([A, B, C])
_TRIALS = [A[:12] - A[0] + 100, A[12:24] - A[12] + 130, A[24:36] - A[24] + 90]
_CHANNEL, _UNIT = [1, 1, 2], [1, 2, 1]


def _lines(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows] if header else rows)


def _samples(t: float) -> str:
    return f"{t * RATE_HZ / 1000:.0f}"


def keys() -> Iterator[Case]:
    """A unit is all columns that identify it."""
    grouped = [(t, k) for k, times in enumerate((A, B, C)) for t in times]
    for names in (
        ("chan", "unit", "time_s"), ("electrode", "cluster", "t_s"), ("Ch", "Unit No.", "Timestamp (s)"),
        ("tetrode", "cell", "spike_time_s"), ("probe", "unit_id", "time [s]"), ("animal", "cell", "time (s)"),
        ("filename", "cell_id", "time_s"), ("Channel", "Cluster ID", "Spike Time (s)"),
        ("mouse_id", "neuron_id", "t (s)"), ("well", "electrode", "Time (s)"), ("day", "cell", "time_s"),
        ("recording", "unit", "time_s"), ("experiment", "neuron", "times_s"),
    ):  # fmt: skip
        for spikes in (_ALL, grouped):
            rows = [f"{_CHANNEL[k]},{_UNIT[k]},{t / 1000:.5f}" for t, k in spikes]
            yield Case(f"{names}", _lines(",".join(names), rows), (A, B, C))
    for name in ("region", "brain_area", "genotype", "foo"):
        rows = [f"{['x', 'x', 'y'][k]},{_UNIT[k]},{t / 1000:.5f}" for t, k in _ALL]
        yield Case(f"text {name}", _lines(f"{name},unit,time_s", rows), (A, B, C), ok=_OR_REFUSED)
    rows = [f"{_CHANNEL[k]},{_UNIT[k]},{t / 1000:.5f}" for t, k in _ALL]
    yield Case("unknown names", _lines("foo,bar,time_s", rows), (A, B, C), ok=_OR_REFUSED)
    rows = [f"{[1, 1, 2][k]},{[1, 2, 1][k]},5,{t / 1000:.5f}" for t, k in _ALL]
    yield Case("three keys", _lines("animal,session,unit,time_s", rows), (A, B, C))
    for id_name, time_name in (
        ("i", "t"), ("gids", "timestamps"), ("senders", "times"), ("node_id", "time"), ("neuron_idx", "time"),
        ("sender", "time_ms"), ("source_id", "spike_time"), ("nid", "t"), ("neuron index", "spike time"),
        ("node_ids", "timestamps"),
    ):  # fmt: skip
        rows = [f"{k},{t:.4f}" for t, k in _ALL]
        yield Case(f"{id_name} {time_name}", _lines(f"{id_name},{time_name}", rows), (A, B, C))
    rows = [f"{k + 4}\t{t:.3f}" for t, k in _ALL]
    head = "# NEST version: 3.0\n# RecordingBackendASCII version: 2\nsender\ttime_ms"
    yield Case("NEST", _lines(head, rows), (A, B, C), "spikes.dat")
    yield Case("GDF", _lines("", rows), (A, B, C), "spikes.gdf")
    yield Case("raster", _lines("", [f"{t:.3f} {k + 4}" for t, k in _ALL]), (A, B, C), "spikes.txt")
    for name in (
        "assigns", "assignments", "clusters", "templates", "spike_templates", "labels", "index", "cluster_id",
        "unit_index", "spike_clusters", "ids", "units", "cell", "neuron", "clu", "class", "spike_labels",
    ):  # fmt: skip
        rows = [f"{[4, 9, 12][k]},{t / 1000}" for t, k in _ALL]
        yield Case(f"label {name}", _lines(f"{name},time_s", rows), (A, B, C))


def decimal_commas_and_thousands() -> Iterator[Case]:
    """Told apart by their widths, or refused."""
    for name, times in (("A", A), ("B", B), ("C", C)):
        for digits in (1, 2, 3, 4):
            for scale in (1, 1000) if digits > 1 else (1,):
                text = "\n".join(f"{t / scale:.{digits}f}".replace(".", ",") for t in times)
                within = max(0.06, 0.51 * scale * 10**-digits)
                yield Case(f"{name} {digits} {scale}", text, (times,), "d.csv", ("right", "warned"), within)
    seconds = [f"{t / 1000:.3f}".replace(".", ",") for t in A]
    yield Case("header", _lines("Zeit (s)", seconds), (A,), within_ms=0.6)
    yield Case("two columns", _lines("id;zeit_s", [f"1;{s}" for s in seconds]), (A,), within_ms=0.6)
    yield Case("tab", _lines("", [f"{k}\t{s}" for k, s in enumerate(seconds, 1)]), (A,), within_ms=0.6)
    for mark, point, sep in (
        (",", ".", "\t"), (".", ",", "\t"), ("'", ".", ","), (" ", ",", ";"), ("\u202f", ",", ";"),
        (",", ".", ";"), (".", ",", ";"),
    ):  # fmt: skip
        for digits in (0, 1, 2, 3):
            written = [f"{t:,.{digits}f}".replace(",", "@").replace(".", point).replace("@", mark) for t in A]
            for quote, comma in (("", sep), ('"', ",")):
                rows = [f"1{comma}{quote}{number}{quote}" for number in written]
                name = f"{mark!r} {point} {sep!r} {digits} {quote}"
                yield Case(name, _lines(f"id{comma}time_ms", rows), (A,), ok=_OR_REFUSED, within_ms=0.6)


def units() -> Iterator[Case]:
    """A unit that is named is used, or refused; samples need their rate."""
    for name, factor in (
        ("time_ns", 1e6), ("t (ns)", 1e6), ("time [0.1 ms]", 10), ("timestamp_100us", 10), ("time_10us", 100),
        ("Zeit [ms]", 1), ("time(ms)", 1), ("time/ms", 1), ("t_msec", 1), ("time_min", 1 / 60_000),
        ("times (hours)", 1 / 3.6e6), ("time_secs", 1e-3), ("time (10^-5 s)", 100), ("Time (x10 µs)", 100),
        ("time in milliseconds", 1), ("spike time, s", 1e-3), ("spiketime.us", 1e3), ("time x 10⁻⁴ s", 10),
        ("TimeStamp [100 ns]", 1e4), ("time (1/30000 s)", 30), ("t_0.1ms", 10),
    ):  # fmt: skip
        rows = [f"1,{t * factor:.9g}" for t in A]
        yield Case(name, _lines(f'id,"{name}"', rows), (A,), within_ms=0.3)
    for comment, factor in (
        ("# all times in ms", 1), ("# Units: seconds", 1e-3), ("% time base: 0.1 ms", 10),
        ("# time unit = us", 1e3), ("# times are given in 10 us", 100), ("# Timestamps in microseconds", 1e3),
        ("# time units: 100 ns", 1e4), ("# spike times (ms)", 1), ("# spike times in 1e-4 s", 10),
    ):  # fmt: skip
        rows = [f"1,{t * factor:.9g}" for t in A]
        yield Case(comment, _lines(f"{comment}\nid,time", rows), (A,), ok=_OR_REFUSED, within_ms=0.3)
    for name in ('id,"time [jiffies]"', "# unit: jiffies\nid,time"):
        yield Case(name, _lines(name, [f"1,{t:.3f}" for t in A]), (), ok=("refused",))
    for name in (
        "sample", "samples", "spike_samples", "sample_idx", "frame", "spike_frames", "sample_number",
        "peak_sample", "ticks", "timestamp (samples)", "time_samples",
    ):  # fmt: skip
        text = _lines(f"unit,{name}", [f"{k},{_samples(t)}" for t, k in _ALL])
        yield Case(f"{name} no rate", text, (), ok=("refused",))
        yield Case(name, text, (A, B, C), options={"sampling_rate_hz": RATE_HZ})
        yield Case(f"{name} s", text.replace("unit,", "# fs = 30 kHz\nunit,"), (A, B, C))
    rows = [_samples(t) for t in A]
    yield Case("whole numbers", _lines("", rows), (A,), ok=_OR_REFUSED)
    for comment in ("# sampling rate: 30000 Hz", "# fs = 30000", "# times in samples at 30 kHz"):
        yield Case(comment, _lines(comment, rows), (A,))
    rows = [f"{k},{_samples(t)},{t / 1000:.6f}" for t, k in _ALL]
    yield Case("samples and s", _lines("unit,sample,time_s", rows), (A, B, C))
    yield Case("ticks and s", _lines("cluster,timestamp,time", rows), (A, B, C))
    slow = np.cumsum(np.random.default_rng(4).gamma(2.0, 1600.0, 80))
    rows = [f"1,{t / 1000:.5f}" for t in slow]
    yield Case("a slow cell", _lines("id,time", rows), (slow,), ok=("right", "warned"))


def no_spikes() -> Iterator[Case]:
    """Padding, ids, counters, axes, intervals and amplitudes are no spikes."""
    for pad in ("0", "-1", "nan", "9999", "99999.0", "-999", "1000000.0"):
        parts = [A, B[:50], C[:40]]
        rows = [[f"{t / 1000:.4f}" for t in part] + [pad] * (60 - part.size) for part in parts]
        yield Case(f"rows {pad}", "\n".join(map(",".join, rows)), parts)
        columns = list(zip(*rows, strict=True))
        yield Case(f"columns {pad}", _lines("c1,c2,c3", list(map(",".join, columns))), parts)
        lists = [f'u{k},"[{", ".join(row)}]"' for k, row in enumerate(rows)]
        yield Case(f"lists {pad}", _lines("id,spike_times", lists), parts)
    first = (A[:40], B[:40], C[:40])
    for header in ("12,45,103", "7,8,9", "103,45,12", "12.0,45.0,103.0", "0,3,9"):
        table = list(zip(*first, strict=True))
        seconds = [",".join(f"{t / 1000:.4f}" for t in row) for row in table]
        yield Case(f"{header} s", _lines(header, seconds), first)
        yield Case(
            f"{header} ms", _lines(header, [",".join(f"{t:.1f}" for t in row) for row in table]), first
        )
        whole = [",".join(f"{t:.0f}" for t in row) for row in table]
        yield Case(f"{header} whole", _lines(header, whole), first, ok=_OR_REFUSED, within_ms=0.6)
        indexed = [f"{k},{row}" for k, row in enumerate(seconds)]
        yield Case(f"{header} pandas", _lines(f",{header}", indexed), first)
    for ids in ((1, 2, 3), (0, 1, 2), (12, 45, 103), (5, 3, 9)):
        for digits in (0, 1, 3):
            for sep in (",", " ", "\t"):
                parts = [A[:20], B[:21], C[:22]]
                rows = [
                    sep.join([str(i), *(f"{t:.{digits}f}" for t in p)])
                    for i, p in zip(ids, parts, strict=True)
                ]
                ok = _OR_REFUSED if ids[0] > 1 and not digits else ("right",)
                yield Case(f"{ids} {digits} {sep!r}", "\n".join(rows), parts, "r.txt", ok, 0.6)
    for name in (
        "#",
        "No.",
        "Nr",
        "n",
        "index",
        "Event",
        "Spike #",
        "event number",
        "spike_id",
        "Unnamed: 0",
        "",
    ):
        rows = [f"{k},{t / 1000:.4f},{50 + k % 3}" for k, t in enumerate(A, 1)]
        yield Case(f"counter {name}", _lines(f"{name},time_s,amp", rows), (A,))
        rows = [f"{k},{t / 1000:.4f},{u / 1000:.4f}" for k, (t, u) in enumerate(zip(A, B, strict=True), 1)]
        yield Case(f"counter {name} two", _lines(f"{name},cell1,cell2", rows), (A, B))
    rows = [f"{k} {t / 1000:.4f} {50 + k % 3}" for k, t in enumerate(A, 1)]
    yield Case("counter, no names", "\n".join(rows), (A,), "x.txt", _OR_REFUSED)
    rng = np.random.default_rng(0)
    for name in (
        "peak", "amplitude", "snr", "in_burst", "quality", "height_uV", "width", "isolation",
        "valid", "energy", "noise_level", "template_amplitude", "is_burst", "score",
        "spike_width_us", "Amp (uV)", "stim_on", "foo",
    ):  # fmt: skip
        values = (
            rng.integers(0, 2, 60) if name in ("in_burst", "valid", "is_burst") else rng.integers(40, 50, 60)
        )
        rows = [f"{t / 1000:.4f},{v}" for t, v in zip(A, values, strict=True)]
        yield Case(f"beside {name}", _lines(f"time_s,{name}", rows), (A,))
        rows = [f"{k},{t / 1000:.4f},{rng.integers(40, 44)}" for t, k in _ALL]
        ok = _OR_REFUSED if name in ("foo", "stim_on") else ("right",)
        yield Case(f"unit and {name}", _lines(f"unit,time_s,{name}", rows), (A, B, C), ok=ok)
    intervals = [f"{isi:.2f}" for isi in np.diff(A)]
    for name in ("isi_ms", "ISI", "interval (ms)", "inter-spike interval", "IEI", "intervals", ""):
        yield Case(f"intervals {name}", _lines(name, intervals), (), ok=("refused",))
    rows = [f"{isi:.2f},{t:.3f}" for isi, t in zip([0, *np.diff(A)], A, strict=True)]
    yield Case("intervals and times", _lines("isi_ms,time_ms", rows), (A,))
    rows = [f"{k / 1000:.3f},{int(rng.random() < 0.02)}" for k in range(2000)]
    yield Case("binned", _lines("time,spike", rows), (), ok=("refused",))


def trials() -> Iterator[Case]:
    """Trials are trains of their own."""
    for name in (
        "trial", "sweep", "rep", "Trial No", "trial_index", "trialNumber", "repetition", "stimulus", "epoch",
        "segment", "block", "condition",
    ):  # fmt: skip
        rows = [f"{k},{t / 1000:.4f}" for k, times in enumerate(_TRIALS) for t in times]
        yield Case(name, _lines(f"{name},time_s", rows), _TRIALS)
        both = [f"{n},{k},{(t + n) / 1000:.4f}" for n in (1, 2) for k, x in enumerate(_TRIALS) for t in x]
        expected = [times + n for n in (1, 2) for times in _TRIALS]
        yield Case(f"neuron and {name}", _lines(f"neuron,{name},time_s", both), expected)
    rows = [f"7,{k},{t / 1000:.4f}" for k, times in enumerate(_TRIALS) for t in times]
    yield Case("unknown number", _lines("neuron,foo,time_s", rows), _TRIALS, ok=_OR_REFUSED)
    rows = [f"x{k},{t / 1000:.4f}" for k, times in enumerate(_TRIALS) for t in times]
    yield Case("unknown text", _lines("foo,time_s", rows), _TRIALS, ok=_OR_REFUSED)
    rows = [f"{t / 1000:.4f}" for times in _TRIALS for t in times]
    yield Case("saw", _lines("time_s", rows), _TRIALS, ok=_OR_REFUSED)
    yield Case("saw of a unit", _lines("unit,time_s", [f"7,{r}" for r in rows]), _TRIALS, ok=_OR_REFUSED)
    yield Case("saw, split", _lines("time_s", rows), _TRIALS, options={"layout": "trials"})
    short = [f"{t / 1000:.4f}" for k in range(8) for t in (100 + k * 3, 220.0 + k, 330.0 - k)]
    yield Case("saw of threes", _lines("time_s", short), (), ok=("refused",))
    for stem in ("spike_", "t", ""):
        names = ",".join(f"{stem}{j}" for j in range(12))
        rows = [f"c1,{k},{','.join(f'{t / 1000:.4f}' for t in x)}" for k, x in enumerate(_TRIALS)]
        yield Case(f"wide {stem}", _lines(f"cell,trial,{names}", rows), _TRIALS)
    names = ",".join(f"t{j}" for j in range(12))
    ragged = [times[: 12 - k] for k, times in enumerate(_TRIALS)]
    rows = [f"c1,{k},{','.join(f'{t / 1000:.4f}' for t in x)}{',' * k}" for k, x in enumerate(ragged)]
    yield Case("wide, ragged", _lines(f"cell,trial,{names}", rows), ragged)


def instruments() -> Iterator[Case]:
    """What stands above and below a table, and the numbers of Fortran."""
    fortran = [f"{t / 1000:.7E}".replace("E", "D") for t in A]
    yield Case("Fortran", "\n".join(fortran), (A,), "x.txt")
    yield Case("Fortran list", f'id,spike_times\n1,"[{", ".join(fortran)}]"', (A,))
    waves = "\n".join(f"\t{t / 1000:.5f}" for t in A)
    scale = 'X SetScale/P x 0,1,"", spikes; SetScale d 0,0,"s", spikes'
    igor = f"IGOR\nWAVES/D spikes\nBEGIN\n{waves}\nEND\n{scale}\n"
    yield Case("Igor", igor, (A,), "x.itx")
    rows = [f"{k}\t{t / 1000:.5f}" for t, k in _ALL]
    head = "Date:\t2020-01-01\nOperator:\tme\nSampling rate:\t30 kHz\n\nunit\ttime_s"
    yield Case("keys above", _lines(head, rows), (A, B, C), "x.txt")
    seconds = [f"{t / 1000:.5f}" for t in A]
    yield Case("keys above one", _lines("Recorded on = 2020\nRig = 2\ntime_s", seconds), (A,), "x.txt")
    head = 'ATF\t1.0\n2\t3\n"AcquisitionMode=Gap Free"\n"Comment="\n"Event"\t"Time (ms)"\t"Peak (mV)"'
    yield Case(
        "ATF", _lines(head, [f"{k}\t{t:.2f}\t{30 + k % 2}.0" for k, t in enumerate(A, 1)]), (A,), "x.atf"
    )
    head = "Interval=\t1 ms\nExcelDateTime=\t4.0E+4\t01/01/2010\nTimeFormat=\tStartOfBlock\nRange=\t10.000 mV"
    yield Case("LabChart", _lines(head, [f"{s}\t1" for s in seconds]), (A,), "x.txt")
    spike2 = '"INFORMATION"\n"rec.smr"\n\n"SUMMARY"\n"1"\t"Event-"\t"spk"\n'
    for number, times in ((1, A), (2, B)):
        spike2 += f'\n"CHANNEL"\t"{number}"\n"Evt-"\n"No comment"\n"spk{number}"\n\n'
        spike2 += "\n".join(f"{t / 1000:.5f}" for t in times) + "\n"
    yield Case("Spike2", spike2, (A, B), "x.txt")
    about = ["Recording Name,rec1", "Description,", "Sampling Frequency,12.5 kHz"] + [","] * len(_ALL)
    rows = [f"{a},{t / 1000:.5f},A1_1{k},0.01" for a, (t, k) in zip(about, _ALL, strict=False)]
    foot = [",,,,", "Well Information", "Well,A1,A2,B1,B2", "Active,True,True,True,True"]
    axion = _lines("Investigator,,Time (s),Electrode,Amplitude(mV)", [*rows, *foot])
    yield Case("Axion", axion, (A, B, C), "spike_list.csv")
    rows = [f"{_samples(t)}\t{k + 1}\t{40 + k}.5\t{t % 7:.1f}" for t, k in _ALL]
    yield Case("MAP", _lines("", rows), (), "x_ST.txt", ("refused",))
    yield Case(
        "MAP at a rate", _lines("", rows), (A, B, C), "x_ST.txt", options={"sampling_rate_hz": RATE_HZ}
    )


def told_apart() -> Iterator[Case]:
    """Durations are no units, filters no sampling rates; counts, heights and sums no trains."""
    both = [f"{t / 1000:.4f},{u / 1000:.4f}" for t, u in zip(A, B, strict=True)]
    for names in ("ctrl_5min,drug_5min", "pre 30 s,post 30 s", "stim_500ms,stim_20ms", "neuron S,neuron H"):
        yield Case(names, _lines(names, both), (A, B), ok=("right", "refused"))
    rows = [f"{k},{_samples(t)}" for t, k in _ALL]
    for comment in (
        "# low-pass filter 300 Hz, high 6000 Hz", "# lowpass: 5000 Hz", "# line noise 50 Hz",
        "# LFP fs 1250 Hz", "# mean rate 8.2 Hz", "# camera 120 Hz",
    ):  # fmt: skip
        yield Case(comment, _lines(f"{comment}\ncell,sample", rows), (), ok=("refused",))
    for comment in ("# Sampling rate (Hz): 30000; highpass 300 Hz", "# sampled at 30 kHz"):
        yield Case(comment, _lines(f"{comment}\ncell,sample", rows), (A, B, C))
    for comment in ("# pulse times in s", "# spike widths in us", "# total time [s]: 300", "# unit: CA1_3"):
        yield Case(comment, _lines(f"{comment}\nid,time", [f"1,{t:.3f}" for t in A]), (A,))
    parts = [A, B[:45], C[:33]]
    for gone in ("NA", "None", "-", "null", "n/a", "#N/A", "--", "."):
        filled = [[f"{t:.1f}" for t in part] + [gone] * (60 - part.size) for part in parts]
        yield Case(f"rows filled with {gone}", "\n".join(map(",".join, filled)), parts, within_ms=0.1)
        columns = list(map(",".join, zip(*filled, strict=True)))
        yield Case(f"columns filled with {gone}", _lines("a,b,c", columns), parts, within_ms=0.1)
    for names in ("start_s,stop_s", "onset_ms,offset_ms", "rise_s,peak_s"):
        yield Case(names, _lines(names, both), (), ok=("refused",))
    rng = np.random.default_rng(1)
    bins = [f"{k * 10},{n}" for k, n in enumerate(rng.poisson(2, 80))]
    for names in ("bin_start_ms,count", "time_ms,n_spikes", "lag_ms,corr", "isi_ms,n"):
        yield Case(names, _lines(names, bins), (), ok=("refused",))
    for name in ("n_spikes", "sweep_dir", "epoch_type"):
        rows = [f"{t / 1000:.4f},{v}" for t, v in zip(A, rng.integers(1, 4, 60), strict=True)]
        yield Case(f"beside {name}", _lines(f"time_s,{name}", rows), (A,), ok=_OR_REFUSED)
    heights = [f"{t / 1000:.4f}\t{v}" for t, v in zip(A, rng.integers(-70, -40, 60), strict=True)]
    yield Case("heights without names", "\n".join(heights), (A,), "x.txt", _OR_REFUSED)
    intervals = [f"{t:.1f}\t{v:.1f}" for t, v in zip(A, rng.gamma(4, 30, 60), strict=True)]
    yield Case("intervals without names", "\n".join(intervals), (A,), "x.txt", _OR_REFUSED)
    counted = [" ".join([str(x.size), *(f"{t:.0f}" for t in x)]) for x in parts]
    yield Case("counts first", "\n".join(counted), parts, "x.txt", within_ms=0.6)
    counted = [2, 1, *map(len, parts), *(f"{t:.2f}" for part in parts for t in part)]
    told = ("refused: x.txt: the first 5 numbers, such as",)
    for layout in ("auto", "trials"):  # they would be a trial of their own
        yield Case(
            f"all counts first, {layout}",
            "\n".join(map(str, counted)),
            (),
            "x.txt",
            told,
            options={"layout": layout},
        )
    yield Case("a count first", "\n".join(["60", *(f"{t:.2f}" for t in A)]), (), "x.txt", ("refused",))
    narrow = [f"S{k}\t{t / 1000:.4f}" for k, t in enumerate(A)]
    yield Case("a label a row", "\n".join(narrow), (A,), "x.txt", _OR_REFUSED)
    rows = [f"{_UNIT[k]},{t / 1000:.5f}" for t, k in _ALL if k < 2]
    yield Case("sums below", _lines("unit,time_s", [*rows, "Total,180", "Mean,8.4"]), (A, B))
    printed = [f"{n:>3} {_UNIT[k]:>5} {t / 1000:.5f}" for n, (t, k) in enumerate(x for x in _ALL if x[1] < 2)]
    yield Case("printed by pandas", _lines("    unit time_s", printed), (A, B), "x.txt")


def not_understood() -> Iterator[Case]:
    """A unit that is scaled by hand is refused until it is given; steps need their length."""
    for name, factor in (
        ("t[ms/10]", 10), ("time_us_x10", 100), ("time_50khz", 50), ("time (s*1000)", 1),
        ("# All times are ms*10\nid,time", 10), ("# multiply by 0.1 to get ms\nid,time", 10),
    ):  # fmt: skip
        header = name if name.startswith("#") else f"id,{name}"
        text = _lines(header, [f"1,{t * factor:.6f}" for t in A])
        yield Case(name, text, (), ok=("refused",))
        yield Case(f"{name} given", text, (A,), options={"unit": f"{1 / factor} ms" if factor > 1 else "ms"})
    for name in ("time_step", "step", "timestep"):
        text = _lines(f"cell,{name}", [f"{k},{_samples(t)}" for t, k in _ALL])
        yield Case(name, text, (), ok=("refused",))
        yield Case(f"{name} at a rate", text, (A, B, C), options={"sampling_rate_hz": RATE_HZ})
    rows = [f"{k},{_samples(t)},30000" for t, k in _ALL]
    for name in ("fs", "sampling_frequency_hz", "Sample Rate"):
        yield Case(f"a column {name}", _lines(f"unit,sample,{name}", rows), (A, B, C))
    for names in ("t=0 s,t=300 s", "1 s,2 s", "group-s,group-l"):
        for scale, digits in ((1000, 5), (1, 2)):
            both = [f"{t / scale:.{digits}f},{u / scale:.{digits}f}" for t, u in zip(A, B, strict=True)]
            yield Case(f"{names} {scale}", _lines(names, both), (A, B))


def labels() -> Iterator[Case]:
    """Grades of units are no ids, groups only beside ids; noise is left out."""
    grade = ["good", "noise", "mua"]
    for name in ("group", "KSLabel", "quality", "label", "cluster_group"):
        rows = [f"{k + 4},{t / 1000:.5f},{grade[k]}" for t, k in _ALL]
        yield Case(f"{name} beside ids", _lines(f"cluster_id,time_s,{name}", rows), (A, C))
        rows = [f"{t / 1000:.5f},{grade[k]}" for t, k in _ALL]
        yield Case(f"{name} alone", _lines(f"time_s,{name}", rows), (), ok=("refused",))
        lists = [f'{k},{grade[k]},"{[round(t, 3) for t in x.tolist()]}"' for k, x in enumerate((A, B, C))]
        yield Case(f"{name} of lists", _lines(f"id,{name},times_ms", lists), (A, C))
    rows = [f"{t / 1000:.5f},{k}" for t, k in _ALL]
    yield Case("a group alone", _lines("time_s,group", rows), (), ok=("refused",))
    rows = [f"{['ko', 'ko', 'wt'][k]},{_UNIT[k]},{t / 1000:.5f}" for t, k in _ALL]
    yield Case("a group and a unit", _lines("group,neuron_id,time_s", rows), (A, B, C))
    rows = [f"{t / 1000:.5f},{'ab'[k % 2]}" for k, t in enumerate(A)]
    yield Case("a group of one neuron", _lines("time_s,group", rows), (A,))


def lines() -> Iterator[Case]:
    """First numbers, faulty first rows, sentences, and lines that do not grow."""
    parts = [t - t[0] + k for t, k in zip(_TRIALS, (20, 35, 28), strict=True)]
    rows = ["\t".join([*(f"{t:.1f}" for t in x[: 12 - k]), *["NA"] * k]) for k, x in enumerate(parts)]
    yield Case("whole first times", "\n".join(rows), (), "x.txt", ("refused",))
    own = [x[: 12 - k] for k, x in enumerate(parts)]
    yield Case("no ids", "\n".join(rows), own, "x.txt", within_ms=0.06, options={"id_columns": "none"})
    ids = {"id_columns": 0}
    yield Case("ids", "\n".join(rows), [x[1:] for x in own], "x.txt", within_ms=0.06, options=ids)
    features = [f"{k % 17} {k * 7 % 23} {-k % 11} 3 {_samples(t)}" for k, t in enumerate(A)]
    yield Case("features", "\n".join(["5", *features]), (), "x.fet.1", ("refused",))
    commas = ", ".join(f"{t / 1000:.3f}".replace(".", ",") for t in A)
    yield Case("decimal commas in a list", commas, (), "x.txt", ("refused",))
    said = [f"spike {k} at {t:.2f} ms" for k, t in enumerate(A, 1)]
    yield Case("sentences", "\n".join(said), (A,), "x.txt")
    marked = [f"{'>' if k == 0 else ' '} {t:.2f};" for k, t in enumerate(A)]
    yield Case("a mark before the first", "\n".join(marked), (), "x.txt", ("refused",))
    for labels in ("1", "0"):
        rows = [f"{t / 1000:.4f}\t{int(labels) + k % 2}" for k, t in enumerate(A)]
        yield Case(f"numbers of units from {labels}", "\n".join(rows), (), "x.txt", ("refused",))
    rows = [f"{_CHANNEL[k]},{_UNIT[k]},{t / 1000:.5f}" for t, k in _ALL]
    yield Case("channel, unit, time", "\n".join(rows), (A, B, C))
    both = list(zip(A, B, strict=True))
    sums = [f"{t / 1000:.4f},{u / 1000:.4f},{(t + u) / 1000:.4f}" for t, u in both]
    yield Case("sums beside", _lines("a,b,total", sums), (), ok=("refused",))
    for corner in ("Unnamed: 0", "index", ""):
        rows = [f"{k},{t / 1000:.4f},{u / 1000:.4f}" for k, (t, u) in enumerate(both)]
        yield Case(f"corner {corner!r}", _lines(f"{corner},12,45", rows), (A, B))
    rows = [f"{i},{','.join(f'{t:.2f}' for t in x)}" for i, x in ((12, A), (45, B))]
    yield Case("turned frame", _lines("," + ",".join(map(str, range(60))), rows), (A, B))
    rows = [f"{k},{n},{t / 1000:.4f}" for k, x in enumerate((A, B)) for n, t in enumerate(x, 1)]
    yield Case("a counter for each cell", _lines("cell,n,time_s", rows), (A, B))
    yield Case(
        "samples of a converter", _lines("adc", [str(3 * k + k % 7) for k in range(99)]), (), ok=("refused",)
    )


KINDS = [
    case
    for kind in (
        keys,
        decimal_commas_and_thousands,
        units,
        no_spikes,
        trials,
        instruments,
        told_apart,
        not_understood,
        labels,
        lines,
    )
    for case in kind()
]
