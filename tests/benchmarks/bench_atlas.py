"""What atlases tell of members that none was learned from: their cards, and a table of all.

    python tests/benchmarks/bench_atlas.py --out FOLDER [--neurons stg,da] [--members 1000]

Writes the card of each neuron's atlas, and its scores as JSON, and prints a row for each. Errors are mean
absolute ones of the posterior median of g_s and g_u, with current and noise unknown or the current told,
beside those of always answering the median of all; and of neurons without either, beside those of the large
network if there is one. AUROCs are of the test for strange recordings.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from spike2pop_nb.inference.weight_files import list_atlases
from spike2pop_nb.training.atlas_card import atlas_card, atlas_scores


def pair(row: dict[str, Any], method: str = "median") -> str:
    """Errors of g_s and g_u."""
    return "{:.2f}, {:.2f}".format(*row["all"]["mae"][method])


def row(scores: dict[str, Any]) -> dict[str, Any]:
    """What one atlas tells."""
    driven, quiet = scores["driven"], scores["quiet"]
    return {
        "neuron": scores["neuron"],
        "fire": f"{scores['fire']:.0%}",
        "g_s, g_u": pair(driven["nothing"]),
        "current told": pair(driven["current"]),
        "always the median": pair(driven["nothing"], "constant"),
        **{kind: f"{found['auroc']:.2f}" for kind, found in scores["strange"]["kinds"].items()},
        "own flagged": f"{scores['strange']['false_alarms']['all']:.1%}",
        **{f"no drive: {what}": pair(found) for what, found in quiet.items()},
    }


def main() -> None:
    """Write the cards, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--neurons", default=",".join(list_atlases()))
    parser.add_argument("--members", type=int, default=1000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.neurons.split(","):
        scores = atlas_scores(name, members=options.members)
        (options.out / f"{name}.json").write_text(json.dumps(scores), encoding="utf-8")
        (options.out / f"{name}.md").write_text(atlas_card(scores), encoding="utf-8")
        rows.append(row(scores))
        print(rows[-1], flush=True)
    print(pd.DataFrame(rows).fillna("").to_markdown(index=False))


if __name__ == "__main__":
    main()
