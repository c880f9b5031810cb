"""Damages files of every binary format and parses them; also a script: ``python table_fuzz.py FAMILY N``.

Formats that are parsed in a process of their own are parsed in one here that is started again when a file
ends it, so that thousands can be tried.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from table_files import hdf5, mat, mat73, mclust, nex, nex5, npy, nse, nwb, phy, workbook, zipped

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers.formats import read_binary
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.readers.sandbox_worker import answer_to
from spike2pop_nb.spiketrains.table import Table

IN_PROCESS: Final = ("npy", "npz", "phy", "sorting", "nex5", "mclust", "pynapple")
SANDBOXED: Final = {
    "mat": ("matlab_table", "parse_mat", ".mat"),
    "mat73": ("hdf5_table", "parse_hdf5", ".mat"),
    "hdf5": ("hdf5_table", "parse_hdf5", ".h5"),
    "nwb": ("hdf5_table", "parse_hdf5", ".nwb"),
    "nex": ("neo_table", "parse_trains", ".nex"),
    "nse": ("neo_table", "parse_trains", ".nse"),
    "xlsx": ("workbook", "parse_workbook", ".xlsx"),
}
_SECONDS: Final = 2.0
_EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


def original(family: str) -> bytes | dict[str, Any]:
    """A sound file, or the members of an archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        if family == "npy":
            return npy(np.array([(7, 0.5), (8, 1.5)], dtype=[("id", "i4"), ("t", "f8")]))
        if family == "npz":
            return {"t.npy": npy([1.0, 20, 30]), "id.npy": npy(["a", "b", "a"]), "fs.npy": npy(3.0)}
        if family == "pynapple":
            arrays = {"type": ["TsGroup"], "t": [0.1, 0.2], "index": [5, 1], "keys": [1, 5], "start": [0.0]}
            return {f"{name}.npy": npy(array) for name, array in (arrays | {"end": [1.0]}).items()}
        if family == "phy":
            return phy()
        if family == "sorting":
            fields = [("sample_index", "i8"), ("unit_index", "i8"), ("segment_index", "i8")]
            info = {"sampling_frequency": 1e4, "unit_ids": [4, 9], "num_segments": 2}
            spikes = npy(np.array([(100, 1, 0), (200, 0, 1), (350, 1, 0)], dtype=fields))
            return {"spikes.npy": spikes, "numpysorting_info.json": json.dumps(info)}
        if family == "nex5":
            return nex5()
        if family == "mclust":
            return mclust([1, 20, 300])
        if family in {"mat", "mat73"}:
            cells = [np.array([1.0]), np.array([2.0, 3])]
            variables = {"t": np.array([1.0, 20]), "a": cells, "s": {"x": np.array([1.0, 2]), "n": "hi"}}
            return mat(variables) if family == "mat" else mat73(path, variables)
        if family == "hdf5":
            return hdf5(lambda file: file.create_group("g").create_dataset("t", data=[1.0, 2, 3]))
        if family == "nwb":
            return nwb(path, quality=["good", "mua", "x"])
        if family == "nex":
            return nex()
        if family == "nse":
            return nse()
        return _members(workbook([["id", "t"], ["a", 1.5], ["b", 2]]))


def _members(data: bytes) -> dict[str, Any]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def damaged(sound: bytes | dict[str, Any], rng: np.random.Generator) -> bytes:
    """The file with some bytes changed, numbers put to their limits, or its end gone."""
    if isinstance(sound, dict):
        members = {name: text.encode() if isinstance(text, str) else text for name, text in sound.items()}
        if rng.random() < 0.8:
            name = list(members)[rng.integers(len(members))]
            return zipped({**members, name: damaged(members[name], rng)})
        return damaged(zipped(members), rng)
    data = bytearray(sound)
    # Headers lie in the first hundreds of bytes, where a change does more.
    reach = len(data) if rng.random() < 0.5 else min(len(data), 700)
    for _ in range(int(rng.integers(1, 8))):
        at = int(rng.integers(reach))
        if rng.random() < 0.5:
            data[at] = int(rng.integers(256))
        else:
            width = int(rng.choice([1, 2, 4, 8]))
            edge = _EDGES[rng.integers(len(_EDGES))] & (256**width - 1)
            data[at : at + width] = edge.to_bytes(width, "little")
    if rng.random() < 0.2:
        del data[int(rng.integers(len(data))) :]
    return bytes(data)


_NAMES: Final = {"npy": "a.npy", "npz": "a.npz", "pynapple": "a.npz", "nex5": "a.nex5", "mclust": "a.t"}


def try_in_process(family: str, n: int, start: int = 0) -> Counter[str]:
    """Parse `n` damaged files; anything but a table or one sentence is raised."""
    sound = original(family)
    outcomes: Counter[str] = Counter()
    for seed in range(start, start + n):
        data = damaged(sound, np.random.default_rng(seed))
        name = _NAMES.get(family, "a.zip")
        before = perf_counter()
        try:
            found = read_binary(Source(name, data))
            assert found is None or isinstance(found, Table)
            outcomes["table" if found is not None else "text"] += 1
        except SpikeTrainError as error:
            _check(str(error), name, seed)
            outcomes["sentence"] += 1
        except Exception as error:
            raise AssertionError(f"{family}, seed {seed}: {error!r}") from error
        assert perf_counter() - before < 5, (family, seed)
    return outcomes


def _check(sentence: str, name: str, seed: int) -> None:
    assert sentence.startswith(f"{name}: "), (seed, sentence)
    assert "\n" not in sentence, (seed, sentence)


def try_sandboxed(family: str, n: int, start: int = 0) -> Counter[str]:
    """Parse `n` damaged files in a process that is started again when one of them ends it."""
    outcomes: Counter[str] = Counter()
    at = start
    while at < start + n:
        done = subprocess.run(
            [sys.executable, __file__, "--batch", family, str(at), str(start + n)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        lines = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith("=")]
        for _, outcome in lines:
            outcomes[outcome] += 1
        at += len(lines)
        if at < start + n:
            ended = -done.returncode
            assert ended > 0, done.stderr[-2000:]
            outcomes["time" if ended == getattr(signal, "SIGPROF", 27) else "crash"] += 1
            at += 1
    return outcomes


def _batch(family: str, start: int, stop: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000, 6_000_000_000))
    sound = original(family)
    module, function, suffix = SANDBOXED[family]
    request = {
        "module": f"spike2pop_nb.spiketrains.readers.{module}", "function": function,
        "libraries": [], "name": f"a{suffix}", "seconds": 0,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        for seed in range(start, stop):
            path.write_bytes(damaged(sound, np.random.default_rng(seed)))
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
            said, _ = answer_to({**request, "path": str(path)})
            signal.setitimer(signal.ITIMER_PROF, 0)
            json.dumps(said)
            outcome = "table" if "columns" in said else "sentence" if "error" in said else "failed"
            _check(said.get("error", f"a{suffix}: "), f"a{suffix}", seed)
            print(f"= {outcome}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--batch":
        with contextlib.suppress(BrokenPipeError):
            _batch(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        tried = try_sandboxed if sys.argv[1] in SANDBOXED else try_in_process
        print(sys.argv[1], dict(tried(sys.argv[1], int(sys.argv[2]))))
