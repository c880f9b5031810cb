"""Commands that explore before anything is generated: which choice to compensate, and what it reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spike2pop_nb.cli.common import (
    NeuronOption,
    PriorOption,
    SeedOption,
    check_endings,
    cli,
    end_failed,
    notes_of,
    pair_of,
    posteriors_of,
    progress_bar,
    say_compiling,
    say_notes,
    with_options,
)
from spike2pop_nb.cli.reading import AS_IT_SAYS, HowToRead
from spike2pop_nb.errors import (
    CompensationError,
    NeuronModelError,
    Spike2PopError,
    SpikeTrainError,
    failure_in_words,
)

if TYPE_CHECKING:
    from spike2pop_nb.neurons import NeuronModel

__all__ = ["choices", "plane"]

TargetFile = Annotated[
    Path | None,
    typer.Argument(
        help="Spike times, whose DICs are predicted; or give --g-s and --g-u.", show_default=False
    ),
]
RecordingOption = Annotated[
    str | None, typer.Option("--recording", help="Id of the recording that is meant.", show_default=False)
]
SlowOption = Annotated[
    float | None,
    typer.Option("--g-s", help="Slow DIC of the target, in units of g_leak.", show_default=False),
]
UltraslowOption = Annotated[
    float | None,
    typer.Option("--g-u", help="Ultraslow DIC of the target, in units of g_leak.", show_default=False),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--v-th-mv", help="Voltage at which DICs are read; the declared one by default."),
]
RangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        help="Another range to draw a conductance from, such as Kd:70:140, in mS/cm²; repeatable.",
    ),
]
FigureOption = Annotated[
    Path | None, typer.Option("--figure", help="Figure to write: .html (opens anywhere), .svg, .png or .pdf.")
]
TableOption = Annotated[Path | None, typer.Option("--out", help="Table to write: .csv or .parquet.")]


@cli.command()
@with_options
def choices(
    file: TargetFile = None,
    neuron: NeuronOption = "stg",
    recording: RecordingOption = None,
    g_s: SlowOption = None,
    g_u: UltraslowOption = None,
    out: TableOption = None,
    figure: FigureOption = None,
    draws: Annotated[int, typer.Option(help="Members, each with its own draw of the target.")] = 512,
    seed: SeedOption = 0,
    v_th_mV: ThresholdOption = None,
    baseline: RangeOption = None,
    prior: PriorOption = "compensated",
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Rank every choice of two compensated conductances for a recording's DICs, and say why."""
    from spike2pop_nb import export
    from spike2pop_nb.conductances import rank_choices
    from spike2pop_nb.neurons import get_neuron

    check_endings(out, figure)
    declared = get_neuron(neuron)
    model = _varied(declared, v_th_mV, baseline)
    targets, failed = _targets(model, file, recording, g_s, g_u, how, prior)
    if not targets:
        raise CompensationError(
            "Choices are ranked for a target: give a file of recordings, or --g-s and --g-u."
        )
    rankings = {}
    for name, target in targets.items():
        try:
            rankings[name] = rank_choices(model, target, n=draws, seed=seed)
        except Exception as error:
            if len(targets) == 1 or isinstance(error, CompensationError):  # of what was chosen, for all
                raise
            failed.append(name)
            typer.echo(f"{name}: {failure_in_words(error)}", err=True)
    if not rankings:
        raise Spike2PopError("Choices could be ranked for none of the recordings.")
    if out is not None:
        export.write_choices(rankings, out)
        typer.echo(f"Written: {out}")
    else:
        shown = export.choices_table(rankings).drop(columns=["published", "tied_with_first"])
        typer.echo(shown.round(3).to_string(index=False, na_rep="-"))
    if figure is not None:
        export.write_choices_figure(rankings, figure, "target" if file is None else "recording")
        typer.echo(f"Written: {figure}")
    for name, ranking in rankings.items():
        typer.echo(f"{name}: {ranking.describe()}")
    end_failed(failed, len(rankings) + len(failed))


@cli.command("map")
@with_options
def plane(
    file: TargetFile = None,
    neuron: NeuronOption = "stg",
    compensate: Annotated[
        str | None,
        typer.Option(help="Two conductances, such as CaS,H; those of the published heuristic by default."),
    ] = None,
    recording: RecordingOption = None,
    g_s: SlowOption = None,
    g_u: UltraslowOption = None,
    out: TableOption = None,
    figure: FigureOption = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Also how members fire: pattern and rate at each node.")
    ] = False,
    grid: Annotated[int, typer.Option(help="Nodes a side.")] = 21,
    members: Annotated[int, typer.Option(help="With --simulate: baseline members at each node.")] = 4,
    seed: SeedOption = 0,
    v_th_mV: ThresholdOption = None,
    baseline: RangeOption = None,
    prior: PriorOption = "compensated",
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Map what a choice reaches over the (g_s, g_u) plane, how well it is solved, and how members fire."""
    from spike2pop_nb import export
    from spike2pop_nb.conductances import reachability
    from spike2pop_nb.fidelity import pattern_map
    from spike2pop_nb.neurons import get_neuron

    check_endings(out, figure)
    declared = get_neuron(neuron)
    model = _varied(declared, v_th_mV, baseline)
    targets, failed = _targets(model, file, recording, g_s, g_u, how, prior)
    if len(targets) > 1:
        names = ", ".join(list(targets)[:10]) + (", …" if len(targets) > 10 else "")
        raise SpikeTrainError(
            f"A map shows one recording, and the file holds {len(targets)}: choose with --recording one of "
            f"{names}."
        )
    target = next(iter(targets.values()), None)
    point = target if isinstance(target, tuple) else None
    posterior: Any = None if point is not None else target
    pair = pair_of(compensate)
    if pair is None:
        if target is None:
            raise CompensationError("A map is of two conductances: name them, such as --compensate CaS,H.")
        pair = model.recommend(*(posterior.mean if point is None else point))
    reach = reachability(model, pair, grid)
    firing = None
    if simulate:
        say_compiling()
        with progress_bar(grid * grid, " nodes") as update:
            firing = pattern_map(model, pair, n_grid=grid, members=members, seed=seed, progress=update)
    points = point if posterior is None else posterior.sample(256, 0)
    for found in (reach, firing):
        if found is not None:
            typer.echo(found.describe(points, "the target" if posterior is None else "this recording's DICs"))
    if out is not None:
        table = export.write_plane(reach, out, firing)
        typer.echo(f"{len(table)} nodes written to {out}.")
    if figure is not None:
        export.write_plane_figure(reach, figure, firing, posterior=posterior, target=point)
        typer.echo(f"Written: {figure}")
    end_failed(failed, len(targets) + len(failed))


def _varied(neuron: NeuronModel, V_th_mV: float | None, ranges: list[str] | None) -> NeuronModel:
    from spike2pop_nb.neurons import vary_neuron

    baseline = {}
    for text in ranges or []:
        channel, *limits = text.rsplit(":", 2)
        try:
            low, high = map(float, limits)
        except ValueError:
            raise NeuronModelError(
                f"--baseline {text}: write CHANNEL:LOW:HIGH in mS/cm², such as Kd:70:140."
            ) from None
        baseline[channel] = (low, high)
    return vary_neuron(neuron, V_th_mV=V_th_mV, baseline=baseline)


def _targets(
    neuron: NeuronModel,
    file: Path | None,
    recording: str | None,
    g_s: float | None,
    g_u: float | None,
    how: HowToRead,
    prior: str,
) -> tuple[dict[str, Any], list[str]]:
    """Posteriors of the recordings that are meant, or the point that is given, by name; empty if none is.

    Beside them the names of the recordings that failed.
    """
    given = [value for value in (g_s, g_u) if value is not None]
    if file is None:
        if recording is not None:
            raise SpikeTrainError(f"--recording {recording} needs the file that holds it.")
        if len(given) == 1:
            raise CompensationError("A target has both: give --g-s and --g-u.")
        return {f"g_s {given[0]:g}, g_u {given[1]:g}": (given[0], given[1])} if given else {}, []
    if given:
        raise CompensationError("Give a file, whose DICs are predicted, or --g-s and --g-u, not both.")
    from spike2pop_nb.neurons import threshold_note

    recordings = how.read(file)
    if note := threshold_note(neuron):
        typer.echo(note, err=True)
    trains = list(recordings) if recording is None else [recordings.by_id(recording)]
    posteriors = posteriors_of(trains, neuron.name, prior)
    say_notes(notes_of(trains, posteriors))
    usable = {posterior.id: posterior for posterior in posteriors if posterior.usable}
    failed = [posterior.id for posterior in posteriors if posterior.failure]
    if not usable and failed:
        raise SpikeTrainError(f"{file.name}: nothing could be predicted for {', '.join(failed)}.")
    if not usable:
        raise SpikeTrainError(
            f"{file.name}: {'the recording has' if len(trains) == 1 else 'no recording has'} "
            f"{'too few' if len(trains) == 1 else 'enough'} spikes to predict DICs from."
        )
    return usable, failed
