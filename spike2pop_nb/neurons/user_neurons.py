"""Declarations in a user's own Python files, and the folder in which they are kept.

A declaration is a short Python file of the user's own. Reading it runs it, as running any script of theirs
would: only files that are trusted should be named.
"""

from __future__ import annotations

import os
import re
import runpy
import traceback
from pathlib import Path

import platformdirs

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.shipped import shipped_neurons

__all__ = ["load_neuron", "own_files", "own_neurons_folder"]

MAX_BYTES = 2**20
_MISSING = re.compile(r"(\w+)\.__init__\(\) missing .*?: (.+)")


def own_neurons_folder() -> Path:
    """Folder of the neurons that this user added; ``SPIKE2POP_NB_NEURONS`` names another.

    Examples
    --------
    >>> from spike2pop_nb.neurons import own_neurons_folder
    >>> own_neurons_folder().is_absolute()
    True
    """
    chosen = os.environ.get("SPIKE2POP_NB_NEURONS")
    return Path(chosen) if chosen else platformdirs.user_data_path("spike2pop_nb") / "neurons"


def own_files() -> list[Path]:
    """Declaration files in that folder, by name."""
    return sorted(own_neurons_folder().glob("*.py"))


def load_neuron(path: str | Path) -> NeuronModel:
    """Run a Python file and return the one `NeuronModel` that it defines, under whatever name.

    Raises
    ------
    NeuronModelError
        If the file is missing or over 1 MB, does not run (its line is named), or does not define exactly one
        neuron; shipped neurons that it imports do not count.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from spike2pop_nb.neurons import load_neuron
    >>> file = Path(mkdtemp()) / "warm.py"
    >>> _ = file.write_text('''
    ... from dataclasses import replace
    ... from spike2pop_nb.neurons import get_neuron
    ... warm = replace(get_neuron("stg"), name="warm_stg", V_th_mV=-52.0)
    ... ''')
    >>> load_neuron(file).name
    'warm_stg'
    """
    path = Path(path)
    if not path.is_file():
        raise NeuronModelError(f"{path.name}: there is no such file.")
    if path.stat().st_size > MAX_BYTES:
        raise NeuronModelError(f"{path.name} is over {MAX_BYTES // 2**20} MB, too long for a declaration.")
    try:
        values = runpy.run_path(str(path)).values()
    except SyntaxError as error:
        raise NeuronModelError(
            f"{path.name}, line {error.lineno}: it is not valid Python ({error.msg})."
        ) from None
    except NeuronModelError as error:
        raise NeuronModelError(f"{path.name}, {error}") from None
    except (Exception, SystemExit) as error:
        raise NeuronModelError(f"{path.name}{_line(path, error)}: {_words(error)}.") from None
    found = {id(value): value for value in values if isinstance(value, NeuronModel)}
    own = [neuron for neuron in found.values() if neuron not in shipped_neurons()]
    if len(own) != 1:
        names = f" ({', '.join(neuron.name for neuron in own)})" if own else ""
        raise NeuronModelError(
            f"{path.name} must define exactly one NeuronModel at its top level, not {len(own)}{names}."
        )
    return own[0]


def _line(path: Path, error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name == path.name]
    return f", line {frames[-1].lineno}" if frames else ""


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if missing := _MISSING.fullmatch(text):
        return f"{missing[1]} needs {missing[2]} as well"
    return f"it stops with {type(error).__name__}" + (f" ({text[:200]})" if text else "")
