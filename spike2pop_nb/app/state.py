"""What the user has chosen and what came of it: one observable object that every panel reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Instance, Tuple, Unicode, observe

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
    """Why the file that is open could not be read as it was asked for, and what may settle it."""

    sentence: str
    settings: frozenset[str] = frozenset()  # those that may settle it
    columns: tuple[str, ...] = ()  # those there are to name
    sheets: tuple[str, ...] = ()
    trace: VoltageTrace | None = None  # the voltage whose levels are asked for


class Session(Picking):
    """State of one open page: what the user chose, and what follows from it.

    Panels change ``settings`` with `choose` and observe the rest, which `Actions` write.
    """

    settings = Instance(Settings)  # all that the user has chosen
    ready = Bool(False)  # whether the page stands in a browser
    usable = Bool(False)  # whether choices may be made: once it is ready, and while no population is searched
    source = Instance(Source, allow_none=True)  # the file that was read last
    # why it was not, if another choice of how to read it may settle that; then there are no recordings
    refused = Instance(Refusal, allow_none=True)
    # what was read: trains, and the voltages they were detected in, if it was those
    recordings = Instance(Recordings, allow_none=True)
    voltages = Instance(VoltageTraces, args=())
    train = Instance(SpikeTrain, allow_none=True)  # the recording that is looked at
    chosen = Tuple()  # ids of those that are run together
    survey = AnyTrait(None, allow_none=True)  # a row of measures and DICs per recording
    pair = AnyTrait(None, allow_none=True)  # conductances compensated: those chosen, or the recommended ones
    # which neurons fire like the recording, and another's name where it is hardly like the chosen one
    fit = AnyTrait(None, allow_none=True)
    fits_better = Unicode(None, allow_none=True)
    drive = AnyTrait(None, allow_none=True)  # which current and noise the chosen neuron needs
    # the rule that members of the recording will be judged by, a sentence where it is too short for one, or
    # None while that is not known
    judging = AnyTrait(None, allow_none=True)
    posterior = AnyTrait(None, allow_none=True)  # predicted DICs
    reach = AnyTrait(None, allow_none=True)  # what compensating the pair reaches
    # populations found in this session, by which settings each was searched, that of the recording that is
    # looked at, and the posteriors drawn
    results: Dict[Any, Any] = Dict()
    searched: Dict[Any, Any] = Dict()
    result = AnyTrait(None, allow_none=True)
    posteriors: Dict[Any, Any] = Dict()
    # experiments done in this session by population and by what was done, and the one that is looked at
    experiments: Dict[Any, Any] = Dict()
    experiment = AnyTrait(None, allow_none=True)
    # which experiment would tell the most of the population that is looked at, and that population narrowed
    # by the recording of one
    ranking = AnyTrait(None, allow_none=True)
    narrowed = AnyTrait(None, allow_none=True)
    comparison = AnyTrait(None, allow_none=True)  # what changed between two recordings
    busy = Unicode("")  # what runs in the background, in words; empty when nothing does
    generating = Bool(False)  # whether populations are being searched,
    experimenting = Bool(False)  # one is being asked,
    ranks = Bool(False)  # experiments are being ranked, or a population narrowed,
    comparing = Bool(False)  # two recordings are being compared,
    sampling = Bool(False)  # or a posterior is being drawn
    drawing = Bool(False)  # whether figures wait to be drawn
    dark = Bool(False)  # whether the page is dark

    def __init__(self) -> None:
        super().__init__(settings=Settings())

    @observe("ready", "generating")
    def _allow(self, _change: Any) -> None:
        self.usable = self.ready and not self.generating

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

    def choose_of(self, part: str, **choices: Any) -> None:
        """Take choices of one of the parts of the settings, "explore", "ask" or "compare"."""
        self.choose(**{part: {**dict(getattr(self.settings, part)), **choices}})

    def follow(self, act: Callable[[Any], None], *names: str) -> None:
        """Have something done whenever one of these settings changes; it is given the change of them all."""

        def changed(change: Any) -> None:
            if any(getattr(change["old"], name) != getattr(change["new"], name) for name in names):
                act(change)

        self.observe(changed, "settings")

    def look(self) -> None:
        """Look at the recording that is chosen, else the first."""
        found, chosen = self.recordings, self.settings.recording
        if found is None or not len(found):
            self.train = None
        else:
            self.train = found.by_id(chosen) if chosen in found.ids else found[0]

    @property
    def voltage(self) -> VoltageTrace | None:
        """The voltage that is looked at, or whose levels are asked for; None where it is none."""
        if self.refused is not None:
            return self.refused.trace
        return next((v for v in self.voltages if self.train is not None and v.id == self.train.id), None)

    def key(self, train: SpikeTrain) -> tuple[Any, ...]:
        """Under what the population of a train is kept."""
        return key(self.source, train, self.settings.neuron, self.settings.prior)


def key(source: Source | None, train: SpikeTrain, neuron: str, prior: str) -> tuple[Any, ...]:
    """Under what the population of a train of a file, made for a neuron under a prior, is kept."""
    return source, train.id, train.n_spikes, train.duration_ms, neuron, prior
