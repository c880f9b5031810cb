"""Labelled spike trains that firing-pattern rules are measured on, and the table of how well they do.

``python tests/spiketrains/pattern_bench.py [FOLDER …]`` prints it; folders of simulated trains
(``spike2pop dataset``) are compared with the class by the published rule that they hold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from spike2pop_nb.spiketrains import ActivityPattern, PatternReport, classify, describe_pattern

Floats = NDArray[np.float64]
Rng = np.random.Generator
REGULAR, IRREGULAR, BURSTING = ActivityPattern.REGULAR, ActivityPattern.IRREGULAR, ActivityPattern.BURSTING


@dataclass(frozen=True)
class Case:
    """A kind of train: its true pattern and how to make the intervals of one of about n spikes."""

    truth: ActivityPattern
    make: Callable[[Rng, int], Floats]


def gamma(rng: Rng, n: int, cv: float, mean_ms: float | None = None) -> Floats:
    mean = 10 ** rng.uniform(1, 3) if mean_ms is None else mean_ms
    return rng.gamma(cv**-2, mean * cv**2, n)


def regular(rng: Rng, n: int) -> Floats:
    return gamma(rng, n, rng.uniform(0.02, 0.2))


def irregular(rng: Rng, n: int) -> Floats:
    return gamma(rng, n, rng.uniform(0.4, 1))


def poisson(rng: Rng, n: int) -> Floats:
    return gamma(rng, n, 1.0)


def refractory(rng: Rng, n: int) -> Floats:
    """A dead time of up to 0.8 of the mean that is added to it: CV 0.56 or more."""
    return gamma(rng, n, 1.0, mean_ms=100.0) + rng.uniform(5, 80)


def log_normal(rng: Rng, n: int) -> Floats:
    return 30 * np.exp(rng.normal(0, rng.uniform(0.4, 0.9), n))


def bursts(
    rng: Rng,
    n: int,
    spikes: tuple[int, int] = (2, 13),
    ratio: tuple[float, float] = (5, 50),
    pause_cv: tuple[float, float] = (0.1, 0.4),
    burst_cv: tuple[float, float] = (0.03, 0.3),
    single: float = 0.0,
    count: int = 0,
) -> Floats:
    """Bursts that are even, slow down, or are fastest in the middle; `count` of them, or until n spikes."""
    short, usual = 10 ** rng.uniform(0.5, 1.7), int(rng.integers(*spikes))
    pause = short * np.exp(rng.uniform(*np.log(ratio)))
    within, between, shape = rng.uniform(*burst_cv), rng.uniform(*pause_cv), rng.integers(3)
    out: list[float] = []
    made = 0
    while made < count if count else len(out) < n:
        size = usual if usual == 2 else max(2, usual + int(rng.integers(-1, 2)))
        size = 1 if rng.random() < single else size
        isi = gamma(rng, size - 1, within, short)
        place = np.linspace(0, 1, size - 1)
        isi *= (np.ones_like(place), 1 + 0.8 * place, 1 + 0.6 * np.abs(2 * place - 1))[shape]
        out += [*isi, float(gamma(rng, 1, between, pause)[0])]
        made += 1
    return np.array(out[:-1] if count else out[: n - 1])


def drifting(rng: Rng, isi: Floats) -> Floats:
    """The rate goes from half to twice itself, or less, or the other way."""
    return isi * rng.uniform(1.5, 2) ** (rng.choice([-1, 1]) * np.linspace(-1, 1, isi.size))


def missed(rng: Rng, isi: Floats) -> Floats:
    """5 to 10 % of the spikes are lost."""
    times = np.cumsum(isi)
    return np.diff(times[rng.random(times.size) >= rng.uniform(0.05, 0.1)])


def false_spikes(rng: Rng, isi: Floats) -> Floats:
    """2 % of the spikes are false, at least one."""
    times = np.cumsum(isi)
    extra = rng.uniform(times[0], times[-1], max(1, rng.binomial(times.size, 0.02)))
    return np.diff(np.unique(np.concatenate([times, extra])))


def with_doublets(rng: Rng, isi: Floats) -> Floats:
    """3 to 8 % of the spikes are doublets."""
    share, times = rng.uniform(0.03, 0.08), np.cumsum(isi)
    twins = times[:-1] + isi[1:] * rng.uniform(0.1, 0.25, times.size - 1)
    return np.diff(np.sort(np.concatenate([times, twins[rng.random(twins.size) < share]])))


def adapting(rng: Rng, isi: Floats) -> Floats:
    return isi * (1 - 0.6 * np.exp(-8 * np.linspace(0, 1, isi.size)))


def waxing(rng: Rng, isi: Floats) -> Floats:
    """The rate swings by up to a factor of two either way, over 15 to 60 spikes."""
    phase = 2 * np.pi * (np.arange(isi.size) / rng.uniform(15, 60) + rng.random())
    return isi * 2 ** (rng.uniform(0.5, 1) * np.sin(phase))


def stepping(rng: Rng, isi: Floats) -> Floats:
    return np.where(np.arange(isi.size) < rng.uniform(0.3, 0.7) * isi.size, 1, rng.uniform(2, 6)) * isi


def with_gap(rng: Rng, isi: Floats) -> Floats:
    isi[rng.integers(1, isi.size - 1)] *= rng.uniform(4, 8)
    return isi


CASES = {
    "regular": Case(REGULAR, regular),
    "regular, drifting": Case(REGULAR, lambda r, n: drifting(r, regular(r, n))),
    "regular, spikes missed": Case(REGULAR, lambda r, n: missed(r, regular(r, n + n // 9))),
    "regular, drifting, spikes missed": Case(
        REGULAR, lambda r, n: drifting(r, missed(r, regular(r, n + n // 9)))
    ),
    "regular, false spikes": Case(REGULAR, lambda r, n: false_spikes(r, regular(r, n))),
    "regular, some doublets": Case(REGULAR, lambda r, n: with_doublets(r, regular(r, n))),
    "regular, adapting": Case(REGULAR, lambda r, n: adapting(r, regular(r, n))),
    "regular, rate waxing and waning": Case(REGULAR, lambda r, n: waxing(r, regular(r, n))),
    "regular, one step of the rate": Case(REGULAR, lambda r, n: stepping(r, regular(r, n))),
    "regular, one gap in 60 spikes or more": Case(REGULAR, lambda r, n: with_gap(r, regular(r, max(n, 60)))),
    "irregular": Case(IRREGULAR, irregular),
    "Poisson": Case(IRREGULAR, poisson),
    "Poisson, refractory": Case(IRREGULAR, refractory),
    "log-normal": Case(IRREGULAR, log_normal),
    "irregular, drifting": Case(IRREGULAR, lambda r, n: drifting(r, irregular(r, n))),
    "Poisson, drifting": Case(IRREGULAR, lambda r, n: drifting(r, poisson(r, n))),
    "irregular, spikes missed": Case(IRREGULAR, lambda r, n: missed(r, irregular(r, n + n // 9))),
    "refractory, spikes missed": Case(IRREGULAR, lambda r, n: missed(r, refractory(r, n + n // 9))),
    "irregular, false spikes": Case(IRREGULAR, lambda r, n: false_spikes(r, irregular(r, n))),
    "bursts": Case(BURSTING, bursts),
    "bursts, pauses 4 to 6 times": Case(
        BURSTING, lambda r, n: bursts(r, n, ratio=(4, 6), pause_cv=(0.05, 0.2), burst_cv=(0.03, 0.2))
    ),
    "doublets throughout": Case(BURSTING, lambda r, n: bursts(r, n, spikes=(2, 3))),
    "bursts, 10 to 40 % of one spike": Case(
        BURSTING, lambda r, n: bursts(r, n, single=float(r.uniform(0.1, 0.4)))
    ),
    "bursts, irregular within": Case(
        BURSTING, lambda r, n: bursts(r, n, spikes=(3, 10), burst_cv=(0.3, 0.5))
    ),
    "bursts of 15 to 40 spikes": Case(
        BURSTING, lambda r, n: bursts(r, max(n, 120), spikes=(15, 40), pause_cv=(0.05, 0.3))
    ),
    "bursts, drifting": Case(BURSTING, lambda r, n: drifting(r, bursts(r, n))),
    "bursts, spikes missed": Case(BURSTING, lambda r, n: missed(r, bursts(r, n + n // 9, spikes=(3, 13)))),
    "bursts, false spikes": Case(BURSTING, lambda r, n: false_spikes(r, bursts(r, n))),
    "three bursts": Case(BURSTING, lambda r, n: bursts(r, n, spikes=(7, 14), count=3)),
    "two bursts": Case(BURSTING, lambda r, n: bursts(r, n, spikes=(10, 15), count=2)),
}


def bench(
    per_case: int, fewest: int = 20, most: int = 400, seed: int = 0
) -> Iterator[tuple[str, Case, Floats, PatternReport]]:
    """Trains of every case with what `describe_pattern` says of them; spike numbers are log-uniform."""
    for row, (name, case) in enumerate(CASES.items()):
        for number in range(per_case):
            rng = np.random.default_rng([seed, row, number])
            n = int(np.exp(rng.uniform(np.log(fewest), np.log(most + 1))))
            times = np.cumsum(np.concatenate([[0.0], case.make(rng, n)]))
            yield name, case, times, describe_pattern(times)


def log_histogram_bursts(times_ms: Floats) -> bool:
    """Bursting by the log-interval histogram: two peaks with a void parameter of 0.7 or more between them."""
    if times_ms.size < 2:
        return False
    log_isi = np.log10(np.diff(times_ms))
    edges = np.arange(log_isi.min() - 0.35, log_isi.max() + 0.45, 0.1)
    smooth = gaussian_filter1d(np.histogram(log_isi, edges)[0].astype(float), 1.0)
    peaks, _ = find_peaks(smooth, distance=2)
    voids = [
        1 - smooth[a : b + 1].min() / np.sqrt(smooth[a] * smooth[b])
        for i, a in enumerate(peaks)
        for b in peaks[i + 1 :]
    ]
    return max(voids, default=0.0) >= 0.7


def scores(per_case: int, seed: int, fewest: int = 20, most: int = 400) -> pd.DataFrame:
    rows = [
        {
            "case": name,
            "truth": str(case.truth),
            "found": str(report.kind),
            "confidence": report.confidence,
            "right": report.kind is case.truth,
            "bursting": (report.kind is BURSTING) == (case.truth is BURSTING),
            "bursting_published": (classify(times) == "bursting") == (case.truth is BURSTING),
            "bursting_log_histogram": log_histogram_bursts(times) == (case.truth is BURSTING),
        }
        for name, case, times, report in bench(per_case, fewest, most, seed)
    ]
    return pd.DataFrame(rows)


def simulated(folder: Path) -> pd.DataFrame:
    table = pd.concat(
        pd.read_parquet(path, columns=["pattern", "spike_times_ms"])
        for path in sorted(folder.glob("*.parquet"))
    )
    found = [str(describe_pattern(np.asarray(times)).kind) for times in table["spike_times_ms"]]
    published = table["pattern"].map({0: "silent", 1: "spiking", 2: "bursting"})
    return pd.crosstab(published.to_numpy(), np.array(found), rownames=["published rule"], colnames=["found"])


def main(folders: list[str]) -> None:
    for fewest, most in ((20, 400), (10, 19), (5, 9)):
        found = scores(200, seed=2, fewest=fewest, most=most)
        print(f"\n{fewest} to {most} spikes: {found['right'].mean():.3f} right")
        print(pd.crosstab(found["truth"], found["found"]).to_string())
        bands = pd.cut(found["confidence"], [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1])
        print(found.groupby(bands, observed=True)["right"].agg(["size", "mean"]).round(3).to_string())
        if fewest == 20:
            columns = ["right", "bursting", "bursting_published", "bursting_log_histogram"]
            print(found.groupby("case", sort=False)[columns].mean().round(3).to_string())
            print(found[columns].mean().round(3).to_string())
    for folder in folders:
        print(f"\n{folder}\n{simulated(Path(folder)).to_string()}")


if __name__ == "__main__":
    main(sys.argv[1:])
