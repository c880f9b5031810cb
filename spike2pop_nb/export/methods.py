"""A methods paragraph for a paper, derived from results alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.experiments import experiments_in_words
from spike2pop_nb.export.formatting import Citations, count, doi, figure, fixed, plain, series
from spike2pop_nb.export.methods_of_members import (
    MOST_NAMED,
    found_by_evolution,
    members_in_words,
    named,
    posterior_of,
)
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.export.references import BRANDOIT, DRION, FYON, NWB, VAN_ROSSUM
from spike2pop_nb.export.summaries import experiments_on
from spike2pop_nb.fidelity import Result
from spike2pop_nb.inference import PRIORS, Network, Posterior
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import features

__all__ = ["methods_paragraph", "with_interval"]

_METHODS = {doi(text) for text in (BRANDOIT, DRION, FYON, VAN_ROSSUM)}
_LIBRARIES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "numba": "Numba",
    "elephant": "Elephant",
    "torch": "PyTorch",
}
_PRIOR_WORDS = {
    PRIORS[0]: "assuming that the neuron is built like the members below",
    PRIORS[1]: "assuming that its conductances lie anywhere in their declared ranges",
    "both": "assuming that the neuron is built like the members below or with conductances anywhere in their "
    "declared ranges, weighted by how well the recording fits each",
}


def methods_paragraph(
    results: Result | Sequence[Result],
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
    *,
    shared: bool = False,
) -> str:
    """Describe how results were made, as Markdown to paste into a paper.

    One paragraph for each neuron, network and set of options, a table of the recordings where there are
    several, one for each experiment, and a list of references with DOIs. All of it is read from the results,
    and what was not done is not said.

    Parameters
    ----------
    results
        One or more.
    experiments
        ``{id: experiments}`` that were done on the populations of recordings.
    shared
        Whether members and their simulated recordings go with it as NWB files.

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
    if done := [one for result in every for one in experiments_on(result, experiments)]:
        blocks.append(experiments_in_words(done))
    if shared and any(result.population is not None for result in every):
        blocks.append(
            "Members with their conductances, and their simulated voltages and spikes, are shared as NWB "
            f"files {cited.mark(NWB)}, marked as simulated."
        )
    return "\n\n".join([*blocks, "**References**", cited.listed()]) + "\n"


def _groups(results: Sequence[Result]) -> Iterable[tuple[Network | None, list[Result]]]:
    """Results made alike, with their network; what came to nothing goes with others of its neuron."""
    groups: dict[tuple[object, ...], tuple[Network | None, list[Result]]] = {}
    rest: list[tuple[Result, tuple[object, ...], Network | None]] = []
    for result in results:
        network = network_of(result)
        posterior = posterior_of(result)
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
    inferred = [posterior for result in group if (posterior := posterior_of(result)) is not None]
    sentences = [_recordings(group, table), _read(group), _model(neuron, cited)]
    if inferred:
        sentences += _inference(neuron, inferred, network, cited, alone=len(group) == 1, table=table)
    elif made and not found_by_evolution(made):
        sentences.append(f"{_dics(neuron, cited)} were drawn from a distribution that the user gave.")
    if made:
        sentences += members_in_words(made, cited, table)
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
    more = f"; and {len(found) - MOST_NAMED} more ways" if len(found) > MOST_NAMED else ""
    return f"The times were read as {'; as '.join(found[:MOST_NAMED])}{more}."


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
    current = inferred[0].current
    given = "" if current is None else f", given the known constant current of {figure(current)} µA/cm²"
    sentences = [
        f"{_dics(neuron, cited)} were inferred from the spike times by a neural network ({weights}) after "
        f"{cited.mark(BRANDOIT)}, {_PRIOR_WORDS[inferred[0].prior]}{given}."
    ]
    if alone:
        s, u = (f"{name} = {with_interval(inferred[0], i)}" for i, name in enumerate(("g_s", "g_u")))
        sentences.append(f"The posterior means with 95 % credible intervals were {s} and {u}.")
    else:
        sentences.append(f"Table {table} gives the posterior means with 95 % credible intervals.")
    strange = [p for p in inferred if p.domain is not None and not p.domain.inside]
    drifting = [p for p in inferred if p.course is not None and p.course.drifts]
    rivals = [p for p in inferred if p.rival is not None]
    for flagged, words in (
        (strange, "flagged as unlike the simulated recordings of this neuron, so its DICs are doubtful"),
        (drifting, "flagged as drifting: its DICs change over the recording"),
        (rivals, "flagged as more like a neuron with conductances anywhere in their declared ranges"),
    ):
        if flagged:
            names = "" if alone else f" ({named([p.id for p in flagged])})"
            which = "The recording" if alone else f"Of the recordings, {len(flagged)}{names}"
            sentences.append(f"{which} {'was' if len(flagged) == 1 else 'were'} {words}.")
    return sentences


def with_interval(posterior: Posterior, i: int) -> str:
    """Return a mean with its 95 % credible interval."""
    low, high = (float(posterior.quantile(q)[i]) for q in (0.025, 0.975))
    return f"{fixed(float(posterior.mean[i]))} ({fixed(low)} to {fixed(high)})"


def _unmade(results: list[Result]) -> list[str]:
    sentences = [
        f"No population was made for “{plain(result.recording.id)}”: {plain(result.outcome)}"
        for result in results[:MOST_NAMED]
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
        train, posterior = result.recording, posterior_of(result)
        dics = ["–", "–"] if posterior is None else [with_interval(posterior, i) for i in range(2)]
        kept = len(result.population) if result.population is not None else 0
        numbers = [result.n_tried, result.n_passed, kept, result.n_kept_passed]
        fired = [str(train.n_spikes), figure(train.duration_ms / 1000), figure(train.rate_hz)]
        rows.append([plain(train.id), *fired, str(features(train).pattern), *dics, *map(str, numbers)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return f"**Table {number}.** Recordings, DICs and members.\n\n" + "\n".join(lines)
