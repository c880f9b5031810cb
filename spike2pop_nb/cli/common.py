"""What all commands share: the program they hang on, options, the progress bar, reading."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from spike2pop_nb import __version__
from spike2pop_nb.errors import check_installed

if TYPE_CHECKING:
    from spike2pop_nb.conductances import Population
    from spike2pop_nb.export.figures import FigureFormat
    from spike2pop_nb.inference import Posteriors
    from spike2pop_nb.spiketrains import SpikeTrain

__all__ = [
    "INHIBITION_SAID",
    "CurrentOption",
    "DeviceOption",
    "FileArgument",
    "FolderOption",
    "InhibitionOption",
    "MembersArgument",
    "NeuronOption",
    "OptionalNeuron",
    "PriorOption",
    "SeedOption",
    "check_endings",
    "check_places",
    "cli",
    "end_failed",
    "formats_with",
    "notes_of",
    "pair_of",
    "percent_bar",
    "progress_bar",
    "read_members",
    "say_compiling",
    "say_notes",
    "with_options",
]

_LINE_EVERY_S = 60.0

cli = typer.Typer(
    help="From the spike times of one neuron to a verified, degenerate population of models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

NeuronOption = Annotated[str, typer.Option("--neuron", help="Neuron model; `spike2pop models` lists them.")]
OptionalNeuron = Annotated[
    str | None,
    typer.Option("--neuron", help="Neuron model of the members, where the file does not say it."),
]
PriorOption = Annotated[
    Literal["compensated", "drawn", "both"],
    typer.Option(
        help="Prior over the conductances: compensated (as generated here), drawn (all ranges), or both."
    ),
]
InhibitionOption = Annotated[
    bool | None,
    typer.Option(
        "--inhibition/--no-inhibition",
        help="Whether members of a bursting recording receive an inhibition with its rhythm.",
        show_default="if none fires like it otherwise",
    ),
]
CurrentOption = Annotated[
    float | None,
    typer.Option(
        "--current-uA-cm2",
        "--current-ua-cm2",
        help="Constant current of the cell, where it is known (0 of one left alone); members receive it.",
        show_default="unknown",
    ),
]
INHIBITION_SAID = {None: "if needed", True: "yes", False: "no"}
"""How the options that are written say it."""
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        help="Where members are simulated: cpu, or cuda for an NVIDIA GPU, which compiles for half a minute "
        "first and pays with thousands of members.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
FileArgument = Annotated[
    Path,
    typer.Argument(
        help="Spike times: CSV, TXT, Excel, JSON, MAT, NPY, NPZ, NWB, Phy, what Neo reads.",
        show_default=False,
    ),
]
MembersArgument = Annotated[
    Path, typer.Argument(help="CSV or Parquet table with columns g_<channel> in mS/cm².", show_default=False)
]
FolderOption = Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)]


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


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that are fields of a dataclass, for each parameter of such a type."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    shown: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            options = get_type_hints(groups[name], include_extras=True)
            shown += [
                parameter.replace(name=field.name, default=field.default, annotation=options[field.name])
                for field in fields(groups[name])
            ]
        else:
            shown.append(parameter.replace(annotation=hints[name]))
    shown.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
    run.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
    return run


def say_compiling() -> None:
    """Say that the simulator is compiled first, if it is."""
    from spike2pop_nb import simulation

    if simulation.needs_compiling():
        typer.echo(f"{simulation.compiling_words()}.", err=True)


@contextmanager
def percent_bar() -> Iterator[Callable[..., None]]:
    """Show a progress bar in per cent; yields ``update(done, total, words=None)``."""
    with progress_bar(100, " %") as update:
        yield lambda done, total, words=None: update(int(100 * done / max(total, 1)), None, words)


@contextmanager
def progress_bar(total: int, unit: str, *, each: bool = False) -> Iterator[Callable[..., None]]:
    """Show a progress bar; yields ``update(done, total=None, words=None)``.

    Where there is no terminal, a line is said once a minute instead, or, with ``each``, for each one done.
    """
    if not sys.stderr.isatty():
        yield _lines(total, unit, each)
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, file=sys.stderr, dynamic_ncols=True) as bar:

        def update(done: int, whole: int | None = None, words: str | None = None) -> None:
            if whole is not None:
                bar.total = whole
            if words is not None:
                bar.set_postfix_str(words, refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        yield update


def _lines(total: int, unit: str, each: bool) -> Callable[..., None]:
    last, since = 0, time.monotonic()

    def update(done: int, whole: int | None = None, words: str | None = None) -> None:
        nonlocal last, since
        if done > last and (each or time.monotonic() - since > _LINE_EVERY_S):
            last, since = done, time.monotonic()
            said = f"{done} of {total if whole is None else whole}{unit}"
            typer.echo(f"{said}: {words}" if words else said, err=True)

    return update


def read_members(path: Path, neuron: str | None) -> Population:
    """Read a population, of the neuron that its file says or that is named."""
    from spike2pop_nb.conductances import Population

    read = Population.from_parquet if path.suffix.lower() == ".parquet" else Population.from_csv
    return read(path, neuron)


def check_endings(out: Path | None, figure: Path | None) -> None:
    """Refuse before anything is computed what could not be written."""
    from spike2pop_nb import export

    if out is not None:
        export.table_format(out)
    if figure is not None:
        export.figure_format(figure)
    check_places(out, figure)


def check_places(*paths: Path | None) -> None:
    """Refuse files that cannot be written, before anything is computed."""
    from spike2pop_nb.files import check_place

    for path in paths:
        if path is not None:
            check_place(path)


def formats_with(figures: bool) -> tuple[FigureFormat | Literal["csv"], ...]:
    """Formats of what is written, with or without figures; refuse those that could not be drawn."""
    if not figures:
        return ("csv",)
    check_installed("Figures", "matplotlib")
    return ("csv", "svg", "png")


def pair_of(text: str | None) -> tuple[str, ...] | None:
    """Names that are written with commas between them."""
    return None if text is None else tuple(part.strip() for part in text.split(","))


def end_failed(failed: Sequence[str], n: int) -> None:
    """End with exit status 1 if recordings failed, and name them."""
    if failed:
        typer.echo(f"Failed: {', '.join(failed)} ({len(failed)} of {n} recordings); see above.", err=True)
        raise typer.Exit(1)


def notes_of(
    recordings: Sequence[SpikeTrain], posteriors: Posteriors, noted: dict[str, list[str]] | None = None
) -> dict[str, list[str]]:
    """Add to what the network has remarked the ids of recordings of which it does: {remark: ids}.

    Of recordings that are hardly like their neuron, say which other one they are like.
    """
    from spike2pop_nb.inference import which_neuron

    noted = {} if noted is None else noted
    for posterior in posteriors:
        for note in posterior.notes:
            noted.setdefault(note, []).append(posterior.id)
    strange = [i for i, p in enumerate(posteriors) if p.domain is not None and not p.domain.inside]
    for i, fit in zip(strange, which_neuron(recordings[i] for i in strange), strict=True):
        if (other := fit.other_than(posteriors[i].neuron)) is not None:
            noted.setdefault(f"fits another neuron: try --neuron {other}.", []).append(fit.id)
    return noted


def say_notes(noted: Mapping[str, Sequence[str]]) -> None:
    """Say what `notes_of` found, once for all recordings of which it is the same."""
    for note, names in noted.items():
        typer.echo(f"{', '.join(names)}: {note}", err=True)
