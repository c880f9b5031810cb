"""Commands that find members for recordings, one population or a posterior each, and simulate them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spike2pop_nb.cli.common import (
    INHIBITION_SAID,
    CurrentOption,
    DeviceOption,
    FileArgument,
    FolderOption,
    InhibitionOption,
    MembersArgument,
    NeuronOption,
    OptionalNeuron,
    PriorOption,
    SeedOption,
    check_places,
    end_failed,
    formats_with,
    notes_of,
    pair_of,
    percent_bar,
    progress_bar,
    read_members,
    say_compiling,
    say_notes,
)
from spike2pop_nb.cli.reading import HowToRead
from spike2pop_nb.errors import SpikeTrainError, printable

__all__ = ["posterior", "run", "simulate"]

_MOST_LINES = 200  # on the progress of recordings, where there is no terminal

ToleranceOption = Annotated[
    float | None,
    typer.Option(
        min=1e-6,
        help="Largest error of a member that passes: a share of the rate or of the burst features, or a "
        "distance of ln(ISI). The default is stricter for refined members.",
    ),
]


def run(
    file: FileArgument,
    out: FolderOption,
    *,
    neuron: NeuronOption = "stg",
    size: Annotated[int, typer.Option(help="Members wanted for each recording.")] = 16,
    seed: SeedOption = 1,
    compensate: Annotated[
        str | None, typer.Option(help="Two conductances, such as CaS,H; the recommended ones by default.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option(help="Most simulations of a member for each recording.")
    ] = None,
    accuracy: Annotated[str, typer.Option(help="Of the simulation: standard or exact.")] = "standard",
    refine: Annotated[
        bool,
        typer.Option(
            help="Change members until they fire within 1 % of the recording, or within its own variability."
        ),
    ] = True,
    tolerance: Annotated[
        str | None,
        typer.Option(
            help="When a member passes: “own” for the recording's own variability (members then have a "
            "current and noise, and no network is needed), or a percentage such as 20%.",
            show_default="1% for a clock, own for others",
        ),
    ] = None,
    rate_tolerance: ToleranceOption = None,
    isi_tolerance: ToleranceOption = None,
    burst_tolerance: ToleranceOption = None,
    inhibition: InhibitionOption = None,
    current: CurrentOption = None,
    prior: PriorOption = "compensated",
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Also Parquet, traces, figures, a report and a methods paragraph."),
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Also report.html: one file with figures, without internet.")
    ] = False,
    nwb: Annotated[
        bool, typer.Option("--nwb", help="Also an NWB file of each recording: voltages, spikes, members.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes on this machine, each of which searches one recording at a time.",
            show_default="one a core, if there are enough recordings",
        ),
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler to use instead.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of resuming.")] = False,
    how: HowToRead,
) -> None:
    """Make a verified population for every recording of a file; resumes where it was stopped.

    Writes population.csv, spike_times.csv, outcomes.csv and summary.json.
    """
    from spike2pop_nb.export import EVERYTHING, run_recordings
    from spike2pop_nb.fidelity import PassRule, rule_in_words
    from spike2pop_nb.inference import list_predictors
    from spike2pop_nb.neurons import get_neuron

    model = get_neuron(neuron)
    rule = rule_in_words(tolerance, refine, rate_tolerance, isi_tolerance, burst_tolerance)
    recordings = how.read(file)
    if model.name not in list_predictors():
        typer.echo(
            f"The {model.name} neuron has no network: members are sought in all of its declared ranges. "
            f"`spike2pop atlas --neuron {model.name}` makes a small one in minutes.",
            err=True,
        )
    chosen: dict[str, Any] = {
        "prior": prior,
        "size": size,
        "seed": seed,
        "compensate": pair_of(compensate),
        "budget": budget,
        "accuracy": accuracy,
        "refine": refine,
    }
    options = {
        "file": printable(file.name),
        "unit": recordings.report.unit,
        "neuron": model.name,
        **chosen,
        "compensate": list(chosen["compensate"] or ()) or "recommended",
        "pass_rule": rule.model_dump() if isinstance(rule, PassRule) else rule or "by the recording",
        "inhibition": INHIBITION_SAID[inhibition],
        "current": current,
        "reading": how.asked(),
        "read": recordings.report.describe().splitlines(),
    }
    n, done = len(recordings), 0
    try:
        with progress_bar(n, " recordings", each=n <= _MOST_LINES) as update:

            def say(n_done: int, _n: int, words: str) -> None:
                nonlocal done
                done = n_done
                update(n_done, words=words)

            ran = run_recordings(
                recordings,
                model,
                out,
                **chosen,
                rule=rule,
                inhibition=inhibition,
                current=current,
                formats=(
                    *(EVERYTHING if everything else ("csv", "html") if report else ("csv",)),
                    *(("nwb",) if nwb else ()),
                ),
                told=options,
                workers=workers,
                scheduler=scheduler,
                fresh=fresh,
                predicted=lambda trains, posteriors: say_notes(notes_of(trains, posteriors)),
                progress=say,
            )
    except KeyboardInterrupt:
        typer.echo(f"Stopped; {done} of {n} recordings are in {out}, and the same command goes on.", err=True)
        raise
    if ran.n_before:
        typer.echo(f"{ran.n_before} of {n} recordings had been searched before.", err=True)
    for name, outcome in ran.outcomes:
        typer.echo(f"{name}: {outcome}")
    typer.echo(f"{ran.n_whole} of {n} recordings have the {size} verified members asked for; see {out}.")
    end_failed(ran.failed, n)


def posterior(
    file: FileArgument,
    out: FolderOption,
    *,
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
    how: HowToRead,
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
    chosen: dict[str, Any] = {
        "size": size,
        "seed": seed,
        "budget": budget,
        "accuracy": accuracy,
        "inhibition": inhibition,
        "current": current,
    }
    options = {
        "file": printable(file.name),
        "neuron": model.name,
        **chosen,
        "inhibition": INHIBITION_SAID[inhibition],
        **how.asked(),
    }
    failed: list[str] = []
    with ready(out), percent_bar() as progress:
        for place, train in enumerate(recordings, 1):
            folder = out if len(recordings) == 1 else out / recording_folder(place, len(recordings), train.id)
            try:
                found = sample_posterior(train, model, **chosen, progress=progress)
            except SpikeTrainError as error:
                failed.append(train.id)
                typer.echo(f"{train.id}: {error}", err=True)
                continue
            write_posterior(found, folder, options, formats=formats)
            typer.echo(found.describe())
    if len(failed) < len(recordings):
        typer.echo(f"Written to {out}.")
    end_failed(failed, len(recordings))


def simulate(
    population: MembersArgument,
    out: Annotated[Path, typer.Option("--out", help="CSV of spike times to write.", show_default=False)],
    neuron: OptionalNeuron = None,
    duration_ms: Annotated[
        float | None, typer.Option("--duration-ms", help="Length of the simulation, transient included.")
    ] = None,
    transient_ms: Annotated[
        float | None, typer.Option("--transient-ms", help="Time at the start whose spikes are left out.")
    ] = None,
    accuracy: Annotated[str, typer.Option(help="standard or exact.")] = "standard",
    noise: Annotated[
        float | None,
        typer.Option(help="Injected current noise, σ in µA/cm².", show_default="that of the members"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Of the noise.", show_default="that of each member, or 0"),
    ] = None,
    device: DeviceOption = "cpu",
) -> None:
    """Simulate the members of a table and write their spikes (id, member, time_ms from the start)."""
    from spike2pop_nb import simulation
    from spike2pop_nb.export.tables import write_table

    check_places(out)
    members = read_members(population, neuron)
    if device == "cpu":
        say_compiling()
    window = members.neuron.recording_window_ms
    with progress_bar(1, " member·ms") as update:
        simulated = simulation.simulate(
            members,
            duration_ms=window[1] if duration_ms is None else duration_ms,
            transient_ms=window[0] if transient_ms is None else transient_ms,
            accuracy=accuracy,
            record="spikes",
            noise_sigma=noise,
            seed=seed,
            device=device,
            progress=update,
        )
    table = simulated.to_frame()
    write_table(table, out)
    for row, reason in simulated.reasons.items():
        name, member = simulated.labels[row]
        typer.echo(f"Member {name}/{member} failed: {reason}.", err=True)
    typer.echo(f"{len(table)} spikes of {len(members)} members written to {out}.")
