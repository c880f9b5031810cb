"""What the user has chosen and what came of it: one observable object that every panel reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Float, HasTraits, Instance, Int, Tuple, Unicode, observe

from spike2pop_nb.app.figures import NO_MEMBER
from spike2pop_nb.app.settings import Explored, Settings
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import Recordings, SpikeTrain, VoltageTrace
from spike2pop_nb.spiketrains.voltage import VoltageTraces

__all__ = ["DETECTING", "READING", "SETTINGS", "Refusal", "Session", "Source"]

READING = (
    "source",
    "unit",
    "layout",
    "id_columns",
    "time_column",
    "sampling_rate_hz",
    "start_s",
    "stop_s",
    "voltage_unit",
)
"""Traits that the reading of a file rests on: itself, options of reading, the unit of voltages."""

DETECTING = ("threshold_mV", "reset_mV", "polarity")
"""Traits that the detection of spikes in a voltage rests on; as `detect_recordings` takes them."""

SETTINGS = (
    *READING,
    *DETECTING,
    "train",
    "neuron",
    "prior",
    "compensate",
    "size",
    "seed",
    "budget",
    "refine",
    "explored",
)
"""Traits of a session that make up its `Settings`."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where recordings come from: a file on this machine, or the contents of an upload, and its name."""

    data: Path | bytes
    name: str


@dataclass(frozen=True)
class Refusal:
    """Why the file that is open could not be read as it was asked for.

    Attributes
    ----------
    sentence
        Says so, and what would settle it.
    columns
        Those there are to name.
    trace
        The voltage whose levels are asked for; None where it is not that.
    """

    sentence: str
    columns: tuple[str, ...] = ()
    trace: VoltageTrace | None = None


class Session(HasTraits):
    """State of one open page.

    Settings are what the user chooses; results follow from them. Panels observe; `Actions` writes results.

    Attributes
    ----------
    ready
        Whether the page stands in a browser, so that it may be used.
    source, unit
        The file, and the unit its times are taken to have ("auto" for what it says or its intervals suggest).
    layout, id_columns, time_column, sampling_rate_hz, start_s, stop_s
        How the file is read; see `Settings`.
    refused
        Why the file was not read, if another choice of these may settle it; then there are no recordings.
    voltage_unit, threshold_mV, reset_mV, polarity
        What recorded voltages are in, and how spikes are detected in them; see `Settings`.
    recordings, voltages
        What was read: trains, and the voltages they were detected in, if it was those.
    train, chosen
        The recording that is looked at, and the ids of those that are run together.
    survey
        A row of measures and DICs per recording.
    prior
        What the recorded neuron is taken to be made like; see `Predictor.predict`.
    neuron, compensate, size, seed, budget, refine
        Choices for the population; no choice of conductances means the recommended ones, and a budget of 0
        leaves it to the program.
    explored, explored_for
        Choices of the explorer, and the (file, recording) that its target and end were chosen for.
    pair
        The conductances compensated.
    posterior, reach
        Predicted DICs, and what compensating `pair` reaches.
    results, result
        Populations found in this session, and that of the recording that is looked at.
    member
        Number of the member that is picked, or `NO_MEMBER`.
    busy
        What runs in the background, in words; empty when nothing does.
    generating
        Whether populations are being searched.
    drawing
        Whether figures wait for their turn.
    dark
        Whether the page is dark.
    """

    ready = Bool(False)
    source = Instance(Source, allow_none=True)
    unit = Unicode("auto")
    layout = Unicode("auto")
    id_columns = Tuple(default_value=None, allow_none=True)
    time_column = Unicode(None, allow_none=True)
    sampling_rate_hz = Float(None, allow_none=True)
    start_s = Float(None, allow_none=True)
    stop_s = Float(None, allow_none=True)
    refused = Instance(Refusal, allow_none=True)
    voltage_unit = Unicode("auto")
    threshold_mV = AnyTrait(None, allow_none=True)
    reset_mV = AnyTrait(None, allow_none=True)
    polarity = Unicode("auto")
    recordings = Instance(Recordings, allow_none=True)
    voltages = Instance(VoltageTraces, args=())
    train = Instance(SpikeTrain, allow_none=True)
    chosen = Tuple()
    survey = AnyTrait(None, allow_none=True)
    neuron = Instance(NeuronModel)
    prior = Unicode("compensated")
    compensate = AnyTrait(None, allow_none=True)
    pair = AnyTrait(None, allow_none=True)
    size = Int(16)
    seed = Int(1)
    budget = Int(0)
    refine = Bool(True)
    explored = Instance(Explored, args=())
    explored_for = AnyTrait((None, None))
    posterior = AnyTrait(None, allow_none=True)
    reach = AnyTrait(None, allow_none=True)
    results: Dict[Any, Any] = Dict()
    result = AnyTrait(None, allow_none=True)
    member = Int(NO_MEMBER)
    busy = Unicode("")
    generating = Bool(False)
    drawing = Bool(False)
    dark = Bool(False)

    @observe("neuron")
    def _explore_anew(self, _change: Any) -> None:
        """Forget what was explored of another neuron, before anyone else hears of the change."""
        self.explored = Explored(layer=self.explored.layer)

    def settings(self) -> Settings:
        """The choices as they are; numbers outside their range are given as the nearest inside."""
        now = file, recording = self.looked_at()
        explored = self.explored
        if self.explored_for not in (now, (file, None)):
            # a target belongs to its recording; this has yet to be forgotten, or that to be read
            explored = explored.model_copy(update={"target": None, "end": None})
        return Settings.nearest(
            file=file,
            recording=recording,
            **dict(zip(READING[1:], self.how()[1:], strict=True)),
            **{name: getattr(self, name) for name in DETECTING},
            neuron=self.neuron.name,
            prior=self.prior,
            compensate=self.compensate,
            size=self.size,
            seed=self.seed,
            budget=self.budget,
            refine=self.refine,
            explore=explored,
        )

    def looked_at(self) -> tuple[str | None, str | None]:
        """Name of the file and id of the recording that is looked at."""
        return (
            self.source.name if self.source else None,
            self.train.id if self.train else None,
        )

    def how(self) -> tuple[Any, ...]:
        """What the reading of the file rests on."""
        return tuple(getattr(self, name) for name in READING)

    def levels(self) -> tuple[Any, ...]:
        """What the detection of spikes in a voltage rests on."""
        return tuple(getattr(self, name) for name in DETECTING)

    def key(self, train: SpikeTrain) -> tuple[Any, ...]:
        """Under what the population of a train is kept."""
        return self.source, train.id, train.n_spikes, train.duration_ms, self.neuron.name, self.prior
