"""The command that draws members from the posterior of a recording."""

from __future__ import annotations

from typing import Annotated

import typer

from spike2pop_nb.cli.common import (
    INHIBITION_SAID,
    CurrentOption,
    FileArgument,
    FolderOption,
    InhibitionOption,
    NeuronOption,
    SeedOption,
    cli,
    end_failed,
    formats_with,
    percent_bar,
    say_compiling,
    with_options,
)
from spike2pop_nb.cli.reading import AS_IT_SAYS, HowToRead
from spike2pop_nb.errors import SpikeTrainError, printable

__all__ = ["posterior"]


@cli.command()
@with_options
def posterior(
    file: FileArgument,
    out: FolderOption,
    neuron: NeuronOption = "stg",
    size: Annotated[int, typer.Option(help="Members wanted for each recording.")] = 384,
    seed: SeedOption = 1,
    budget: Annotated[int, typer.Option(help="Most members that are simulated for each recording.")] = 24_576,
    accuracy: Annotated[
        str, typer.Option(help="Of the simulation of the members kept: standard or exact.")
    ] = "standard",
    inhibition: InhibitionOption = None,
    current: CurrentOption = None,
    figures: Annotated[bool, typer.Option(help="Draw the pair plot too, as SVG and PNG.")] = True,
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Draw members from a posterior: conductances, current and noise, as probable as each is.

    Writes population.csv, posterior.csv (intervals), correlations.csv, a pair plot, summary.json and
    methods.md; of several recordings, into a folder each.
    """
    from spike2pop_nb.export import write_posterior
    from spike2pop_nb.fidelity import sample_posterior
    from spike2pop_nb.files import ready, recording_folder
    from spike2pop_nb.neurons import get_neuron

    formats, model = formats_with(figures), get_neuron(neuron)
    recordings = how.read(file)
    say_compiling()
    failed: list[str] = []
    with ready(out), percent_bar() as progress:
        for place, train in enumerate(recordings, 1):
            folder = out if len(recordings) == 1 else out / recording_folder(place, len(recordings), train.id)
            try:
                found = sample_posterior(
                    train,
                    model,
                    size=size,
                    seed=seed,
                    budget=budget,
                    accuracy=accuracy,
                    inhibition=inhibition,
                    current=current,
                    progress=progress,
                )
            except SpikeTrainError as error:
                failed.append(train.id)
                typer.echo(f"{train.id}: {error}", err=True)
                continue
            options = {
                "file": printable(file.name),
                "neuron": model.name,
                "size": size,
                "seed": seed,
                "budget": budget,
                "accuracy": accuracy,
                "inhibition": INHIBITION_SAID[inhibition],
                "current": current,
                **how.asked(),
            }
            write_posterior(found, folder, options, formats=formats)
            typer.echo(found.describe())
    if len(failed) < len(recordings):
        typer.echo(f"Written to {out}.")
    end_failed(failed, len(recordings))
