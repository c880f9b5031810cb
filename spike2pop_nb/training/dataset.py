"""Make training data: sample DICs, generate members, simulate them, label them, write Parquet shards.

A shard is the unit of work. It depends on the recipe and its own number alone, so that the same rows come out
for any number of workers, and a run that was killed goes on with the shards that are missing.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from spike2pop_nb import __version__
from spike2pop_nb.conductances import baseline_population, dics, modulate
from spike2pop_nb.errors import Cancelled, SimulationError, Spike2PopError, TrainingError
from spike2pop_nb.files import check_name, make_folder, write_whole
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.simulator import tiles_on
from spike2pop_nb.spiketrains import features
from spike2pop_nb.training.recipe import RECIPE_FILE, Recipe, read_recipe
from spike2pop_nb.workers import Lost, worked

__all__ = ["FEATURE_COLUMNS", "Recipe", "make_dataset", "make_shard", "read_recipe", "shard_path"]

FloatArray = npt.NDArray[np.float64]
FEATURE_COLUMNS = ("rate_hz", "intra_burst_hz", "inter_burst_hz", "burst_duration_ms", "spikes_per_burst")
_SCRATCH = ".dask"  # what an earlier version left that was killed while it worked
_TARGETS = 1000  # drawn for a group before giving up
_ATTEMPTS = 8  # at finding a member without negative conductances before a new target is drawn


def shard_path(out: str | Path, shard: int) -> Path:
    """Return where a shard is written."""
    return Path(out) / f"part-{shard:05d}.parquet"


def count_rows(path: Path) -> int:
    """Return the rows of a shard: fewer than asked if simulations failed."""
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(path).num_rows)


def sample_members(recipe: Recipe, shard: int) -> tuple[pd.DataFrame, np.random.Generator]:
    """Draw the targets and members of a shard; return them with the generator for what follows."""
    neuron = recipe.model
    rng = np.random.default_rng(np.random.SeedSequence(recipe.seed, spawn_key=(shard,)))
    per = recipe.members_per_target
    n_groups = math.ceil(recipe.rows(shard) / per)
    n_drawn = round(recipe.monte_carlo_share * n_groups)
    made, targets = _compensated(neuron, n_groups - n_drawn, per, rng)
    drawn, found = _monte_carlo(neuron, n_drawn * per, rng)
    g = np.concatenate([made.reshape(-1, neuron.n_channels), drawn])
    n = recipe.rows(shard)
    first = shard * math.ceil(recipe.shard_size / per)
    table = pd.DataFrame(
        {
            "id": shard * recipe.shard_size + np.arange(n, dtype=np.int64),
            "group": np.repeat(first + np.arange(n_groups, dtype=np.int64), per)[:n],
            "member": np.tile(np.arange(per, dtype=np.int32), n_groups)[:n],
            "monte_carlo": np.repeat(np.arange(n_groups) >= n_groups - n_drawn, per)[:n],
        }
    )
    table[["g_s", "g_u"]] = np.concatenate([np.repeat(targets, per, axis=0), found])[:n].astype(np.float32)
    table[list(neuron.g_columns)] = g[:n]
    noisy = rng.random(n) < recipe.noisy_share
    sigma = rng.uniform(recipe.sigma_min, max(recipe.sigma_min, recipe.sigma_max), n)
    table["sigma"] = np.where(noisy, sigma, 0.0).astype(np.float32)
    return table, rng


def _compensated(
    neuron: NeuronModel, n_groups: int, per: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw targets (n_groups, 2), and for each ``per`` members (n_groups, per, n_channels) that have them."""
    g = np.zeros((n_groups, per, neuron.n_channels))
    targets = np.zeros((n_groups, 2))
    open_groups = np.arange(n_groups)
    # Targets that some member cannot reach are drawn anew, all members with them: what remains is uniform
    # over the part of the plane that the recommended conductances reach.
    for _attempt in range(_TARGETS):
        n = len(open_groups)
        if not n:
            break
        wanted = np.stack([rng.uniform(*neuron.dic_range[name], n) for name in ("g_s", "g_u")], axis=1)
        found = np.zeros((n, per), dtype=bool)
        members = np.zeros((n, per, neuron.n_channels))
        for _ in range(_ATTEMPTS):
            group, member = np.nonzero(~found)
            if not len(group):
                break
            base, _drawn = baseline_population(neuron, len(group), rng)
            solved, _converged, valid = modulate(neuron, base, wanted[group, 0], wanted[group, 1])
            members[group[valid], member[valid]] = solved[valid]
            found[group[valid], member[valid]] = True
        whole = found.all(axis=1)
        g[open_groups[whole]], targets[open_groups[whole]] = members[whole], wanted[whole]
        open_groups = open_groups[~whole]
    if len(open_groups):
        raise TrainingError(
            f"The recommended conductances of the {neuron.name} neuron reach almost no target in its range "
            "of DICs; declare others, or another range."
        )
    return g, targets


def _monte_carlo(neuron: NeuronModel, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw members (n, n_channels) over the neuron's ranges of conductances; return their DICs (n, 2) too."""
    low, high = np.array([neuron.conductance_range[name] for name in neuron.channel_names], dtype=float).T
    least, most = np.array([neuron.dic_range[name] for name in ("g_s", "g_u")]).T
    g, found, n_found = [np.zeros((0, neuron.n_channels))], [np.zeros((0, 2))], 0
    for _attempt in range(_TARGETS):
        if n_found >= n:
            break
        drawn = rng.uniform(low, high, (4 * n, neuron.n_channels))
        values = dics(neuron, drawn)[:, 1:]
        inside = np.all((values >= least) & (values <= most), axis=1)
        g.append(drawn[inside])
        found.append(values[inside])
        n_found += int(inside.sum())
    if n_found < n:
        raise TrainingError(
            f"Conductances drawn over the ranges of the {neuron.name} neuron almost never have DICs in its "
            "range of DICs; declare other ranges."
        )
    return np.concatenate(g)[:n], np.concatenate(found)[:n]


def make_shard(recipe: Recipe, shard: int, out: str | Path, workers: int = 1) -> int:
    """Make one shard unless it is there already; return its number of rows.

    The file appears under its name only when it is whole.
    """
    path = shard_path(out, shard)
    if path.exists():
        return count_rows(path)
    neuron = recipe.model
    table, rng = sample_members(recipe, shard)
    start, stop = recipe.window_ms(shard)
    simulated = simulate(
        table[list(neuron.g_columns)].to_numpy(),
        neuron,
        transient_ms=start,
        duration_ms=stop,
        accuracy=recipe.accuracy,
        record="spikes",
        noise_sigma=table["sigma"].to_numpy(float),
        seed=rng,
        workers=workers,
        device=recipe.device,
    )
    described = [features(times) for times in simulated.spike_times_ms]
    table["pattern"] = np.array([d.pattern.code for d in described], dtype=np.int8)
    for name in FEATURE_COLUMNS:
        table[name] = np.array([getattr(d, name) for d in described], dtype=np.float32)
    # In full precision: a settled neuron's intervals differ by less than what float32 keeps of late times.
    trains = [times - times[0] if len(times) else times for times in simulated.spike_times_ms]
    table["spike_times_ms"] = pd.Series(trains, index=table.index, dtype=object)
    table[list(neuron.g_columns)] = table[list(neuron.g_columns)].astype(np.float32)
    if simulated.failed.any():
        table = table[~simulated.failed]
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        try:
            table.to_parquet(partial, index=False)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)
        raise TrainingError(
            f"{path} cannot be written: {words}; the same command goes on once it can."
        ) from None
    return len(table)


def _open(recipe: Recipe, out: Path, here: bool) -> None:
    """Start a data set, or check that the one that is there has the same recipe; made here, on its device."""
    file = out / RECIPE_FILE
    wanted, declaration = recipe.model_dump(), recipe.model.declaration
    if file.exists():
        there = read_recipe(out).model_dump()
        if there != wanted:
            differs = sorted(key for key in wanted if there.get(key) != wanted[key])
            raise TrainingError(
                f"{out} holds a data set made with another {', '.join(differs)}; "
                "give the same options to go on with it, or choose another folder."
            )
        if json.loads(file.read_text(encoding="utf-8")).get("declaration", declaration) != declaration:
            raise TrainingError(
                f"{out} holds a data set made with another declaration of the neuron {recipe.model.name!r}; "
                "choose another folder."
            )
    if here:
        tiles_on(recipe.device)  # refused before anything is written, and not by each process
    if file.exists():
        return
    told = {"recipe": wanted, "declaration": declaration, "spike2pop_nb": __version__}
    try:
        check_name(out)
        write_whole(make_folder(out) / file.name, json.dumps(told, indent=2).encode())
    except Spike2PopError as error:
        raise TrainingError(str(error)) from None


def make_dataset(
    recipe: Recipe | dict[str, Any],
    out: str | Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> int:
    """Make a data set, or go on with one.

    Parameters
    ----------
    recipe
        What to make.
    out
        Folder for the shards and ``recipe.json``. With a cluster, one that every worker sees.
    scheduler
        Address of a Dask scheduler, whose workers are used instead of this machine.
    workers
        Processes on this machine; by default one a core, or one alone that uses a GPU. Rows do not depend on
        it.
    progress
        Called with (rows done, rows in all).
    cancel
        Polled between shards; whole shards are kept.

    Returns
    -------
    int
        Rows in the data set.

    Raises
    ------
    TrainingError
        If the recipe is impossible, the folder holds another data set, the scheduler does not answer, or
        Dask is not installed for it.
    NeuronModelError
        If there is no such neuron, or it cannot be sent to the workers.
    SimulationError
        If the recipe names a device that is not there.
    """
    try:
        recipe = recipe if isinstance(recipe, Recipe) else Recipe(**recipe)
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"Recipe, {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    start, stop = recipe.model.recording_window_ms
    if recipe.duration_s is None and recipe.longest_s is not None and 1000 * recipe.longest_s < stop - start:
        raise TrainingError(
            f"Recipe, longest_s: {recipe.longest_s:g} s is under the neuron's own window of "
            f"{1e-3 * (stop - start):g} s; give duration_s as well, the shortest."
        )
    # not a name, of which a worker may know another declaration
    recipe = recipe.model_copy(update={"neuron": recipe.model})
    pickle.dumps(recipe)
    out = Path(out).absolute()
    _open(recipe, out, here=scheduler is None)
    for half in out.glob("part-*.partial"):
        half.unlink(missing_ok=True)
    shutil.rmtree(out / _SCRATCH, ignore_errors=True)
    rows = sum(count_rows(shard_path(out, i)) for i in range(recipe.n_shards) if shard_path(out, i).exists())
    todo = [i for i in range(recipe.n_shards) if not shard_path(out, i).exists()]
    if progress is not None:
        progress(rows, recipe.n_trains)
    most = 1 if recipe.device == "cuda" else os.cpu_count() or 1
    make = partial(make_shard, recipe, out=str(out))
    n_workers = min(workers or most, len(todo))
    try:
        for done in worked(make, todo, workers=n_workers, scheduler=scheduler):
            for shard, made in done:
                if isinstance(made, Lost):
                    raise TrainingError(f"Shard {shard} could not be made: {made.why}.")
                rows += made
            if progress is not None:
                progress(rows, recipe.n_trains)
            if cancel is not None and cancel():
                raise Cancelled(f"Stopped; {rows} rows in whole shards are kept in {out}.")
    except (Cancelled, SimulationError, TrainingError):
        raise
    except Spike2PopError as error:  # there is no such cluster
        raise TrainingError(str(error)) from None
    return rows
