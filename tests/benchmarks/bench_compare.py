"""What changed between two recordings, asked about simulated pairs of which that is known.

Members are drawn as those of an atlas, with another seed than any that was learned from, and simulated twice
as they are judged ("standard"), with other noise: nothing changed in a fifth of the pairs, one conductance in
two fifths, two in two fifths, each multiplied by 0.2 to 3 (uniform in its logarithm). Both trains are
recorded as cells are: cut, drifting in rate by 3 %, jittered, with spikes missing or false. What
`compare_recordings` refuses (a silent recording before, or one too short to say how it varies) is drawn anew.

The floor: of the members themselves, all of whose conductances are known, another single conductance than the
one that changed is changed; in how many pairs does that, too, make a train within the variability of the
recording after?

    python tests/benchmarks/bench_compare.py [--neurons stg,da,pyloric] [--pairs 1000] [--floor 60] [--whole
    12]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from spike2pop_nb import SpikeTrain, compare_recordings, get_neuron
from spike2pop_nb.conductances import Population
from spike2pop_nb.experiments import Protocol
from spike2pop_nb.experiments.changes import FACTORS, applied, recorded
from spike2pop_nb.experiments.pairing import Target, paired
from spike2pop_nb.experiments.telling import load_teller
from spike2pop_nb.fidelity import Variability, measures
from spike2pop_nb.fidelity.evolution import window_ms
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import ActivityPattern, describe_pattern
from spike2pop_nb.training.atlas import drawn_members

SEED = 7_000_003


@dataclass(frozen=True, eq=False)
class Pair:
    """A pair of recordings, the member that fired both, and what changed."""

    before: SpikeTrain
    after: SpikeTrain
    x: np.ndarray
    seed: np.uint64
    change: np.ndarray

    @property
    def changed(self) -> set[int]:
        return set(np.flatnonzero(self.change).tolist())


def made_pairs(neuron: NeuronModel, n: int) -> list[Pair]:
    """Draw members until n pairs can be asked about."""
    pairs: list[Pair] = []
    start, part = neuron.recording_window_ms[0], 0
    while len(pairs) < n:
        table, drive, rng = drawn_members(neuron, 256, SEED + part)
        part += 1
        x = np.column_stack([table[list(neuron.g_columns)].to_numpy(float), drive])
        change = np.zeros_like(x)
        for row, kind in enumerate(rng.random(len(x))):
            which = rng.permutation(neuron.n_channels)[: 0 if kind < 0.2 else 1 if kind < 0.6 else 2]
            change[row, which] = rng.uniform(*np.log(FACTORS), len(which))
        trains, seeds = [], rng.integers(0, 2**63, size=(2, len(x)), dtype=np.uint64)
        for y, seed in zip((x, applied(x, change)), seeds, strict=True):
            run = simulate(
                y[:, :-2],
                neuron,
                current=y[:, -2],
                noise_sigma=y[:, -1],
                seed=seed,
                transient_ms=start,
                duration_ms=start + WINDOW_MS,
                record="spikes",
            )
            trains.append([recorded(times - start, rng) for times in run.spike_times_ms])
        for row, (before, after) in enumerate(zip(*trains, strict=True)):
            one, other = SpikeTrain("before", before), SpikeTrain("after", after)
            if _can_be_asked(one, other):
                pairs.append(Pair(one, other, x[row], seeds[0, row], change[row]))
    return pairs[:n]


def _can_be_asked(before: SpikeTrain, after: SpikeTrain) -> bool:
    """Whether both say how they vary, by 2 whole bursts or 10 intervals; the one after may be silent."""
    for train in (before, after):
        if train.n_spikes < 3 and train is after:
            continue
        bursting = describe_pattern(train).kind is ActivityPattern.BURSTING
        if len(measures.cut(train.times_ms, bursting)) < (2 if bursting else 10):
            return False
    return True


def asked(neuron: NeuronModel, pairs: list[Pair]) -> dict[str, float]:
    """Ask about all pairs what `compare_recordings` asks, without members; return the scores."""
    rows: dict[str, list[bool]] = {}
    teller, sizes, begun = load_teller(neuron), [], time.perf_counter()

    def score(name: str, value: object) -> None:
        rows.setdefault(name, []).append(bool(value))

    for pair in pairs:
        told = teller.told(pair.before.times_ms, pair.after.times_ms)
        shares = teller.named(told.shares)
        alike, verdict = teller.alike(shares), teller.verdict(shares)
        true = tuple(teller.names[k] for k in sorted(pair.changed))
        of_each = {name: sum(p for one, p in shares.items() if name in one) for name in teller.names}
        ranked = sorted(of_each, key=lambda name: -of_each[name])
        score("in 80 % set", true in alike)
        sizes.append(len(alike))
        if not true:
            score("unchanged called unchanged", verdict == "unchanged")
            continue
        many = "one changed" if len(true) == 1 else "two changed"
        for group in ("all", many, f"verdict “{verdict}”"):
            score(f"{group}: first", ranked[0] in true)
            score(f"{group}: among three", set(ranked[:3]) & set(true))
        for kind in ("changed", "cannot tell", "unchanged"):
            score(f"share of changed with verdict “{kind}”", verdict == kind)
        for k in pair.changed:
            low, high = told.amounts[k, [0, -1]]
            score("amount in 80 % interval", low <= pair.change[k] <= high)
        # where hardly anything is left to see
        if np.abs(pair.change).max() >= np.log(1.5):
            score("by more than 1.5: first", ranked[0] in true)
            score("by more than 1.5: among three", set(ranked[:3]) & set(true))
    scores = {name: float(np.mean(values)) for name, values in sorted(rows.items())}
    seconds = (time.perf_counter() - begun) / len(pairs)
    return scores | {
        "explanations in a set (median)": float(np.median(sizes)),
        "s a pair, asked alone": seconds,
    }


def with_members(neuron: NeuronModel, pairs: list[Pair]) -> dict[str, float]:
    """Compare with members; return seconds a pair, and how many members fire alike before and after."""
    seconds, busy, alike, none = [], [], [], 0
    for pair in pairs:
        begun, used = time.perf_counter(), time.process_time()
        found = compare_recordings(pair.before, pair.after, neuron, seed=1)
        seconds.append(time.perf_counter() - begun)
        busy.append(time.process_time() - used)
        if found.pairs is None:
            none += 1
        else:
            alike.append(float(found.pairs.table["fires_alike"].mean()))
    return {
        "s a pair, with members (median)": float(np.median(seconds)),
        "s a pair, with members (most)": float(np.max(seconds)),
        "s of processor a pair, with members (median)": float(np.median(busy)),
        "s of processor a pair, with members (most)": float(np.max(busy)),
        "pairs without members": none / len(pairs),
        "members alike before and after": float(np.mean(alike)) if alike else float("nan"),
    }


def floor(neuron: NeuronModel, pairs: list[Pair]) -> dict[str, float]:
    """Return in how many pairs of one change another one does as well, in the true member.

    Pairs that differ by less than the recording varies are left out: there any change that is small does.
    Beside it stands what is told of the same pairs without knowing the member.
    """
    others, themselves, seen, unseen = [], [], [], 0
    for pair in pairs:
        if pair.after.n_spikes < 3:
            continue
        own = Variability.of(pair.after)
        member = Population.from_g(
            neuron,
            pair.x[None, :-2],
            current=pair.x[None, -2],
            noise_sigma=pair.x[None, -1],
            noise_seeds=[int(pair.seed % 2**62)],
        )

        def reached(
            which: tuple[int, ...], member: Population = member, own: Variability = own, pair: Pair = pair
        ) -> bool:
            found = paired(
                member,
                np.zeros(1),
                Target(own),
                window_ms(pair.after, own),
                [which],
                np.zeros((len(pair.x), 5)),
                Protocol(),
                id="after",
                say=lambda _words: None,
            )
            return max(found.reached.values()) > 0

        if reached(()):
            unseen += 1
            continue
        seen.append(pair)
        (true,) = pair.changed
        themselves.append(reached((true,)))
        others.append(sum(reached((k,)) for k in range(neuron.n_channels) if k != true))
    told = asked(neuron, seen)
    return {
        "pairs within the variability, left out": float(unseen),
        "pairs": float(len(others)),
        "the true change comes within": float(np.mean(themselves)),
        "another does, too": float(np.mean(np.array(others) > 0)),
        "others that do (mean)": float(np.mean(others)),
        "best guess among those that do": right_by_guess(themselves, others, 1),
        "among the best three of those that do": right_by_guess(themselves, others, 3),
        **{f"told: {name}": told[name] for name in ("one changed: first", "one changed: among three")},
    }


def right_by_guess(themselves: list[bool], others: list[int], n: int) -> float:
    """Return how often the true change is among so many, taken at random from those that do as well."""
    found = np.array(themselves) * np.minimum(1.0, n / (1.0 + np.array(others)))
    return float(found.mean())


def main() -> None:
    """Print a table of each neuron."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", default="stg,da,pyloric")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--floor", type=int, default=60)
    parser.add_argument("--whole", type=int, default=12)
    options = parser.parse_args()
    for name in options.neurons.split(","):
        neuron = get_neuron(name)
        pairs = made_pairs(neuron, options.pairs)
        print(f"{name}: {len(pairs)} pairs")
        said(asked(neuron, pairs))
        if options.whole:
            said(with_members(neuron, pairs[: options.whole]))
        if options.floor:
            one = [pair for pair in pairs if len(pair.changed) == 1][: options.floor]
            said({f"floor: {key}": value for key, value in floor(neuron, one).items()})


def said(found: dict[str, float]) -> None:
    """Print scores."""
    for key, value in found.items():
        print(f"  {key:50s} {value:.3f}", flush=True)


if __name__ == "__main__":
    main()
