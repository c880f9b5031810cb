"""The command line ``spike2pop``: populations from recordings, and the training of networks."""

from __future__ import annotations

import sys

import typer

from spike2pop_nb.cli import experimenting, exploring, exporting, models, populations, training
from spike2pop_nb.cli.common import cli
from spike2pop_nb.errors import Spike2PopError

__all__ = ["cli", "experimenting", "exploring", "exporting", "main", "models", "populations", "training"]


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
