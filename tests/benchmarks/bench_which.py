"""How well could the neuron of a train be told at all? An estimate from nearest neighbours in the atlases.

    python tests/benchmarks/bench_which.py

Where members of several neurons fire alike, nobody can tell whose a train is. With very many trains, the
neighbour nearest to one is of another neuron with a probability E, and no rule errs more rarely than
(M − 1)/M · (1 − √(1 − M/(M − 1) · E)) of M neurons (Cover and Hart 1967, doi:10.1109/TIT.1967.1053964). With
as many as there are, E is too large; by how much is seen from how it falls with their number.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm, rankdata

import spike2pop_nb as s2p
from spike2pop_nb.inference import list_atlases

_ASKED, _SHARES = 3000, (0.125, 0.25, 0.5, 1.0)


def fewest_errors(error: float, n_neurons: int) -> float:
    """Return the least share of errors of any rule, by that of the nearest neighbour."""
    share = n_neurons / (n_neurons - 1)
    return (1.0 - math.sqrt(max(0.0, 1.0 - share * error))) / share


def main() -> None:
    """Print a row for each number of trains to choose the neighbour from."""
    atlases = [s2p.inference.load_atlas(name) for name in list_atlases()]
    kinds = {
        "members for 15 s": [atlas.members.statistics for atlas in atlases],
        "as they would be recorded": [atlas.seen.recorded for atlas in atlases],
    }
    rng, rows = np.random.default_rng(0), []
    for kind, tables in kinds.items():
        whose = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        statistics = np.concatenate(tables)
        scores = np.column_stack([norm.ppf((rankdata(one) - 0.5) / len(one)) for one in statistics.T])
        places = torch.tensor(scores, dtype=torch.float32)
        asked = rng.permutation(len(places))[:_ASKED]
        far = torch.cdist(places[asked], places)
        far[torch.arange(len(asked)), asked] = math.inf
        for share in _SHARES:
            known = np.flatnonzero(rng.random(len(places)) < share)
            nearest = known[far[:, known].argmin(dim=1).numpy()]
            error = float((whose[nearest] != whose[asked]).mean())
            row = {"trains": kind, "to choose from": len(known), "nearest is of another": error}
            rows.append(row | {"right at most": 1.0 - fewest_errors(error, len(tables))})
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
