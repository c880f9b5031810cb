"""The errors a user may meet: each carries one sentence fit to be shown as it is."""

from __future__ import annotations

import importlib
import traceback
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from pathlib import PurePath
from typing import Final, TypeAlias

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
    "WayOut",
    "check_installed",
    "check_whole",
    "failure_in_words",
    "printable",
    "python_name",
    "three_digits",
]

Naming: TypeAlias = Callable[[str], str]

_NO_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Kinds of characters that break a line or draw nothing."""
_PYTHON_NAMES: Final = {
    "voltage": "read_voltage and detect_spikes",
    "voltage_unit": "unit of read_voltage",
}


def python_name(setting: str) -> str:
    """What a setting is called in Python: its keyword, or the functions that stand for it."""
    return _PYTHON_NAMES.get(setting, setting)


@dataclass(frozen=True)
class WayOut:
    """What would settle an error.

    Attributes
    ----------
    words
        What to do, without naming an option: "give the sampling rate in Hz".
    settings
        The settings to do it with, by their names in the library. Each entrance (Python, the command line,
        the page) has its own word for them.
    """

    words: str
    settings: tuple[str, ...] = ()

    def told(self, name: Naming) -> str:
        """The words, and the settings as `name` calls them."""
        names = " and ".join(map(name, self.settings))
        return f"{self.words} ({names})" if names else self.words


class Spike2PopError(Exception):
    """Base of every error that the package raises on purpose.

    Attributes
    ----------
    sentence : str
        What is wrong.
    ways_out : tuple of WayOut
        What would settle it; any one of them does. Empty where the sentence says it all.

    Examples
    --------
    >>> error = Spike2PopError("The rate is not known.", WayOut("give it in Hz", ("sampling_rate_hz",)))
    >>> str(error)
    'The rate is not known; give it in Hz (sampling_rate_hz).'
    >>> error.told(lambda setting: "--" + setting.replace("_", "-"))
    'The rate is not known; give it in Hz (--sampling-rate-hz).'
    """

    def __init__(self, sentence: str = "", *ways_out: WayOut) -> None:
        super().__init__(sentence, *ways_out)
        self.sentence = sentence
        self.ways_out = ways_out

    def told(self, name: Naming = python_name) -> str:
        """The sentence and the ways out, with the settings as `name` calls them."""
        if not self.ways_out:
            return self.sentence
        return f"{self.sentence.removesuffix('.')}; {', or '.join(way.told(name) for way in self.ways_out)}."

    def __str__(self) -> str:
        return self.told()

    @property
    def settings(self) -> frozenset[str]:
        """All settings that may settle it."""
        return frozenset(setting for way in self.ways_out for setting in way.settings)


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


def three_digits(value: float) -> str:
    """A measured value as a sentence has it: to three digits, without powers of ten.

    Examples
    --------
    >>> three_digits(1821.4), three_digits(0.05794), three_digits(1.5e9)
    ('1820', '0.0579', '1500000000')
    """
    return f"{float(f'{value:.3g}'):.10g}"


def printable(text: str) -> str:
    """Return a text that any file and any line takes: what a file's name has that is none is escaped.

    Examples
    --------
    >>> printable("a\\udce9.csv"), printable("a\\nb.csv")
    ('a\\\\udce9.csv', 'a\\\\nb.csv')
    """
    plain = text.encode(errors="backslashreplace").decode()
    if plain.isprintable():
        return plain
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in _NO_TEXT else c for c in plain)


def check_installed(what: str, package: str, extra: str = "") -> None:
    """Refuse what needs a library that is not installed, before anything is computed for it.

    Parameters
    ----------
    what
        What needs it, as the subject of a sentence in the plural.
    package
        Its name, under which it is imported.
    extra
        Extra of this package that has it; none for what is installed with the package itself.

    Raises
    ------
    Spike2PopError
        If it cannot be imported.
    """
    try:
        importlib.import_module(package)
    except ImportError:
        install = f"'spike2pop-nb[{extra}]'" if extra else "spike2pop-nb"
        raise Spike2PopError(f"{what} need {package}: pip install {install}.") from None


def check_whole(
    name: str,
    value: object,
    least: int,
    most: int | None = None,
    error: type[Spike2PopError] = Spike2PopError,
) -> None:
    """Refuse what is not a whole number, or not in its limits.

    Parameters
    ----------
    name
        What it is called, as in "The size must be …".
    value
        What was given.
    least, most
        Limits, which are allowed; no ``most`` for none.
    error
        What to raise.

    Examples
    --------
    >>> check_whole("seed", -1, 0)
    Traceback (most recent call last):
    spike2pop_nb.errors.Spike2PopError: The seed must be a whole number of at least 0, not -1.
    """
    if isinstance(value, Integral) and least <= int(value) and (most is None or int(value) <= most):
        return
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise error(f"The {name} must be a whole number {limits}, not {value!r}.")


def failure_in_words(error: BaseException) -> str:
    """One sentence for what went wrong with one recording of several, expected or not.

    Of what was not expected its kind and place, but not its text, which may name what is not the reader's.
    """
    if isinstance(error, Spike2PopError):
        return str(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is PyTorch's
        return "There is not enough memory for it."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}, a fault of this software."
