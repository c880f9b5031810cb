"""Held-out simulated cells: do predicted bands hold, and does the first-ranked experiment narrow the most?

    python tests/benchmarks/bench_next.py cells FOLDER --n 200    # simulate: a file for each cell
    python tests/benchmarks/bench_next.py learn FOLDER            # how wide bands must be, as constants
    python tests/benchmarks/bench_next.py judge FOLDER            # print tables
    python tests/benchmarks/bench_next.py seconds                 # how long a ranking takes
    python tests/benchmarks/bench_next.py known                   # estimators where the answer is known

A cell is a member at DICs drawn evenly from the neuron's plane, which the search never sees: from its own
recording a population is found, and cell and population go through every feasible experiment.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logsumexp

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Target, feasible_experiments, next_experiments, run_experiment
from spike2pop_nb.experiments.information import (
    RecordingNoise,
    Shown,
    about_target,
    ranked_bits,
    recording_noise,
    shown_under,
)
from spike2pop_nb.experiments.narrowing import FAR, reweighted
from spike2pop_nb.experiments.observed import FAILED, MEASURES, Answers, observe
from spike2pop_nb.experiments.prediction import LEVELS, spread_of
from spike2pop_nb.fidelity import find_population
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain

FloatArray = npt.NDArray[np.float64]
ASSUMED = {"rate_q10": 2.0, "conductance_q10": 1.3, "declared_C": 11.0}
RECORDED_MS = 10_000.0
REPEATED, FOLDS = 12, 10
KERNEL = 0.6  # SDs of the population about each member, to say how dense it is at the cell
PRECISION = 0.05  # of ln g: a volume is of no interest where conductances are known to 5 %


def drawn_cell(neuron: NeuronModel, rng: np.random.Generator) -> tuple[FloatArray, SpikeTrain]:
    """Draw a cell that fires, and its recording."""
    transient = neuron.recording_window_ms[0]
    while True:
        target = tuple(float(rng.uniform(*neuron.dic_range[name])) for name in ("g_s", "g_u"))
        try:
            g = generate_population(neuron, target, size=1, seed=int(rng.integers(2**31))).g
        except Spike2PopError:
            continue
        made = simulate(
            g, neuron, duration_ms=transient + RECORDED_MS, transient_ms=transient, record="spikes"
        )
        train = SpikeTrain("cell", made.spike_times_ms[0] - transient, (0.0, RECORDED_MS))
        if train.n_spikes >= 10:
            return g[0], train


def simulate_cell(neuron: NeuronModel, seed: int, size: int) -> dict[str, Any] | None:
    """Find the population of a cell, and do everything to both; None where there is no population."""
    g, train = drawn_cell(neuron, np.random.default_rng([seed, 19]))
    begin = time.perf_counter()
    found = find_population(train, neuron, size=size, seed=seed)
    if found.population is None or found.n_kept_passed < size // 2:
        return None
    members = found.population.select(np.flatnonzero(found.verdict.passed))
    found_s = time.perf_counter() - begin
    both = Population.from_g(
        neuron,
        np.vstack([members.g, g]),
        current=np.append(members.current, 0.0),
        noise_sigma=np.append(members.noise_sigma, 0.0),
    )
    protocols = {one.name: one.protocol for one in feasible_experiments(neuron, **ASSUMED)}
    begin = time.perf_counter()
    shown = observe(run_experiment(both, protocols, record="spikes", seed=seed))
    simulated_s = time.perf_counter() - begin
    rows = np.unique(np.append(np.linspace(0, len(members) - 1, REPEATED).astype(int), len(members)))
    again = observe(
        run_experiment(
            both.select(rows),
            protocols,
            record="spikes",
            seed=seed + 1,
            transient_ms=neuron.recording_window_ms[1],
        )
    )
    return {
        "g": members.g,
        "cell": g,
        "kinds": shown.kinds,
        "values": shown.values,
        "rows": rows,
        "kinds_again": again.kinds,
        "values_again": again.values,
        "conditions": np.array(["control", *protocols]),
        "seconds": np.array([found_s, simulated_s]),
    }


def cells(folder: Path, neuron: str, n: int, size: int, first: int) -> None:
    """Simulate cells, one file each; those that are there are left."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + n):
        path = folder / f"{neuron}_{seed:04d}.npz"
        if path.exists():
            continue
        made = simulate_cell(get_neuron(neuron), seed, size)
        if made is None:
            print(f"cell {seed}: no population", flush=True)
            continue
        np.savez_compressed(path, **made)
        print(f"cell {seed}: {len(made['g'])} members, {made['seconds'].round(1).tolist()} s", flush=True)


@dataclass(frozen=True)
class Cell:
    """A cell with its population, and what both showed."""

    g: FloatArray
    own: FloatArray
    members: Answers
    noise: RecordingNoise
    kinds: npt.NDArray[np.int64]  # of a recording of the cell, by condition
    values: FloatArray
    conditions: list[str]

    @classmethod
    def read(cls, path: Path) -> Cell:
        """Read what `simulate_cell` made."""
        made = np.load(path)
        rows, n = made["rows"], len(made["g"])
        members = Answers(made["kinds"][:n], made["values"][:n])
        twice = Answers(members.kinds[rows[:-1]], members.values[rows[:-1]])
        again = Answers(made["kinds_again"][:-1], made["values_again"][:-1])
        return cls(
            made["g"],
            made["cell"],
            members,
            recording_noise(twice, again),
            made["kinds_again"][-1],
            made["values_again"][-1],
            made["conditions"].tolist(),
        )


def scores(cell: Cell) -> list[tuple[str, int, float]]:
    """Return condition, measure, and how far out the cell lies, 1 at the ends of the middle 80 %."""
    found = []
    n = len(cell.g)
    for at, name in enumerate(cell.conditions[1:], 1):
        kinds, values = cell.members.at(at)
        for measure in range(len(MEASURES)):
            has = (kinds != FAILED) & np.isfinite(values[:, measure])
            y = cell.values[at, measure]
            if cell.kinds[at] == FAILED or not np.isfinite(y) or has.sum() < 4:
                continue
            low, middle, high = spread_of(values[has, measure], np.full(has.sum(), 1.0 / n), measure)
            off = (y - middle) / (high - middle) if y > middle else (middle - y) / (middle - low)
            found.append((name, measure, float(off)))
    return found


def factors(found: list[list[tuple[str, int, float]]]) -> FloatArray:
    """Return the factor of each measure, (q, levels), that holds cells as often as a level says."""
    learnt = np.ones((len(MEASURES), len(LEVELS)))
    for measure in range(len(MEASURES)):
        off, weight = [], []
        for cell in found:
            own = [score for _, which, score in cell if which == measure]
            off += own
            weight += [1.0 / len(own)] * len(own)
        if off:
            learnt[measure] = np.quantile(off, LEVELS, weights=weight, method="inverted_cdf")
    return learnt


def learn(folder: Path) -> None:
    """Print the constants of `spike2pop_nb.experiments.prediction`."""
    found = [scores(Cell.read(path)) for path in sorted(folder.glob("*.npz"))]
    for name, row in zip(MEASURES, factors(found), strict=True):
        print(f'    "{name}": ({", ".join(f"{value:.2f}" for value in row)}),')


def judge_bands(found: list[list[tuple[str, int, float]]]) -> None:
    """Print how often bands hold cells: raw, and widened as nine in ten of the cells say of the others."""
    at = LEVELS.index(0.8)
    rows = []
    for fold in range(FOLDS):
        factor = factors([cell for k, cell in enumerate(found) if k % FOLDS != fold])
        for cell in found[fold::FOLDS]:
            n = np.bincount([measure for _, measure, _ in cell], minlength=len(MEASURES))
            rows += [
                (name.split(" ")[0], measure, off <= 1.0, off <= factor[measure, at], 1.0 / n[measure])
                for name, measure, off in cell
            ]
    table = pd.DataFrame(rows, columns=["kind", "measure", "raw", "widened", "weight"])
    print(
        f"\n| 80 % bands, {len(found)} cells, {len(table)} answers | raw | widened (learnt on others) |"
        "\n|---|---|---|"
    )
    names = list(MEASURES)
    groups = [("all", table)]
    counts = table["measure"] == names.index("spikes_per_burst")  # whole numbers: a band holds them or not
    groups += [("all but spikes per burst", table[~counts])]
    groups += [(names[k], part) for k, part in table.groupby("measure")]
    groups += [(str(k), part) for k, part in table.groupby("kind")]
    for name, part in groups:
        held = [np.average(part[column], weights=part["weight"]) for column in ("raw", "widened")]
        print(f"| {name} | {100 * held[0]:.1f} % | {100 * held[1]:.1f} % |")


def judge_patterns(read: list[Cell]) -> None:
    """Print how often cells fire in the likeliest pattern, against how likely it is said to be."""
    said, right = [], []
    for cell in read:
        for at in range(1, len(cell.conditions)):
            kinds = cell.members.kinds[:, at]
            counts = np.bincount(kinds[kinds != FAILED], minlength=3) + 0.5
            said.append(counts.max() / counts.sum())
            right.append(cell.kinds[at] == counts.argmax())
    said_of, was = np.array(said), np.array(right)
    print("\n| the likeliest pattern is said to have | it came in | answers |\n|---|---|---|")
    for low, high in ((0.0, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.0)):
        these = (said_of >= low) & (said_of < high)
        if these.any():
            print(f"| {said_of[these].mean():.0%} | {was[these].mean():.1%} | {these.sum()} |")


def rounds(cell: Cell, choose: Callable[[FloatArray, list[int]], int]) -> list[FloatArray]:
    """Return weights after 0, 1, 2 and 3 rounds: choose, record, narrow."""
    weights = np.full(len(cell.g), 1.0 / len(cell.g))
    left, after = list(range(1, len(cell.conditions))), [weights]
    for _ in range(3):
        at = choose(weights, left)
        left.remove(at)
        shown = shown_under(cell.members, cell.noise, weights, at)
        narrowed, misfit = reweighted(shown, int(cell.kinds[at]), cell.values[at])
        if misfit.min() <= FAR:  # else no member answers so, and nothing is narrowed
            weights = narrowed
        after.append(weights)
    return after


def volumes(cell: Cell, weights: FloatArray) -> tuple[float, float, float, float]:
    """Return entropy of weights and log2 volume of ln g, error of their mean, log2 density at the cell."""
    x = np.log(np.maximum(cell.g, 1e-6))
    spread = np.cov(x.T, bias=True) + PRECISION**2 * np.eye(x.shape[1])
    now = np.cov(x.T, aweights=weights, bias=True) + PRECISION**2 * np.eye(x.shape[1])
    told = weights[weights > 0]
    own = np.log(np.maximum(cell.own, 1e-6))
    off = weights @ x - own
    from_each = ((own - x) * np.linalg.solve(spread, (own - x).T).T).sum(axis=1) / KERNEL**2
    return (
        float(-(told * np.log2(told)).sum()),
        float(0.5 * np.linalg.slogdet(now)[1] / np.log(2)),
        float(np.sqrt(off @ np.linalg.solve(spread, off) / len(off))),
        float(logsumexp(-0.5 * from_each, b=weights) / np.log(2)),
    )


def judge_rounds(read: list[Cell], n_random: int = 20) -> None:
    """Print by how much the first-ranked and random experiments narrow populations, over three rounds."""
    first, chance = [], []
    for seed, cell in enumerate(read):

        def best(weights: FloatArray, left: list[int], cell: Cell = cell) -> int:
            bits = ranked_bits(cell.members, cell.noise, weights, left, Target(), np.zeros((0, 0)))
            return left[int(np.argmax(bits))]

        rng = np.random.default_rng(seed)
        first.append([volumes(cell, weights) for weights in rounds(cell, best)])
        chance.append(
            np.mean(
                [
                    [
                        volumes(cell, weights)
                        for weights in rounds(cell, lambda _, left, rng=rng: int(rng.choice(left)))
                    ]
                    for _ in range(n_random)
                ],
                axis=0,
            )
        )
    one, other = np.array(first), np.array(chance)
    print(f"\n| {len(read)} cells | round | first-ranked | random | ratio (95 %) |\n|---|---|---|---|---|")
    for k, name in enumerate(("entropy of weights falls, bits", "log2 volume of ln g falls, bits")):
        for after in (1, 2, 3):
            a, b = (of[:, 0, k] - of[:, after, k] for of in (one, other))
            rng = np.random.default_rng(0)
            drawn = rng.integers(len(a), size=(1000, len(a)))
            ratios = a[drawn].mean(axis=1) / b[drawn].mean(axis=1)
            low, high = np.quantile(ratios, (0.025, 0.975))
            print(
                f"| {name} | {after} | {a.mean():.2f} | {b.mean():.2f} | {a.mean() / b.mean():.2f} "
                f"({low:.2f} to {high:.2f}) |"
            )
    for after in (1, 2, 3):
        a, b = (of[:, after, 3] - of[:, 0, 3] for of in (one, other))
        print(f"| log2 density at the cell's own ln g rises | {after} | {a.mean():.2f} | {b.mean():.2f} | |")
    for after in range(4):
        a, b = (of[:, after, 2] for of in (one, other))
        print(
            f"| error of the mean ln g, SD of the population | {after} | {a.mean():.3f} | {b.mean():.3f} | |"
        )


def judge_refusals(read: list[Cell]) -> None:
    """Print how often no member answers like the cell."""
    far = []
    for cell in read:
        weights = np.full(len(cell.g), 1.0 / len(cell.g))
        for at in range(1, len(cell.conditions)):
            shown = shown_under(cell.members, cell.noise, weights, at)
            far.append(reweighted(shown, int(cell.kinds[at]), cell.values[at])[1].min())
    found = np.array(far)
    print(f"\nNo member answers like the cell: {np.mean(found > FAR):.1%} of {len(found)} answers.")


def judge(folder: Path) -> None:
    """Print all tables."""
    read = [Cell.read(path) for path in sorted(folder.glob("*.npz"))]
    judge_bands([scores(cell) for cell in read])
    judge_patterns(read)
    judge_refusals(read)
    judge_rounds(read)


def seconds() -> None:
    """Print how long it takes to rank experiments, on all cores that numba has."""
    print("| members | target | seconds | processor seconds | load |\n|---|---|---|---|---|")
    for n in (16, 64):
        population = generate_population("stg", (5.0, 5.0), size=n, seed=1)
        next_experiments(population.select(range(4)))  # what compiles or is imported is not timed
        for target in ("conductances", "conductance:A"):
            begin, cpu = time.perf_counter(), time.process_time()
            next_experiments(population, target)
            took, spent = time.perf_counter() - begin, time.process_time() - cpu
            print(f"| {n} | {target} | {took:.1f} | {spent:.1f} | {os.getloadavg()[0]:.1f} |")


def known() -> None:
    """Compare estimators of information where it is known: a normal target seen through noise."""
    from sklearn.feature_selection import mutual_info_regression

    print("| members | bits | own estimate (SD) | nearest neighbours, scikit-learn (SD) |\n|---|---|---|---|")
    for n in (32, 64, 128):
        for share, sd in ((0.0, 0.3), (0.5, 0.5), (0.8, 0.4), (0.98, 0.1)):
            own, others = [], []
            for seed in range(20):
                rng = np.random.default_rng(seed)
                target = rng.standard_normal(n)
                answer = share * target + np.sqrt(1 - share**2) * rng.standard_normal(n)
                values = np.full((n, len(MEASURES)), np.nan)
                values[:, 0] = answer
                noise = np.full(len(MEASURES), sd)
                shown = Shown(np.ones(n, dtype=np.int64), values, np.full(n, 1.0 / n), noise, 0.0)
                own.append(about_target(shown, target[:, None], seed=seed))
                seen = (answer + sd * rng.standard_normal(n))[:, None]
                others.append(mutual_info_regression(seen, target, random_state=seed)[0] / np.log(2))
            bits = -0.5 * np.log2(1 - share**2 / (1 + sd**2))
            print(
                f"| {n} | {bits:.2f} | {np.mean(own):.2f} ({np.std(own):.2f}) | {np.mean(others):.2f} "
                f"({np.std(others):.2f}) |"
            )


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cells", "learn", "judge", "known", "seconds"))
    parser.add_argument("folder", type=Path, nargs="?", default=Path("cells"))
    parser.add_argument("--neuron", default="stg")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    if given.what == "cells":
        cells(given.folder, given.neuron, given.n, given.size, given.first)
    elif given.what in ("known", "seconds"):
        {"known": known, "seconds": seconds}[given.what]()
    else:
        {"learn": learn, "judge": judge}[given.what](given.folder)


if __name__ == "__main__":
    main()
