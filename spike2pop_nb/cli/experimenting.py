"""The command that asks a population something: channels blocked, currents, warmth, potassium."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.common import (
    MembersArgument,
    OptionalNeuron,
    SeedOption,
    cli,
    progress_bar,
    read_members,
)
from spike2pop_nb.errors import ExperimentError

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Doses, Question
    from spike2pop_nb.neurons import NeuronModel

__all__ = ["experiment"]

Q10Option = Annotated[
    float | None, typer.Option(help="Q10 to assume where the neuron states none, with --temperature-C.")
]


@cli.command()
def experiment(
    population: MembersArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    neuron: OptionalNeuron = None,
    block: Annotated[
        list[str] | None,
        typer.Option(
            help="A channel and the shares of it to block, from 0 to 1, such as A=0.25,0.5,0.75; repeatable."
        ),
    ] = None,
    current: Annotated[
        str | None,
        typer.Option("--current-uA-cm2", "--current-ua-cm2", help="Injected currents, such as -2,0,0.5,1."),
    ] = None,
    temperature: Annotated[
        str | None,
        typer.Option("--temperature-C", "--temperature-c", help="Temperatures in °C, such as 11,15,19,23."),
    ] = None,
    potassium: Annotated[
        str | None,
        typer.Option(
            "--potassium-factor", help="Factors on potassium outside, such as 1.5,2.5; E_K follows (Nernst)."
        ),
    ] = None,
    rate_q10: Q10Option = None,
    conductance_q10: Q10Option = None,
    declared_C: Annotated[
        float | None,
        typer.Option(
            "--declared-C", "--declared-c", help="Temperature at which the neuron holds, if it states none."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, help="Ask the first so many members; all if none.")
    ] = None,
    duration_ms: Annotated[
        float | None, typer.Option("--duration-ms", help="Length of the recording, after the transient.")
    ] = None,
    transient_ms: Annotated[
        float | None, typer.Option("--transient-ms", help="Time before the recording, to settle.")
    ] = None,
    accuracy: Annotated[str, typer.Option(help="standard or exact.")] = "standard",
    noise: Annotated[
        float | None,
        typer.Option(
            help="Background noise of all conditions, the control too, σ in µA/cm².",
            show_default="that of the members",
        ),
    ] = None,
    seed: SeedOption = 0,
    figures: Annotated[bool, typer.Option(help="Draw figures too, as SVG and PNG.")] = True,
) -> None:
    """Ask a population: who keeps its rhythm, beside a control, and which conductance tells who does not?

    Several values in one option are a series of doses; other options hold beside it. Of several such options
    the longest is the series, and it is run for every combination of the others.
    """
    from spike2pop_nb import simulation
    from spike2pop_nb.experiments import Question, run_experiment
    from spike2pop_nb.export import experiment_title, write_experiments

    asked: list[tuple[Question, list[float]]] = []
    for text in block or []:
        channel, mark, shares = text.partition("=")
        if not mark or not channel.strip():
            raise ExperimentError(f"--block {text}: write a channel and shares of it, such as A=0.25,0.5.")
        asked.append((Question("block", channel.strip()), _values(f"--block {channel}=", shares)))
    assumed = {"rate_q10": rate_q10, "conductance_q10": conductance_q10, "declared_C": declared_C}
    if temperature is None and (unused := [name for name, value in assumed.items() if value is not None]):
        raise ExperimentError(
            f"--{unused[0].replace('_', '-')} is for --temperature-C; add that, or leave it out."
        )
    for option, kind, values in (
        ("--current-uA-cm2 ", "current", current),
        ("--temperature-C ", "temperature", temperature),
        ("--potassium-factor ", "potassium", potassium),
    ):
        if values is not None:
            question = Question(kind, "", *(assumed.values() if kind == "temperature" else ()))
            asked.append((question, _values(option, values)))
    if not asked:
        raise ExperimentError(
            "Say what is done: --block A=0.5, --current-uA-cm2, --temperature-C or --potassium-factor."
        )
    members = read_members(population, neuron)
    if size is not None:
        members = members.select(range(min(size, len(members))))
    _check(asked, members.neuron)
    series = _series(asked)
    for one in series:  # all of them, before the first is run
        for _dose, protocol in one:
            protocol.check(members.neuron, len(members), duration_ms or 0.0)
    if simulation.needs_compiling():
        typer.echo(f"{simulation.compiling_words()}.", err=True)
    found = []
    with progress_bar(100, " %") as update:
        for place, one in enumerate(series):

            def progress(done: int, total: int, place: int = place) -> None:
                update(int(100 * (place + done / max(total, 1)) / len(series)))

            found.append(
                run_experiment(
                    members,
                    one,
                    duration_ms=duration_ms,
                    transient_ms=transient_ms,
                    accuracy=accuracy,
                    noise_sigma=noise,
                    seed=seed,
                    progress=progress,
                )
            )
    options = {
        "population": population.name,
        "block": block or [],
        "current_uA_cm2": current,
        "temperature_C": temperature,
        "potassium_factor": potassium,
        **assumed,
        "size": len(members),
        "seed": seed,
    }
    write_experiments(found, out, options, formats=("csv", "svg", "png") if figures else ("csv",))
    for made in found:
        if len(found) > 1:
            typer.echo(f"{experiment_title(made)}:")
        typer.echo(made.describe())
    typer.echo(f"Written to {out}.")


def _values(option: str, text: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ExperimentError(f"{option}{text}: write numbers with commas between them.") from None


def _check(asked: list[tuple[Question, list[float]]], neuron: NeuronModel) -> None:
    """Refuse what a neuron lacks, with the options that settle it."""
    for question, _values in asked:
        if lacking := question.lacking(neuron):
            settled = (
                " (--rate-q10, --conductance-q10, --declared-C)" if question.kind == "temperature" else ""
            )
            raise ExperimentError(f"{lacking.rstrip('.')}{settled}.")


def _series(asked: list[tuple[Question, list[float]]]) -> list[Doses]:
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
