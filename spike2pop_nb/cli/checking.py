"""The command that says whether this installation gives the published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spike2pop_nb.cli.common import check_places, cli, say_compiling

__all__ = ["selfcheck"]


@cli.command()
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
