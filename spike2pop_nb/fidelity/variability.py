"""How much a recording differs from itself, and which trains lie within that.

No cell fires twice alike. Two windows of one cell differ in rate, in how its intervals vary, in its bursts.
By how much is estimated from the recording by a block bootstrap (Künsch 1989, doi:10.1214/aos/1176347265):
pairs of windows are put together from stretches of it, drawn with replacement. A train lies within the
variability of the recording if it differs from it in no measure by more than 95 % of such pairs differ in
their worst one. To that comes how cells drift from one window to the next, which a single window cannot show.

Bursts are told as `describe_pattern` tells them, not by the published rule, which takes most irregular trains
for bursting and is spoilt by one long pause.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.stats import chi2

from spike2pop_nb.errors import SpikeTrainError, three_digits
from spike2pop_nb.fidelity import measures
from spike2pop_nb.seeds import generator
from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["LONGEST_MS", "PERIODS", "Variability"]

FloatArray = npt.NDArray[np.float64]
LONGEST_MS, PERIODS = 20_000.0, 12
"""Windows that members are judged on are no longer than this, or than so many burst periods."""
_LEVEL, _PAIRS = 0.95, 200
_WIDE = 2.6  # SD that the worst of six normals is within in 95 %
_BLOCKS = (3, 6, 12)  # a window is put together from so many stretches: slow changes need long ones
_SHORTEST = 5  # intervals in a stretch
# SD by which real cells drift between windows, beyond chance: of logarithms, and of spreads as a share. Seen
# in two Purkinje cells, one that fires fast, and a nigral one; second windows of six others passed in 98 %.
_DRIFT = {"rate": 0.03, "burst period": 0.03, "intervals": 0.03}
_DRIFT_WITHIN, _DRIFT_OF_SPREAD = 0.05, 0.12
_FEWEST_CYCLES, _FEWEST_INTERVALS = 2, 10
_TELLING = 3  # cycles from which on a recording says by itself how they vary
# SD of cycles where they are fewer, of the size seen in two PD and an LP cell of crabs: of periods 0.01 to
# 0.40, of durations 0.02 to 0.55, of counts 0 to 0.23, of intervals within 0.02 to 0.36
_USUAL = {
    "burst period": 0.12,
    "burst duration": 0.2,
    "spikes per burst": 0.2,
    "interval within bursts": 0.15,
    "intervals": 0.05,
}
# What a recording says best: no cell is taken to be closer to itself, nor a train held closer to it.
_LEAST = {"serial correlation": 0.15, "intervals": 0.03}
_LEAST_SPREAD, _LEAST_COUNT = 0.02, 0.05
_UNITS = {"rate": "Hz", "burst period": "ms", "burst duration": "ms", "interval within bursts": "ms"}
_CLOCK_CV = 0.03  # of the intervals, or of burst periods and spikes per burst, of a neuron without noise
_VAGUE = math.log(2.0)


class Variability(BaseModel):
    """What a recording's firing is, and how far a train of the same cell may be from it.

    Attributes
    ----------
    bursting
        Whether it bursts; trains that do and trains that do not are never alike.
    names
        Its measures, the last of which is the distribution of ln(ISI).
    wanted : (q − 1,)
        Their values; of rate, periods, durations, and counts the logarithm.
    quantiles : (40,)
        Of ln(ISI in ms).
    tolerance : (q,)
        By how much a train may differ in each; of intervals, the mean difference of the quantiles.
    window_ms
        Length of the windows that were compared.
    clock
        Whether the recording is as regular as a neuron without noise.
    few
        Whether it has too few bursts to say how they vary, so that those of other cells say it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import Variability
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> own = Variability.of(train)
    >>> own.bursting, own.distance(train.times_ms)
    (True, 0.0)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bursting: bool
    names: tuple[str, ...]
    wanted: tuple[float, ...]
    quantiles: tuple[float, ...]
    tolerance: tuple[float, ...]
    window_ms: float
    clock: bool = False
    few: bool = False

    @classmethod
    def of(cls, train: SpikeTrain, *, longest_ms: float = math.inf, seed: int = 0) -> Variability:
        """Estimate the variability of a recording.

        Parameters
        ----------
        train
            The recording.
        longest_ms
            Windows that are compared are no longer than this, or than 12 burst periods; all of the recording
            by default.
        seed
            Of the bootstrap.

        Raises
        ------
        SpikeTrainError
            If it is too short to say: it needs 2 whole bursts, or 10 intervals.

        Examples
        --------
        >>> import numpy as np
        >>> import spike2pop_nb as s2p
        >>> from spike2pop_nb.fidelity import Variability
        >>> isi_ms = np.random.default_rng(1).normal(100, 10, 200)
        >>> train = s2p.SpikeTrain("cell", np.cumsum(isi_ms))
        >>> Variability.of(train).to_frame()["measure"].tolist()
        ['rate', 'robust CV', 'robust CV2', 'serial correlation', 'intervals']
        """
        train = as_train(train)
        bursting = describe_pattern(train).kind is ActivityPattern.BURSTING
        parts = measures.cut(train.times_ms, bursting)
        fewest = _FEWEST_CYCLES if bursting else _FEWEST_INTERVALS
        if len(parts) < fewest:
            what = ("whole burst" if bursting else "interval") + "s" * (len(parts) != 1)
            raise SpikeTrainError(
                f"Recording {train.id!r} has {len(parts) or 'no'} {what}; {fewest} are needed to say how it "
                "varies, so record for longer."
            )
        wanted = measures.measure(parts, bursting)
        share = min(1.0, longest_ms / train.duration_ms)
        n = max(min(len(parts), PERIODS if bursting else fewest), round(len(parts) * share))
        rng = generator(seed, error=SpikeTrainError)
        drift = math.sqrt(2.0) * _drift(wanted, bursting)
        scales = [_halves(parts, bursting)]
        for blocks in _BLOCKS:
            found = _pair_differences(parts, n, blocks, bursting, rng)
            scales.append(_spread(_drifted(found, drift * rng.normal(size=found.shape)), bursting))
        tolerance = np.maximum(_WIDE * np.max(scales, axis=0), _least(parts, n, bursting))
        return cls(
            bursting=bursting,
            names=measures.names(bursting),
            few=bursting and len(parts) < _TELLING,
            clock=all(cv <= _CLOCK_CV for cv in measures.plain_cvs(parts, bursting)),
            wanted=tuple(wanted.tolist()),
            quantiles=tuple(measures.quantiles(parts).tolist()),
            tolerance=tuple(tolerance.tolist()),
            window_ms=train.duration_ms * n / len(parts),
        )

    def differences(self, *trains_ms: FloatArray) -> FloatArray | None:
        """Return by how much trains of one cell differ from the recording, in tolerances, (q,).

        Parameters
        ----------
        *trains_ms
            Spike times in ms: one train, or several of the same cell, whose measures are averaged.

        Returns
        -------
        (q,) float or None
            None if half of the trains or more do not burst where the recording does, or the reverse.
        """
        return self.differences_of([trains_ms])[0]

    def differences_of(self, members: Sequence[Sequence[FloatArray]]) -> list[FloatArray | None]:
        """Return `differences` of many members, each given by its trains; faster than one after the other."""
        return [None if off is None else np.abs(off) for off in self.deviations_of(members)]

    def deviations_of(self, members: Sequence[Sequence[FloatArray]]) -> list[FloatArray | None]:
        """Return `differences` with a sign, but for the last: more or less than the recording has."""
        parts = [[self._alike(times) for times in trains] for trains in members]
        seen = [[one for one in member if one] for member in parts]
        measured, quantiles = measures.measure_many([one for member in seen for one in member], self.bursting)
        ends, found = np.cumsum([len(member) for member in seen]), list[FloatArray | None]()
        for trains, member, end in zip(members, seen, ends.tolist(), strict=True):
            if 2 * len(member) <= len(trains):
                found.append(None)
                continue
            rows = slice(end - len(member), end)
            by = measured[rows].mean(axis=0) - self.wanted
            apart = np.abs(quantiles[rows].mean(axis=0) - self.quantiles).mean()
            found.append(np.asarray(np.append(by, apart) / self.tolerance))
        return found

    def distance(self, *trains_ms: FloatArray) -> float:
        """Return the largest of `differences`: up to 1 within the recording's variability, infinite for None.

        Examples
        --------
        >>> import numpy as np
        >>> import spike2pop_nb as s2p
        >>> from spike2pop_nb.fidelity import Variability
        >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
        >>> Variability.of(train).distance(np.arange(0.0, 3000.0, 50.0))
        inf
        """
        found = self.differences(*trains_ms)
        return math.inf if found is None else float(found.max())

    def distances(self, trains_ms: Sequence[FloatArray]) -> FloatArray:
        """Return `distance` of each of many trains, (n,)."""
        found = self.differences_of([[times] for times in trains_ms])
        return np.array([math.inf if off is None else float(off.max()) for off in found])

    def apart(self, times_ms: FloatArray) -> float:
        """Return the mean difference of the quantiles of ln(ISI), however a train fires; infinite without."""
        if len(times_ms) < 3:
            return math.inf
        found = np.quantile(np.log(np.diff(times_ms)), measures.QUANTILES)
        return float(np.abs(found - self.quantiles).mean())

    def _alike(self, times_ms: FloatArray) -> list[FloatArray] | None:
        """Return the parts of a train of the recording's kind; None for another."""
        if len(times_ms) < _FEWEST_INTERVALS // 2:
            return None
        if (describe_pattern(times_ms).kind is ActivityPattern.BURSTING) is not self.bursting:
            return None
        parts = measures.cut(times_ms, self.bursting)
        return parts if len(parts) >= 2 else None

    def judge(self, *trains_ms: FloatArray) -> dict[str, Any]:
        """Score trains of one member: what this rule fills of a row of a `Verdict`.

        It passes if it is within the variability on average, and in more than half of the trains by
        themselves.
        """
        off, first = self.differences(*trains_ms), trains_ms[0]
        kind, isi = describe_pattern(first).kind, np.diff(first)
        row = {
            "rate_hz": 1000.0 / float(isi.mean()) if isi.size else 0.0,
            "pattern": str(kind),
            "passed": False,
        }
        if off is None:
            wanted = "bursting" if self.bursting else "tonic"
            return row | {"score": 0.0, "distance": math.inf, "reasons": f"{kind} instead of {wanted}"}
        over = np.argsort(-off, kind="stable")[: int((off > 1.0).sum())]
        reasons = [f"{self.names[k]} off by {off[k]:.1f} times its tolerance" for k in over]
        within = float((self.distances(trains_ms) <= 1.0).mean())
        if not reasons and within <= 0.5:
            reasons = [f"only {100 * within:.0f} % of its windows are within the variability"]
        return row | {
            "score": float(2.0 ** -off.max()),
            "passed": not reasons,
            "distance": float(off.max()),
            "windows_within": within,
            "reasons": "; ".join(reasons),
            **{f"{name}_off": value for name, value in zip(self.columns, off.tolist(), strict=True)},
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the measures as they stand in columns."""
        return tuple(name.replace(" ", "_") for name in self.names)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per measure: measure, unit, recording, least and most that a train may have."""
        rows: list[dict[str, Any]] = []
        for name, value, by in zip(self.names, (*self.wanted, math.nan), self.tolerance, strict=True):
            low, high = value - by, value + by
            if name in measures.LOGARITHMS:
                low, value, high = math.exp(low), math.exp(value), math.exp(high)
            elif name == "serial correlation":
                low, high = max(low, -1.0), min(high, 1.0)
            else:
                low = max(low, 0.0)
            unit = _UNITS.get(name, "")
            row = {"measure": name, "unit": unit, "recording": value, "least": low, "most": high}
            rows.append(row | {"tolerance": by})
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Say the rule in one or two sentences."""
        said = []
        for row in self.to_frame().to_dict("records"):
            if row["measure"] == "intervals":
                said.append(f"its ln(ISI) distribution within {row['tolerance']:.2g}")
            else:
                unit = f" {row['unit']}" if row["unit"] else ""
                low, high = (three_digits(row[end]) for end in ("least", "most"))
                said.append(f"{row['measure']} from {low} to {high}{unit}")
        kind = "bursts" if self.bursting else "fires without bursts"
        text = (
            f"A member passes if it {kind} as the recording does, and differs from it by no more than two "
            f"windows of the recording differ ({100 * _LEVEL:.0f} % of them): {', '.join(said)}."
        )
        if self.few:
            text += (
                " With two whole bursts it does not say how they vary; the limits are those of other cells."
            )
        if vague := self.vague:
            text += f" The recording is too short to say much of its {' and '.join(vague)}."
        return text

    @property
    def vague(self) -> tuple[str, ...]:
        """Measures that the recording does not tell within a factor of 2."""
        known = zip(self.names, self.tolerance, strict=True)
        return tuple(name for name, by in known if name in measures.LOGARITHMS and by > _VAGUE)


def _pair_differences(
    parts: Sequence[FloatArray], n: int, blocks: int, bursting: bool, rng: np.random.Generator
) -> FloatArray:
    """Return by how much windows of n parts, each put together from so many stretches, differ, (pairs, q)."""
    length = max(1 if bursting else min(_SHORTEST, n), -(-n // blocks))
    starts = rng.integers(len(parts), size=(2 * _PAIRS, -(-n // length)))
    chosen = (starts[:, :, None] + np.arange(length)).reshape(2 * _PAIRS, -1)[:, :n] % len(parts)
    found = measures.measure_columns(measures.columns(parts, bursting)[..., chosen], bursting)
    if bursting:
        quantiles = np.array([measures.quantiles([parts[i] for i in row]) for row in chosen])
    else:
        quantiles = np.quantile(np.log(np.concatenate(parts)[chosen]), measures.QUANTILES, axis=1).T
    apart = np.abs(quantiles[::2] - quantiles[1::2]).mean(axis=1)
    return np.column_stack([found[::2] - found[1::2], apart])


def _drift(wanted: FloatArray, bursting: bool) -> FloatArray:
    """Return the SD by which each measure drifts from one window of a cell to another."""
    names, values = measures.names(bursting), np.append(wanted, 0.0)
    spreads = np.array(["CV" in name for name in names])
    logs = np.array([_DRIFT.get(name, _DRIFT_WITHIN * (name in measures.LOGARITHMS)) for name in names])
    return np.where(spreads, _DRIFT_OF_SPREAD * values, logs)


def _drifted(found: FloatArray, off: FloatArray) -> FloatArray:
    """Return by how much pairs of windows differ that have also drifted apart."""
    return np.column_stack([np.abs(found[:, :-1] + off[:, :-1]), np.hypot(found[:, -1], off[:, -1])])


def _spread(found: FloatArray, bursting: bool) -> FloatArray:
    """Return the SD of differences, robustly but for that of counts, most of which may be the same."""
    counts = np.array(["spikes" in name for name in measures.names(bursting)])
    return np.where(counts, np.sqrt((found**2).mean(axis=0)), measures.MAD_SD * np.median(found, axis=0))


def _halves(parts: Sequence[FloatArray], bursting: bool) -> FloatArray:
    """Return by how much both halves differ, scaled to the whole; drifts show in nothing else."""
    middle = len(parts) // 2
    if middle < _TELLING:  # one odd cycle of two would be half of them
        return np.zeros(len(measures.names(bursting)))
    one, other = parts[:middle], parts[-middle:]
    apart = np.abs(measures.measure(one, bursting) - measures.measure(other, bursting))
    distribution = np.abs(measures.quantiles(one) - measures.quantiles(other)).mean()
    return np.append(apart, distribution) / math.sqrt(2.0)


def _least(parts: Sequence[FloatArray], n: int, bursting: bool) -> FloatArray:
    """Return the tolerances below which a recording of so many parts cannot tell."""
    names = measures.names(bursting)
    least = np.array([_LEAST.get(name, _LEAST_SPREAD * ("CV" in name)) for name in names])
    if not bursting:
        error = _WIDE * math.sqrt(2.0 / n)  # of the difference of two correlations
        least[names.index("serial correlation")] = max(_LEAST["serial correlation"], error)
        return least
    # counts that are all the same may vary by their rounding, and by as much more as so few can hide
    spikes = 1.0 / float(np.mean([len(part) for part in parts]))
    hidden = math.sqrt((n - 1) / float(chi2.ppf(1.0 - _LEVEL, n - 1)))
    least[names.index("spikes per burst")] = max(_LEAST_COUNT, 0.5 * _WIDE * math.sqrt(2.0 / n) * spikes)
    least[names.index("robust CV of spikes per burst")] = max(_LEAST_COUNT, hidden * spikes / math.sqrt(12.0))
    least[names.index("robust CV of burst periods")] *= hidden
    if len(parts) < _TELLING:
        least = np.maximum(least, [_WIDE * _USUAL.get(name, 0.0) for name in names])
    return least
