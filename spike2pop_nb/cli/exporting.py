"""The command that writes members for other simulators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from spike2pop_nb.cli.common import MembersArgument, OptionalNeuron, cli, read_members
from spike2pop_nb.errors import SimulationError

__all__ = ["export"]


@cli.command()
def export(
    population: MembersArgument,
    to: Annotated[str, typer.Option("--to", help="neuron, brian2, jaxley or neuroml.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.", show_default=False)],
    neuron: OptionalNeuron = None,
    member: Annotated[
        int | None, typer.Option(help="Number in the column member; every member by default.")
    ] = None,
    recording: Annotated[
        str | None, typer.Option("--id", help="Recording whose members are meant; all by default.")
    ] = None,
) -> None:
    """Write members of a table as a model for another simulator."""
    from spike2pop_nb.export import simulators

    chosen = read_members(population, neuron)
    rows = [
        row
        for row, (name, number) in enumerate(chosen.labels)
        if recording in (None, name) and member in (None, number)
    ]
    if not rows:
        wanted = " of ".join(
            ([f"member {member}"] if member is not None else ["member"])
            + ([f"recording {recording!r}"] if recording is not None else [])
        )
        numbers = [number for _name, number in chosen.labels]
        raise SimulationError(
            f"{population.name} has no {wanted}; it has {len(chosen)} members, "
            f"numbered {min(numbers)} to {max(numbers)}."
        )
    for file in simulators.export(chosen.select(rows), cast(simulators.Target, to), out):
        typer.echo(f"Written: {file}")
