"""The part of the methods text that says how members were made, searched, simulated and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from spike2pop_nb.export.formatting import Citations, count, figure, interval, percent, plain, series
from spike2pop_nb.export.references import (
    BRANDOIT,
    BROYDEN,
    CHEN,
    FYON,
    KUNSCH,
    PRINZ,
    STORN,
    VAN_ROSSUM,
    ZHANG,
)
from spike2pop_nb.fidelity import Diversity, Result, Variability
from spike2pop_nb.fidelity.scores import kernel_ms
from spike2pop_nb.inference import Posterior
from spike2pop_nb.inference.drive import CURRENT_RANGE, INHIBITION_RANGE, NOISE_RANGE
from spike2pop_nb.neurons import Gamma, NeuronModel, Range
from spike2pop_nb.spiketrains import FiringPattern
from spike2pop_nb.spiketrains.patterns import REGULAR_CV, SILENT_BELOW

__all__ = ["MOST_NAMED", "fell_by", "found_by_evolution", "members_in_words", "named", "posterior_of"]

MOST_NAMED = 5
"""Recordings that are named one by one."""
_NO_SAMPLE = (
    "The members of a population are spread out over conductances that suffice; they are not a sample from a "
    "posterior over them."
)


def members_in_words(made: list[Result], cited: Citations, table: int) -> list[str]:
    """Return sentences on how the members of results were made, searched, simulated and judged.

    All are of one neuron and network; if there are several, the table of that number lists them.
    """
    if found_by_evolution(made):
        how = [_evolution(made, cited), _search(made, table), _simulation(made), _rule(made)]
        return [*how, _distance(made, cited), _NO_SAMPLE]
    return [
        _baseline(made[0].neuron, cited),
        _compensation(made, cited),
        _refinement(made, cited),
        _search(made, table),
        _simulation(made),
        _rule(made),
        _distance(made, cited),
        _NO_SAMPLE,
    ]


def posterior_of(result: Result) -> Posterior | None:
    """The posterior, if it is that of a network for this very recording."""
    found, mine = result.posterior, (result.recording.id, result.neuron.name)
    usable = isinstance(found, Posterior) and found.usable and (found.id, found.neuron) == mine
    return found if usable else None


def named(names: Sequence[str]) -> str:
    """Ids in a row of words; of many, the first."""
    quoted = [f"“{plain(name)}”" for name in names[:MOST_NAMED]]
    more = len(names) - len(quoted)
    return series([*quoted, count(more, "other")] if more else quoted)


def _baseline(neuron: NeuronModel, cited: Citations) -> str:
    recipe = neuron.baseline
    drawn = []
    for name, spread in recipe.free.items():
        if isinstance(spread, Gamma):
            how = "drawn from a Gamma distribution with the mean and variance of the uniform one on"
            drawn.append(f"g_{name} was {how} {interval(spread.low, spread.high)} mS/cm²")
        elif isinstance(spread, Range):
            drawn.append(f"g_{name} uniformly from {interval(spread.low, spread.high)} mS/cm²")
        else:
            drawn.append(f"g_{name} set to {figure(spread)} mS/cm²")
    solved = series([f"g_{name}" for name in recipe.compensated])
    dics = f"g_f = {figure(recipe.g_f)}, g_s = {figure(recipe.g_s)} and g_u = {figure(recipe.g_u)}"
    return (
        f"Each member of a degenerate population started from a baseline {cited.mark(FYON)}: "
        f"{series(drawn)}, the others scaled by g_leak over its mean, and {solved} were solved for such that "
        f"{dics}."
    )


def _compensation(made: list[Result], cited: Citations) -> str:
    source = "the posterior" if posterior_of(made[0]) is not None else "that distribution"
    start = f"It was then brought to its own draw of (g_s, g_u) from {source} by solving iteratively for"
    marks = cited.mark(FYON, BRANDOIT)
    chosen = made[0].options.get("compensate", "recommended")
    if chosen != "recommended":
        return f"{start} {series([f'g_{name}' for name in chosen])} {marks}."
    neuron, pairs = made[0].neuron, Counter[tuple[str, str]]()
    if made[0].options.get("refine"):  # the DICs drawn are no longer in the tables
        names = [" and ".join(f"g_{name}" for name in entry.compensate) for entry in neuron.modulation]
        return f"{start} the pair recommended for its draw ({' or '.join(names)}) {marks}."
    for result in made:
        assert result.population is not None
        table = result.population.table
        which = neuron.modulation_index(table["g_s"].to_numpy(float), table["g_u"].to_numpy(float))
        pairs.update(neuron.modulation[i].compensate for i in which)
    parts = [
        f"{series([f'g_{name}' for name in pair])} ({count(n, 'member')} kept)" for pair, n in pairs.items()
    ]
    return f"{start} the pair recommended there, {' or '.join(parts)} {marks}."


def _refinement(made: list[Result], cited: Citations) -> str:
    """How members were changed until they fire like the recording, and how different they stayed."""
    if not made[0].options.get("refine"):
        return ""
    text = (
        "Its conductances were then refined by simulation: with the logarithms of the conductances regressed "
        "over all members on those of the firing rate (of the burst rate, the rate within bursts and the "
        "spikes per burst for recordings that burst), a first step brought all members towards the recording "
        f"{cited.mark(CHEN)}, and Broyden’s method {cited.mark(BROYDEN)} each member alone to it; where "
        "too few arrived, up to half of the further starts were crosses of three members that already fired "
        "so (differential evolution), and starts that fired otherwise were moved towards those that did not. "
        "Where a conductance varied less than before, the members kept were chosen, and moved apart along "
        "their own differences, to restore its spread, and brought back to the recording."
    )
    crosses, kept = sum(r.n_crosses for r in made), sum(len(r.population or ()) for r in made)
    if crosses:
        text += f" Of the {count(kept, 'member')} kept, {crosses} {_were(crosses)} "
        text += f"{'a cross' if crosses == 1 else 'crosses'} of members that fired like the recording, or "
        text += "moved towards one."
    elif kept:
        each = "The member" if kept == 1 else f"Each of the {kept} members"
        text += f" {each} kept started from its own draw."
    found = [result.diversity for result in made if result.diversity is not None]
    text += _difference(found)
    least = [each.least_spread for each in found if np.isfinite(each.least_spread)]
    if not least:
        return text
    return text + (
        " The standard deviation of each conductance over the members kept was at least "
        f"{percent(min(least))} of that over members as generated that had the recording’s firing pattern."
    )


def fell_by(result: Result) -> str:
    """What the counts of `Result.reasons` are of, as the head of their list."""
    if found_by_evolution([result]):
        return "Of the last generation, those that did not pass, by what was furthest off"
    return "Why the others fell (first reason)"


def found_by_evolution(made: list[Result]) -> bool:
    """Whether members were moved from anywhere in the declared ranges, with a current and noise."""
    return made[0].options.get("found_by") == "evolution"


def _evolution(made: list[Result], cited: Citations) -> str:
    """How members that are judged by the recording's own variability were found."""
    low, high = CURRENT_RANGE
    known = made[0].options.get("atlas", 0)
    origin = (
        f"those of {known} simulated before that fired most like the recording"
        if known
        else "drawn at random"
    )
    share = {0.25: "a quarter", 0.5: "half"}.get(made[0].options.get("posterior_share", 0.0))
    rest = f", and {share} of them solved for (g_s, g_u) drawn from the posterior" if share else ""
    told = made[0].options.get("current")
    current = f"{interval(low, high)} µA/cm²" if told is None else f"{figure(told)} µA/cm², which is known"
    text = (
        "Members, each of maximal conductances in the declared ranges, a constant injected current "
        f"({current}) and injected noise (σ {interval(*NOISE_RANGE)} µA/cm²), were "
        f"{origin}{rest}, and moved by differential evolution {cited.mark(STORN, ZHANG)}, of several moves "
        "by the one that local linear regression on the members simulated before told to be best, until they "
        "fired like the recording. How far a member may be from it follows from the recording itself, by a "
        f"block bootstrap {cited.mark(KUNSCH)}. Members were judged with noise other than that with which "
        "they were moved, over three windows of the recording’s length: on average, and in more than half of "
        "them."
    )
    if inhibited := [given for result in made if (given := result.options.get("inhibition"))]:
        who = "They" if len(made) == 1 else f"Members of {count(len(inhibited), 'recording')}"
        text += (
            f" {who} also received a rhythmic inhibition with the recording’s burst period: a conductance of "
            f"up to {INHIBITION_RANGE[1]:g} mS/cm² that reverses at {figure(inhibited[0]['E_mV'])} mV "
            f"{cited.mark(PRINZ)} and is on for a share of each period. Its size and share were moved, too."
        )
        if tried := max(given["generations_without"] for given in inhibited):
            text += f" Without it, none had come near enough in {count(tried, 'generation')}."
    return text + _difference([result.diversity for result in made if result.diversity is not None])


def _difference(found: list[Diversity]) -> str:
    """How different the members kept are, as they are."""
    copies = sum(each.n - each.n_distinct for each in found)
    if copies:
        return f" Of the members kept, {copies} {_were(copies)} nearly identical to another."
    if not found:
        return ""
    nearest = min(each.least_distance for each in found)
    return (
        " No two of a population were alike: of the nearest two, some conductance differed by "
        f"{figure(100 * np.expm1(nearest), 2)} %."
    )


def _search(made: list[Result], table: int) -> str:
    if len(made) == 1:
        result = made[0]
        kept, good = len(result.population or ()), result.n_kept_passed
        share = f"{result.n_passed} ({percent(result.acceptance)})" if result.n_passed else "none"
        text = f"Of {count(result.n_tried, 'member')} tried, {share} fired like the recording"
        if result.n_passed >= result.n_asked:
            which = "nearest" if found_by_evolution(made) else "first"
            if kept == 1:
                return f"{text}; the {which} of them, the one asked for, was kept."
            return f"{text}; the {which} {kept} of them, as many as asked for, were kept."
        spent = f"the budget of {result.options.get('budget', result.n_simulated)} simulations was spent"
        spent = "no more could be generated with such DICs" if result.exhausted else spent
        stopped = "the user stopped the search" if result.cancelled else spent
        text += f"; {result.n_asked} were asked for, but {stopped}: "
        others = kept - good
        if not good:
            return (
                f"{text}the {count(kept, 'member')} nearest to it {_were(kept)} kept, marked as not passed."
            )
        nearest = f" with the {count(others, 'nearest other')}, marked as not passed" if others else ""
        return f"{text}the {good} that passed {_were(good)} kept{nearest}."
    tried, passed = sum(r.n_tried for r in made), sum(r.n_passed for r in made)
    short = [r.recording.id for r in made if r.n_passed < r.n_asked]
    text = (
        f"Of {count(tried, 'member')} tried in all, {passed} ({percent(passed / tried)}) fired like their "
        f"recording (Table {table})"
    )
    if not short:
        return f"{text}; the first {made[0].n_asked} for each recording, as many as asked for, were kept."
    return (
        f"{text}; {made[0].n_asked} were asked for in each recording. For {named(short)} fewer passed, and "
        "the nearest others were kept too, marked as not passed."
    )


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def _simulation(made: list[Result]) -> str:
    runs = [result.simulated for result in made]
    seconds, transients = (
        {run_ms / 1000 for run_ms in ms}
        for ms in zip(*((run.duration_ms, run.transient_ms) for run in runs), strict=True)
    )
    sigma = np.concatenate([run.noise_sigma for run in runs])
    noise = "without injected noise"
    if sigma.any():
        noise = f"with injected current noise of σ {interval(float(sigma.min()), float(sigma.max()))} µA/cm²"
    return (
        f"Every member was simulated for {interval(min(seconds), max(seconds))} s, of which the first "
        f"{interval(min(transients), max(transients))} s were discarded, {noise}, by exponential Euler with "
        f"gates and voltage staggered and a time step of {figure(runs[0].dt_ms)} ms "
        f"(accuracy “{runs[0].accuracy}”).{_late(made)}"
    )


def _late(made: list[Result]) -> str:
    late = sum(result.n_late for result in made)
    if not late:
        return ""
    return (
        f" Of the members kept, {late} still changed within the time judged after the neuron’s usual "
        "transient and settled after a longer one, so that their populations were simulated and judged after "
        "that."
    )


def _rule(made: list[Result]) -> str:
    verdicts = [result.verdict for result in made if result.verdict is not None]
    rule = verdicts[0].rule
    if isinstance(rule, Variability):
        return rule.describe()
    criteria = [
        f"the same firing pattern (silent: under {SILENT_BELOW} spikes; spiking: coefficient of variation of "
        f"the intervals up to {figure(REGULAR_CV)}; else bursting)",
        f"a mean rate within {figure(100 * rule.rate)} %",
        f"a distribution of ln(interval) within a Wasserstein distance of {figure(rule.isi)}",
    ]
    text = f"A member passed if it had, compared with the recording, {series(criteria)}"
    if any(v.recording.pattern is FiringPattern.BURSTING and v.recording.n_bursts for v in verdicts):
        text += (
            "; where the recording bursts, also the rate within bursts, the rate of bursts, the burst "
            f"duration and the spikes per burst each within {figure(100 * rule.burst)} %, and the mean rate "
            "within half a burst of those recorded more"
        )
    return f"{text}."


def _distance(made: list[Result], cited: Citations) -> str:
    found = np.concatenate([r.verdict.table["van_rossum"].to_numpy(float) for r in made if r.verdict])
    found = found[np.isfinite(found)]
    if not found.size:
        return ""
    tau = [kernel_ms(result.recording) for result in made]
    return (
        f"The van Rossum distance {cited.mark(VAN_ROSSUM)} to the recording (first spikes aligned, time "
        f"constant {interval(min(tau), max(tau))} ms) was reported, but members were not judged by it; its "
        f"median over the members kept was {figure(float(np.median(found)))} of that of a silent member."
    )
