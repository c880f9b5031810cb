"""Watch that nothing becomes slower: kernel, search, prediction, first paint, each beside a reference.

What is watched and a reference that no change of this package touches are measured in turn, many times;
told is the median of the ratios of neighbours, in which most of what other work on the machine does cancels.
It is compared with the history of the same kind of machine: the lower of the medians of its first ten and of
its last ten records, so that neither one loss nor many small ones are missed. A loss of 15 % ends with the
exit status 1, and is not kept.

    python tests/benchmarks/watch.py --history HISTORY.jsonl [--out NOW.json] [--only kernel,paint] [--accept]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

Work = Callable[[], object]
Record = dict[str, Any]
LOSS = 0.15
KEPT = 10  # records at both ends of a history that it is compared with
REFERENCE = 1
"""Version of the workloads; what was measured with another one is not compared."""


class Ratio(NamedTuple):
    """How long something takes, relative to its reference."""

    ratio: float
    spread: float
    """Half of the middle half of all ratios, relative to their median."""
    n: int


class Change(NamedTuple):
    """What was measured beside what was kept."""

    name: str
    now: float
    before: float
    n_before: int

    @property
    def lost(self) -> bool:
        return self.now > (1.0 + LOSS) * self.before

    def describe(self) -> str:
        change = 100 * (self.now / self.before - 1.0)
        words = f"{abs(change):.1f} % {'slower' if change > 0 else 'faster'} than in {self.n_before} before"
        return f"{'LOSS' if self.lost else 'ok':4}  {self.name}: {self.now:.3f} times its reference, {words}"


def middle(ratios: Sequence[float]) -> Ratio:
    """Return the median of ratios, and how far they spread."""
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return Ratio(median, 0.5 * (high - low) / median, len(ratios))


def paired(work: Work, reference: Work, n: int, clock: Callable[[], float] = time.process_time) -> Ratio:
    """Measure both in turn; divide each time of work by the mean of the references beside it."""

    def took(what: Work) -> float:
        begin = clock()
        what()
        return clock() - begin

    work()
    reference()
    before, ratios = took(reference), []
    for _ in range(n):
        own, after = took(work), took(reference)
        ratios.append(2.0 * own / (before + after))
        before = after
    return middle(ratios)


def compare(now: Record, history: Sequence[Record]) -> list[Change]:
    """Compare what was measured with what was kept of the same machine since a loss was last accepted."""
    known = [one for one in history if all(one[key] == now[key] for key in ("machine", "reference"))]
    accepted = [place for place, one in enumerate(known) if one.get("accepted")]
    known = known[accepted[-1] :] if accepted else known
    changes = []
    for name, (ratio, *_rest) in now["ratios"].items():
        kept = [one["ratios"][name][0] for one in known if name in one["ratios"]]
        if kept:
            level = min(statistics.median(kept[:KEPT]), statistics.median(kept[-KEPT:]))
            changes.append(Change(name, ratio, level, len(kept)))
    return changes


def spinning(rounds: int = 60_000) -> Work:
    """Return the reference of computing: a compiled loop over a few numbers, as integrating a neuron is."""
    import numba as nb
    import numpy as np

    @nb.njit(fastmath=True)
    def spin(x: np.ndarray, n: int) -> float:
        for _ in range(n):
            for k in range(x.size):
                x[k] += 0.01 * (1.0 / (1.0 + x[k] * x[k]) - 0.5 * x[k])
        return x.sum()

    raw = np.empty(512 + 8)
    first = -raw.ctypes.data % 64 // 8  # numbers that straddle lines of the cache are half as fast
    x = raw[first : first + 512]

    def run() -> None:
        x[:] = np.linspace(0.0, 1.0, x.size)
        spin(x, rounds)

    return run


def layers() -> Work:
    """Return the reference of predicting: small layers of PyTorch, called often."""
    import torch

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 64, generator=generator)
    weights = [torch.randn(64, 64, generator=generator) / 8.0 for _ in range(8)]

    def through() -> None:
        with torch.inference_mode():
            for _ in range(150):
                y = x
                for weight in weights:
                    y = torch.nn.functional.gelu(y @ weight)

    return through


def kernel() -> Ratio:
    """Simulate 64 bursting STG neurons for 2 s."""
    from spike2pop_nb.conductances import generate_population
    from spike2pop_nb.simulation import simulate

    g = generate_population("stg", (-10.0, 3.0), 64, seed=1).g
    options: dict[str, Any] = {"duration_ms": 2000.0, "transient_ms": 0.0, "record": "spikes", "workers": 1}
    return paired(lambda: simulate(g, "stg", **options), spinning(), 25)


def search() -> Ratio:
    """Search eight members for a recording, from its prediction to the verdict."""
    import spike2pop_nb as s2p

    train = s2p.read_spike_trains(s2p.example_path("stg_set"))[3]
    posterior = s2p.load_predictor("stg").predict([train])[0]
    return paired(lambda: s2p.find_population(train, "stg", posterior, size=8, seed=1), spinning(300_000), 15)


def predict() -> Ratio:
    """Predict the DICs of 256 recordings of 100 spikes."""
    import numpy as np

    import spike2pop_nb as s2p

    rng, predictor = np.random.default_rng(0), s2p.load_predictor("stg")
    isi = np.tile([7.0, 8.0, 9.0, 11.0, 120.0], 20)
    trains = [np.cumsum(isi * np.exp(0.02 * rng.standard_normal(isi.size))) for _ in range(256)]
    return paired(lambda: predictor.predict(trains), layers(), 15)


PLAIN = """<body><script>
let x = 0;
for (let k = 0; k < 1e8; k++) x += Math.sqrt(k);
for (let k = 0; k < 8000; k++) document.body.appendChild(document.createElement("p")).textContent = x + k;
</script></body>"""
LAID_OUT = "() => (document.body.offsetHeight, performance.now())"


@contextmanager
def served() -> Iterator[str]:
    """Serve the dashboard; yields its address."""
    code = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*", server.stdout.readline())
        assert found is not None
        time.sleep(15)  # for the first kernel to be ready
        yield found.group()
    finally:
        server.terminate()
        server.wait(60)


def paint() -> Ratio | None:
    """Open the dashboard beside a plain page that computes and lays out; None without a browser."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        return None
    from bench_page import QUIET, SCRIPT, opened
    from playwright.sync_api import sync_playwright

    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.add_init_script(SCRIPT)
        plain = Path(os.environ.get("TMPDIR", "/tmp")) / f"plain_{os.getpid()}.html"
        plain.write_text(PLAIN, encoding="utf-8")

        def reference() -> float:
            page = context.new_page()
            page.goto(plain.as_uri())
            told: float = page.evaluate(LAID_OUT)
            page.close()
            return told / 1e3

        ratios, before = [], [reference(), reference()][1]
        for place in range(16):
            page, painted, _usable = opened(context, address)
            page.close(run_before_unload=True)
            time.sleep(6)  # for the next kernel to be ready
            after = reference()
            if place:  # the first fills the caches of the browser
                ratios.append(2.0 * painted / (before + after))
            before = after
        browser.close()
        plain.unlink()
    return middle(ratios)


WATCHED: dict[str, Callable[[], Ratio | None]] = {
    "kernel": kernel,
    "search": search,
    "predict": predict,
    "paint": paint,
}


def machine() -> str:
    """Name the kind of machine and the Python on it, since ratios differ between kinds."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        told = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.+)$", info.read_text(), re.M))
        name = " ".join(told.get(key, "") for key in ("model name", "cpu family", "model")).strip() or name
    return f"{name}, {platform.system()}, Python {'.'.join(platform.python_version_tuple()[:2])}"


def measured(only: Sequence[str]) -> Record:
    """Measure, and say by what."""
    from spike2pop_nb.export import versions

    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    ratios: dict[str, Ratio] = {}
    for name in only:
        found = WATCHED[name]()
        if found is None:
            print(f"note  {name}: not measured, for want of a browser")
            continue
        ratios[name] = found
        print(f"      {name}: {found.ratio:.3f} ± {100 * found.spread:.1f} % ({found.n} pairs)", flush=True)
    return {
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "reference": REFERENCE,
        "versions": versions(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "ratios": {name: list(found) for name, found in ratios.items()},
    }


def main() -> int:
    """Measure, compare, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", type=Path, required=True, help="a record a line; made if need be")
    parser.add_argument("--out", type=Path, help="what was measured now")
    parser.add_argument("--only", default=",".join(WATCHED))
    parser.add_argument("--accept", action="store_true", help="what is measured now is right from now on")
    asked = parser.parse_args()
    history: list[Record] = []
    if asked.history.is_file():
        history = [json.loads(line) for line in asked.history.read_text(encoding="utf-8").splitlines()]
    now = measured(asked.only.split(","))
    if asked.accept:
        now["accepted"] = True
    if asked.out is not None:
        asked.out.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    changes = [] if asked.accept else compare(now, history)
    for change in changes:
        print(change.describe())
    if not changes:
        print(f"Nothing to compare with was kept of this machine ({now['machine']}).")
    if any(change.lost for change in changes):
        print(f"A loss of more than {100 * LOSS:.0f} %; nothing was kept. --accept makes it the new measure.")
        return 1
    with asked.history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(now) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
