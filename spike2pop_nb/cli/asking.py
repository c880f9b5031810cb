"""How what is done to members is said on the command line: the options, and the protocols they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spike2pop_nb.cli.common import SeedOption
from spike2pop_nb.errors import ExperimentError

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Doses, Protocol, Question
    from spike2pop_nb.neurons import NeuronModel

__all__ = [
    "Assumed",
    "Done",
    "DurationOption",
    "HowSimulated",
    "check_asked",
    "one_protocol",
    "series_of",
]

Asked = list[tuple["Question", list[float]]]
DurationOption = Annotated[
    float | None, typer.Option("--duration-ms", help="Length of the recording, after the transient.")
]


@dataclass(frozen=True)
class Assumed:
    """What the options assume of warmth; each field is an option, its help the text beside it."""

    rate_q10: Annotated[
        float | None, typer.Option(help="Q10 to assume where the neuron states none, with --temperature-C.")
    ] = None
    conductance_q10: Annotated[
        float | None, typer.Option(help="Q10 to assume where the neuron states none, with --temperature-C.")
    ] = None
    declared_C: Annotated[
        float | None,
        typer.Option(
            "--declared-C", "--declared-c", help="Temperature at which the neuron holds, if it states none."
        ),
    ] = None

    def told(self) -> dict[str, Any]:
        """The options, for what takes them and for the summary of results."""
        return asdict(self)


@dataclass(frozen=True)
class Done:
    """What the options say is done to members; each field is an option, its help the text beside it."""

    block: Annotated[
        list[str] | None,
        typer.Option(
            help="A channel and the shares of it to block, from 0 to 1, such as A=0.25,0.5,0.75; repeatable."
        ),
    ] = None
    current: Annotated[
        str | None,
        typer.Option("--current-uA-cm2", "--current-ua-cm2", help="Injected currents, such as -2,0,0.5,1."),
    ] = None
    temperature: Annotated[
        str | None,
        typer.Option("--temperature-C", "--temperature-c", help="Temperatures in °C, such as 11,15,19,23."),
    ] = None
    potassium: Annotated[
        str | None,
        typer.Option(
            "--potassium-factor", help="Factors on potassium outside, such as 1.5,2.5; E_K follows (Nernst)."
        ),
    ] = None

    def told(self) -> dict[str, Any]:
        """The options, for the summary of results."""
        return {
            "block": self.block or [],
            "current_uA_cm2": self.current,
            "temperature_C": self.temperature,
            "potassium_factor": self.potassium,
        }

    def asked(self, assumed: Assumed) -> Asked:
        """What the options ask, each with its doses."""
        from spike2pop_nb.experiments import Question

        asked: Asked = []
        for text in self.block or []:
            channel, mark, shares = text.partition("=")
            if not mark or not channel.strip():
                raise ExperimentError(
                    f"--block {text}: write a channel and shares of it, such as A=0.25,0.5."
                )
            asked.append((Question("block", channel.strip()), _values(f"--block {channel}=", shares)))
        given = assumed.told()
        unused = [name for name, value in given.items() if value is not None]
        if self.temperature is None and unused:
            raise ExperimentError(
                f"--{unused[0].replace('_', '-')} is for --temperature-C; add that, or leave it out."
            )
        for option, kind, values in (
            ("--current-uA-cm2 ", "current", self.current),
            ("--temperature-C ", "temperature", self.temperature),
            ("--potassium-factor ", "potassium", self.potassium),
        ):
            if values is not None:
                question = Question(kind, "", *(given.values() if kind == "temperature" else ()))
                asked.append((question, _values(option, values)))
        if not asked:
            raise ExperimentError(
                "Say what is done: --block A=0.5, --current-uA-cm2, --temperature-C or --potassium-factor."
            )
        return asked


@dataclass(frozen=True)
class HowSimulated:
    """How the options have members simulated; each field is an option, its help the text beside it."""

    transient_ms: Annotated[
        float | None, typer.Option("--transient-ms", help="Time before the recording, to settle.")
    ] = None
    accuracy: Annotated[str, typer.Option(help="standard or exact.")] = "standard"
    noise: Annotated[
        float | None,
        typer.Option(
            help="Background noise of all conditions, the control too, σ in µA/cm².",
            show_default="that of the members",
        ),
    ] = None
    seed: SeedOption = 0

    def options(self) -> dict[str, Any]:
        """The options, as `run_experiment` takes them."""
        return {
            "transient_ms": self.transient_ms,
            "accuracy": self.accuracy,
            "noise_sigma": self.noise,
            "seed": self.seed,
        }


def one_protocol(asked: Asked) -> Protocol:
    """What the options ask as one protocol, which has one dose of each."""
    from spike2pop_nb.experiments import Protocol

    for question, values in asked:
        if len(values) > 1:
            raise ExperimentError(
                f"One recording was made under one dose of each, not under {len(values)} "
                f"({question.doses(values).what})."
            )
    return sum((question.protocol(values[0]) for question, values in asked), Protocol())


def _values(option: str, text: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ExperimentError(f"{option}{text}: write numbers with commas between them.") from None


def check_asked(asked: Asked, neuron: NeuronModel) -> None:
    """Refuse what a neuron lacks, with the options that settle it."""
    for question, _doses in asked:
        if lacking := question.lacking(neuron):
            settled = (
                " (--rate-q10, --conductance-q10, --declared-C)" if question.kind == "temperature" else ""
            )
            raise ExperimentError(f"{lacking.rstrip('.')}{settled}.")


def series_of(asked: Asked) -> list[Doses]:
    """The longest of what is asked as a series of doses, for each combination of the others."""
    from spike2pop_nb.experiments import Protocol, doses

    longest = max(range(len(asked)), key=lambda place: len(asked[place][1]))
    question, values = asked[longest]
    others = [
        [one.protocol(value) for value in doses_of]
        for place, (one, doses_of) in enumerate(asked)
        if place != longest
    ]
    what = question.doses(values).what
    found = []
    for combination in product(*others):
        held = sum(combination, Protocol())

        def make(value: float, held: Protocol = held) -> Protocol:
            return held + question.protocol(value)

        found.append(doses(make, values, f"{what}, {held.label}" if held else what))
    return found
