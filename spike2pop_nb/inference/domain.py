"""Whether a recording looks like any that the neuron was simulated to give, and if not, why.

A small perceptron on the interval statistics tells simulated recordings of the neuron (noise, missing and
false spikes included) from trains that no such neuron fires: Poisson and other renewal trains, shuffled
bursts, merged units, stretched time. Its score is turned into a share: how many simulated recordings of about
as many intervals in about as much time look at least as strange. Below `ALARM`, the recording is flagged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import three_digits
from spike2pop_nb.inference.statistics import STATISTICS
from spike2pop_nb.inference.tokens import TokenScale

__all__ = ["ALARM", "Domain", "DomainVerdict", "called"]

Floats = NDArray[np.floating]

ALARM = 0.05
"""Share of simulated recordings (whole, cut, and with spikes missing or false) that are flagged wrongly."""
_PLACE = {name: i for i, name in enumerate(STATISTICS)}


def called(neuron: str) -> str:
    """Return a neuron's name as sentences have it: in capitals if it is an abbreviation."""
    return neuron.upper() if len(neuron) <= 3 else neuron


@dataclass(frozen=True, eq=False)
class DomainVerdict:
    """Judgement of one recording.

    Attributes
    ----------
    score : float
        Log odds of the perceptron; higher is stranger.
    p_value : float
        Share of simulated recordings of similar length, in intervals and time, that score at least as high.
    inside : bool
        Whether ``p_value`` is at least `ALARM`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> s2p.load_predictor("stg").predict([train])[0].domain.inside
    True
    """

    score: float
    p_value: float
    inside: bool
    _explain: Callable[[], list[str]] = field(default=list, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # the reasons go along instead of the recordings that they are told from
        return DomainVerdict, (self.score, self.p_value, self.inside, partial(list, self.reasons))

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What is strange, in words, the most telling first; empty for a recording inside."""
        return () if self.inside else tuple(self._explain())

    def describe(self, neuron: str) -> str:
        """Say in one sentence why it is strange to the network of a neuron; empty for a recording inside."""
        if self.inside:
            return ""
        share = "under 0.1 %" if self.p_value < 0.001 else f"{100 * self.p_value:.1f} %"
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return (
            f"Outside what the {called(neuron)} network knows: only {share} of simulated recordings look as "
            f"strange{why}. Do not trust its DICs."
        )


@dataclass(eq=False)
class Domain:
    """The perceptron, its calibration, and recordings to compare with; all arrays, stored with the weights.

    Attributes
    ----------
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 : arrays
        Layers of the perceptron on ``TokenScale.statistics``.
    span_edges_ms : array (S - 1,)
        Borders of S bands of the time from the first spike to the last.
    length_edges : array (B - 1,)
        Borders, in intervals, of B bands of length.
    quantiles : array (S, B, Q)
        Scores of simulated recordings of each pair of bands, at equally spaced levels from 0 to 1.
    examples : array (E, 55)
        Statistics of recordings inside.
    least, most : arrays (55,)
        Range of each statistic over all but two in a thousand recordings inside.
    """

    weight_1: Floats
    bias_1: Floats
    weight_2: Floats
    bias_2: Floats
    weight_3: Floats
    bias_3: Floats
    span_edges_ms: Floats
    length_edges: Floats
    quantiles: Floats
    examples: Floats
    least: Floats
    most: Floats
    _ranks: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        n = len(STATISTICS)
        first, second, spans, lengths = map(
            len, (self.bias_1, self.bias_2, self.span_edges_ms, self.length_edges)
        )
        shapes: dict[str, tuple[int, ...]] = {
            "weight_1": (first, 2 * n), "bias_1": (first,), "weight_2": (second, first), "bias_2": (second,),
            "weight_3": (1, second), "bias_3": (1,), "span_edges_ms": (spans,), "length_edges": (lengths,),
            "quantiles": (spans + 1, lengths + 1, *self.quantiles.shape[2:]),
            "examples": (len(self.examples), n), "least": (n,), "most": (n,),
        }  # fmt: skip
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape or (not values.size and name in ("quantiles", "examples")):
                raise ValueError(f"its test for strange recordings has {name} of the shape {values.shape}")
            # a range may be open
            if np.isnan(values).any() or not (name in ("least", "most") or np.isfinite(values).all()):
                raise ValueError(f"its test for strange recordings has {name} that are no numbers")
        if self.quantiles.ndim != 3:
            raise ValueError("its test for strange recordings has quantiles of another kind")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(f.name for f in fields(cls) if not f.name.startswith("_"))

    def score(self, statistics: Floats) -> Floats:
        """Log odds (n,) that recordings with standardised statistics (n, 110) are none of the neuron's."""
        x = np.tanh(statistics @ self.weight_1.T + self.bias_1)
        x = np.tanh(x @ self.weight_2.T + self.bias_2)
        return (x @ self.weight_3.T + self.bias_3)[:, 0]

    def bands(self, n_intervals: Any, span_ms: Any) -> tuple[Any, Any]:
        """Places, among those of span and of length, of the bands of recordings."""
        return (
            np.searchsorted(self.span_edges_ms, span_ms, side="right"),
            np.searchsorted(self.length_edges, n_intervals, side="right"),
        )

    def p_value(self, score: float, n_intervals: int, span_ms: float) -> float:
        """Share of recordings inside, of about ``n_intervals`` in ``span_ms``, that score as high."""
        quantiles = self.quantiles[self.bands(n_intervals, span_ms)]
        levels = np.linspace(0, 1, quantiles.size)
        # Beyond the strangest of them there is nothing to interpolate.
        return float(1 - np.interp(score, quantiles, levels)) if score <= quantiles[-1] else 0.0

    def judge(
        self, score: float, n_intervals: int, raw: Floats, scale: TokenScale, where: str = ""
    ) -> DomainVerdict:
        """Judge a recording by its score, length and raw statistics (55,); reasons begin with ``where``."""
        span_ms = n_intervals * float(np.exp(raw[_PLACE["log_mean_isi"]]))
        p_value = self.p_value(score, n_intervals, span_ms)

        def explain() -> list[str]:
            reasons = self._reasons(score, raw, scale)
            return [f"{where}{reason}" if i == 0 else reason for i, reason in enumerate(reasons)]

        return DomainVerdict(float(score), p_value, p_value >= ALARM, explain)

    def _reasons(self, score: float, raw: Floats, scale: TokenScale, most: int = 2) -> list[str]:
        outside = []
        for name, words in _RANGES.items():
            i = _PLACE[name]
            if not self.least[i] <= raw[i] <= self.most[i]:
                low, high = sorted(_shown(name, np.array([self.least[i], self.most[i]])))
                value = float(_shown(name, raw[i]))
                outside.append(
                    words.format(value=three_digits(value), low=three_digits(low), high=three_digits(high))
                )
        if outside:
            return outside[:most]
        # Nothing is out of range alone: which aspect, if it were that of the nearest recording inside, would
        # make the train less strange?
        if self._ranks is None:
            self._ranks = scale.standardise(self.examples)[:, raw.size :]
        own = scale.standardise(raw[None])[0, raw.size :]
        nearest = self.examples[np.argmin(((self._ranks - own) ** 2).sum(axis=1))]
        swapped = np.repeat(raw[None], len(_ASPECTS), axis=0)
        for row, aspect in zip(swapped, _ASPECTS, strict=True):
            row[list(aspect.places)] = nearest[list(aspect.places)]
        gain = score - self.score(scale.standardise(swapped))
        chosen = [i for i in np.argsort(-gain) if gain[i] > 0.25 * max(gain.max(), 1e-9)][:most]
        return [_ASPECTS[i].words(raw, nearest) for i in chosen]


_RANGES = {
    "log_mean_isi": "it fires at {value} Hz, this neuron between {low} and {high} Hz",
    "log_isi_q000": "its shortest interval is {value} ms, this neuron's are between {low} and {high} ms",
    "log_isi_q100": "its longest interval is {value} ms, this neuron's are between {low} and {high} ms",
    "cv": "the CV of its intervals is {value}, this neuron's lies between {low} and {high}",
    "std_spikes_per_burst": "the number of spikes a burst varies with standard deviation {value}, this "
    "neuron's with {low} to {high}",
}


def _shown(name: str, value: Floats) -> Floats:
    if name == "log_mean_isi":
        return 1000 / np.exp(value)
    if name.startswith("std_spikes_per_burst"):
        return np.expm1(value)
    return np.exp(value) if name.startswith("log_") else value


@dataclass(frozen=True)
class _Aspect:
    """Statistics that belong together, and the one of them that is shown."""

    title: str
    shown: str
    value: str
    members: tuple[str, ...]

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(_PLACE[name] for name in self.members)

    def words(self, raw: Floats, nearest: Floats) -> str:
        i = _PLACE[self.shown]
        own, like = (self.value.format(three_digits(float(_shown(self.shown, v[i])))) for v in (raw, nearest))
        return f"{self.title} ({own}; {like} in the most similar simulated recording)"


def _starting(*starts: str) -> tuple[str, ...]:
    return tuple(name for name in STATISTICS if name.startswith(starts))


_ASPECTS = (
    _Aspect(
        "its intervals are irregular in another way",
        "cv",
        "CV {}",
        ("std_log_isi", "cv", "log_cv", "cv_above_0.15", "local_variation", "log_mean_step"),
    ),
    _Aspect(
        "the order of its intervals", "serial_correlation_1", "serial correlation {}", _starting("serial_")
    ),
    _Aspect(
        "its shortest intervals",
        "log_isi_q000",
        "{} ms",
        ("log_isi_q000", "log_isi_q005", "log_isi_q010", "std_log_short", "std_log_short_by_logs"),
    ),
    _Aspect(
        "its longest intervals",
        "log_isi_q100",
        "{} ms",
        ("log_isi_q090", "log_isi_q095", "log_isi_q100", "std_log_gap", "std_log_gap_by_logs"),
    ),
    _Aspect(
        "the number of spikes between its long intervals varies",
        "std_spikes_per_burst",
        "standard deviation {} spikes",
        ("std_spikes_per_burst", "std_spikes_per_burst_by_logs"),
    ),
    _Aspect(
        "the course of its intervals between the long ones",
        "log_intra_burst_isi",
        "{} ms on average",
        (*_starting("after_gap", "before_gap"), "log_intra_burst_isi", "log_short_range"),
    ),
    _Aspect(
        "its intervals change over the recording",
        "log_mean_isi",
        "{} Hz on average",
        _starting("drift", "first_", "last_"),
    ),
    _Aspect(
        "its rate for a train of this shape",
        "log_mean_isi",
        "{} Hz",
        ("log_isi_q025", "log_isi_q050", "log_isi_q075", "mean_log_isi", "log_mean_isi"),
    ),
)
