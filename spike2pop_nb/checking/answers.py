"""What the networks say of the example recordings, beside what they said where they were published.

``python -m spike2pop_nb.checking.answers`` keeps anew what is expected, once weights have changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from spike2pop_nb.checking.check import Found
from spike2pop_nb.data import example_path
from spike2pop_nb.data.make import DA, STG
from spike2pop_nb.inference import (
    find_atlas,
    list_atlases,
    own_atlases_folder,
    own_weights_folder,
    which_neuron,
)
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.published import published_files, sha256_of
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains

__all__ = ["check_atlases", "check_files", "check_networks", "check_which", "given"]

_KEPT = Path(__file__).with_name("answers.json")
_WITHIN = 0.02
_TRUE = {"stg": STG, "da": DA}
Answers = dict[str, list[list[float]]]


def _examples(neuron: str) -> list[SpikeTrain]:
    return list(read_spike_trains(example_path(f"{neuron}_set")))


def _published(folder: str) -> dict[str, Path]:
    return {path.stem: path for path in published_files() if path.parent.name == folder}


def _asked(path: Path, neuron: str, trains: list[SpikeTrain], part: str = "") -> list[list[float]]:
    """Return mean and standard deviation of both numbers for each recording."""
    found = Predictor(load_network(path, neuron=neuron, part=part)).predict(trains)
    return [[*map(float, (*p.mean, *p.std))] for p in found]


def _networks() -> Answers:
    files = {name: (name, path) for name, path in _published("weights").items()}
    files |= {f"{name}, adapted": (name, path) for name, path in _published("adapters").items()}
    return {words: _asked(path, name, _examples(name)) for words, (name, path) in files.items()}


def _atlases() -> Answers:
    answers: Answers = {}
    for name, path in _published("atlases").items():
        if name == "which" or name.endswith(".changes"):
            continue
        trains = _examples(name if name in _TRUE else "stg")
        answers[f"{name}, DICs"] = _asked(path, name, trains)
        answers[f"{name}, current and noise"] = _asked(path, name, trains, "drive")
    return answers


def _which() -> Answers:
    return {
        name: [[fit.shares[other] for other in sorted(fit.shares)] for fit in which_neuron(_examples(name))]
        for name in _TRUE
    }


def given() -> dict[str, Answers]:
    """Return all answers that this installation gives."""
    return {"networks": _networks(), "atlases": _atlases(), "which": _which()}


def _kept(kind: str) -> Answers:
    found: Answers = json.loads(_KEPT.read_text(encoding="utf-8"))[kind]
    return found


def _compared(ours: Answers, kept: Answers) -> Found:
    """Compare numbers, relative to those kept where these are over one."""
    worst, where, n = 0.0, "", 0
    for name, rows in kept.items():
        got, known = np.array(ours.get(name, [])), np.array(rows)
        off = np.inf
        if got.shape == known.shape:
            off = float(np.nan_to_num(np.abs(got - known) / np.maximum(1.0, np.abs(known)), nan=np.inf).max())
        n += known.size
        if off >= worst:
            worst, where = off, name
    return Found(f"{n} numbers within {_WITHIN:g}", f"{worst:.1e} at most ({where})", worst <= _WITHIN)


def check_networks() -> Found:
    """Ask the networks about the examples; the truth has to lie within what they answer."""
    ours = _networks()
    found = _compared(ours, _kept("networks"))
    hidden = [
        name
        for name, rows in ours.items()
        for row, (true, *_rest) in zip(rows, _TRUE[name[:3].strip(",")], strict=True)
        if np.any(np.abs(np.subtract(row[:2], true)) > 4.0 * np.array(row[2:]))
    ]
    own = sorted(path.stem for path in own_weights_folder().glob("*.safetensors"))
    said = "; the truth is missed" if hidden else "; the truth lies within"
    said += f"; networks of your own come before these: {', '.join(own)}" if own else ""
    return found._replace(got=found.got + said, ok=bool(found.ok) and not hidden)


def check_atlases() -> Found:
    """Ask the networks of the atlases about the examples."""
    return _compared(_atlases(), _kept("atlases"))


def check_which() -> Found:
    """Ask which neuron fired the examples."""
    asked = (find_atlas(name) for name in list_atlases())
    if own_atlases_folder() in {path.parent for path in asked if path is not None}:
        return Found("", "not asked, since atlases of your own are asked as well", None)
    return _compared(_which(), _kept("which"))


def check_files() -> Found:
    """Compare checksums of weights and atlases with those published."""
    files = published_files()
    wrong = [path.name for path, digest in files.items() if not path.is_file() or sha256_of(path) != digest]
    return Found(
        f"{len(files)} files with the SHA-256 published",
        f"{len(files) - len(wrong)} of them{'; not ' + ', '.join(wrong) if wrong else ''}",
        not wrong,
    )


def main() -> None:
    """Keep the answers of this installation."""
    rounded: Any = json.loads(json.dumps(given()), parse_float=lambda text: round(float(text), 6))
    _KEPT.write_text(json.dumps(rounded) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
