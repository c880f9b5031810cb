"""Files of acquisition systems, read by neo in a process of its own.

neo trusts the sizes and offsets in a file: a hostile one can make it loop for ever or ask for all memory. So
it runs in a process with a limit on time and memory, which hands over plain arrays. Only the readers listed
here are used. Each was looked through: none unpickles, evaluates text of the file, opens files that the file
names or calls a vendor's library, as others of neo do (PickleIO, ElphyIO, NeuroshareIO, Plexon2IO).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_LIBRARY_SECONDS

from .optional import optional
from .raw import Source

__all__ = ["NEO_SUFFIXES", "NeoContent", "read_neo"]


@dataclass(frozen=True)
class _Reader:
    """A class of neo.io; `alone` when it reads a whole folder and so must find the file alone in one."""

    name: str
    format: str
    alone: bool = False


_READERS: Final[dict[str, _Reader]] = {
    ".abf": _Reader("AxonIO", "Axon ABF"),
    ".axgd": _Reader("AxographIO", "AxoGraph"),
    ".axgx": _Reader("AxographIO", "AxoGraph"),
    ".edr": _Reader("WinEdrIO", "WinEDR"),
    ".f32": _Reader("BrainwareF32IO", "BrainWare F32"),
    ".mpx": _Reader("AlphaOmegaIO", "AlphaOmega", alone=True),
    ".nev": _Reader("BlackrockIO", "Blackrock NEV", alone=True),
    ".nex": _Reader("NeuroExplorerIO", "NeuroExplorer"),
    ".nix": _Reader("NixIO", "NIX"),
    ".nse": _Reader("NeuralynxIO", "Neuralynx", alone=True),
    ".ntt": _Reader("NeuralynxIO", "Neuralynx", alone=True),
    ".plx": _Reader("PlexonIO", "Plexon PLX"),
    ".smr": _Reader("Spike2IO", "Spike2 SMR"),
    ".src": _Reader("BrainwareSrcIO", "BrainWare SRC"),
    ".wcp": _Reader("WinWcpIO", "WinWCP"),
}

NEO_SUFFIXES: Final = frozenset(_READERS)
"""Endings of the files that neo reads for us."""


@dataclass(frozen=True)
class NeoContent:
    """What neo found: one entry per train or trace, with its array, and how many of what were left out."""

    format: str
    entries: list[dict[str, Any]]
    arrays: list[NDArray[np.float64]]
    skipped: list[str]


def read_neo(source: Source, wanted: str) -> NeoContent:
    """What neo finds in a file.

    Parameters
    ----------
    source : Source
        The file; its suffix decides on the reader.
    wanted : {"trains", "signals"}
        Spike trains with times in s, or signals of voltage in mV.

    Raises
    ------
    SpikeTrainError
        When neo is missing or cannot read the file.
    """
    reader = _READERS[source.suffix]
    optional("neo", f"{reader.format} files", source)
    if reader.name == "NixIO":
        optional("nixio", "NIX files", source)
    with _private_folder(source, reader) as (folder, target):
        answer = folder / "answer.npz"
        _run([reader.name, str(target), wanted, str(answer)], reader, source)
        with np.load(answer, allow_pickle=False) as arrays:
            said = json.loads(arrays["said"].tobytes())
            if "error" in said:
                raise source.error(said["error"])
            found = [arrays[f"a{k}"] for k in range(len(said["entries"]))]
    return NeoContent(reader.format, said["entries"], found, said["skipped"])


@contextmanager
def _private_folder(source: Source, reader: _Reader) -> Iterator[tuple[Path, Path]]:
    """A folder that is always removed, and the file or folder that neo is to read."""
    with tempfile.TemporaryDirectory(prefix="spike2pop_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if source.path is not None and not reader.alone:
            yield folder, source.path.resolve()
            return
        inside = folder / "recording"
        inside.mkdir()
        target = inside / f"recording{source.suffix}"
        if source.path is not None:
            shutil.copyfile(source.path, target)
        else:
            target.write_bytes(source.data)
        takes_folder = reader.name in {"AlphaOmegaIO", "NeuralynxIO"}
        yield folder, inside if takes_folder else target


def _run(arguments: list[str], reader: _Reader, source: Source) -> None:
    paths = [str(Path(__file__).resolve().parents[3]), *(path for path in sys.path if path)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "spike2pop_nb.spiketrains.readers.neo_worker", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=MAX_LIBRARY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise source.error(
            f"neo took over {MAX_LIBRARY_SECONDS} s for it, so it is damaged or too large; "
            "export its spike times as CSV."
        ) from None
    if done.returncode:
        raise source.error(
            f"neo failed on it, so it is damaged, too large, or no {reader.format} file; "
            "export its spike times as CSV."
        )
