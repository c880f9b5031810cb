"""The process in which a binary file is parsed: a table comes out of it, or one sentence.

Run as ``python sandbox_worker.py FOLDER``, where FOLDER holds ``request.json``; the answer goes there too.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import sys
import types
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains.table import Table

__all__ = ["ANSWER", "REQUEST", "answer_to", "main"]

REQUEST: Final = "request.json"
ANSWER: Final = "answer.npz"
_MAX_MEMORY_BYTES: Final = 6_000_000_000
_HEAD_BYTES: Final = 4096
_WALL_PER_CPU: Final = 4  # other work on the machine may take the rest


def _bare_package() -> None:
    """Make the modules of ``spiketrains`` importable without its ``__init__``, which imports far more."""
    import spike2pop_nb

    name = f"{spike2pop_nb.__name__}.spiketrains"
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(Path(__file__).resolve().parents[1])]
        sys.modules[name] = package


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > _MAX_MEMORY_BYTES:
        with suppress(ValueError, OSError):  # macOS refuses less than a process has mapped at its start
            resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, hard))


def _limit_time(seconds: float) -> None:
    """End the process after that much work, from outside Python: C code that loops lets no Python run."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
    nowhere = open(os.devnull, "w")  # noqa: SIM115 - for the life of the process
    faulthandler.dump_traceback_later(seconds * _WALL_PER_CPU, exit=True, file=nowhere)


def answer_to(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse the file of a request, and give what was found as JSON can hold it and as arrays."""
    from spike2pop_nb.errors import SpikeTrainError

    raw: Any = importlib.import_module("spike2pop_nb.spiketrains.readers.raw")
    path = Path(request["path"])
    with path.open("rb") as stream:
        source = raw.Source(request["name"], stream.read(_HEAD_BYTES), path)
    try:
        for library in request["libraries"]:
            importlib.import_module(library)
        parse = getattr(importlib.import_module(request["module"]), request["function"])
    except ImportError as error:
        return {"error": str(source.error(f"a library that reads it cannot be imported ({error})."))}, {}
    if request["seconds"]:
        _limit_time(request["seconds"])
    try:
        return _packed(parse(source))
    except SpikeTrainError as error:
        ways = [[way.words, way.settings] for way in error.ways_out]
        return {"error": error.sentence, "ways_out": ways}, {}
    except MemoryError:
        return {"error": str(source.error("the file needs more memory than is available; split it."))}, {}
    except Exception as error:  # a damaged file shows in errors of every kind
        reason = " ".join(str(error).split())[:150].rstrip(".") or type(error).__name__
        return {"failed": reason}, {}


def _packed(table: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    import numpy as np

    said: dict[str, Any] = {
        name: getattr(table, name)
        for name in ("format", "facts", "comments", "named", "reason", "repairs", "skipped", "cautions")
    }
    said["roles"], said["labels"] = dict(table.roles), dict(table.labels)
    said["columns"] = []
    arrays: dict[str, Any] = {}
    for k, column in enumerate(table.columns):
        said["columns"].append([column.name, column.kind, column.unit, bool(column.integers)])
        if isinstance(column.values, list):
            arrays[f"n{k}"] = np.array([row.size for row in column.values], dtype=np.int64)
            arrays[f"v{k}"] = np.concatenate([np.empty(0), *column.values])
        else:
            arrays[f"v{k}"] = column.values
    return said, arrays


def main(folder: str) -> None:
    """Answer the request in `folder`."""
    request = json.loads(Path(folder, REQUEST).read_text(encoding="utf-8"))
    _limit_memory()
    _bare_package()
    warnings.simplefilter("ignore")
    import numpy as np

    said, arrays = answer_to(request)
    text = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
    np.savez(Path(folder, ANSWER), said=text, **arrays)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BaseException:
        os._exit(3)  # 1 says that the time was up
