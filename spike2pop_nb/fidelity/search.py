"""Generate, simulate, refine, check; until enough members fire like the recording or a budget is spent."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spike2pop_nb.conductances import MAX_SIZE, DICSampler, baseline_population, modulate
from spike2pop_nb.errors import (
    CompensationError,
    SpikeTrainError,
    UnreachableTarget,
    check_whole,
    failure_in_words,
)
from spike2pop_nb.fidelity.evolution import Evolution
from spike2pop_nb.fidelity.evolved import evolved
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.fidelity.rounds import Search
from spike2pop_nb.fidelity.scores import PassRule, pass_rule
from spike2pop_nb.fidelity.variability import LONGEST_MS, Variability
from spike2pop_nb.inference.drive import check_current
from spike2pop_nb.inference.weight_files import find_atlas, find_network, find_weights
from spike2pop_nb.neurons import NeuronModel, get_neuron, threshold_note
from spike2pop_nb.simulation import time_step_ms
from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern
from spike2pop_nb.spiketrains.given import as_train

if TYPE_CHECKING:
    from spike2pop_nb.inference import Posterior
    from spike2pop_nb.inference.atlas import Atlas

__all__ = [
    "MAX_SEARCH_SIZE",
    "attempt_population",
    "check_search",
    "default_budget",
    "find_population",
    "judged_by_rule",
]

_OWN_BUDGET = 5
_REGULAR_CV = 0.1  # of fewer intervals than say how they vary; of more, their variability is what counts
MAX_SEARCH_SIZE = 10_000
"""Most members that one search is asked for."""


def default_budget(size: int) -> int:
    """Return how many simulations of a member are spent at most for a population of a given size.

    Examples
    --------
    >>> from spike2pop_nb.fidelity import default_budget
    >>> default_budget(16), default_budget(100)
    (2560, 4000)
    """
    # hard recordings need this many however few members are asked for; others end long before
    return max(2560, 40 * size)


def find_population(
    train: SpikeTrain,
    neuron: str | NeuronModel,
    posterior: DICSampler | None = None,
    *,
    size: int = 16,
    compensate: Sequence[str] | None = None,
    seed: int = 1,
    budget: int | None = None,
    accuracy: str = "standard",
    refine: bool = True,
    rule: PassRule | Variability | Literal["own"] | None = None,
    inhibition: bool | None = None,
    current: float | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Result:
    """Find members that fire like a recording.

    Members are generated with DICs drawn from the posterior, simulated, refined and scored, in rounds, until
    ``size`` of them pass or ``budget`` simulations were run. Sharing DICs is not proof of sharing activity;
    simulating is. Refining changes each member a little until it fires like the recording (see
    `spike2pop_nb.fidelity.refinement`); the table lists the DICs that it has afterwards. Of the members
    that pass, a set is kept, and moved apart if need be, that leaves each conductance as spread as it was.
    This may take a conductance out of the range in which it was drawn, and above the one declared for the
    neuron, as compensating may.

    Members that are judged by the recording's own variability are found in another way: they also have a
    constant current and noise, and all of this is moved by evolution, from the neuron's atlas, or the ranges
    that it declares and the posterior if there is one (see `spike2pop_nb.fidelity.evolution`). No network is
    needed for that; ``compensate`` and ``refine`` have no meaning there.

    No two members are alike: one that is nearer to another than `spike2pop_nb.fidelity.LEAST_DISTANCE` does
    not count as passed, and is not kept. A member whose firing still changes within the time that is judged
    is judged on what it settles to, after a longer transient.

    Parameters
    ----------
    train
        The recording: a `SpikeTrain`, times in ms, or a train of neo, pynapple or quantities in its own unit.
    neuron
        A neuron or its name.
    posterior
        Anything with ``sample(n, seed)``; by default the neuron's network is asked, whose DICs are those at
        the declared threshold: of a neuron with another, a warning says so.
    size
        Members wanted, up to 10 000.
    compensate
        The two conductances solved for; the recommended pair by default.
    seed
        The same seed gives the same population, whatever the number of cores, and whichever recordings are
        searched beside this one.
    budget
        Most simulations of a member; by default 40 times the size, and at least 2560, and five times as many
        where members are judged by the recording's own variability, each of whose windows counts. Those that
        repeat what was found as it is
        judged, with voltages, are not counted.
    accuracy
        Of the simulations by which members are judged: ``"standard"`` or ``"exact"``. Those that are refined
        are moved, and the hopeless among them thrown away, by simulations that are cheaper (see
        `spike2pop_nb.fidelity.screening`).
    refine
        Whether members are refined. If not, they keep exactly the DICs drawn, and most miss the recording's
        rate by several per cent.
    rule
        When a member passes: a `PassRule`; or ``"own"``, the recording's own `Variability`. By default that
        of `pass_rule`, stricter if members are refined; but ``"own"`` for a recording that is no clock, and
        for a neuron without a network.
    inhibition
        Whether members that are judged by the recording's own variability receive a rhythmic inhibition with
        the burst period of the recording, as cells do that follow a rhythm. By default if the recording
        bursts, and no member comes within its variability otherwise.
    current
        Constant current that all members receive, in µA/cm², where it is known, such as 0 of a cell that was
        left alone. By default those that are judged by the recording's own variability have one each that
        makes them fire like it, and others none; with one that is not 0, all are judged so.
    progress
        Called with (done, total, words); total is the size asked for, done the members that passed.
    cancel
        Polled often; when it returns True, what was found so far is returned. Of more than 32 members it has
        neither voltages nor van Rossum distances (NaN), which would take too long.

    Returns
    -------
    Result

    Raises
    ------
    CompensationError
        If size, budget or the choice of conductances is not possible.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> result.n_asked, result.n_kept_passed
    (2, 2)
    """
    model = get_neuron(neuron)
    train = as_train(train)
    given, most = budget, check_search(model, size, budget, compensate, accuracy, rule, current, seed)
    rule = "own" if current and rule is None else rule
    judged_by = judged_by_rule(train, model, posterior is not None, refine, rule)
    options = {
        "neuron": model.name,
        "size": int(size),
        "compensate": list(compensate) if compensate else "recommended",
        "seed": seed,
        "budget": most,
        "accuracy": accuracy,
        "refine": refine,
        "current": current,
        "pass_rule": judged_by if isinstance(judged_by, str) else judged_by.model_dump(),
    }

    def unusable(message: str) -> Result:
        return Result(train, model, posterior, False, message, int(size), options=options)

    if train.n_spikes < 3:
        spikes = "1 spike" if train.n_spikes == 1 else f"{train.n_spikes} spikes"
        return unusable(
            f"Recording {train.id!r} is silent ({spikes}, under 3): "
            "its intervals say nothing about a neuron's conductances, so no population was made."
        )
    if isinstance(judged_by, str):
        return unusable(judged_by)
    if isinstance(judged_by, Variability):
        atlas = atlas_of(model)
        if posterior is None and atlas is None and find_network(model.name) is not None:
            posterior = _predicted(train, model, current)
        most = most if given is not None else _OWN_BUDGET * most
        options |= {"found_by": "evolution", "compensate": [], "refine": False, "budget": most}
        evolution = Evolution(
            train,
            model,
            posterior,
            size,
            seed,
            accuracy,
            judged_by,
            atlas,
            progress,
            cancel,
            inhibition,
            current,
        )
        options |= {"atlas": 0 if atlas is None else len(atlas.members.g)}
        options |= {"posterior_share": evolution.posterior_share}
        evolution.run(most)
        return evolved(evolution, options)
    search = Search(
        train,
        model,
        _predicted(train, model, current) if posterior is None else posterior,
        int(size),
        compensate,
        seed,
        accuracy,
        refine,
        judged_by,
        progress,
        cancel,
    )
    search.run(most)
    return search.result(most, options)


def _predicted(train: SpikeTrain, neuron: NeuronModel, current: float | None) -> Posterior:
    """Return what the neuron's network says of a recording."""
    from spike2pop_nb.inference import load_predictor

    if note := threshold_note(neuron):
        warnings.warn(note, stacklevel=3)
    return load_predictor(neuron.name, current=current).predict([train])[0]


def atlas_of(neuron: NeuronModel) -> Atlas | None:
    """Return the atlas of a neuron; None where it has none yet."""
    if find_atlas(neuron) is None:
        return None
    from spike2pop_nb.inference.atlas import load_atlas

    return load_atlas(neuron)


def judged_by_rule(
    train: SpikeTrain,
    neuron: NeuronModel,
    predicted: bool = True,
    refine: bool = True,
    rule: PassRule | Variability | Literal["own"] | None = None,
) -> PassRule | Variability | str:
    """Return the rule that `find_population` judges members of a recording by.

    A sentence is returned if the recording is too short for the rule that is needed.

    Parameters
    ----------
    train, neuron, refine, rule
        As `find_population` has them.
    predicted
        Whether there is a posterior of its DICs.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import judged_by_rule
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> judged_by_rule(train, s2p.get_neuron("stg"))
    PassRule(rate=0.01, isi=0.25, burst=0.05)
    """
    if isinstance(rule, (PassRule, Variability)):
        return rule
    needed = rule == "own" or (not predicted and find_network(neuron.name) is None)
    if train.n_spikes < 3 or not (refine or needed):
        return pass_rule(refine)
    try:
        own = Variability.of(train, longest_ms=LONGEST_MS)
    except SpikeTrainError as error:
        # a burst by itself is no rhythm, which only what is like a large network's data may be taken to have
        bursting = describe_pattern(train).kind is ActivityPattern.BURSTING
        start, stop = neuron.recording_window_ms
        like_data = neuron.name in find_weights() and train.duration_ms <= stop - start
        if needed or (bursting and not like_data):
            return str(error)
        isi_ms = np.diff(train.times_ms)
        if not bursting and (cv := isi_ms.std() / isi_ms.mean()) > _REGULAR_CV:
            return (
                f"{error} They vary too much (CV {cv:.2f}) for members without noise to match them to a few "
                "per cent; a wide tolerance of their rate, such as 20%, can be asked for."
            )
        return pass_rule(refine)
    return own if needed or not own.clock else pass_rule(refine)


def check_search(
    neuron: NeuronModel,
    size: Any = 16,
    budget: Any = None,
    compensate: Sequence[str] | None = None,
    accuracy: str = "standard",
    rule: PassRule | Variability | Literal["own"] | None = None,
    current: float | None = None,
    seed: Any = 1,
) -> int:
    """Return the budget of a search; refuse choices that no recording could be searched with.

    Parameters
    ----------
    neuron, size, budget, compensate, accuracy, rule, current, seed
        As `find_population` has them.

    Raises
    ------
    CompensationError
        If size, budget, accuracy, current, seed or the choice of conductances is not possible.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import check_search
    >>> check_search(s2p.get_neuron("stg"), size=100)
    4000
    """
    check_whole("population size", size, 1, MAX_SEARCH_SIZE, CompensationError)
    check_whole("seed", seed, 0, None, CompensationError)
    budget = default_budget(int(size)) if budget is None else budget
    if not (isinstance(budget, (int, np.integer)) and size <= budget <= MAX_SIZE):
        raise CompensationError(
            f"The budget must be a whole number from the population size ({size}) to {MAX_SIZE}, "
            f"not {budget!r}."
        )
    if time_step_ms(neuron, accuracy) > neuron.time_step_ms:
        raise CompensationError(
            f"Members are judged at “standard” or “exact”; {accuracy!r} serves only to find them, which "
            "every search does by itself."
        )
    check_current(current)
    if current and isinstance(rule, PassRule):
        raise CompensationError(
            f"Members that are judged by a percentage receive no current, and {current:g} µA/cm² is known; "
            "have them judged by the recording's own variability (tolerance “own”)."
        )
    if compensate is not None:
        # one member, which need not get there: whether the two can steer these DICs at all
        member, _drawn = baseline_population(neuron, 1, np.random.default_rng(0))
        modulate(neuron, member, neuron.baseline.g_s, neuron.baseline.g_u, compensate)
    return int(budget)


def attempt_population(
    train: SpikeTrain,
    neuron: str | NeuronModel,
    posterior: DICSampler | None,
    *,
    size: int = 16,
    compensate: Sequence[str] | None = None,
    seed: int = 1,
    budget: int | None = None,
    accuracy: str = "standard",
    rule: PassRule | Variability | Literal["own"] | None = None,
    current: float | None = None,
    **options: Any,
) -> Result:
    """Search as `find_population` does; an error with this recording gives a `Result` that says so.

    Use it for several recordings, so that the others go on. DICs that cannot be reached give an unusable
    result; any other error is named in `Result.failure`. Options that suit no recording are still raised.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import attempt_population
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> attempt_population(train, "stg", posterior, size=2, refine=False).failure
    ''
    """
    model = get_neuron(neuron)
    check_search(model, size, budget, compensate, accuracy, rule, current, seed)
    chosen = {"size": size, "compensate": compensate, "budget": budget, "accuracy": accuracy, **options}
    chosen |= {"rule": rule, "current": current, "seed": seed}
    failure = getattr(posterior, "failure", "")
    try:
        if not failure:
            return find_population(train, model, posterior, **chosen)
    except UnreachableTarget as error:
        return Result(train, model, posterior, False, str(error), size)
    except Exception as error:
        failure = failure_in_words(error)
    return Result(
        train, model, posterior, False, f"Recording {train.id!r} failed: {failure}", size, failure=failure
    )
