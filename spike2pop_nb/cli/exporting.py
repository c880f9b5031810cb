"""The command that writes members for other simulators, and as dynamic clamps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from spike2pop_nb.cli.common import MembersArgument, OptionalNeuron, pair_of, read_members
from spike2pop_nb.errors import SimulationError

if TYPE_CHECKING:
    from spike2pop_nb.conductances import Population

__all__ = ["export"]


def export(
    population: MembersArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.", show_default=False)],
    to: Annotated[str | None, typer.Option("--to", help="neuron, brian2, jaxley, neuroml, or nwb.")] = None,
    neuron: OptionalNeuron = None,
    member: Annotated[
        int | None, typer.Option(help="Number in the column member; every member by default.")
    ] = None,
    recording: Annotated[
        str | None, typer.Option("--id", help="Recording whose members are meant; all by default.")
    ] = None,
    clamp: Annotated[
        str | None,
        typer.Option(
            "--dynamic-clamp",
            help="In place of --to: channels of --member, such as A,KCa, or all, as C and a plugin of RTXI.",
        ),
    ] = None,
    instead: Annotated[
        int | None,
        typer.Option("--from-member", help="Member that the cell is like: the clamp is the difference."),
    ] = None,
    capacitance: Annotated[
        float | None,
        typer.Option("--capacitance-pF", "--capacitance-pf", help="Of the cell, with --dynamic-clamp."),
    ] = None,
) -> None:
    """Write members of a table as a model for another simulator, or channels of one as a dynamic clamp.

    With --to nwb they are simulated, and written with their voltages and spikes as NWB files, for sharing.
    """
    from spike2pop_nb.export import simulators

    if (to is None) == (clamp is None):
        raise SimulationError("Say either --to, for a simulator, or --dynamic-clamp, for a living cell.")
    if clamp is None and (instead is not None or capacitance is not None):
        unused = "--from-member" if instead is not None else "--capacitance-pF"
        raise SimulationError(f"{unused} is for --dynamic-clamp; add that, or leave it out.")
    chosen = read_members(population, neuron)
    if clamp is not None:
        written = _clamp(chosen, population.name, clamp, member, instead, recording, capacitance, out)
    else:
        members = chosen.select(_rows(chosen, population.name, recording, member))
        if to == "nwb":
            from spike2pop_nb.export.nwb import export_nwb

            written = export_nwb(members, out)
        else:
            written = simulators.export(members, cast(simulators.Target, to), out)
    for file in written:
        typer.echo(f"Written: {file}")


def _rows(chosen: Population, file: str, recording: str | None, member: int | None) -> list[int]:
    """Rows of a member, of a recording, or of all."""
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
            f"{file} has no {wanted}; it has {len(chosen)} members, "
            f"numbered {min(numbers)} to {max(numbers)}."
        )
    return rows


def _clamp(
    chosen: Population,
    file: str,
    channels: str,
    member: int | None,
    instead: int | None,
    recording: str | None,
    capacitance: float | None,
    out: Path,
) -> list[Path]:
    """Write a dynamic clamp of a member, or of the difference between two, of one recording."""
    from spike2pop_nb.export.clamp import dynamic_clamp, export_clamp

    if capacitance is None:
        raise SimulationError(
            "A dynamic clamp needs the capacitance of the cell, by which densities become currents: give it "
            "with --capacitance-pF."
        )
    numbers = [member] if instead is None else [member, instead]
    found = [_rows(chosen, file, recording, number) for number in numbers]
    if several := next((rows for rows in found if len(rows) > 1), None):
        ids = list(dict.fromkeys(chosen.labels[row][0] for row in several))
        missing = "--id" if len(ids) > 1 and member is not None else "--member"
        raise SimulationError(
            f"A dynamic clamp is of one member; {file} has {len(several)} such: name it with {missing}."
        )
    row, from_row = found[0][0], found[1][0] if instead is not None else None
    every = chosen.channel_names if instead is None else None
    names = every if channels.strip() == "all" else pair_of(channels)
    made = dynamic_clamp(chosen, row, names, from_row=from_row, capacitance_pF=capacitance)
    same = [place for place, (name, _number) in enumerate(chosen.labels) if name == chosen.labels[row][0]]
    if from_row is not None and from_row not in same:
        same.append(from_row)
    return export_clamp(made, chosen.select(same), out)
