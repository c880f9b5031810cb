"""The command that shows how spikes are detected in recorded voltages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spike2pop_nb.cli.common import check_endings, check_places, cli, with_options
from spike2pop_nb.cli.reading import AS_IT_SAYS, HowToRead

__all__ = ["voltage"]


@cli.command()
@with_options
def voltage(
    file: Annotated[
        Path, typer.Argument(help="Voltage traces: ABF, CSV, NWB, what Neo reads.", show_default=False)
    ],
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Figure to write: .html, .svg, .png or .pdf.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV of spike times to write.")] = None,
    how: HowToRead = AS_IT_SAYS,
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
