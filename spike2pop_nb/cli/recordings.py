"""Commands that say what recordings show: spikes in voltages, DICs, which neuron fires like them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.common import (
    CurrentOption,
    FileArgument,
    NeuronOption,
    PriorOption,
    check_endings,
    check_places,
    end_failed,
    notes_of,
    progress_bar,
    say_notes,
)
from spike2pop_nb.cli.reading import HowToRead

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["predict", "voltage", "which"]

_MOST_AT_ONCE, _SPIKES_AT_ONCE = 256, 100_000  # of recordings that are predicted together
_DRIVE = ("current_uA_cm2", "noise_uA_cm2")
_ON_SCREEN = [
    *("id", "g_s", "g_u", "g_s_std", "g_u_std", "pattern", "n_spikes", "in_domain", "drifts"),
    *_DRIVE,
]
TableOption = Annotated[Path | None, typer.Option("--out", help="CSV to write; a table on screen if none.")]


def voltage(
    file: Annotated[
        Path, typer.Argument(help="Voltage traces: ABF, CSV, NWB, what Neo reads.", show_default=False)
    ],
    *,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Figure to write: .html, .svg, .png or .pdf.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV of spike times to write.")] = None,
    how: HowToRead,
) -> None:
    """Detect the spikes of voltage traces, and draw each trace with its threshold and spikes."""
    check_endings(None, figure)
    check_places(out)
    found = replace(how, voltage=True).detect(file)
    for one in found:
        detection = one.detection
        at = "" if detection is None else f" at a threshold of {detection.threshold:.4g} {one.trace.unit}"
        typer.echo(f"{one.train.id}: {one.train.n_spikes} spikes{at}")
    if figure is not None:
        from spike2pop_nb.export import write_voltage_figure

        write_voltage_figure(found, figure)
        typer.echo(f"Written: {figure}")
    if out is not None:
        from spike2pop_nb.spiketrains import write_spike_times

        write_spike_times([one.train for one in found], out)
        typer.echo(f"Written: {out}")


def predict(
    file: FileArgument,
    *,
    neuron: NeuronOption = "stg",
    out: TableOption = None,
    course: Annotated[
        Path | None, typer.Option("--course", help="CSV to write: the DICs over each recording's time.")
    ] = None,
    current: CurrentOption = None,
    prior: PriorOption = "compensated",
    how: HowToRead,
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
    values = zip(*((drive.current, drive.noise_sigma, *drive.std) for drive in found), strict=True)
    columns = [*_DRIVE, *(f"{name}_std" for name in _DRIVE)]
    return {name: list(row) for name, row in zip(columns, values, strict=True)}


def which(
    file: FileArgument,
    *,
    out: TableOption = None,
    how: HowToRead,
) -> None:
    """Ask of every recording which neuron fires like it; “none of these” is an answer."""
    from spike2pop_nb.inference import which_neuron

    check_places(out)
    recordings = how.read(file)
    with progress_bar(1, " steps") as update:
        table = which_neuron(recordings, progress=update).to_frame()
    if out is not None:
        from spike2pop_nb.export.tables import write_table  # only then is what writes results imported

        write_table(table, out)
        typer.echo(f"{len(table)} recordings written to {out}.")
        return
    typer.echo(table.round(2).to_string(index=False, na_rep="-"))
