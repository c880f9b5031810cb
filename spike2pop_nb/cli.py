"""The command line: ``spike2pop app / run / predict / simulate / dataset / train / evaluate / models``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spike2pop_nb import __version__
from spike2pop_nb.errors import Spike2PopError, UnreachableTarget

if TYPE_CHECKING:
    from spike2pop_nb.fidelity import Result
    from spike2pop_nb.spiketrains import Recordings

__all__ = ["cli", "main"]

cli = typer.Typer(
    help="From the spike times of one neuron to a verified, degenerate population of models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

NeuronOption = Annotated[str, typer.Option("--neuron", help="Neuron model; `spike2pop models` lists them.")]
Unit = Literal["auto", "s", "ms", "us"]
UnitOption = Annotated[Unit, typer.Option("--unit", help="Unit of the times in the file.")]
PriorOption = Annotated[
    Literal["compensated", "drawn", "both"],
    typer.Option(
        help="What the recorded neuron is made like: compensated (as populations are), drawn, or both."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
FileArgument = Annotated[
    Path, typer.Argument(help="Spike times: CSV, TXT, NPY, NPZ or MAT.", show_default=False)
]


def main() -> None:
    """Run the command line; an error the user can mend is one sentence and exit status 2."""
    try:
        cli()
    except Spike2PopError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"spike2pop_nb {__version__}")
        raise typer.Exit


@cli.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@contextmanager
def _bar(total: int, unit: str, text: str = "") -> Iterator[Callable[..., None]]:
    """Show a progress bar; yields ``update(done, total=None, words=None)``."""
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, desc=text, file=sys.stderr, dynamic_ncols=True) as bar:

        def update(done: int, whole: int | None = None, words: str | None = None) -> None:
            if whole is not None:
                bar.total = whole
            if words is not None:
                bar.set_description_str(words)
            bar.update(done - bar.n)

        yield update


def _read(file: Path, unit: Unit) -> Recordings:
    from spike2pop_nb.spiketrains import read_spike_trains

    recordings = read_spike_trains(file, unit=unit)
    for line in recordings.report.sentences():
        typer.echo(line, err=True)
    return recordings


def _pair(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


@cli.command()
def app(
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Open the dashboard in a browser (served on this machine only)."""
    from spike2pop_nb.app.serve import serve

    serve(port=port, open_browser=browser)


@cli.command()
def run(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    neuron: NeuronOption = "stg",
    size: Annotated[int, typer.Option(help="Members wanted for each recording.")] = 16,
    seed: SeedOption = 1,
    compensate: Annotated[
        str | None, typer.Option(help="Two conductances, such as CaS,H; the recommended ones by default.")
    ] = None,
    budget: Annotated[int | None, typer.Option(help="Most members to try for each recording.")] = None,
    accuracy: Annotated[str, typer.Option(help="Of the simulation: standard or exact.")] = "standard",
    unit: UnitOption = "auto",
    prior: PriorOption = "compensated",
) -> None:
    """Make a verified population for every recording of a file.

    Writes population.csv, spike_times.csv and summary.json.
    """
    from spike2pop_nb.export import write_results
    from spike2pop_nb.neurons import get_neuron

    model = get_neuron(neuron)
    recordings = _read(file, unit)
    posteriors = _predict(recordings, model.name, prior)
    _say_notes(posteriors)
    options = {
        "file": file.name,
        "unit": recordings.report.unit,
        "neuron": model.name,
        "prior": prior,
        "size": size,
        "seed": seed,
        "compensate": list(_pair(compensate) or ()) or "recommended",
        "budget": budget,
        "accuracy": accuracy,
        "read": recordings.report.sentences(),
    }
    results: list[Result] = []
    try:
        with _bar(size, " members") as update:
            for train, posterior in zip(recordings, posteriors, strict=True):
                update(0, size, f"recording {train.id}")
                results.append(
                    _one(
                        train, model.name, posterior, size, _pair(compensate), seed, budget, accuracy, update
                    )
                )
                write_results(results, out, options)
    except KeyboardInterrupt:
        typer.echo(f"Stopped; {len(results)} of {len(recordings)} recordings are in {out}.", err=True)
        raise
    for result in results:
        typer.echo(f"{result.recording.id}: {result.message}")
    good = sum(result.n_kept_passed >= result.n_asked for result in results)
    typer.echo(f"{good} of {len(results)} recordings have the {size} verified members asked for; see {out}.")


def _one(
    train: Any,
    neuron: str,
    posterior: Any,
    size: int,
    compensate: tuple[str, ...] | None,
    seed: int,
    budget: int | None,
    accuracy: str,
    update: Callable[..., None],
) -> Result:
    """Make the population of one recording; what only this recording cannot do becomes its message."""
    from spike2pop_nb.fidelity import Result, find_population
    from spike2pop_nb.neurons import get_neuron

    try:
        return find_population(
            train,
            neuron,
            posterior,
            size=size,
            compensate=compensate,
            seed=seed,
            budget=budget,
            accuracy=accuracy,
            progress=lambda done, total, words: update(done, total, f"recording {train.id}: {words}"),
        )
    except UnreachableTarget as error:
        return Result(train, get_neuron(neuron), posterior, False, str(error), size)


def _predict(recordings: Recordings, neuron: str, prior: str) -> list[Any]:
    from spike2pop_nb.inference import load_predictor

    return load_predictor(neuron).predict(recordings, prior=prior)


def _say_notes(posteriors: list[Any]) -> None:
    """Say what the network has to remark, once for recordings of which it is the same."""
    noted: dict[str, list[str]] = {}
    for posterior in posteriors:
        for note in posterior.notes:
            noted.setdefault(note, []).append(posterior.id)
    for note, names in noted.items():
        typer.echo(f"{', '.join(names)}: {note}", err=True)


@cli.command()
def predict(
    file: FileArgument,
    neuron: NeuronOption = "stg",
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write; a table on screen if none.")
    ] = None,
    course: Annotated[
        Path | None, typer.Option("--course", help="CSV to write: the DICs over each recording's time.")
    ] = None,
    unit: UnitOption = "auto",
    prior: PriorOption = "compensated",
) -> None:
    """Predict the DICs of every recording, with their width; say which recordings are strange or drift."""
    from spike2pop_nb.export import write_table
    from spike2pop_nb.inference import course_frame, predict_frame
    from spike2pop_nb.neurons import get_neuron

    model = get_neuron(neuron)
    posteriors = _predict(_read(file, unit), model.name, prior)
    _say_notes(posteriors)
    if course is not None:
        write_table(course_frame(posteriors), course)
    table = predict_frame(posteriors)
    if out is None:
        # a screen is narrow: what the file has beyond this, and the notes below instead of in a column
        shown = table[
            ["id", "g_s", "g_u", "g_s_std", "g_u_std", "pattern", "n_spikes", "in_domain", "drifts"]
        ]
        words = {True: "yes", False: "no"}
        shown = shown.assign(**{name: table[name].map(words) for name in ("in_domain", "drifts")})
        typer.echo(shown.round(3).to_string(index=False, na_rep="-"))
    else:
        write_table(table, out)
        typer.echo(f"{len(table)} recordings written to {out}.")


@cli.command()
def simulate(
    population: Annotated[Path, typer.Argument(help="CSV with columns g_<channel> in mS/cm².")],
    out: Annotated[Path, typer.Option("--out", help="CSV of spike times to write.", show_default=False)],
    neuron: NeuronOption = "stg",
    duration_ms: Annotated[
        float | None, typer.Option("--duration-ms", help="Length of the simulation, transient included.")
    ] = None,
    transient_ms: Annotated[
        float | None, typer.Option("--transient-ms", help="Time at the start whose spikes are left out.")
    ] = None,
    accuracy: Annotated[str, typer.Option(help="standard or exact.")] = "standard",
    noise: Annotated[float, typer.Option(help="Injected current noise, σ in µA/cm².")] = 0.0,
    seed: SeedOption = 0,
) -> None:
    """Simulate the members of a table and write their spikes (id, member, time_ms from the start)."""
    from spike2pop_nb import simulation
    from spike2pop_nb.conductances import Population
    from spike2pop_nb.export import write_table
    from spike2pop_nb.neurons import get_neuron

    model = get_neuron(neuron)
    members = Population.from_csv(population, model)
    if simulation.needs_compiling():
        typer.echo("Compiling the simulator, once on this machine (about ten seconds).", err=True)
    transient = model.recording_window_ms[0] if transient_ms is None else transient_ms
    duration = model.recording_window_ms[1] if duration_ms is None else duration_ms
    with _bar(1, " member·ms") as update:
        simulated = simulation.simulate(
            members,
            duration_ms=duration,
            transient_ms=transient,
            accuracy=accuracy,
            record="spikes",
            noise_sigma=noise,
            seed=seed,
            progress=update,
        )
    table = simulated.spikes_frame()
    write_table(table, out)
    for row, reason in simulated.reasons.items():
        name, member = simulated.labels[row]
        typer.echo(f"Member {name}/{member} failed: {reason}.", err=True)
    typer.echo(f"{len(table)} spikes of {len(members)} members written to {out}.")


@cli.command()
def models() -> None:
    """List the neurons."""
    from spike2pop_nb.inference import list_predictors
    from spike2pop_nb.neurons import get_neuron, list_neurons

    trained = set(list_predictors())
    for name in list_neurons():
        neuron = get_neuron(name)
        network = "network shipped" if name in trained else "no network"
        typer.echo(
            f"{name:8} {neuron.title}; {', '.join(neuron.channel_names)}; V_th {neuron.V_th_mV} mV; {network}"
        )


@cli.command()
def dataset(
    out: Annotated[Path, typer.Option("--out", help="Folder for the shards.", show_default=False)],
    neuron: NeuronOption = "stg",
    trains: Annotated[int, typer.Option(help="Rows to make.")] = 200_000,
    members: Annotated[int, typer.Option(help="Members that share one (g_s, g_u).")] = 4,
    monte_carlo_share: Annotated[
        float, typer.Option(help="Share drawn over the ranges of conductances instead of compensated.")
    ] = 0.0,
    noisy_share: Annotated[float, typer.Option(help="Share of members with injected noise.")] = 0.5,
    sigma_min: Annotated[float, typer.Option(help="Smallest σ of that noise, µA/cm².")] = 0.0,
    sigma_max: Annotated[float, typer.Option(help="Largest σ of that noise, µA/cm².")] = 6.0,
    duration_s: Annotated[
        float | None, typer.Option(help="Length of the recordings; the neuron's own window by default.")
    ] = None,
    shard_size: Annotated[int, typer.Option(help="Rows a file.")] = 4096,
    seed: SeedOption = 0,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler to use instead.")] = None,
) -> None:
    """Make training data: sample DICs, generate, simulate, label; resumes where it was stopped."""
    from spike2pop_nb.training.dataset import make_dataset

    recipe = {
        "neuron": neuron,
        "n_trains": trains,
        "members_per_target": members,
        "monte_carlo_share": monte_carlo_share,
        "noisy_share": noisy_share,
        "sigma_min": sigma_min,
        "sigma_max": sigma_max,
        "duration_s": duration_s,
        "seed": seed,
        "shard_size": shard_size,
    }
    with _bar(trains, " trains") as update:
        rows = make_dataset(recipe, out, scheduler=scheduler, workers=workers, progress=update)
    typer.echo(f"{rows} rows in {out}.")


@cli.command()
def train(
    data: Annotated[list[Path], typer.Argument(help="Folders made by `spike2pop dataset`.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for weights and checkpoints.", show_default=False)
    ],
    neuron: NeuronOption = "stg",
    base: Annotated[
        Path | None, typer.Option(help="Weights of another neuron's network to adapt (LoRA).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Length of the run in epochs.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Length of the run in minutes.")] = None,
    seed: SeedOption = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of resuming.")] = False,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A size of the network to change, such as n_components=1 or latent=0."),
    ] = None,
) -> None:
    """Train a network; resumes from its checkpoint."""
    from spike2pop_nb.training.options import TrainingOptions
    from spike2pop_nb.training.train import train as run_training

    if epochs is None and minutes is None:
        epochs = 20

    def report(row: dict[str, Any]) -> None:
        shown = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        )
        typer.echo(", ".join(shown))

    with _bar(1, " steps") as update:
        weights = run_training(
            data,
            out,
            neuron,
            base=base,
            epochs=epochs,
            max_minutes=minutes,
            options=TrainingOptions().changed(change or []),
            seed=seed,
            device=device,
            resume=not fresh,
            progress=update,
            report=report,
        )
    typer.echo(f"Weights written to {weights}.")


@cli.command()
def adapt(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for data, weights and scores.", show_default=False)
    ],
    neuron: NeuronOption = "da",
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Folder of training data; made where none is given.")
    ] = None,
    trains: Annotated[int, typer.Option(help="Trains to make where no data are given.")] = 120_000,
    base: Annotated[
        Path | None, typer.Option(help="Network to adapt; the shipped STG one by default.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Length of the run in epochs.")] = 20,
    curve: Annotated[
        bool, typer.Option("--curve", help="Also compare with training from scratch on 1k, 10k, 100k trains.")
    ] = False,
    install: Annotated[
        bool, typer.Option(help="Make the network the one that predict, run and app use for this neuron.")
    ] = True,
    seed: SeedOption = 0,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
) -> None:
    """Adapt the STG network to another declared neuron: data, low-rank adapters, scores; resumes."""
    from spike2pop_nb.inference.weights import install_weights
    from spike2pop_nb.training.adapt import CURVE
    from spike2pop_nb.training.adapt import adapt as run_adaptation

    with _bar(1, " trains or steps") as update:
        weights = run_adaptation(
            neuron,
            out,
            data=data or (),
            trains=trains,
            base=base,
            epochs=epochs,
            curve=CURVE if curve else (),
            seed=seed,
            workers=workers,
            progress=update,
            report=lambda sentence: typer.echo(sentence, err=True),
        )
    if install:
        typer.echo(f"Installed as {install_weights(weights, neuron)}.")
    else:
        typer.echo(f"Weights written to {weights}.")


@cli.command()
def evaluate(
    weights: Annotated[Path, typer.Argument(help="Weights made by `spike2pop train`.")],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data", help="Folder that it was trained on; its test side is used.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the scores.", show_default=False)],
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Folder that it was never trained on; all of it is used.")
    ] = None,
    ablation: Annotated[
        list[Path] | None, typer.Option(help="Weights of another network on the same data to stand beside.")
    ] = None,
    baseline: Annotated[bool, typer.Option(help="Fit gradient-boosted trees beside it.")] = True,
) -> None:
    """Score a network on populations it never saw; writes scores.json and model_card.md."""
    from spike2pop_nb.training.evaluate import evaluate as run_evaluation

    with _bar(1, " windows") as update:
        run_evaluation(
            weights,
            data,
            out,
            held_out=held_out or (),
            ablations=ablation or (),
            baseline=baseline,
            progress=update,
        )
    typer.echo((out / "model_card.md").read_text())


if __name__ == "__main__":
    main()
