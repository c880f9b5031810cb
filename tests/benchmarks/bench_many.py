"""Many recordings: what `spike2pop run` takes for them by one process and by several, and what a kill costs.

Recordings of a hundred spikes are made from simulated members, each a little slower or faster than the other.
Of each run the seconds by the clock are told, those of computing of all its processes and of the one that
computed most, which other work on the machine changes less, and the most memory that one process had.

    python tests/benchmarks/bench_many.py [--recordings 125,250,500,1000] [--workers 1,2] [--kills 20]
                                          [--options "--size 2 --no-refine"]
"""

from __future__ import annotations

import argparse
import filecmp
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

import spike2pop_nb as s2p

_SPIKES, _MEMBERS = 100, 24
_FILES = ("population.csv", "spike_times.csv", "summary.json")


def made(n: int, path: Path) -> Path:
    """Write a file of n recordings."""
    rng = np.random.default_rng(0)
    bases: list[np.ndarray] = []
    for seed in range(10 * _MEMBERS):
        target = (rng.uniform(-12.0, 8.0), rng.uniform(2.0, 8.0))
        try:
            member = s2p.generate_population("stg", target, size=1, seed=seed)
        except s2p.errors.Spike2PopError:
            continue
        (times,) = s2p.simulate(member, duration_ms=20_000.0, record="spikes").spike_times_ms
        if len(times) >= _SPIKES:
            bases.append(times[:_SPIKES] - times[0])
        if len(bases) == _MEMBERS:
            break
    speeds = rng.uniform(0.95, 1.05, n)
    trains = [bases[k % len(bases)] * speed for k, speed in enumerate(speeds)]
    names = np.repeat([f"r{k}" for k in range(n)], _SPIKES)
    pd.DataFrame({"id": names, "time_ms": np.concatenate(trains)}).to_csv(path, index=False)
    return path


class Run:
    """One run of the command, watched."""

    def __init__(self, file: Path, out: Path, workers: int, options: list[str]) -> None:
        command = ["-m", "spike2pop_nb.cli", "run", str(file), "--unit", "ms", "--out", str(out)]
        environment = os.environ | ({"OMP_NUM_THREADS": "1"} if workers == 1 else {})
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, *command, "--workers", str(workers), *options],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.cpu: dict[int, float] = {}
        self.rss: dict[int, int] = {}

    def everyone(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def watch(self) -> None:
        """Look at all processes until the run ends."""
        while self.process.poll() is None:
            for one in self.everyone():
                try:
                    times = one.cpu_times()
                    self.cpu[one.pid] = times.user + times.system
                    self.rss[one.pid] = max(self.rss.get(one.pid, 0), one.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.3)
        self.took_s = time.perf_counter() - self.begun
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End it as the system would that needs its memory, and wait until nobody is left."""
        children = self.everyone()[1:]
        self.process.kill()
        self.process.wait()
        _gone, alive = psutil.wait_procs(children, timeout=120)
        assert not alive, alive


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def same(a: Path, b: Path) -> bool:
    """Whether two runs found the same, to the last bit."""

    def plain(path: Path) -> str:
        return re.sub('"(made_at|file)": ".*"', "", path.read_text(encoding="utf-8"))

    return all(
        filecmp.cmp(a / name, b / name, shallow=False) or plain(a / name) == plain(b / name)
        for name in _FILES
    )


def kills(n: int, file: Path, whole: Path, folder: Path, options: list[str]) -> None:
    """Kill a run at random points, and have it go on each time."""
    draw, out = random.Random(0), folder / "killed"
    n_left, longest = n, 3.0
    while n_left:
        run = Run(file, out, 2, options)
        try:
            run.process.wait(draw.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            known = len(list((out / "parts" / "outcomes").glob("*.parquet")))
            run.kill()
            n_left -= 1
            print(f"killed after {time.perf_counter() - run.begun:.1f} s, with {known} files of parts before")
            longest *= 1.15
        else:  # it was done before it could be killed
            run.process.wait()
            assert same(out, whole)
            subprocess.run(["rm", "-r", str(out)], check=True)
            longest = 3.0
    run = Run(file, out, 2, options)
    run.watch()
    left = [str(path) for path in out.rglob("*") if path.suffix == ".partial" or path.name == ".trial"]
    print(f"{n} kills; files as of one go: {same(out, whole)}; left over: {left or 'nothing'}")


def tell(n: int, workers: int, run: Run, found: list[Path]) -> None:
    parts, rest = size_of(found[-1] / "parts"), size_of(found[-1])
    print(
        f"{n} recordings, {workers} workers: {run.took_s:.1f} s at load {os.getloadavg()[0]:.1f}, "
        f"computing {sum(run.cpu.values()):.1f} s in all, {[round(s, 1) for s in run.cpu.values()]}; "
        f"memory {[round(rss / 1e6) for rss in run.rss.values()]} MB; parts {parts / n / 1000:.1f} kB each, "
        f"other files {(rest - parts) / n / 1000:.1f} kB; same {same(found[0], found[-1])}",
        flush=True,
    )


def main() -> None:
    """Print a row a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", default="125,250,500,1000")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--options", default="--size 2 --no-refine")
    asked = parser.parse_args()
    options = shlex.split(asked.options)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n in map(int, asked.recordings.split(",")):
            file = made(n, folder / f"{n}.csv")
            found = []
            for workers in map(int, asked.workers.split(",")):
                found.append(folder / f"{n}_{workers}")
                run = Run(file, found[-1], workers, options)
                run.watch()
                tell(n, workers, run, found)
            if asked.kills:
                kills(asked.kills, file, found[0], folder, options)


if __name__ == "__main__":
    main()
