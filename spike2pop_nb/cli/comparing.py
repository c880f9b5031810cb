"""The command that compares two recordings of one cell: what changed between them?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.common import (
    FileArgument,
    FolderOption,
    NeuronOption,
    SeedOption,
    percent_bar,
)
from spike2pop_nb.cli.reading import HowToRead
from spike2pop_nb.errors import ExperimentError, SpikeTrainError, printable

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Protocol
    from spike2pop_nb.spiketrains import Recordings, SpikeTrain

__all__ = ["compare"]

OtherFile = Annotated[
    Path | None,
    typer.Argument(help="File of the recording after, if it is another.", show_default=False),
]


def compare(
    file: FileArgument,
    out: FolderOption,
    *,
    other_file: OtherFile = None,
    neuron: NeuronOption = "stg",
    before: Annotated[
        str | None, typer.Option("--before", help="Id of the recording before.", show_default=False)
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", help="Id of the recording after.", show_default=False)
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            help="What is known to have been done in the recording after, such as block=A:0.5, scale=H:2, "
            "current=1.5, temperature=15 or potassium=2; repeatable."
        ),
    ] = None,
    size: Annotated[
        int, typer.Option(min=0, max=1000, help="Members to find, before and after; 0 for none.")
    ] = 12,
    seed: SeedOption = 1,
    how: HowToRead,
) -> None:
    """Tell what changed in a cell between two recordings: a conductance, the current, the noise, or nothing.

    Both are in one file and named by --before and --after, or in two files.
    """
    from spike2pop_nb.experiments import Protocol, compare_recordings
    from spike2pop_nb.export import write_comparison
    from spike2pop_nb.files import ready
    from spike2pop_nb.neurons import get_neuron

    model = get_neuron(neuron)
    done = sum((_known(text) for text in known or []), Protocol())
    one, another = _two(file, other_file, before, after, how)
    with ready(out):
        with percent_bar() as progress:
            found = compare_recordings(
                one, another, model, known=done, size=size, seed=seed, progress=progress
            )
        options = {
            "file": printable(file.name),
            "other_file": None if other_file is None else printable(other_file.name),
            "before": one.id,
            "after": another.id,
            "known": known or [],
            "neuron": neuron,
            "size": size,
            "seed": seed,
            **how.asked(),
        }
        write_comparison(found, out, options)
    typer.echo(found.describe())
    typer.echo(f"Written to {out}.")


def _known(text: str) -> Protocol:
    """Return what an option says is known to have been done."""
    from spike2pop_nb.experiments import block, constant_current, potassium, scale, temperature

    kind, _mark, rest = (part.strip() for part in text.partition("="))
    name, mark, amount = (part.strip() for part in rest.partition(":"))
    of_channel: dict[str, Callable[[str, float], Protocol]] = {"block": block, "scale": scale}
    of_all: dict[str, Callable[[float], Protocol]] = {
        "current": constant_current,
        "potassium": potassium,
        "temperature": temperature,
    }
    try:
        value = float(amount if mark else name)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        if kind in of_channel and mark and name:
            return of_channel[kind](name, value)
        if kind in of_all and not mark:
            return of_all[kind](value)
    raise ExperimentError(
        f"--known {text}: write block=A:0.5 (share blocked), scale=H:2 (factor), current=1.5 (µA/cm²), "
        "temperature=15 (°C) or potassium=2 (factor)."
    )


def _two(
    file: Path, other_file: Path | None, before: str | None, after: str | None, how: HowToRead
) -> tuple[SpikeTrain, SpikeTrain]:
    """Return both recordings; those of the same id in two files also get the name of their file."""
    recordings = how.read(file)
    if other_file is None:
        if before is None or after is None:
            raise SpikeTrainError(
                f"Name both recordings with --before and --after; {file.name} has {_listed(recordings)}."
            )
        if before == after:
            raise SpikeTrainError(
                f"--before and --after name the same recording ({before}); name two, or give a second file."
            )
        return _named(recordings, before, file), _named(recordings, after, file)
    others = how.read(other_file)
    units = recordings.report, others.report
    if units[0].unit != units[1].unit and any(report.unit_assumed for report in units):
        raise SpikeTrainError(
            f"{file.name} is read in {units[0].unit} and {other_file.name} in {units[1].unit}, and one of "
            "them does not say so; give the unit of both with --unit."
        )
    one, another = _named(recordings, before, file), _named(others, after, other_file)
    if one.id == another.id:
        stems = (file.stem, other_file.stem) if file.stem != other_file.stem else ("before", "after")
        one, another = (
            replace(train, id=f"{stem}:{train.id}") for train, stem in zip((one, another), stems, strict=True)
        )
    return one, another


def _named(recordings: Recordings, name: str | None, file: Path) -> SpikeTrain:
    if name is None and len(recordings) == 1:
        return recordings[0]
    if name is None or name not in recordings.ids:
        said = "has more than one recording; name one" if name is None else f"has no recording {name!r}"
        raise SpikeTrainError(f"{file.name} {said}; it has {_listed(recordings)}.")
    return recordings.by_id(name)


def _listed(recordings: Recordings, most: int = 8) -> str:
    more = len(recordings) - most
    return ", ".join(recordings.ids[:most]) + (f" and {more} more" if more > 0 else "")
