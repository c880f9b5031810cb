"""Commands that users of recordings need: the dashboard, populations, predictions, simulations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    cli,
    end_failed,
    notes_of,
    pair_of,
    progress_bar,
    read_members,
    say_compiling,
    say_notes,
    with_options,
)
from spike2pop_nb.cli.reading import AS_IT_SAYS, HowToRead
from spike2pop_nb.errors import check_installed, printable

if TYPE_CHECKING:
    import pandas as pd

    from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["app", "predict", "run", "simulate", "which"]

_MOST_LINES = 200  # on the progress of recordings, where there is no terminal
_MOST_AT_ONCE, _SPIKES_AT_ONCE = 256, 100_000  # of recordings that are predicted together
_DRIVE = ("current_uA_cm2", "noise_uA_cm2")
_ON_SCREEN = [
    *("id", "g_s", "g_u", "g_s_std", "g_u_std", "pattern", "n_spikes", "in_domain", "drifts"),
    *_DRIVE,
]


ToleranceOption = Annotated[
    float | None,
    typer.Option(
        min=1e-6,
        help="Largest error of a member that passes: a share of the rate or of the burst features, or a "
        "distance of ln(ISI). The default is stricter for refined members.",
    ),
]


@cli.command()
def app(
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    sessions: Annotated[
        int, typer.Option(help="Most pages at once; who comes then waits for one to be closed.")
    ] = 10,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Other machines reach any but 127.0.0.1; that needs --password-file."
        ),
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name by which browsers reach the page through a proxy; can be given several times.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[str, typer.Option(help="Path of the page, as a proxy knows it.")] = "/",
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="File whose first line is the password for the page, or its hash.", show_default=False
        ),
    ] = None,
    certfile: Annotated[
        Path | None, typer.Option(help="Certificate (PEM), to serve over https.", show_default=False)
    ] = None,
    keyfile: Annotated[
        Path | None, typer.Option(help="Key of the certificate (PEM).", show_default=False)
    ] = None,
    own_neurons: Annotated[
        bool,
        typer.Option(
            "--own-neurons",
            help="Let the page run declarations of neurons, which are Python. Others who use this machine "
            "could then run Python as you.",
        ),
    ] = False,
) -> None:
    """Open the dashboard in a browser: served on this machine only, or to a lab."""
    for package in ("plotly", "voila"):
        check_installed("Pages", package)
    from spike2pop_nb.app.serve import serve

    serve(
        port=port,
        open_browser=browser,
        host=host,
        names=name or (),
        base_url=base_url,
        password_file=password_file,
        certfile=certfile,
        keyfile=keyfile,
        sessions=sessions,
        own_neurons=own_neurons,
    )


@cli.command()
@with_options
def run(
    file: FileArgument,
    out: FolderOption,
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
    how: HowToRead = AS_IT_SAYS,
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
    options = {
        "file": printable(file.name),
        "unit": recordings.report.unit,
        "neuron": model.name,
        "prior": prior,
        "size": size,
        "seed": seed,
        "compensate": list(pair_of(compensate) or ()) or "recommended",
        "budget": budget,
        "accuracy": accuracy,
        "refine": refine,
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
                prior=prior,
                size=size,
                compensate=pair_of(compensate),
                seed=seed,
                budget=budget,
                accuracy=accuracy,
                refine=refine,
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


@cli.command()
@with_options
def predict(
    file: FileArgument,
    neuron: NeuronOption = "stg",
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write; a table on screen if none.")
    ] = None,
    course: Annotated[
        Path | None, typer.Option("--course", help="CSV to write: the DICs over each recording's time.")
    ] = None,
    current: CurrentOption = None,
    prior: PriorOption = "compensated",
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Predict the DICs of every recording, with their width; say which recordings are strange or drift."""
    import pandas as pd

    from spike2pop_nb.export.tables import growing_table
    from spike2pop_nb.inference import attempt_predictions, load_predictor
    from spike2pop_nb.neurons import get_neuron

    check_places(out, course)
    model, n = get_neuron(neuron), 0
    recordings = how.read(file)
    predictor = load_predictor(model.name, current=current)
    noted: dict[str, list[str]] = {}
    failed: list[str] = []
    shown = []
    with ExitStack() as files:
        add, add_course = (
            None if path is None else files.enter_context(growing_table(path)) for path in (out, course)
        )
        with progress_bar(len(recordings), " recordings") as update:
            for some in _in_blocks(recordings):
                posteriors = attempt_predictions(predictor, some, prior=prior)
                notes_of(some, posteriors, noted)
                failed += [posterior.id for posterior in posteriors if posterior.failure]
                if add_course is not None:
                    add_course(posteriors.to_frame(course=True))
                table = posteriors.to_frame().assign(**_drives(model.name, some, current))
                if add is None:
                    shown.append(table[_ON_SCREEN])
                else:
                    add(table)
                n += len(some)
                update(n)
    say_notes(noted)
    if out is not None:
        typer.echo(f"{n} recordings written to {out}.")
    else:
        # a screen is narrow: what the file has beyond this, and the notes above instead of in a column
        whole = pd.concat(shown, ignore_index=True)
        words = {True: "yes", False: "no"}
        whole = whole.assign(**{name: whole[name].map(words) for name in ("in_domain", "drifts")})
        typer.echo(whole.round(3).to_string(index=False, na_rep="-"))
    end_failed(failed, n)


def _in_blocks(recordings: Sequence[SpikeTrain]) -> Iterator[list[SpikeTrain]]:
    """Give recordings in order, some at once: so many that their intervals fit well into memory."""
    some: list[SpikeTrain] = []
    for train in recordings:
        some.append(train)
        if len(some) == _MOST_AT_ONCE or sum(one.n_spikes for one in some) >= _SPIKES_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _drives(neuron: str, recordings: Sequence[SpikeTrain], current: float | None) -> dict[str, list[float]]:
    """Columns of the current and noise that the neuron needs, with their widths."""
    from spike2pop_nb.inference import drives_of

    found = drives_of(neuron, recordings, current)
    values = [(drive.current, drive.noise_sigma, *drive.std) for drive in found]
    columns = [*_DRIVE, *(f"{name}_std" for name in _DRIVE)]
    return {name: [row[k] for row in values] for k, name in enumerate(columns)}


@cli.command()
@with_options
def which(
    file: FileArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write; a table on screen if none.")
    ] = None,
    how: HowToRead = AS_IT_SAYS,
) -> None:
    """Ask of every recording which neuron fires like it; “none of these” is an answer."""
    from spike2pop_nb.inference import which_neuron

    check_places(out)
    recordings = how.read(file)
    with progress_bar(1, " steps") as update:
        table = which_neuron(recordings, progress=update).to_frame()
    if out is not None:
        _write(table, out)
        typer.echo(f"{len(table)} recordings written to {out}.")
        return
    typer.echo(table.round(2).to_string(index=False, na_rep="-"))


@cli.command()
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

    check_places(out)
    members = read_members(population, neuron)
    if device == "cpu":
        say_compiling()
    window = members.neuron.recording_window_ms
    transient = window[0] if transient_ms is None else transient_ms
    duration = window[1] if duration_ms is None else duration_ms
    with progress_bar(1, " member·ms") as update:
        simulated = simulation.simulate(
            members,
            duration_ms=duration,
            transient_ms=transient,
            accuracy=accuracy,
            record="spikes",
            noise_sigma=noise,
            seed=seed,
            device=device,
            progress=update,
        )
    table = simulated.to_frame()
    _write(table, out)
    for row, reason in simulated.reasons.items():
        name, member = simulated.labels[row]
        typer.echo(f"Member {name}/{member} failed: {reason}.", err=True)
    typer.echo(f"{len(table)} spikes of {len(members)} members written to {out}.")


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV table; only then is what writes results imported."""
    from spike2pop_nb.export.tables import write_table

    write_table(table, path)
