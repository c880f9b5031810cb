"""The command line ``spike2pop``: populations from recordings, and the training of networks."""

from __future__ import annotations

import atexit
import gc
import io
import sys
from collections.abc import Callable
from typing import Final

import typer

from spike2pop_nb.cli import experimenting, exploring, installation, populations, recordings, training
from spike2pop_nb.cli.common import cli, with_options
from spike2pop_nb.cli.comparing import compare
from spike2pop_nb.cli.exporting import export
from spike2pop_nb.errors import Spike2PopError

__all__ = ["cli", "main"]

_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "selfcheck": installation.selfcheck,
    "next": experimenting.next_,
    "narrow": experimenting.narrow,
    "compare": compare,
    "voltage": recordings.voltage,
    "experiment": experimenting.experiment,
    "choices": exploring.choices,
    "map": exploring.plane,
    "export": export,
    "app": installation.app,
    "run": populations.run,
    "predict": recordings.predict,
    "which": recordings.which,
    "simulate": populations.simulate,
    "posterior": populations.posterior,
    "atlas": training.atlas,
    "dataset": training.dataset,
    "train": training.train,
    "adapt": training.adapt,
    "evaluate": training.evaluate,
}
for _name, _command in _COMMANDS.items():
    cli.command(_name)(with_options(_command))
cli.add_typer(installation.group, name="models")

_OBJECTS_BEFORE_COLLECTING: Final = 100_000  # imports make many objects and drop none
_OPTIONS: Final = {"time_unit": "--unit"}


def _option(setting: str) -> str:
    """The option for a setting of the library."""
    return _OPTIONS.get(setting, "--" + setting.lower().replace("_", "-"))


def main() -> None:
    """Run the command line; an error the user can mend is one sentence and exit status 2."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    for stream in (sys.stdout, sys.stderr):  # a console of few characters escapes the others
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    atexit.register(gc.freeze)  # else all imports are gone through, for half a second, to be thrown away
    try:
        cli()
    except Spike2PopError as error:
        typer.echo(f"Error: {error.told(_option)}", err=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", __package__.partition(".")[0]):
            raise
        typer.echo(f"Error: This command needs {package}: pip install spike2pop-nb.", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
