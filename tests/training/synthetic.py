"""A toy neuron for tests of the training code: intervals follow from (g_s, g_u) in closed form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spike2pop_nb.training.dataset import Recipe

DIC_RANGE = {"g_s": (-20.0, 20.0), "g_u": (0.0, 20.0)}


def toy_train(g_s: float, g_u: float, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Bursts below g_s = 0, regular spikes above; g_u sets the slow rhythm; a corner is silent."""
    if g_s > 15 and g_u > 15:
        return np.array([0.0, 90.0])
    if g_s < 0:
        isi = np.concatenate([np.full(int(3 - g_s / 4), 6.0 - g_s / 10), [120 + 10 * g_u]])
        isi = np.tile(isi, 6)
    else:
        isi = np.full(18, 20.0 + 3 * g_s + g_u)
    isi = isi * np.exp(rng.normal(0, 0.002 + 0.02 * sigma, isi.size))
    return np.concatenate([[0.0], np.cumsum(isi)])


def write_shards(folder: Path, n_groups: int = 120, members: int = 4, shards: int = 2, seed: int = 0) -> Path:
    """Write ``shards`` Parquet files of the training layout into ``folder``."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for group in range(n_groups):
        g_s, g_u = rng.uniform(-20, 20), rng.uniform(0, 20)
        for _ in range(members):
            sigma = float(rng.choice([0.0, 3.0]))
            times = toy_train(g_s, g_u, sigma, rng)
            isi = np.diff(times)
            pattern = 0 if times.size < 3 else (2 if g_s < 0 else 1)
            short = isi[isi < isi.mean()] if pattern == 2 else np.array([np.nan])
            row = {
                "id": len(rows),
                "monte_carlo": group % 2 == 1,
                "group": group,
                "g_s": g_s,
                "g_u": g_u,
                "sigma": sigma,
                "pattern": pattern,
            }
            row["rate_hz"] = 1000 / isi.mean()
            row["intra_burst_hz"] = 1000 / short.mean()
            row["inter_burst_hz"] = 1000 / isi.max() if pattern == 2 else np.nan
            row["burst_duration_ms"] = short.sum() / 6
            row["spikes_per_burst"] = short.size / 6 + 1 if pattern == 2 else np.nan
            rows.append(row | {"spike_times_ms": times.astype(np.float32)})
    kinds = {
        "id": pa.int64(),
        "monte_carlo": pa.bool_(),
        "group": pa.int64(),
        "pattern": pa.int8(),
        "spike_times_ms": pa.list_(pa.float32()),
    }
    for s in range(shards):
        part = rows[s::shards]
        columns = {k: pa.array([r[k] for r in part], type=kinds.get(k, pa.float32())) for k in rows[0]}
        pq.write_table(pa.table(columns), folder / f"shard-{s:04d}.parquet")
    recipe = Recipe(neuron="toy", n_trains=len(rows), members_per_target=members, seed=seed)
    (folder / "recipe.json").write_text(json.dumps({"recipe": recipe.model_dump()}))
    return folder
