"""Changes numbers, separators, headers, shapes, entries and members of sound files, and reads them.

Each must end as recordings that obey their rules, or as one sentence. Bytes of binary formats are changed by
``tests/spiketrains/table_fuzz.py``.

    python tests/benchmarks/fuzz_readers.py [--n 5000] [--families text,json,npy,npz,phy]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spiketrains"))
from kinds_of_text import KINDS
from table_files import npy, phy, zipped

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains, read_voltage

_NUMBERS = """0 -1 nan inf 1e308 1e-320 999999999999 1,5 1.000,5 1,000.5 0x10 1e 1_0 12:30:45.5 1/2 1e400
12.5ms +5 1D3 . - None N/A ² 2024-01-01""".split()  # noqa: SIM905
_WORDS = """id unit channel electrode time time_s time_ms t samples spike_times trial sweep fs dt isi
cluster Event V_mV I_pA sampling_rate BEGIN CHANNEL INFORMATION sep=; (0.1_ms) furlongs ms s""".split()  # noqa: SIM905
_JUNK = "\0\ufeff\u202e\r\"'[](){}=#\\\t\u2028é;,"
_SHAPES = "() (0,) (-1,) (10**9,) (3,0) (1,1,1) (True,) (None,) [3] (2,3)".split()  # noqa: SIM905
_TYPES = "<f8 <f2 >i2 <u8 |b1 <U3 |S0 <U0 <c16 |O <M8[s] <i3".split()  # noqa: SIM905
_NAMES = "t.npy id.npy fs.npy spike_times.npy params.py ../x.npy a/b.npy x.zip ü.npy".split()  # noqa: SIM905
_FOUND = re.compile(r"[-+]?\d[\d.,]*(?:[eE][-+]?\d+)?")


def changed_text(data: bytes, draw: random.Random) -> bytes:
    """A text with one to four changes."""
    text = data.decode("utf-8", "replace")[:20_000]
    for _ in range(draw.randint(1, 4)):
        text = _changed_text(text, draw)
    return text[:200_000].encode(draw.choice(["utf-8"] * 9 + ["utf-16"]), "surrogatepass")


def _changed_text(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    k, at = draw.randrange(len(lines)), draw.randrange(len(text) + 1)
    what = draw.randrange(10)
    if what <= 2 and (found := list(_FOUND.finditer(text))):
        one = draw.choice(found)
        return text[: one.start()] + draw.choice(_NUMBERS) + text[one.end() :]
    if what == 3:
        return text.replace(draw.choice(",;\t .\n"), draw.choice([",", ";", "\t", " ", ".", "\r\n"]))
    if what == 4:
        return text[:at] + draw.choice(_JUNK) + text[at:]
    if what == 5:
        return draw.choice([",", ";", "\t"]).join(draw.choices(_WORDS, k=draw.randint(1, 5))) + "\n" + text
    if what == 6:
        lines[k : k + 1] = [lines[k]] * draw.choice([0, 2, 300])
    elif what == 7:
        mark = draw.choice(",;\t ")
        cells = lines[k].split(mark)
        cells[draw.randrange(len(cells))] = draw.choice([*_WORDS, *_NUMBERS, ""])
        lines[k] = mark.join(cells)
    elif what == 8:
        return f"# {draw.choice(_WORDS)} = {draw.choice(_NUMBERS)} {draw.choice(_WORDS)}\n{text}"
    else:
        return text[:at] if draw.random() < 0.5 else text[at:]
    return "\n".join(lines)


def changed_json(data: bytes, draw: random.Random) -> bytes:
    """JSON with one to four entries changed, or changed as a text."""
    if draw.random() < 0.3:
        return changed_text(data, draw)
    value = json.loads(data)
    for _ in range(draw.randint(1, 4)):
        value = _changed_entry(value, draw)
    return json.dumps(value).encode()


def _changed_entry(value: Any, draw: random.Random) -> Any:
    made: list[Any] = [None, True, -1, 10**25, float("nan"), [], {}, [1, 2.5], [[1], [2]]]
    new = draw.choice([*made, draw.choice(_WORDS), draw.choice(_NUMBERS)])
    if draw.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return new
    copy: Any = value.copy()
    key: Any = draw.choice(list(copy)) if isinstance(copy, dict) else draw.randrange(len(copy))
    what = draw.randrange(4)
    if what == 0:
        del copy[key]
    elif what == 1 and isinstance(copy, dict):
        copy[draw.choice(_WORDS)] = copy.pop(key)
    elif what == 2:
        copy[key] = new
    else:
        copy[key] = _changed_entry(copy[key], draw)
    return copy


def changed_npy(data: bytes, draw: random.Random) -> bytes:
    """An array with another shape or type in its header, or another array."""
    what = draw.randrange(3)
    if what == 0:
        times = np.cumsum([draw.uniform(0, 20) for _ in range(draw.choice([0, 1, 5, 40]))])
        made = [times, times[:, None], times.astype("i4"), times.astype(str), times > 5, times + 0j]
        return npy(draw.choice(made))
    end = data.index(b"\n")
    header, values = data[10:end].decode("latin-1"), data[end + 1 :]
    pattern, words = (r"\([^)]*\)", _SHAPES) if what == 1 else (r"(?<='descr': ').*?(?=')", _TYPES)
    header = re.sub(pattern, lambda _found: draw.choice(words), header, count=1).rstrip()
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return data[:8] + len(header).to_bytes(2, "little") + header.encode("latin-1") + values


def changed_members(members: dict[str, Any], draw: random.Random) -> bytes:
    """An archive of which a member is changed, renamed, gone or new."""
    found = {name: part.encode() if isinstance(part, str) else part for name, part in members.items()}
    name, what = draw.choice(list(found)), draw.randrange(5)
    if what <= 1:
        found[name] = (changed_npy if name.endswith(".npy") else changed_text)(found[name], draw)
    elif what == 2:
        found[draw.choice(_NAMES)] = found.pop(name)
    elif what == 3:
        del found[name]
    else:
        found[draw.choice(_NAMES)] = changed_npy(npy([1.0, 2.5]), draw)
    return zipped(found)


def _case(family: str, draw: random.Random) -> tuple[str, bytes]:
    if family == "text":
        case = draw.choice(KINDS)
        data = case.data if isinstance(case.data, bytes) else case.data.encode()
        return draw.choice([case.filename, "a\nb.csv", "x.txt"]), changed_text(data, draw)
    if family == "json":
        held: Any = [{"id": "a", "t_ms": [1.5, 20, 33]}, {"id": "b", "t_ms": [5, 60.5]}]
        units = {"fs": 3e4, "units": {"a": [1, 2, 9], "b": [4, 6]}}
        made = draw.choice([held, units, {"t": [1, 5.5], "id": [1, 2]}])
        return "a.json", changed_json(json.dumps(made).encode(), draw)
    if family == "npy":
        return "a.npy", changed_npy(npy([1.0, 20, 30, 44.5]), draw)
    if family == "npz":
        parts = {"t.npy": npy([1.0, 20, 30]), "id.npy": npy(["a", "b", "a"]), "fs.npy": npy(3e4)}
        return "a.npz", changed_members(parts, draw)
    return "a.zip", changed_members(phy(), draw)


def _options(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.8:
        return {}
    return {
        "id_columns": draw.choice([None, 0, 1, "id", "t", "none", ["id", "t"], [0, 1]]),
        "time_column": draw.choice([None, 0, 1, "t"]),
        "sampling_rate_hz": draw.choice([None, 20_000.0]),
        "layout": draw.choice(["auto", "list", "long", "columns", "rows", "single", "trials"]),
    }


def ended(family: str, seed: int) -> str:
    """How one changed file ends: "recordings" or "sentence"; anything else is raised."""
    name, data = _case(family, draw := random.Random(f"{family} {seed}"))
    read: Callable[..., Any] = read_spike_trains if seed % 4 else read_voltage
    begun = time.process_time()
    options = _options(draw) if seed % 4 else {"sampling_rate_hz": 2e4}
    try:
        found = list(read(data, filename=name, **options))
    except SpikeTrainError as error:
        if not str(error).isprintable():
            raise AssertionError(str(error)) from error
        return "sentence"
    assert time.process_time() - begun < 10
    assert len({one.id for one in found}) == len(found) > 0
    assert all(np.isfinite(one.times_ms).all() and (np.diff(one.times_ms) > 0).all() for one in found)
    return "recordings"


def main() -> None:
    """Print how the files of each family ended; a fault is raised with its family and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--families", default="text,json,npy,npz,phy")
    asked = parser.parse_args()
    for family in asked.families.split(","):
        outcomes: Counter[str] = Counter()
        for seed in range(asked.n):
            try:
                outcomes[ended(family, seed)] += 1
            except Exception as error:
                raise SystemExit(f"{family}, seed {seed}: {error!r}") from error
        print(family, dict(outcomes), flush=True)


if __name__ == "__main__":
    main()
