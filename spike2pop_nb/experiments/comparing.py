"""Compare two recordings of one cell: what changed between them, and can it be told at all?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Population, dics
from spike2pop_nb.errors import Cancelled, ExperimentError, SpikeTrainError, check_whole
from spike2pop_nb.experiments.action import Action
from spike2pop_nb.experiments.changes import CURRENT, applied, candidates, limits, members_as, simulated_under
from spike2pop_nb.experiments.comparison import SURE, UNCHANGED, Comparison, table_of
from spike2pop_nb.experiments.pairing import Pairs, Target, paired, seeds_of
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.experiments.telling import LEVELS, Teller, Told, load_teller
from spike2pop_nb.fidelity import Result, Variability, find_population
from spike2pop_nb.fidelity.evolution import window_ms
from spike2pop_nb.fidelity.variability import LONGEST_MS
from spike2pop_nb.inference import find_network, load_predictor
from spike2pop_nb.inference.tokens import MIN_SPIKES
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron
from spike2pop_nb.simulation import compiling_words, needs_compiling
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["compare_recordings"]

FloatArray = npt.NDArray[np.float64]
MOST_MEMBERS = 1000
_STEPS = 8  # of progress
_BUDGET_EACH, _LEAST_BUDGET = 40, 640  # simulations spent on finding members of the recording before
_LINE, _REGION = 41, 5.99  # points on a line of changes; chi² of two DICs that 95 % are within
_DRAWS = 512
_FOR_KNOWN = 12  # members that what is known is done to, at least
_FEW_EXPLANATIONS = 3  # tried where nothing seems to have changed
_FAR = 6.0  # distances beyond which members weigh next to nothing, if others are nearer
_CONSTANT = ("block", "scale", "step", "reversal", "potassium")
_CALLED = {"step": "the current"}


def compare_recordings(
    before: SpikeTrain,
    after: SpikeTrain,
    neuron: str | NeuronModel,
    *,
    known: Protocol | Sequence[Protocol] = (),
    population: Population | Result | None = None,
    size: int = 12,
    seed: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Comparison:
    """Tell what changed in a cell between two recordings: a conductance, the current, the noise, or nothing.

    A perceptron that learned from simulated pairs of recordings gives a probability to each explanation: no
    change, one, or two at once. Then members that fire like the first recording are found, and for the most
    probable explanations the smallest change is sought with which each fires like the second.

    Parameters
    ----------
    before, after
        Recordings of one cell: `SpikeTrain`, times in ms, or trains of neo, pynapple or quantities in their
        own unit. The second may be silent.
    neuron
        A neuron that has an atlas, or its name. What pairs of it tell is learned at first use, where that was
        not shipped with it; this takes minutes, once.
    known
        What is known to have been done in the second recording throughout, such as ``block("A", 0.5)``: it is
        done to all members first, and what is told is what changed beyond.
    population
        Members that fire like the first recording, if they are known; else some are sought.
    size
        How many members are sought; 0 for none, so that the answer comes at once and without pairs.
    seed
        Of the search; the same seed gives the same result, with any number of workers.
    progress
        Called with (done, total, words).
    cancel
        Polled often.

    Raises
    ------
    SpikeTrainError
        If both are one recording by name but not by spikes, the first is silent, or one is too short to say
        how it varies.
    ExperimentError
        If what is known contradicts itself or cannot be done throughout, or size makes no sense.
    PredictorError
        If the neuron has no atlas.
    Cancelled
        If ``cancel`` asked for it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> found.to_frame()["probability"].between(0, 1).all()
    np.True_
    """
    model = get_neuron(neuron)
    before, after = as_train(before), as_train(after)
    protocol = _known(known, model)
    _check(before, after, size, seed)
    members = population.population if isinstance(population, Result) else population
    if members is not None and not same_neuron(members.neuron, model):
        raise ExperimentError(
            f"The population is of the neuron {members.neuron.name!r}, and {model.name!r} is asked about; "
            "compare with the neuron that the population is of."
        )
    if members is not None and members.inhibition is not None:
        raise ExperimentError(
            "The members given follow a rhythmic inhibition, and what became of that between two recordings "
            "cannot be told; give members found without it (inhibition=False), or none."
        )
    steps = count(1)

    def say(words: str) -> None:
        if progress is not None:
            progress(min(next(steps), _STEPS - 1), _STEPS, words)

    if needs_compiling():
        say(compiling_words())
    own = Variability.of(before, longest_ms=LONGEST_MS)
    silent = after.n_spikes < MIN_SPIKES
    target = Target(None if silent else Variability.of(after, longest_ms=LONGEST_MS))
    teller = load_teller(model, progress=progress, cancel=cancel)
    notes: list[str] = []
    one_of = _candidate(protocol, model)
    by_members = bool(protocol) and one_of is None
    if members is None and (size or by_members):
        say(f"Finding members that fire like {before.id}")
        members, outcome = _found(
            before, model, own, max(size, _FOR_KNOWN if by_members else 0), seed, cancel
        )
        notes += outcome
    off, moved = np.zeros(0), list[Any]()
    if members is not None:
        seeds = seeds_of(members)
        x, length = members_as(members), window_ms(before, own)
        plain = simulated_under(model, x, seeds, length, Protocol(), cancel)
        off = own.distances(plain)
        if by_members:
            under = simulated_under(model, x, seeds, length, protocol, cancel)
            moved = [teller.moved(one, other) for one, other in zip(plain, under, strict=True)]
    same = np.array_equal(before.times_ms, after.times_ms) and not protocol
    if one_of is not None:
        told = _given(teller, teller.told(before.times_ms, after.times_ms), one_of)
    elif protocol:
        if all(one is None for one in moved):
            raise ExperimentError(
                f"What is known of {after.id!r} is done to members that fire like {before.id!r}: none of "
                "them fires under it, or none was found; ask without it, or give a population."
            )
        told = _beyond(teller, before, after, moved, off)
    else:
        told = teller.told(before.times_ms, after.times_ms)
    which, shares = teller.hypotheses, told.shares
    if same:
        shares = np.array([0.0 if one else 1.0 for one in which])
        notes.append("Both recordings have the same spikes.")
    named = teller.named(shares)
    alike = teller.alike(named)
    verdict = teller.verdict(named, SURE if protocol else None)
    pairs: Pairs | None = None
    if members is not None and size:
        explanations = [which[h] for h in np.argsort(-shares, kind="stable")]
        if verdict == UNCHANGED:
            explanations = [(), *(one for one in explanations if one)][:_FEW_EXPLANATIONS]
        tried = window_ms(after, target.own) if target.own is not None else window_ms(before, own)
        pairs = paired(
            members,
            off,
            target,
            tried,
            explanations,
            told.amounts,
            protocol,
            id=after.id,
            say=say,
            cancel=cancel,
        )
    reaches = _reaches(model, members, protocol, after)
    amounts = told.amounts[:, [0, len(LEVELS) // 2, -1]]
    reached = {} if pairs is None else pairs.reached
    made_by = {
        "neuron": model.name,
        "size": size,
        "seed": seed,
        "known": protocol.to_dict(),
        "learned": dict(teller.about),
    }
    return Comparison(
        before,
        after,
        model,
        protocol,
        named,
        verdict,
        alike,
        table_of(model, named, alike, amounts, reached, reaches),
        pairs,
        tuple(notes),
        made_by,
    )


def _known(known: Protocol | Sequence[Protocol], neuron: NeuronModel) -> Protocol:
    """Return what is known to be done as one protocol; refuse what cannot be, or contradicts itself."""
    parts = (known,) if isinstance(known, Protocol) else tuple(known)
    protocol = Protocol(parts)  # type: ignore[arg-type]
    said: set[tuple[str, str]] = set()
    for action in protocol.actions:
        if action.start_ms is not None or action.stop_ms is not None or action.course:
            raise ExperimentError(
                f"What is known to have changed holds throughout the recording; give {action.label} no times."
            )
        if not (action.changes_neuron or action.kind in _CONSTANT):
            raise ExperimentError(
                f"Only what is constant can be known to have changed: {', '.join(_CONSTANT)}, or warmth and "
                f"buffering; a {action.kind} is not."
            )
        what = (action.kind if action.kind not in ("block", "scale") else "conductance", _of(action))
        if what in said:
            called = what[1] or _CALLED.get(action.kind, action.kind)
            raise ExperimentError(
                f"The known changes contradict each other: {called} is named more than once; "
                "name it once, with the change in all."
            )
        said.add(what)
    protocol.check(neuron, 1, 0.0)
    return protocol


def _of(action: Action) -> str:
    return str(getattr(action, "channel", ""))


def _check(before: SpikeTrain, after: SpikeTrain, size: Any, seed: Any) -> None:
    check_whole("size", size, 0, MOST_MEMBERS, ExperimentError)
    check_whole("seed", seed, 0, None, ExperimentError)
    if before.n_spikes < MIN_SPIKES:
        raise SpikeTrainError(
            f"Recording {before.id!r}, the one before, is silent ({before.n_spikes} spikes, under "
            f"{MIN_SPIKES}): nothing is known of its conductances, so nothing can be said to have changed."
        )
    if before.id == after.id and not np.array_equal(before.times_ms, after.times_ms):
        raise SpikeTrainError(
            f"Both recordings are named {before.id!r}; name them differently, so that the answer says which."
        )


def _found(
    train: SpikeTrain,
    neuron: NeuronModel,
    own: Variability,
    size: int,
    seed: int,
    cancel: Callable[[], bool] | None,
) -> tuple[Population | None, list[str]]:
    """Return members that fire like a recording, or near it; and what to say where they are too few."""
    budget = max(_LEAST_BUDGET, _BUDGET_EACH * size)
    result = find_population(
        train, neuron, size=size, seed=seed, budget=budget, rule=own, inhibition=False, cancel=cancel
    )
    if cancel is not None and cancel():
        raise Cancelled("The comparison was cancelled.")
    if result.population is None:
        return None, [f"No members were found that fire like {train.id}: {result.outcome}"]
    few = len(result.population)
    short = f"{few} of the {size} members asked for were found: {result.outcome}"
    return result.population, [short] if few < size else []


def _candidate(known: Protocol, neuron: NeuronModel) -> int | None:
    """Return which candidate is known to have changed, if it is one and nothing else is known."""
    names = candidates(neuron)
    found = {"block": _of, "scale": _of, "step": lambda _action: CURRENT}
    actions = known.actions
    if len(actions) != 1 or actions[0].kind not in found:
        return None
    return names.index(found[actions[0].kind](actions[0]))


def _given(teller: Teller, told: Told, k: int) -> Told:
    """Return what is told beyond a candidate that is known to have changed: of explanations that have it."""
    every = teller.hypotheses
    place = {one: h for h, one in enumerate(every)}
    shares = np.zeros(len(every))
    for h, one in enumerate(every):
        whole = tuple(sorted({*one, k}))
        if k not in one and whole in place:
            shares[h] = told.shares[place[whole]]
    return Told(shares / shares.sum(), told.amounts)


def _beyond(
    teller: Teller,
    before: SpikeTrain,
    after: SpikeTrain,
    moved: Sequence[Any],
    off: FloatArray,
) -> Told:
    """Return what is told beyond what moves members' statistics; the nearest members weigh most."""
    rows = [row for row, one in enumerate(moved) if one is not None]
    nearest = np.minimum(off[rows], _FAR)
    weights = np.exp(-0.5 * (nearest**2 - nearest.min() ** 2))
    weights /= weights.sum()
    told = [teller.told(before.times_ms, after.times_ms, moved[row]) for row in rows]
    return Told(
        np.einsum("m,mh->h", weights, np.array([one.shares for one in told])),
        np.einsum("m,mnq->nq", weights, np.array([one.amounts for one in told])),
    )


def _reaches(
    neuron: NeuronModel, members: Population | None, known: Protocol, after: SpikeTrain
) -> FloatArray:
    """Return the share of members that each change alone can bring to the DICs of a recording, (n,)."""
    names = candidates(neuron)
    none = np.full(len(names), np.nan)
    changed = any(action.changes_neuron for action in known.actions)
    if members is None or changed or after.n_spikes < MIN_SPIKES or find_network(neuron.name) is None:
        return none
    posterior = load_predictor(neuron.name).predict([after])[0]
    drawn = posterior.sample(_DRAWS, 0)
    mean, precision = drawn.mean(axis=0), np.linalg.pinv(np.cov(drawn.T))
    x, every = members_as(members), np.arange(len(members))
    for action in known.actions:
        x[:, :-2] *= action.effect(neuron, 1.0, every).g_factor
    found = none.copy()
    for k, ends in enumerate(limits(neuron)):
        changes = np.zeros((_LINE, len(names)))
        changes[:, k] = np.linspace(ends[0], ends[1], _LINE)
        off = dics(neuron, applied(x[:, None], changes[None])[..., :-2])[..., 1:] - mean
        near = np.einsum("mci,ij,mcj->mc", off, precision, off) <= _REGION
        found[k] = near.any(axis=1).mean()
    return found
