"""What the user has chosen and what came of it: one observable object that every panel reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Instance, Tuple, Unicode

from spike2pop_nb.app.figures import Picking
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains import Recordings, SpikeTrain, VoltageTrace
from spike2pop_nb.spiketrains.voltage import VoltageTraces

__all__ = ["Refusal", "Session", "Source", "key"]


@dataclass(frozen=True)
class Source:
    """Where recordings come from: a file on this machine, or the contents of an upload, and its name.

    The same contents under the same name are the same source, whenever they are chosen.
    """

    data: Path | bytes = field(repr=False, compare=False)
    name: str
    digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        data = self.data if isinstance(self.data, bytes) else self.data.read_bytes()
        object.__setattr__(self, "digest", sha256(data).hexdigest())


@dataclass(frozen=True)
class Refusal:
    """Why the file that is open could not be read as it was asked for.

    Attributes
    ----------
    sentence
        Says so, and what would settle it.
    settings
        Those that may settle it.
    columns, sheets
        Those there are to name.
    trace
        The voltage whose levels are asked for; None where it is not that.
    """

    sentence: str
    settings: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    trace: VoltageTrace | None = None


class Session(Picking):
    """State of one open page: what the user chose, and what follows from it.

    Panels change ``settings`` with `choose` and observe the rest, which `Actions` write.

    Attributes
    ----------
    settings
        All that the user has chosen.
    ready
        Whether the page stands in a browser, so that it may be used.
    source
        The file that was read last.
    refused
        Why it was not, if another choice of how to read it may settle that; then there are no recordings.
    recordings, voltages
        What was read: trains, and the voltages they were detected in, if it was those.
    train, chosen
        The recording that is looked at, and the ids of those that are run together.
    survey
        A row of measures and DICs per recording.
    pair
        The conductances compensated: those chosen, or the recommended ones.
    fit, fits_better
        Which neurons fire like the recording, and the name of another where it is hardly like the chosen one.
    drive
        Which current and noise the chosen neuron needs.
    judging
        The rule that members of the recording will be judged by, or a sentence where it is too short for one;
        None while that is not known.
    posterior, reach
        Predicted DICs, and what compensating `pair` reaches.
    results, result
        Populations found in this session, and that of the recording that is looked at.
    searched
        The settings by which each population was searched.
    posteriors
        Those drawn in this session, by population.
    experiments, experiment
        Experiments done in this session by population and by what was done, and the one that is looked at.
    ranking, narrowed
        Which experiment would tell the most of the population that is looked at, and that population narrowed
        by the recording of one.
    comparison
        What changed between two recordings.
    member
        Number of the member that is picked, or `NO_MEMBER`.
    busy
        What runs in the background, in words; empty when nothing does.
    generating, experimenting, ranks
        Whether populations are being searched, one is being asked, and experiments are being ranked, or a
        population narrowed.
    drawing
        Whether figures wait to be drawn.
    dark
        Whether the page is dark.
    """

    settings = Instance(Settings)
    ready = Bool(False)
    source = Instance(Source, allow_none=True)
    refused = Instance(Refusal, allow_none=True)
    recordings = Instance(Recordings, allow_none=True)
    voltages = Instance(VoltageTraces, args=())
    train = Instance(SpikeTrain, allow_none=True)
    chosen = Tuple()
    survey = AnyTrait(None, allow_none=True)
    pair = AnyTrait(None, allow_none=True)
    fit = AnyTrait(None, allow_none=True)
    fits_better = Unicode(None, allow_none=True)
    drive = AnyTrait(None, allow_none=True)
    judging = AnyTrait(None, allow_none=True)
    posterior = AnyTrait(None, allow_none=True)
    reach = AnyTrait(None, allow_none=True)
    results: Dict[Any, Any] = Dict()
    searched: Dict[Any, Any] = Dict()
    result = AnyTrait(None, allow_none=True)
    posteriors: Dict[Any, Any] = Dict()
    experiments: Dict[Any, Any] = Dict()
    experiment = AnyTrait(None, allow_none=True)
    ranking = AnyTrait(None, allow_none=True)
    narrowed = AnyTrait(None, allow_none=True)
    comparison = AnyTrait(None, allow_none=True)
    busy = Unicode("")
    generating = Bool(False)
    experimenting = Bool(False)
    ranks = Bool(False)
    drawing = Bool(False)
    dark = Bool(False)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings=settings or Settings())

    @property
    def neuron(self) -> NeuronModel:
        """The neuron that is chosen."""
        return get_neuron(self.settings.neuron)

    def choose(self, **choices: Any) -> None:
        """Take choices of the user's; what belonged to another neuron, recording or pair is forgotten.

        Raises
        ------
        Spike2PopError
            If one cannot be; then all stay as they were.
        """
        self.settings = self.settings.changed(**choices)

    def follow(self, act: Callable[[Any], None], *names: str) -> None:
        """Have something done whenever one of these settings changes; it is given the change of them all."""

        def changed(change: Any) -> None:
            if any(getattr(change["old"], name) != getattr(change["new"], name) for name in names):
                act(change)

        self.observe(changed, "settings")

    def looked_at(self, recordings: Recordings | None) -> SpikeTrain | None:
        """The recording that is chosen, else the first."""
        chosen = self.settings.recording
        if recordings is None or not len(recordings):
            return None
        return recordings.by_id(chosen) if chosen in recordings.ids else recordings[0]

    def key(self, train: SpikeTrain) -> tuple[Any, ...]:
        """Under what the population of a train is kept."""
        return key(self.source, train, self.settings.neuron, self.settings.prior)


def key(source: Source | None, train: SpikeTrain, neuron: str, prior: str) -> tuple[Any, ...]:
    """Under what the population of a train of a file, made for a neuron under a prior, is kept."""
    return source, train.id, train.n_spikes, train.duration_ms, neuron, prior
