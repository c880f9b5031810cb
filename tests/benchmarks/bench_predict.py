"""How long predicting takes: loading the network, one recording, many recordings, an hour.

python tests/benchmarks/bench_predict.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LOAD = """
import torch, time
begin = time.perf_counter()
from spike2pop_nb.inference import load_predictor
load_predictor("stg")
print(time.perf_counter() - begin)
"""


def best(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and least time of a call in ms."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begin))
    return float(np.median(times)), min(times)


def train(n: int, seed: int) -> np.ndarray:
    """A burster's times in ms: five spikes, a gap, and a little jitter."""
    isi = np.tile([7.0, 8.0, 9.0, 11.0, 120.0], n // 5 + 1)[: n - 1]
    isi = isi * np.exp(0.02 * np.random.default_rng(seed).standard_normal(n - 1))
    return np.concatenate([[0.0], np.cumsum(isi)])


def as_modules() -> Any:
    """The same predictor, but each layer is called as a module of PyTorch, and each head alone."""
    from spike2pop_nb.inference.predictor import Predictor
    from spike2pop_nb.inference.weights import WEIGHTS_FOLDER, load_network

    loaded = load_network(WEIGHTS_FOLDER / "stg.safetensors")
    loaded.network.__dict__["fuse"] = lambda: loaded.network
    return Predictor(loaded)


def in_turns(works: list[Callable[[], object]], repeats: int, rounds: int) -> list[tuple[float, float]]:
    """Median and least time of each call in ms, a few calls of each at a time."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, own in zip(works, times, strict=True):
            work()
            for _ in range(repeats):
                begin = time.perf_counter()
                work()
                own.append(1000 * (time.perf_counter() - begin))
    return [(float(np.median(own)), min(own)) for own in times]


def main() -> None:
    """Print one table."""
    print(f"load {os.getloadavg()[0]:.1f}")
    loads = [
        float(subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    print("| what | median, ms | least, ms |")
    print("|---|---|---|")
    print(f"| load, beyond importing torch | {1000 * np.median(loads):.0f} | {1000 * min(loads):.0f} |")
    from spike2pop_nb.inference import load_predictor

    predictor = load_predictor("stg")
    many = [train(100, seed) for seed in range(1024)]
    hour = train(36_000 * 5, 0)
    works = [lambda p=p: p.predict(many[:1]) for p in (predictor, as_modules())]
    names = ("one recording of 100 spikes", "the same, layers called as modules")
    for name, (median, least) in zip(names, in_turns(works, 20, 20), strict=True):
        print(f"| {name} | {median:.2f} | {least:.2f} |")
    for name, trains, repeats in (
        ("1024 recordings of 100 spikes", many, 10),
        (f"one recording of {hour.size} spikes ({hour[-1] / 60e3:.0f} minutes)", [hour], 5),
    ):
        median, least = best(lambda trains=trains: predictor.predict(trains), repeats)
        print(f"| {name} | {median:.2f} | {least:.2f} |")


if __name__ == "__main__":
    main()
