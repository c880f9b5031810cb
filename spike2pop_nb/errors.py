"""The errors a user may meet: each carries one sentence fit to be shown as it is."""

from __future__ import annotations

import traceback
from pathlib import PurePath

__all__ = [
    "Cancelled",
    "CompensationError",
    "ExperimentError",
    "NeuronModelError",
    "PredictorError",
    "SimulationError",
    "Spike2PopError",
    "SpikeTrainError",
    "TrainingError",
    "UnreachableTarget",
    "failure_in_words",
]


class Spike2PopError(Exception):
    """Base of every error that the package raises on purpose."""


class SpikeTrainError(Spike2PopError, ValueError):
    """A recording or its file cannot be used as it is."""


class NeuronModelError(Spike2PopError, ValueError):
    """A neuron declaration is inconsistent, or no neuron has the given name."""


class CompensationError(Spike2PopError, ValueError):
    """A choice of conductances, targets or population size cannot be solved."""


class UnreachableTarget(CompensationError):
    """The chosen conductances cannot bring members to the wanted DICs; another choice or target may."""


class SimulationError(Spike2PopError, ValueError):
    """A simulation cannot be run with these settings."""


class ExperimentError(SimulationError):
    """An experiment cannot be done, or judged, as it is asked for."""


class PredictorError(Spike2PopError, ValueError):
    """A network is missing, damaged, or does not belong to the neuron."""


class TrainingError(Spike2PopError, ValueError):
    """A data set or a training run cannot be made or resumed."""


class Cancelled(Spike2PopError):
    """The user asked to stop; whatever was complete has been kept."""


def failure_in_words(error: BaseException) -> str:
    """One sentence for what went wrong with one recording of several, expected or not.

    Of what was not expected its kind and place, but not its text, which may name what is not the reader's.
    """
    if isinstance(error, Spike2PopError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}, a fault of this software."
