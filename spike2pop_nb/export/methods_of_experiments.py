"""The part of the methods text that says what was done to populations, and what they did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import Experiment, dose_response, most_split, who_crashes
from spike2pop_nb.export.formatting import count, figure, plain, series

__all__ = ["experiments_in_words"]

_TELLING = 0.05  # q up to which a conductance tells
_MOST_SAID = 3  # conditions that are told one by one where they are no series of doses


def experiments_in_words(experiments: Sequence[Experiment]) -> str:
    """Return a paragraph for each experiment, as Markdown: what was done, how it was judged, what came of it.

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
    return "\n\n".join(
        " ".join(filter(None, (_done(one, several), _run(one), _judged(place == 0), _found(one))))
        for place, one in enumerate(experiments)
    )


def _done(experiment: Experiment, several: bool) -> str:
    """What was done, and where there are several recordings, on whose members."""
    n, neuron = len(experiment), experiment.population.neuron
    ids = list(dict.fromkeys(str(name) for name, _ in experiment.population.labels))
    whose = f" made for the recording “{plain(ids[0])}”" if several and len(ids) == 1 else ""
    start = f"An experiment was done on {count(n, 'member')} of the {plain(neuron.title)}{whose}"
    protocols = list(experiment.protocols.values())[1:]
    doses = experiment.doses
    if doses is not None:
        values = series([figure(value) for value in doses.values])
        example = doses.protocols[-1].describe()[:-1]
        return (
            f"{start}, beside a control, at {count(len(doses), 'dose')} ({plain(doses.what)}: {values}); at "
            f"the highest: {plain(_small(example))}."
        )
    said = [plain(_small(protocol.describe()[:-1])) for protocol in protocols[:_MOST_SAID]]
    more = len(protocols) - len(said)
    return f"{start}, beside a control: {'; '.join(said)}{f'; and {more} more conditions' if more else ''}."


def _small(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:] if sentence[:2].istitle() else sentence


def _run(experiment: Experiment) -> str:
    made = experiment.made_by
    sigma = float(made["noise_sigma"])
    noise = f"background noise of σ {figure(sigma)} µA/cm²" if sigma else "no injected noise"
    transient, length = float(made["transient_ms"]) / 1000, float(made["duration_ms"]) / 1000
    return (
        f"Each member was simulated for {figure(length)} s under each condition after a transient of "
        f"{figure(transient)} s, with {noise} and a time step of {figure(float(made['dt_ms']))} ms (accuracy "
        f"“{made['accuracy']}”)."
    )


def _judged(first: bool) -> str:
    return (
        "A member kept its rhythm if it had, in full effect, the firing pattern that it had in the control "
        "and did not fall silent before the end; depolarisation block is silence above the threshold voltage."
        if first
        else ""
    )


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
