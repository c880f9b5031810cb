"""What the user has chosen and what came of it: one observable object that every panel reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, HasTraits, Instance, Int, Unicode

from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import Recordings, SpikeTrain

__all__ = ["Session", "Source"]


@dataclass(frozen=True, eq=False)
class Source:
    """Where recordings come from: a file on this machine, or the contents of an upload, and its name."""

    data: Path | bytes
    name: str


class Session(HasTraits):
    """State of one open page.

    Settings are what the user chooses; results follow from them and are cleared when a setting they rest on
    changes. Panels observe; `Actions` writes results.

    Attributes
    ----------
    ready
        Whether the figures' front end has answered, so that the page may be used.
    source, unit
        The file, and the unit its times are taken to have ("auto" to tell it from the intervals).
    recordings, train
        What was read, and the recording chosen.
    prior
        What the recorded neuron is taken to be made like; see `Predictor.predict`.
    neuron, pair, size, seed, budget
        Choices for the population; a budget of 0 leaves it to the program.
    posterior, reach
        Predicted DICs, and what compensating `pair` reaches.
    result
        The population found.
    busy
        What runs in the background, in words; empty when nothing does.
    generating
        Whether a population is being searched.
    """

    ready = Bool(False)
    source = Instance(Source, allow_none=True)
    unit = Unicode("auto").tag(setting=True)
    recordings = Instance(Recordings, allow_none=True)
    train = Instance(SpikeTrain, allow_none=True)
    neuron = Instance(NeuronModel)
    prior = Unicode("compensated").tag(setting=True)
    pair = AnyTrait(None, allow_none=True)
    size = Int(16).tag(setting=True)
    seed = Int(1).tag(setting=True)
    budget = Int(0).tag(setting=True)
    posterior = AnyTrait(None, allow_none=True)
    reach = AnyTrait(None, allow_none=True)
    result = AnyTrait(None, allow_none=True)
    busy = Unicode("")
    generating = Bool(False)

    def settings(self) -> dict[str, Any]:
        """The choices as plain values, to be stored beside results."""
        chosen = {name: getattr(self, name) for name in self.trait_names(setting=True)}
        return chosen | {
            "file": self.source.name if self.source else None,
            "recording": self.train.id if self.train else None,
            "neuron": self.neuron.name,
            "compensate": list(self.pair) if self.pair else "recommended",
            "budget": self.budget or "default",
        }
