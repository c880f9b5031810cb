"""What two recordings of one cell say about what changed between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.changes import candidates
from spike2pop_nb.experiments.pairing import Pairs, with_voltages
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["CHANGED", "SURE", "UNCHANGED", "UNTOLD", "Comparison"]

UNCHANGED, CHANGED, UNTOLD = "unchanged", "changed", "cannot tell"
"""What a comparison says in the end."""
SURE = 0.5
"""Probability from which one change is named."""
_NAMED = 6  # explanations that are listed in words
_DRIVE = {"current": "the constant current", "noise": "the noise"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """A posterior over what changed between two recordings of one cell, and members before and after.

    Attributes
    ----------
    before, after
        The recordings.
    neuron
        The neuron.
    known
        What was known to be done in the second.
    shares
        Probability of each explanation, the most probable first: ``()`` for no change, ``("A",)`` for one,
        and two names for two at once.
    verdict
        ``"unchanged"``, ``"changed"`` where one candidate is more probable than not to be part of it, or
        ``"cannot tell"``.
    alike
        The explanations of the 80 % set, the most probable first: of such sets four in five hold what
        changed.
    table
        What `to_frame` returns.
    pairs
        Members before and after; None where none were wanted or found.
    notes
        What else to know, in sentences.
    made_by
        Seed, options, and how the perceptron that was asked scored.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[2], "stg", size=0)
    >>> found.verdict
    'unchanged'
    """

    before: SpikeTrain
    after: SpikeTrain
    neuron: NeuronModel
    known: Protocol
    shares: Mapping[tuple[str, ...], float]
    verdict: str
    alike: tuple[tuple[str, ...], ...]
    table: pd.DataFrame
    pairs: Pairs | None = None
    notes: tuple[str, ...] = ()
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unchanged(self) -> float:
        """Probability that nothing changed."""
        return float(self.shares[()])

    @property
    def best(self) -> str:
        """The candidate that most probably changed."""
        return str(self.table["what"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each channel, the current and the noise, the most probable first.

        Columns are ``rank``, ``what``, ``unit`` (``"factor"``, or ``"µA/cm²"`` of shifts), ``probability``
        that it changed, alone or with another; ``median``, ``low`` and ``high`` of by how much, if it did (80
        % lie between the two); ``in_set``, whether an explanation of the 80 % set has it; ``reached``, the
        share of members that this change alone brings within the variability of the recording after (NaN
        where that was not tried); and ``reaches_dics``, the share of members that it can bring to the DICs
        predicted of that recording at all.
        """
        return self.table.copy()

    def paths(self) -> npt.NDArray[np.float64]:
        """Return the way of each pair through the DIC plane, (n, 21, 2); none without pairs."""
        return np.zeros((0, 21, 2)) if self.pairs is None else self.pairs.paths()

    def simulated(
        self, rows: Sequence[int] = range(4), duration_ms: float = 2000.0
    ) -> tuple[Simulated, Simulated]:
        """Simulate some of the pairs before and after, what is known being done, with their voltages.

        Raises
        ------
        ExperimentError
            If there are no pairs.
        """
        if self.pairs is None:
            raise ExperimentError("There are no members before and after; compare with a size above 0.")
        chosen = [row for row in rows if row < len(self.pairs.table)]
        before, after = self.pairs.before.select(chosen), self.pairs.after.select(chosen)
        return (
            with_voltages(before, Protocol(), duration_ms),
            with_voltages(after, self.known, duration_ms),
        )

    def describe(self) -> str:
        """Say what changed, or that nothing did, or that this cannot be told, and why; a sentence a line."""
        said = [self._verdict()]
        if self.known:
            said.insert(0, f"Known of the second recording: {_uncapped(self.known.describe())}")
        if self.pairs is not None:
            alike = int(self.pairs.table["fires_alike"].sum())
            said.append(
                f"{alike} of {len(self.pairs.table)} members fire like both recordings, within the "
                "variability of each, before and after their change."
            )
        return "\n".join([*said, *self.notes])

    def _verdict(self) -> str:
        one, other = self.before.id, self.after.id
        beyond = " beyond what is known" if self.known else ""
        if self.verdict == UNCHANGED:
            return (
                f"{one} and {other}: unchanged{beyond}. The recordings differ by no more than two of the "
                f"same cell do (probability of no change {_percent(self.unchanged)})."
            )
        first = self.table.iloc[0]
        if self.verdict == CHANGED:
            by = _by(first)
            text = (
                f"{one} to {other}: most probably {in_words((first['what'],))} changed{beyond} "
                f"(probability {_percent(first['probability'])}), {by}."
            )
            others = [row for _i, row in self.table.iloc[1:].iterrows() if row["probability"] >= 0.2]
            if others:
                text += " Next: " + ", ".join(
                    f"{row['what']} ({_percent(row['probability'])})" for row in others[:3]
                )
                text += "."
            return text
        listed = [f"{in_words(one)} ({_percent(self.shares[one])})" for one in self.alike[:_NAMED]]
        more = len(self.alike) - len(listed)
        return (
            f"{one} to {other}: cannot tell what changed{beyond}. These do about as well: {', '.join(listed)}"
            + (f", and {more} others." if more else ".")
        )


def in_words(explanation: tuple[str, ...]) -> str:
    """Say an explanation."""
    return " with ".join(_DRIVE.get(name, name) for name in explanation) or "no change"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _by(row: pd.Series) -> str:
    if row["unit"] == "factor":
        return f"by a factor of {row['median']:.2g} (80 % interval {row['low']:.2g} to {row['high']:.2g})"
    return f"by {row['median']:+.2g} {row['unit']} (80 % interval {row['low']:+.2g} to {row['high']:+.2g})"


def _uncapped(text: str) -> str:
    return text[0].lower() + text[1:] if text[:2].istitle() else text


def table_of(
    neuron: NeuronModel,
    shares: Mapping[tuple[str, ...], float],
    alike: tuple[tuple[str, ...], ...],
    amounts: npt.NDArray[np.float64],
    reached: Mapping[tuple[str, ...], float],
    reaches_dics: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """Return the table of a `Comparison`; amounts are quantiles (n_candidates, 3): low, median, high."""
    names = candidates(neuron)
    rows = []
    for k, name in enumerate(names):
        channel = k < neuron.n_channels
        low, median, high = np.exp(amounts[k]) if channel else amounts[k]
        rows.append(
            {
                "what": name,
                "unit": "factor" if channel else "µA/cm²",
                "probability": float(sum(share for one, share in shares.items() if name in one)),
                "median": median,
                "low": low,
                "high": high,
                "in_set": any(name in one for one in alike),
                "reached": reached.get((name,), np.nan),
                "reaches_dics": reaches_dics[k],
            }
        )
    table = pd.DataFrame(rows).sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table
