"""Binary files are parsed in a process of their own.

The libraries that read them trust the sizes and offsets in a file: a hostile one can make them loop for ever,
crash or ask for all memory. So they run in a process with a limit on time and memory, which hands over a
`Table` of plain arrays.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.limits import MAX_LIBRARY_SECONDS
from spike2pop_nb.spiketrains.table import Column, Table

from .raw import Source
from .sandbox_worker import ANSWER, REQUEST

__all__ = ["Parser", "parsed", "require"]

_WORKER: Final = Path(__file__).with_name("sandbox_worker.py")
_START_SECONDS: Final = 120
_TIMED_OUT: Final = {-getattr(signal, name) for name in ("SIGPROF", "SIGXCPU") if hasattr(signal, name)} | {1}


@dataclass(frozen=True)
class Parser:
    """How a kind of file is parsed.

    Attributes
    ----------
    module, function : str
        Full names of what parses it: takes a `Source` whose path is set, returns a `Table`.
    what : str
        The file in words, for messages: "MAT file".
    libraries : tuple of str
        Modules to import before the clock runs.
    damaged : str
        What to say when the parser crashes or fails.
    seconds, seconds_per_mb : float
        What a small file may take, and how that rises with the size.
    """

    module: str
    function: str
    what: str
    libraries: tuple[str, ...]
    damaged: str
    seconds: float = 1.0
    seconds_per_mb: float = 2.0

    def allowed(self, n_bytes: int) -> float:
        """Seconds of work for a file of that size."""
        return min(self.seconds + self.seconds_per_mb * n_bytes / 1e6, MAX_LIBRARY_SECONDS)


def require(library: str, what: str, source: Source) -> None:
    """Refuse files when the library that reads them is not installed; nothing is imported."""
    try:
        found = find_spec(library) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise source.error(
            f"{what} are read with {library}, which is not installed; install it with: "
            'pip install "spike2pop-nb[io]"'
        )


def parsed(source: Source, parser: Parser, *, suffix: str = "", alone: bool = False) -> Table:
    """Parse a file in a process of its own.

    The parser finds it by the ending `suffix` where that decides, and `alone` in a folder where it must.
    Refused with what the parser said, or because it crashed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="spike2pop_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        path = _placed(source, folder, suffix, alone)
        seconds = parser.allowed(path.stat().st_size)
        request = {
            "module": parser.module,
            "function": parser.function,
            "libraries": parser.libraries,
            "name": source.name,
            "path": str(path),
            "seconds": seconds,
        }
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        code = _run(folder, seconds)
        if code in _TIMED_OUT:
            limit = f"{round(seconds, 1):g} s"
            raise source.error(
                f"reading this {parser.what} took over {limit}, so it is damaged or too large; "
                "export its spike times as CSV."
            )
        if code:
            raise source.error(parser.damaged)
        said, table = _answer(folder / ANSWER)
    if "error" in said:
        ways_out = [WayOut(words, tuple(settings)) for words, settings in said.get("ways_out", ())]
        raise SpikeTrainError(said["error"], *ways_out)
    if table is None:
        raise source.error(parser.damaged)
    return table


def _answer(path: Path) -> tuple[dict[str, Any], Table | None]:
    """What the process said, and its table; none when it failed or wrote nonsense."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            said = json.loads(arrays["said"].tobytes())
            return said, _unpacked(said, arrays) if "columns" in said else None
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}, None


def _placed(source: Source, folder: Path, suffix: str, alone: bool) -> Path:
    """Where the parser finds the file: as it lies on disk if it may, otherwise a copy."""
    if source.path is not None and not alone:
        return source.path.resolve()
    inside = folder / "recording"
    inside.mkdir()
    target = inside / f"recording{suffix}"
    if source.path is not None:
        shutil.copyfile(source.path, target)
    else:
        target.write_bytes(source.data)
    return target


def _run(folder: Path, seconds: float) -> int:
    """Exit code of the process; 1 when it had to be ended for its time."""
    paths = [str(Path(__file__).resolve().parents[3]), *(path for path in sys.path if path)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "HDF5_PLUGIN_PATH": str(folder / "none"),  # a file may name filters, but not bring code in
    }
    try:
        return subprocess.run(
            [sys.executable, "-P", str(_WORKER), str(folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_START_SECONDS + 6 * seconds,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ).returncode
    except subprocess.TimeoutExpired:
        return 1


def _unpacked(said: dict[str, Any], arrays: Any) -> Table:
    columns = []
    for k, (name, kind, unit, integers) in enumerate(said.pop("columns")):
        values = arrays[f"v{k}"]
        if kind == "lists":
            values = np.split(values, np.cumsum(arrays[f"n{k}"])[:-1]) if arrays[f"n{k}"].size else []
        columns.append(Column(name, values, unit, integers))
    return Table(columns=columns, **said)
