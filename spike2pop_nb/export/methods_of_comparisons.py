"""The methods text of a comparison of two recordings."""

from __future__ import annotations

import numpy as np

from spike2pop_nb.experiments import Comparison
from spike2pop_nb.export.formatting import Citations, count, figure, interval, percent, plain, series
from spike2pop_nb.export.provenance import versions
from spike2pop_nb.export.references import BRANDOIT, CRANMER, DRION, KUNSCH, STORN, ZHANG

__all__ = ["comparison_in_words"]


def comparison_in_words(comparison: Comparison) -> str:
    """Return how two recordings were compared and what was found, as Markdown with its references.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.methods_of_comparisons import comparison_in_words
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> "## References" in comparison_in_words(found)
    True
    """
    cited, made = Citations(), comparison.made_by
    neuron, learned = comparison.neuron, made["learned"]
    one, other = plain(comparison.before.id), plain(comparison.after.id)
    tested = learned["tested"]
    said = [
        f"What changed between the recordings “{one}” and “{other}” was inferred with spike2pop_nb "
        f"{versions()['spike2pop_nb']}, taking the cell for a {plain(neuron.title)} "
        f"{cited.mark(BRANDOIT)}. A perceptron on interval statistics of both recordings had learned from "
        f"simulated pairs {cited.mark(CRANMER)}: {learned['members']} neurons, each with one or two of its "
        "maximal conductances multiplied by 0.2 to 3, its constant current or its noise shifted, or nothing "
        "changed, recorded with drift of rate, jitter, and spikes missing or false. Its probabilities were "
        f"calibrated on pairs of other neurons; on {tested['pairs']} further pairs the most probable "
        f"candidate had changed in {percent(tested['first'])}, one of the three most probable in "
        f"{percent(tested['among_three'])}, and sets of explanations of 80 % held the true one in "
        f"{percent(tested['in_set'])}."
    ]
    if comparison.known:
        said.append(
            f"Of the second recording it was known: {plain(comparison.known.describe()[:-1])}; what is told "
            "is what changed beyond. The same was done to all members below."
        )
    if (pairs := comparison.pairs) is not None:
        alike = int(pairs.table["fires_alike"].sum())
        said.append(
            "Members that fire like the first recording, within its own variability (block bootstrap "
            f"{cited.mark(KUNSCH)}), were found by differential evolution {cited.mark(STORN, ZHANG)}; in "
            "each the smallest change was sought, with the same noise, with which it fires like the second. "
            f"Of {count(len(pairs.table), 'member')}, {alike} do so before and after; dynamic input "
            f"conductances {cited.mark(DRION)} of all are reported for both."
        )
    said.append(_found(comparison))
    return f"{' '.join(said)}\n\n## References\n\n{cited.listed()}"


def _found(comparison: Comparison) -> str:
    first = comparison.table.iloc[0]
    if comparison.verdict == "unchanged":
        return f"Nothing was found to have changed (probability {percent(comparison.unchanged)})."
    if comparison.verdict == "changed":
        low, high = float(first["low"]), float(first["high"])
        by = f"{figure(float(first['median']))} (80 % interval {interval(*np.sort([low, high]))})"
        what = f"factor {by}" if first["unit"] == "factor" else f"shift of {by} {first['unit']}"
        return f"Most probably {first['what']} changed (probability {percent(first['probability'])}; {what})."
    rows = comparison.table.head(3)
    named = [f"{row['what']} ({percent(row['probability'])})" for _i, row in rows.iterrows()]
    return f"Which conductance changed could not be told; the most probable were {series(named)}."
