"""Commands about neurons: list them, check a file that declares one, add and remove one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.common import cli

if TYPE_CHECKING:
    from spike2pop_nb.neurons import NeuronModel

__all__ = ["add", "check", "models", "remove"]

group = typer.Typer()
cli.add_typer(group, name="models")

DeclarationArgument = Annotated[
    Path,
    typer.Argument(
        help="Python file that defines one NeuronModel. It is run: name only files you trust.",
        show_default=False,
    ),
]


@group.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the neurons; check, add and remove your own."""
    if context.invoked_subcommand is not None:
        return
    from spike2pop_nb.inference import network_words
    from spike2pop_nb.neurons import broken_neurons, card_lines, get_neuron, list_neurons

    for name in list_neurons():
        neuron = get_neuron(name)
        typer.echo(f"{name:8} {neuron.title}")
        for line in (*card_lines(neuron), network_words(name)):
            typer.echo(f"{'':8} {line}")
    for name, sentence in broken_neurons().items():
        typer.echo(f"{name:8} cannot be used: {sentence}")


@group.command()
def check(
    what: Annotated[
        str,
        typer.Argument(
            help="Python file that defines one NeuronModel (it is run: name only files you trust), or the "
            "name of a neuron that is listed.",
            show_default=False,
        ),
    ],
) -> None:
    """Check a declaration: gates, units, threshold, what is reached, rest and firing."""
    from spike2pop_nb.neurons import get_neuron, list_neurons

    if what in list_neurons() and not Path(what).exists():
        _try_out(get_neuron(what))
        return
    _check(Path(what))
    typer.echo("It can be used; `spike2pop models add` makes it known by its name.")


@group.command()
def add(file: DeclarationArgument) -> None:
    """Check a declaration (the file is run) and make it known by its name to every command and the page."""
    from spike2pop_nb.neurons import add_neuron, own_neurons_folder

    _check(file)
    neuron = add_neuron(file)
    typer.echo(f"Added {neuron.name!r} to {own_neurons_folder()}.")


@group.command()
def remove(name: Annotated[str, typer.Argument(help="Name of a neuron that you added.")]) -> None:
    """Remove a neuron that you added."""
    from spike2pop_nb.neurons import remove_neuron

    remove_neuron(name)
    typer.echo(f"Removed {name!r}.")


def _check(file: Path) -> None:
    from spike2pop_nb.neurons import load_neuron

    typer.echo(f"Running {file.name}, then trying out the neuron that it declares.", err=True)
    _try_out(load_neuron(file))


def _try_out(neuron: NeuronModel) -> None:
    from spike2pop_nb.simulation.model_check import check_model

    found = check_model(neuron)
    for sentence in found.describe().splitlines():
        typer.echo(sentence)
    table = found.pairs.assign(reached=(100 * found.pairs["reached"]).round().astype(int))
    table = table.rename(columns={"reached": "% of the plane", "condition": "condition number"})
    typer.echo(table.round(1).to_string(index=False))
