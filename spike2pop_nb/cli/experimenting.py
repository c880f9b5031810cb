"""Commands that ask a population something, say what to ask next, and narrow it by what came of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from spike2pop_nb.cli.asking import (
    Assumed,
    Done,
    DurationOption,
    HowSimulated,
    check_asked,
    one_protocol,
    series_of,
)
from spike2pop_nb.cli.common import (
    FolderOption,
    MembersArgument,
    OptionalNeuron,
    formats_with,
    percent_bar,
    read_members,
    say_compiling,
)
from spike2pop_nb.cli.reading import HowToRead
from spike2pop_nb.errors import ExperimentError, printable

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Experiment
    from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["experiment", "narrow", "next_"]

FiguresOption = Annotated[bool, typer.Option(help="Draw figures too, as SVG and PNG.")]


def experiment(
    population: MembersArgument,
    out: FolderOption,
    *,
    neuron: OptionalNeuron = None,
    done: Done,
    assumed: Assumed,
    size: Annotated[
        int | None, typer.Option(min=1, help="Ask the first so many members; all if none.")
    ] = None,
    duration_ms: DurationOption = None,
    simulated: HowSimulated,
    figures: FiguresOption = True,
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
    how: HowToRead,
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

                more = {"duration_ms": duration_ms, **simulated.options()}
                ran[name].append(run_experiment(groups[name], one, **more, progress=progress))
        found = ran.pop("")
        predictions = []
        if band is not None:
            for place, made in enumerate(found):
                others = {name: those[place] for name, those in ran.items()}
                predictions.append(predicted(made, band / 100, others))
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


def next_(
    population: MembersArgument,
    out: FolderOption,
    *,
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
    assumed: Assumed,
    size: Annotated[
        int, typer.Option(min=4, help="Members that are simulated at most, drawn by their weights.")
    ] = 64,
    duration_ms: DurationOption = None,
    simulated: HowSimulated,
    figures: FiguresOption = True,
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


def narrow(
    population: MembersArgument,
    out: FolderOption,
    *,
    recording: Annotated[
        Path | None,
        typer.Argument(help="The new recording of the cell; one unit.", show_default=False),
    ] = None,
    silent_s: Annotated[
        float | None,
        typer.Option("--silent-s", help="In place of a file: the cell was silent for so many seconds."),
    ] = None,
    neuron: OptionalNeuron = None,
    done: Done,
    assumed: Assumed,
    simulated: HowSimulated,
    how: HowToRead,
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
