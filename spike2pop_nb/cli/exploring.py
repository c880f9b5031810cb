"""Commands that explore before anything is generated: which choice to compensate, and what it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spike2pop_nb.cli.common import (
    NeuronOption,
    PriorOption,
    SeedOption,
    check_endings,
    end_failed,
    notes_of,
    pair_of,
    progress_bar,
    say_compiling,
    say_notes,
)
from spike2pop_nb.cli.reading import HowToRead
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


@dataclass(frozen=True)
class Aim:
    """What the options aim at, and where the answer goes; each field is an option."""

    recording: Annotated[
        str | None, typer.Option(help="Id of the recording that is meant.", show_default=False)
    ] = None
    g_s: Annotated[
        float | None, typer.Option(help="Slow DIC of the target, in units of g_leak.", show_default=False)
    ] = None
    g_u: Annotated[
        float | None,
        typer.Option(help="Ultraslow DIC of the target, in units of g_leak.", show_default=False),
    ] = None
    out: Annotated[Path | None, typer.Option(help="Table to write: .csv or .parquet.")] = None
    figure: Annotated[
        Path | None, typer.Option(help="Figure to write: .html (opens anywhere), .svg, .png or .pdf.")
    ] = None


@dataclass(frozen=True)
class Basis:
    """What the answer rests on: chance, and the neuron in which it is sought; each field is an option."""

    seed: SeedOption = 0
    v_th_mV: Annotated[
        float | None,
        typer.Option("--v-th-mv", help="Voltage at which DICs are read; the declared one by default."),
    ] = None
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="Another range to draw a conductance from, such as Kd:70:140, in mS/cm²; repeatable."
        ),
    ] = None
    prior: PriorOption = "compensated"

    def varied(self, name: str) -> NeuronModel:
        """The neuron of a name, with what the options change in it."""
        from spike2pop_nb.neurons import get_neuron, vary_neuron

        neuron, baseline = get_neuron(name), {}
        for text in self.baseline or []:
            channel, *limits = text.rsplit(":", 2)
            try:
                low, high = map(float, limits)
            except ValueError:
                raise NeuronModelError(
                    f"--baseline {text}: write CHANNEL:LOW:HIGH in mS/cm², such as Kd:70:140."
                ) from None
            baseline[channel] = (low, high)
        return vary_neuron(neuron, V_th_mV=self.v_th_mV, baseline=baseline)


def choices(
    file: TargetFile = None,
    neuron: NeuronOption = "stg",
    *,
    aim: Aim,
    draws: Annotated[int, typer.Option(help="Members, each with its own draw of the target.")] = 512,
    basis: Basis,
    how: HowToRead,
) -> None:
    """Rank every choice of two compensated conductances for a recording's DICs, and say why."""
    from spike2pop_nb import export
    from spike2pop_nb.conductances import rank_choices

    check_endings(aim.out, aim.figure)
    model = basis.varied(neuron)
    targets, failed = _targets(model, file, aim, basis.prior, how)
    if not targets:
        raise CompensationError(
            "Choices are ranked for a target: give a file of recordings, or --g-s and --g-u."
        )
    rankings = {}
    for name, target in targets.items():
        try:
            rankings[name] = rank_choices(model, target, n=draws, seed=basis.seed)
        except Exception as error:
            if len(targets) == 1 or isinstance(error, CompensationError):  # of what was chosen, for all
                raise
            failed.append(name)
            typer.echo(f"{name}: {failure_in_words(error)}", err=True)
    if not rankings:
        raise Spike2PopError("Choices could be ranked for none of the recordings.")
    if aim.out is not None:
        export.write_choices(rankings, aim.out)
        typer.echo(f"Written: {aim.out}")
    else:
        shown = export.choices_table(rankings).drop(columns=["published", "tied_with_first"])
        typer.echo(shown.round(3).to_string(index=False, na_rep="-"))
    if aim.figure is not None:
        export.write_choices_figure(rankings, aim.figure, "target" if file is None else "recording")
        typer.echo(f"Written: {aim.figure}")
    for name, ranking in rankings.items():
        typer.echo(f"{name}: {ranking.describe()}")
    end_failed(failed, len(rankings) + len(failed))


def plane(
    file: TargetFile = None,
    neuron: NeuronOption = "stg",
    *,
    compensate: Annotated[
        str | None,
        typer.Option(help="Two conductances, such as CaS,H; those of the published heuristic by default."),
    ] = None,
    aim: Aim,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Also how members fire: pattern and rate at each node.")
    ] = False,
    grid: Annotated[int, typer.Option(help="Nodes a side.")] = 21,
    members: Annotated[int, typer.Option(help="With --simulate: baseline members at each node.")] = 4,
    basis: Basis,
    how: HowToRead,
) -> None:
    """Map what a choice reaches over the (g_s, g_u) plane, how well it is solved, and how members fire."""
    from spike2pop_nb import export
    from spike2pop_nb.conductances import reachability
    from spike2pop_nb.fidelity import pattern_map

    check_endings(aim.out, aim.figure)
    model = basis.varied(neuron)
    targets, failed = _targets(model, file, aim, basis.prior, how)
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
            firing = pattern_map(model, pair, n_grid=grid, members=members, seed=basis.seed, progress=update)
    points = point if posterior is None else posterior.sample(256, 0)
    for found in (reach, firing):
        if found is not None:
            typer.echo(found.describe(points, "the target" if posterior is None else "this recording's DICs"))
    if aim.out is not None:
        table = export.write_plane(reach, aim.out, firing)
        typer.echo(f"{len(table)} nodes written to {aim.out}.")
    if aim.figure is not None:
        export.write_plane_figure(reach, aim.figure, firing, posterior=posterior, target=point)
        typer.echo(f"Written: {aim.figure}")
    end_failed(failed, len(targets) + len(failed))


def _targets(
    neuron: NeuronModel, file: Path | None, aim: Aim, prior: str, how: HowToRead
) -> tuple[dict[str, Any], list[str]]:
    """Posteriors of the recordings that are meant, or the point that is given, by name; empty if none is.

    Beside them the names of the recordings that failed.
    """
    given = [value for value in (aim.g_s, aim.g_u) if value is not None]
    if file is None:
        if aim.recording is not None:
            raise SpikeTrainError(f"--recording {aim.recording} needs the file that holds it.")
        if len(given) == 1:
            raise CompensationError("A target has both: give --g-s and --g-u.")
        return {f"g_s {given[0]:g}, g_u {given[1]:g}": (given[0], given[1])} if given else {}, []
    if given:
        raise CompensationError("Give a file, whose DICs are predicted, or --g-s and --g-u, not both.")
    from spike2pop_nb.inference import attempt_predictions, load_predictor
    from spike2pop_nb.neurons import threshold_note

    recordings = how.read(file)
    if note := threshold_note(neuron):
        typer.echo(note, err=True)
    trains = list(recordings) if aim.recording is None else [recordings.by_id(aim.recording)]
    posteriors = attempt_predictions(load_predictor(neuron.name), trains, prior=prior)
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
