"""The part of the methods text that says what was done to populations, and what they did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import Experiment, Prediction, dose_response, most_split, who_crashes
from spike2pop_nb.export.formatting import figure, plain, series

__all__ = ["experiments_in_words"]

_TELLING = 0.05  # q up to which a conductance tells


def experiments_in_words(experiments: Sequence[Experiment], predictions: Sequence[Prediction] = ()) -> str:
    """Return a paragraph for each experiment, as Markdown: what was done, how it was judged, what came of it.

    How the cell was predicted by them stands in one more, if it was.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export.methods_of_experiments import experiments_in_words
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> "50 % of A is blocked throughout" in experiments_in_words([found])
    True
    """
    several = len({name for one in experiments for name, _ in one.population.labels}) > 1
    paragraphs = []
    for one in experiments:
        ids = dict.fromkeys(str(name) for name, _ in one.population.labels)
        whose = f"Of the recording “{plain(next(iter(ids)))}”: " if several and len(ids) == 1 else ""
        paragraphs.append(f"{whose}{plain(one.methods())} {_found(one)}".rstrip())
    if predictions:
        paragraphs.append(plain(predictions[0].methods()))
    return "\n\n".join(paragraphs)


def _found(experiment: Experiment) -> str:
    n, conditions = len(experiment), experiment.conditions[1:]
    if not conditions:
        return ""
    kept = [int(experiment.kept(name).sum()) for name in conditions]
    if experiment.doses is not None:
        response = dose_response(experiment)
        said = f"Of {n} members, {series([str(k) for k in kept])} kept their rhythm at these doses"
        if np.isfinite(response.half):
            said += f"; half had lost it at {figure(response.half)} (linear between doses)"
    else:
        named = series([f"{k} under “{plain(name)}”" for k, name in zip(kept, conditions, strict=True)])
        said = f"Of {n} members, {named} kept their rhythm"
    condition = most_split(experiment)
    try:
        first = who_crashes(experiment, condition).iloc[0]
    except ExperimentError:
        return f"{said}."
    way = "more" if first["auroc"] > 0.5 else "less"
    where, q = plain(experiment.protocols[condition].label), float(first["q"])
    told = (
        f"those that lost it were told best by their g_{first['channel']}, of which they had {way}"
        if q <= _TELLING
        else f"no conductance told those that lost it beyond chance; the best was g_{first['channel']}"
    )
    return (
        f"{said}. Under “{where}” {told} (AUROC {figure(float(first['telling']))}; Mann–Whitney, "
        f"q = {figure(q, 2)} with the false discovery rate over all conductances)."
    )
