"""What an evolution of members found: the population to keep, and how it went in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.inhibition import INHIBITION_E_MV
from spike2pop_nb.fidelity.evolution import WINDOWS, Evolution, Member
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.fidelity.scores import Verdict, scored

__all__ = ["evolved"]

_NEAR = 2.0  # tolerances within which a member that does not pass is kept, marked as such


def evolved(search: Evolution, options: dict[str, Any]) -> Result:
    """Return the population, or why there is none."""
    n_passed = len(search.kept)
    options = options | {"inhibition": _inhibition(search)}
    shared: dict[str, Any] = {
        "n_asked": search.size,
        "n_tried": search.n_tried,
        "n_passed": n_passed,
        "reasons": dict(_in_the_way(search).most_common()),
        "cancelled": search.cancelled,
        "options": options,
    }
    members = _chosen(search) + _nearest(search)
    if not members:
        return Result(
            search.train,
            search.neuron,
            search.posterior,
            False,
            _message(search, 0),
            n_simulated=search.n_simulated,
            **shared,
        )
    x, seeds = (
        np.array([x for x, _seed, _said in members]),
        np.array([seed for _x, seed, _said in members]),
    )
    search.say("Recording the traces of the members kept")
    search.cancel = None
    counted = search.n_simulated
    simulated = search.simulate(x, seeds, search.accuracy, 1, search.window_ms, "traces")
    made_by = {**options, "tried": search.n_tried, "passed": n_passed, "simulated": counted}
    population = Population.from_g(
        search.neuron,
        x[:, : search.neuron.n_channels],
        id=search.train.id,
        made_by=made_by,
        **search.prior.drive(x),
        noise_seeds=seeds,
    )
    simulated = replace(simulated, labels=population.labels)
    rows = pd.DataFrame([said for _x, _seed, said in members])
    return Result(
        search.train,
        search.neuron,
        search.posterior,
        True,
        _message(search, len(members)),
        population=population,
        simulated=simulated,
        verdict=Verdict(*scored(search.train, simulated, rows), search.own),
        n_simulated=counted,
        **shared,
    )


def _chosen(search: Evolution) -> list[Member]:
    """Return the members that pass and are kept: those nearest to the recording, in the order of finding."""
    order = np.argsort([said["distance"] for _x, _seed, said in search.kept], kind="stable")
    return [search.kept[row] for row in sorted(order[: search.size].tolist())]


def _nearest(search: Evolution) -> list[Member]:
    """Return members that do not pass, but fire in the recording's pattern and come near."""
    missing = search.size - len(search.kept)
    found: list[Member] = []
    if missing <= 0 or search.cancelled:
        return found
    order = np.argsort(search.cost, kind="stable")
    near = [row for row in order.tolist() if search.cost[row] > 1.0 and search.off[row] is not None]
    near = near[: min(missing, search.affordable)]
    if not near:
        return found
    run = search.simulate(search.x[near], search.seeds[near], search.accuracy, WINDOWS, search.window_ms)
    for row, times in zip(near, run.spike_times_ms, strict=True):
        said = search.own.judge(*search.windows(times, WINDOWS, search.window_ms))
        if 1.0 < said["distance"] <= _NEAR and search.is_new(search.x[row], [*search.kept, *found]):
            found.append((search.x[row].copy(), search.seeds[row], said))
    return found


def _inhibition(search: Evolution) -> dict[str, Any] | None:
    """Say what rhythmic inhibition members received; None for none."""
    if not search.inhibited:
        return None
    return {
        "period_ms": search.prior.period_ms,
        "E_mV": INHIBITION_E_MV,
        "generations_without": search.without,
    }


def _in_the_way(search: Evolution) -> Counter[str]:
    """Count in which measure the members that do not pass, but fire in the pattern, are off the most."""
    return Counter(
        search.own.names[int(off.argmax())]
        for off, cost in zip(search.off, search.cost, strict=True)
        if off is not None and cost > 1.0
    )


def _message(search: Evolution, n_members: int) -> str:
    """Say how the search went."""
    n_passed, name = len(search.kept), search.neuron.name
    text = (
        f"{n_passed} of {search.n_tried} members tried fire like the recording, within its own variability "
        f"over {search.window_ms / 1000:.3g} s"
    )
    if search.current is not None:
        text += f", each with the current that is known, {search.current:g} µA/cm²".replace("-", "−")
    if search.inhibited:
        also = ", each" if search.current is None else " and"
        text += f"{also} with a rhythmic inhibition every {search.prior.period_ms:.0f} ms"
        if search.without:
            generations = "1 generation" if search.without == 1 else f"{search.without} generations"
            text += f"; without one, none came within it in {generations}"
    if n_passed >= search.size:
        return f"{text}; the {search.size} asked for are kept, those nearest to it."
    text += f"; {search.size} were asked for, but {search.stopped}"
    kept = n_members - n_passed
    if kept:
        text += f", and {kept} others that came near are kept, marked as not passed"
    if not search.n_tried:
        return f"{text}."
    known = [off for off in search.off if off is not None]
    if not known:
        kind = "bursts" if search.own.bursting else "fires without bursts"
        if search.current is None:
            return f"{text}. No {name} neuron tried {kind} as the recording does; try another neuron."
        return (
            f"{text}. No {name} neuron tried with this current {kind} as the recording does; try another "
            "neuron, or leave the current unknown."
        )
    off = min(known, key=lambda found: float(found.max()))
    if n_passed:
        return f"{text}."
    worst = int(off.argmax())
    by = f"{off[worst]:.1f} times the tolerance in its {search.own.names[worst]}"
    return f"{text}. The nearest was off by {by}."
