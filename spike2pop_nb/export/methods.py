"""A methods paragraph for a paper, derived from results alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export.formatting import (
    Citations,
    count,
    doi,
    figure,
    fixed,
    interval,
    percent,
    plain,
    series,
)
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.fidelity import Diversity, Result
from spike2pop_nb.fidelity.scores import kernel_ms
from spike2pop_nb.inference import PRIORS, Network, Posterior
from spike2pop_nb.neurons import Gamma, NeuronModel, Range
from spike2pop_nb.spiketrains import FiringPattern, features
from spike2pop_nb.spiketrains.patterns import REGULAR_CV, SILENT_BELOW

__all__ = ["BRANDOIT", "DRION", "FYON", "VAN_ROSSUM", "methods_paragraph"]

BRANDOIT = (
    "Brandoit J, Ernst D, Drion G, Fyon A (2026) Fast reconstruction of degenerate populations of "
    "conductance-based neuron models from spike times. PLOS Comput Biol. doi:10.1371/journal.pcbi.1014337"
)
DRION = (
    "Drion G, Franci A, Dethier J, Sepulchre R (2015) Dynamic input conductances shape neuronal spiking. "
    "eNeuro 2(1). doi:10.1523/ENEURO.0031-14.2015"
)
FYON = (
    "Fyon A, Franci A, Sacré P, Drion G (2024) Dimensionality reduction of neuronal degeneracy reveals two "
    "interfering physiological mechanisms. PNAS Nexus 3:pgae415. doi:10.1093/pnasnexus/pgae415"
)
VAN_ROSSUM = (
    "van Rossum MCW (2001) A novel spike distance. Neural Comput 13:751–763. doi:10.1162/089976601300014321"
)
CHEN = (
    "Chen Y, Oliver DS (2013) Levenberg–Marquardt forms of the iterative ensemble smoother for efficient "
    "history matching and uncertainty quantification. Comput Geosci 17:689–703. "
    "doi:10.1007/s10596-013-9351-5"
)
BROYDEN = (
    "Broyden CG (1965) A class of methods for solving nonlinear simultaneous equations. Math Comput "
    "19:577–593. doi:10.1090/S0025-5718-1965-0198670-6"
)
_METHODS = {doi(text) for text in (BRANDOIT, DRION, FYON, VAN_ROSSUM)}
_LIBRARIES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "numba": "Numba",
    "elephant": "Elephant",
    "torch": "PyTorch",
}
_PRIOR_WORDS = {
    PRIORS[0]: "taking the neuron to be made as the members below are",
    PRIORS[1]: "taking its conductances to lie anywhere in their declared ranges",
    "both": "taking the neuron to be made as the members below are or with conductances anywhere in their "
    "declared ranges, weighed by what the recording looks like",
}
_MOST_NAMED = 5


def methods_paragraph(results: Result | Sequence[Result]) -> str:
    """Describe how results were made, as Markdown to paste into a paper.

    One paragraph for each neuron, network and set of options, a table of the recordings where there are
    several, and a list of references with DOIs. All of it is read from the results, and what was not done is
    not said.

    Raises
    ------
    Spike2PopError
        If there are no results.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import methods_paragraph
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> "References" in methods_paragraph(result)
    True
    """
    every = [results] if isinstance(results, Result) else list(results)
    if not every:
        raise Spike2PopError("A methods paragraph needs at least one result; there is none.")
    cited = Citations()
    blocks: list[str] = []
    tables = 0
    for network, group in _groups(every):
        tables += len(group) > 1
        blocks.append(_paragraph(group, network, cited, tables))
        if len(group) > 1:
            blocks.append(_table(group, tables))
    return "\n\n".join([*blocks, "**References**", cited.listed()]) + "\n"


def _inferred(result: Result) -> Posterior | None:
    """The posterior, if it is that of a network for this very recording."""
    found, mine = result.posterior, (result.recording.id, result.neuron.name)
    usable = isinstance(found, Posterior) and found.usable and (found.id, found.neuron) == mine
    return found if usable else None


def _groups(results: Sequence[Result]) -> Iterable[tuple[Network | None, list[Result]]]:
    """Results made alike, with their network; what came to nothing goes with others of its neuron."""
    groups: dict[tuple[object, ...], tuple[Network | None, list[Result]]] = {}
    rest: list[tuple[Result, tuple[object, ...], Network | None]] = []
    for result in results:
        network = network_of(result)
        posterior = _inferred(result)
        made = (result.neuron.name, *((posterior.prior, network) if posterior is not None else ()))
        if result.population is None:
            rest.append((result, made, network))
            continue
        options = json.dumps(result.options, sort_keys=True, default=str)
        groups.setdefault((*made, options), (network, []))[1].append(result)
    for result, made, network in rest:
        home = next((key for key in groups if key[: len(made)] == made), made)
        groups.setdefault(home, (network, []))[1].append(result)
    return groups.values()


def _paragraph(group: list[Result], network: Network | None, cited: Citations, table: int) -> str:
    neuron = group[0].neuron
    made = [result for result in group if result.population is not None]
    inferred = [posterior for result in group if (posterior := _inferred(result)) is not None]
    sentences = [_recordings(group, table), _read(group), _model(neuron, cited)]
    if inferred:
        sentences += _inference(neuron, inferred, network, cited, alone=len(group) == 1, table=table)
    elif made:
        sentences.append(f"{_dics(neuron, cited)} were drawn from a distribution that the user gave.")
    if made:
        sentences += [_baseline(neuron, cited), _compensation(made, cited), _refinement(made, cited)]
        sentences.append(_search(made, table))
        sentences += [_simulation(made), _rule(made), _distance(made, cited)]
    sentences += _unmade([result for result in group if result.population is None])
    sentences.append(_software(group, with_network=bool(inferred), simulated=bool(made)))
    return " ".join(sentence for sentence in sentences if sentence)


def _recordings(group: list[Result], table: int) -> str:
    by = f"with spike2pop_nb {versions()['spike2pop_nb']}."
    if len(group) > 1:
        return f"The spike times of {len(group)} recordings (Table {table}) were analysed {by}"
    train = group[0].recording
    about = [f"{count(train.n_spikes, 'spike')} over {figure(train.duration_ms / 1000)} s"]
    if train.n_spikes > 1:
        about.append(f"mean rate {figure(train.rate_hz)} Hz")
    about.append(str(features(train).pattern))
    source = f", from {plain(train.provenance.source)}" if train.provenance is not None else ""
    return (
        f"The spike times of one recording (“{plain(train.id)}”{source}: {', '.join(about)}) "
        f"were analysed {by}"
    )


def _read(group: list[Result]) -> str:
    """As what the times were read, which tells a unit that the file names from one that is assumed."""
    origins = [result.recording.provenance for result in group]
    found = [origin.reading for origin in origins if origin is not None and origin.reading]
    found = [plain(re.sub(r"(?<!,) assumed", ", assumed", text, count=1)) for text in dict.fromkeys(found)]
    if not found:
        return ""
    more = f"; and {len(found) - _MOST_NAMED} more ways" if len(found) > _MOST_NAMED else ""
    return f"The times were read as {'; as '.join(found[:_MOST_NAMED])}{more}."


def _model(neuron: NeuronModel, cited: Citations) -> str:
    marks = cited.mark(*(text for text in neuron.references if doi(text) not in _METHODS))
    return (
        f"The neuron model was the {neuron.title}{f' {marks}' if marks else ''}, a single compartment with "
        f"the conductances {series(neuron.channel_names)}."
    )


def _dics(neuron: NeuronModel, cited: Citations) -> str:
    return (
        f"The slow and ultraslow dynamic input conductances (DICs) g_s and g_u {cited.mark(DRION)} at the "
        f"threshold voltage of {figure(neuron.V_th_mV)} mV, in units of the leak conductance,"
    )


def _inference(
    neuron: NeuronModel,
    inferred: list[Posterior],
    network: Network | None,
    cited: Citations,
    alone: bool,
    table: int,
) -> list[str]:
    weights = "weights unknown"
    if network is not None:
        trained = f", trained on {network.n_trains} simulated spike trains" if network.n_trains else ""
        weights = f"{network.file}, SHA-256 {network.sha256}{trained}"
    sentences = [
        f"{_dics(neuron, cited)} were inferred from the spike times by a neural network ({weights}) after "
        f"{cited.mark(BRANDOIT)}, {_PRIOR_WORDS[inferred[0].prior]}."
    ]
    if alone:
        s, u = (f"{name} = {_with_interval(inferred[0], i)}" for i, name in enumerate(("g_s", "g_u")))
        sentences.append(f"The posterior means with 95 % credible intervals were {s} and {u}.")
    else:
        sentences.append(f"Table {table} gives the posterior means with 95 % credible intervals.")
    strange = [p for p in inferred if p.domain is not None and not p.domain.inside]
    drifting = [p for p in inferred if p.course is not None and p.course.drifts]
    rivals = [p for p in inferred if p.rival is not None]
    for flagged, words in (
        (strange, "flagged as unlike the simulated recordings of this neuron, so that the DICs are in doubt"),
        (drifting, "flagged as drifting: the DICs change while it lasts"),
        (rivals, "flagged as more like a neuron with conductances anywhere in their declared ranges"),
    ):
        if flagged:
            names = "" if alone else f" ({_named([p.id for p in flagged])})"
            which = "The recording" if alone else f"Of the recordings, {len(flagged)}{names}"
            sentences.append(f"{which} {'was' if len(flagged) == 1 else 'were'} {words}.")
    return sentences


def _with_interval(posterior: Posterior, i: int) -> str:
    low, high = (float(posterior.quantile(q)[i]) for q in (0.025, 0.975))
    return f"{fixed(float(posterior.mean[i]))} ({fixed(low)} to {fixed(high)})"


def _named(names: Sequence[str]) -> str:
    quoted = [f"“{plain(name)}”" for name in names[:_MOST_NAMED]]
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
    source = "the posterior" if _inferred(made[0]) is not None else "that distribution"
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
        text += f" {each} kept started from a draw of its own."
    found = [result.diversity for result in made if result.diversity is not None]
    text += _difference(found)
    least = [each.least_spread for each in found if np.isfinite(each.least_spread)]
    if not least:
        return text
    return text + (
        " The standard deviation of each conductance over the members kept was at least "
        f"{percent(min(least))} of that over members as generated that had the recording’s firing pattern."
    )


def _difference(found: list[Diversity]) -> str:
    """How different the members kept are, as they are."""
    copies = sum(each.n - each.n_distinct for each in found)
    if copies:
        return f" Of the members kept, {copies} {_were(copies)} all but the same as another."
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
            if kept == 1:
                return f"{text}; the first of them, the one asked for, was kept."
            return f"{text}; the first {kept} of them, as many as asked for, were kept."
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
        f"{text}; {made[0].n_asked} were asked for in each recording. For {_named(short)} fewer passed, and "
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
        f"{interval(min(transients), max(transients))} s were left out, {noise}, by exponential Euler with "
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
        f"constant {interval(min(tau), max(tau))} ms) was reported and not judged; its median over the "
        f"members kept was {figure(float(np.median(found)))} of that of a silent member."
    )


def _unmade(results: list[Result]) -> list[str]:
    sentences = [
        f"No population was made for “{plain(result.recording.id)}”: {plain(result.outcome)}"
        for result in results[:_MOST_NAMED]
    ]
    if more := len(results) - len(sentences):
        sentences.append(f"No population was made for {count(more, 'other recording')}.")
    return sentences


def _software(group: list[Result], with_network: bool, simulated: bool) -> str:
    found = versions()
    used = [
        "numpy",
        "scipy",
        *(["numba", "elephant"] if simulated else []),
        *(["torch"] if with_network else []),
    ]
    libraries = [f"{_LIBRARIES[name]} {found[name]}" for name in used]
    seeds = list(dict.fromkeys(str(result.options["seed"]) for result in group if "seed" in result.options))
    seed = f"; the random {'seed was' if len(seeds) == 1 else 'seeds were'} {series(seeds)}" if seeds else ""
    return f"The computations used Python {found['python']}, {series(libraries)}{seed}."


def _table(group: list[Result], number: int) -> str:
    head = ["recording", "spikes", "duration (s)", "rate (Hz)", "pattern", "g_s (95 %)", "g_u (95 %)"]
    head += ["tried", "passed", "kept", "kept that passed"]
    rows = [head, ["---"] * len(head)]
    for result in group:
        train, posterior = result.recording, _inferred(result)
        dics = ["–", "–"] if posterior is None else [_with_interval(posterior, i) for i in range(2)]
        kept = len(result.population) if result.population is not None else 0
        numbers = [result.n_tried, result.n_passed, kept, result.n_kept_passed]
        fired = [str(train.n_spikes), figure(train.duration_ms / 1000), figure(train.rate_hz)]
        rows.append([plain(train.id), *fired, str(features(train).pattern), *dics, *map(str, numbers)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return f"**Table {number}.** Recordings, DICs and members.\n\n" + "\n".join(lines)
