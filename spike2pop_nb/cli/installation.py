"""Commands about this installation: its page, its neurons, and whether it gives the published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spike2pop_nb.cli.common import check_places, say_compiling
from spike2pop_nb.errors import check_installed

if TYPE_CHECKING:
    from spike2pop_nb.neurons import NeuronModel

__all__ = ["app", "group", "selfcheck"]


def selfcheck(
    out: Annotated[
        Path | None, typer.Option("--out", help="JSON to write, with the versions of all libraries.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what searches and what takes a solver.")
    ] = False,
) -> None:
    """Check that this installation gives the published numbers; the exit status is 1 if it does not."""
    from spike2pop_nb.checking import selfcheck
    from spike2pop_nb.files import write_whole

    check_places(out)
    say_compiling()
    done = selfcheck(quick=quick, progress=lambda check: typer.echo(check.describe()))
    if out is not None:
        write_whole(out, done.to_json().encode())
    typer.echo(done.summary())
    if not done.ok:
        raise typer.Exit(1)


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


group = typer.Typer()

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
