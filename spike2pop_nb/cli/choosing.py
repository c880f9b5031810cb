"""The commands that say which experiment to do next, and narrow a population by what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    one_protocol,
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
    from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["narrow", "next_"]


@cli.command("next")
@with_options
def next_(
    population: MembersArgument,
    out: FolderOption,
    neuron: OptionalNeuron = None,
    target: Annotated[
        str,
        typer.Option(
            help="What the experiment shall tell: conductances (all), conductance:A, dics, "
            "answer:block=H:0.5, answer:current:2, or neuron, with --or."
        ),
    ] = "conductances",
    prices: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns experiment and price, such as block,20 or block H,5; an empty price "
            "for what this rig cannot do. experiments.csv of an earlier run can be edited for it."
        ),
    ] = None,
    by: Annotated[
        Literal["bits", "price"], typer.Option(help="Rank by bits, or by bits for the price.")
    ] = "bits",
    or_: Annotated[
        list[Path] | None,
        typer.Option("--or", help="Members of another neuron that it could be; for --target neuron."),
    ] = None,
    assumed: Assumed = AS_DECLARED,
    size: Annotated[
        int, typer.Option(min=4, help="Members that are simulated at most, drawn by their weights.")
    ] = 64,
    duration_ms: DurationOption = None,
    simulated: HowSimulated = AS_USUAL,
    figures: Annotated[bool, typer.Option(help="Draw figures too, as SVG and PNG.")] = True,
) -> None:
    """Which experiment next: some thirty, ranked by the bits that a recording of each would tell.

    Writes experiments.csv, figures, summary.json and methods.md.
    """
    from spike2pop_nb.experiments import feasible_experiments, next_experiments, priced, read_prices
    from spike2pop_nb.export import write_ranking
    from spike2pop_nb.files import ready

    formats = formats_with(figures)
    groups = [read_members(population, neuron), *(read_members(path, None) for path in or_ or [])]
    rigs = [feasible_experiments(one.neuron, duration_ms=duration_ms, **assumed.told()) for one in groups]
    shared = set.intersection(*({one.name for one in rig} for rig in rigs))
    rig = tuple(one for one in rigs[0] if one.name in shared)
    if prices is not None:
        rig = priced(rig, read_prices(prices))
    say_compiling()
    with ready(out):
        with percent_bar() as progress:
            found = next_experiments(
                groups if len(groups) > 1 else groups[0],
                target,
                experiments=rig,
                by="bits" if by == "bits" else "bits_per_price",
                most=size,
                duration_ms=duration_ms,
                **simulated.options(),
                progress=progress,
            )
        options = {
            "population": [printable(path.name) for path in (population, *(or_ or []))],
            "target": target,
            "by": by,
            "prices": None if prices is None else printable(prices.name),
            **assumed.told(),
            "size": size,
            "seed": simulated.seed,
        }
        write_ranking(found, out, options, formats=formats)
    table = found.to_frame()[["rank", "experiment", "bits", "bits_per_price", "price", "why"]]
    typer.echo(table.head(10).round(3).to_string(index=False))
    typer.echo(found.describe())
    typer.echo(f"Written to {out}.")


@cli.command()
@with_options
def narrow(
    population: MembersArgument,
    out: FolderOption,
    recording: Annotated[
        Path | None,
        typer.Argument(help="The new recording of the cell; one unit.", show_default=False),
    ] = None,
    silent_s: Annotated[
        float | None,
        typer.Option("--silent-s", help="In place of a file: the cell was silent for so many seconds."),
    ] = None,
    neuron: OptionalNeuron = None,
    done: Done = NOTHING,
    assumed: Assumed = AS_DECLARED,
    simulated: HowSimulated = AS_USUAL,
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Narrow a population by a new recording of the cell, under what was done to it.

    Writes population.csv (the members that remain, with the column weight), members.csv, summary.json and
    methods.md; population.csv can be narrowed again.
    """
    from spike2pop_nb.experiments import narrow as narrow_population
    from spike2pop_nb.export import write_narrowed
    from spike2pop_nb.files import ready

    asked = done.asked(assumed)
    protocol = one_protocol(asked)
    members = read_members(population, neuron)
    check_asked(asked, members.neuron)
    train = _recorded(recording, silent_s, how)
    say_compiling()
    with ready(out):
        with percent_bar() as progress:
            found = narrow_population(members, protocol, train, **simulated.options(), progress=progress)
        options = {
            "population": printable(population.name),
            "recording": "silent" if recording is None else printable(recording.name),
            **done.told(),
            **assumed.told(),
            "seed": simulated.seed,
            **how.asked(),
        }
        write_narrowed(found, out, options)
    typer.echo(found.describe())
    typer.echo(f"Written to {out}.")


def _recorded(file: Path | None, silent_s: float | None, how: HowToRead) -> SpikeTrain:
    """The one recording of a file, or that of a silent cell."""
    import numpy as np

    from spike2pop_nb.spiketrains import SpikeTrain

    if (file is None) == (silent_s is None):
        raise ExperimentError("Give the file of the new recording, or --silent-s if the cell was silent.")
    if file is None:
        return SpikeTrain("silent", np.zeros(0), (0.0, 1000.0 * float(silent_s or 0.0)))
    return how.read_one(file)
