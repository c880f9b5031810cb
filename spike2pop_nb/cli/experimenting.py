"""The command that asks a population something: channels blocked, currents, warmth, potassium."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.asking import (
    AS_DECLARED,
    AS_USUAL,
    NOTHING,
    Assumed,
    Done,
    DurationOption,
    HowSimulated,
    check_asked,
    series_of,
)
from spike2pop_nb.cli.common import (
    FolderOption,
    MembersArgument,
    OptionalNeuron,
    cli,
    formats_with,
    percent_bar,
    read_members,
    say_compiling,
    with_options,
)
from spike2pop_nb.cli.reading import AS_IT_SAYS, HowToRead
from spike2pop_nb.errors import ExperimentError, printable

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Experiment

__all__ = ["experiment"]


@cli.command()
@with_options
def experiment(
    population: MembersArgument,
    out: FolderOption,
    neuron: OptionalNeuron = None,
    done: Done = NOTHING,
    assumed: Assumed = AS_DECLARED,
    size: Annotated[
        int | None, typer.Option(min=1, help="Ask the first so many members; all if none.")
    ] = None,
    duration_ms: DurationOption = None,
    simulated: HowSimulated = AS_USUAL,
    figures: Annotated[bool, typer.Option(help="Draw figures too, as SVG and PNG.")] = True,
    band: Annotated[
        float | None,
        typer.Option(
            min=50,
            max=95,
            help="Also predictions.csv: bands that hold the cell in so many per cent of cases, with those of "
            "members that only share its DICs beside them.",
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            help="The cell's recording, with --band: what its intervals in random order predict is beside it."
        ),
    ] = None,
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Ask a population: who keeps its rhythm, beside a control, and which conductance tells who does not?

    Several values in one option are a series of doses; other options hold beside it. Of several such options
    the longest is the series, and it is run for every combination of the others.
    """
    from spike2pop_nb.experiments import predicted, reference_populations, run_experiment
    from spike2pop_nb.export import experiment_title, write_experiments
    from spike2pop_nb.files import ready

    formats = formats_with(figures)
    asked = done.asked(assumed)
    if recording is not None and band is None:
        raise ExperimentError("--recording is for --band; add that, or leave it out.")
    members = read_members(population, neuron)
    if size is not None:
        members = members.select(range(min(size, len(members))))
    check_asked(asked, members.neuron)
    series = series_of(asked)
    for one in series:  # all of them, before the first is run
        for _dose, protocol in one:
            protocol.check(members.neuron, len(members), duration_ms or 0.0)
    say_compiling()
    groups = {"": members}
    if band is not None:
        train = None if recording is None else how.read_one(recording)
        with warnings.catch_warnings(record=True) as missing:
            warnings.simplefilter("always")
            groups |= reference_populations(members, train, seed=simulated.seed)
        for warned in missing:
            typer.echo(str(warned.message), err=True)
    ran: dict[str, list[Experiment]] = {name: [] for name in groups}
    jobs = [(name, one) for one in series for name in groups]
    with ready(out):
        with percent_bar() as update:
            for place, (name, one) in enumerate(jobs):

                def progress(run: int, total: int, place: int = place) -> None:
                    update(place + run / max(total, 1), len(jobs))

                ran[name].append(
                    run_experiment(
                        groups[name],
                        one,
                        duration_ms=duration_ms,
                        **simulated.options(),
                        progress=progress,
                    )
                )
        found = ran.pop("")
        predictions = (
            []
            if band is None
            else [
                predicted(one, band / 100, {name: others[place] for name, others in ran.items()})
                for place, one in enumerate(found)
            ]
        )
        options = {
            "population": printable(population.name),
            **done.told(),
            **assumed.told(),
            "size": len(members),
            "seed": simulated.seed,
            "band": band,
            **how.asked(),
        }
        write_experiments(found, out, options, formats=formats, predictions=predictions)
    for place, made in enumerate(found):
        if len(found) > 1:
            typer.echo(f"{experiment_title(made)}:")
        typer.echo(made.describe())
        if predictions:
            typer.echo(predictions[place].describe())
    typer.echo(f"Written to {out}.")
