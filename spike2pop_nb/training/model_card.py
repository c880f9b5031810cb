"""The model card: a network's scores as Markdown, beside the baseline and the published figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from spike2pop_nb.inference.tokens import MAX_INTERVALS
from spike2pop_nb.training.baseline import DISTURBED_TREES, TREES
from spike2pop_nb.training.card_commands import commands
from spike2pop_nb.training.card_markdown import pair, percent, table
from spike2pop_nb.training.card_rivals import ablations, adapting

__all__ = ["model_card", "published_errors"]

_BANDS = {
    "clean": "no injected noise",
    "noisy": "injected noise",
    "sigma_0_2": "σ up to 2",
    "sigma_2_4": "σ 2 to 4",
    "sigma_4_6": "σ over 4",
    "all": "both",
}
_SHOWN = ("clean", "noisy", "all")
_METHODS = {
    "mean": "network, posterior mean",
    "median": "network, posterior median",
    TREES: "gradient-boosted trees",
    DISTURBED_TREES: "gradient-boosted trees, taught disturbed trains",
    "shuffled": "network, recordings shuffled",
    "constant": "always the median target",
}
_UNITS = {
    "rate_hz": "Hz",
    "intra_burst_hz": "Hz",
    "inter_burst_hz": "Hz",
    "burst_duration_ms": "ms",
    "spikes_per_burst": "spikes",
}
_BARS = "▁▂▃▄▅▆▇█"
_FEWEST_COMPARED = 250
_FEWEST_LISTED = 30


def model_card(scores: dict[str, Any], history: Path | None = None, drawing: str | None = None) -> str:
    """Markdown from what `evaluate` returns, the run's ``history.csv``, and the name of a drawing."""
    lines = [
        *_head(scores),
        *_errors(scores),
        *_held_out(scores),
        *_calibration(scores),
        *_features(scores["bands"]),
        *_lengths(scores),
        *_disturbed(scores),
        *_strange(scores),
        *_alike(scores),
        *_drawn(scores),
        *ablations(scores),
        *adapting(scores),
    ]
    if drawing is not None:
        lines += ["", "## Failures in the (g_s, g_u) plane", "", f"![Errors over the plane]({drawing})"]
    lines += _curve(history) + commands(scores)
    versions = ", ".join(f"{k} {v}" for k, v in scores["weights"].get("versions", {}).items())
    return "\n".join([*lines, "", f"Made with {versions}.", ""])


def published_errors(neuron: str) -> list[tuple[str, str, str, tuple[float, float]]]:
    """Published figures for a neuron, from ``published/<name>.csv``; none if there is no such file.

    Each is (test set, pattern, source, mean absolute error of g_s and g_u); trains of the set "noisy" have σ
    of 5 µA/cm².
    """
    file = Path(__file__).parent / "published" / f"{neuron}.csv"
    if not file.is_file():
        return []
    with file.open(newline="") as table:
        return [
            (row["trains"], row["pattern"], row["source"], (float(row["g_s"]), float(row["g_u"])))
            for row in csv.DictReader(table)
        ]


def _head(scores: dict[str, Any]) -> list[str]:
    weights = scores["weights"]
    data, training = weights.get("data", {}), weights.get("training", {})
    base = weights.get("base")
    start = training.get("start")
    if base:
        kind = f"low-rank adapters on the frozen network of {base['neuron']!r}"
    elif start:
        rows = sum(row["rows"] for row in (start.get("recipes") or {}).values())
        seen = f" (learned from {rows} rows of data)" if rows else ""
        kind = f"whole network, begun from that of {start['neuron']!r}{seen}"
    else:
        kind = "whole network"
    return [
        f"# Network for neuron `{scores['neuron']}`",
        "",
        f"A distribution over (g_s, g_u) from spike times; {kind}. "
        f"Trained for {training.get('epoch')} epochs ({training.get('steps')} steps, "
        f"{training.get('minutes')} min on {training.get('device')}, seed {training.get('seed')}) "
        f"on {data.get('trains')} simulated trains, "
        f"{100 * data.get('share_noisy', 0):.0f} % with injected noise, "
        f"{100 * data.get('share_bursting', 0):.0f} % bursting, "
        f"{100 * data.get('share_drawn', 0):.0f} % of neurons with conductances drawn over their ranges.",
        "",
        f"Scored on {scores['test_trains']} trains of populations that were kept apart, made by compensation"
        f" and as long as the neuron's own recordings ({scores['silent_test_trains']} more had under 3 "
        "spikes and are called silent by rule). "
        f"{_trees(scores)}Published figures come from other test trains; they stand here for orientation.",
    ]


def _trees(scores: dict[str, Any]) -> str:
    """What the trees are, in words."""
    if not scores["baseline_trains"]:
        return ""
    words = (
        f"The gradient-boosted trees saw {scores['baseline_trains']} trains, all of the same training data "
        "that were made by compensation, as they were simulated; of trains of over "
        f"{MAX_INTERVALS} intervals they read the middle. "
    )
    if DISTURBED_TREES in scores["baselines"]:
        words += (
            "Those taught disturbed trains saw the same, each disturbed once, in the way in which the "
            "network's are in every epoch. "
        )
    return words


def _rows(bands: dict[str, Any], names: dict[str, str], published: list[Any]) -> list[str]:
    lines = []
    for band, words in names.items():
        for pattern, row in bands.get(band, {}).items():
            start = f"| {words} | {pattern} |"
            for method, title in _METHODS.items():
                if method in row["mae"]:
                    lines.append(f"{start} {title} | {pair(row['mae'][method])} |")
            lines.append(f"{start} median, as its posterior expects | {pair(row['expected_error'])} |")
            for b, p, source, error in published:
                if (b, p) == (band, pattern):
                    lines.append(f"{start} {source} | {pair(list(error))} |")
    return lines


def _errors(scores: dict[str, Any]) -> list[str]:
    lines = ["", "## Mean absolute error, g_s / g_u", *table("trains", "pattern", "method", "g_s / g_u")]
    lines += _rows(scores["bands"], {k: _BANDS[k] for k in _SHOWN}, published_errors(scores["neuron"]))
    return lines + _behind(scores)


def _held_out(scores: dict[str, Any]) -> list[str]:
    if not scores["held_out"]:
        return []
    lines = [
        "",
        "## Data sets the network never trained on",
        *table("data", "pattern", "method", "g_s / g_u"),
    ]
    for name, bands in scores["held_out"].items():
        shown = {band: _named(name, band) for band in bands if band in _SHOWN or band not in _BANDS}
        lines += _rows(bands, shown, [])
    lines += ["", f"Rows of under {_FEWEST_LISTED} trains are left out of the following."]
    lines += table(
        "data", "pattern", "n", "50 %", "80 %", "95 %", "pattern right", "flagged as strange", "said to drift"
    )
    for name, bands in scores["held_out"].items():
        for band, patterns in bands.items():
            for pattern, row in patterns.items():
                if row["trains"] < _FEWEST_LISTED:
                    continue
                drifting = "–" if row["drifting"] is None else f"{100 * row['drifting']:.1f} %"
                lines.append(
                    f"| {_named(name, band)} | {pattern} | {row['trains']} | {percent(row['coverage'])} "
                    f"| {row['pattern_accuracy']:.4f} | {100 * row['flagged']:.1f} % | {drifting} |"
                )
    return lines


def _named(data: str, band: str) -> str:
    return data if band == "all" else f"{data}, {_BANDS.get(band, band)}"


def _calibration(scores: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## Width and calibration",
        "",
        "Share of targets inside the 50, 80 and 95 % highest-density regions; mean posterior standard "
        "deviation; negative log likelihood per train (DIC units); ranks of the targets in the marginal "
        "posteriors, 20 bins from 0 to 1, flat if calibrated.",
        *table("trains", "pattern", "n", "50 %", "80 %", "95 %", "std g_s / g_u", "NLL", "pattern right"),
    ]
    for band, patterns in scores["bands"].items():
        for pattern, row in patterns.items():
            lines.append(
                f"| {_BANDS[band]} | {pattern} | {row['trains']} | {percent(row['coverage'])} "
                f"| {pair(row['posterior_std'])} | {row['nll']:.2f} | {row['pattern_accuracy']:.4f} |"
            )
    lines += table("trains", "pattern", "ranks of g_s", "ranks of g_u", "largest departure from flat")
    for band, patterns in scores["bands"].items():
        for pattern, row in patterns.items():
            ranks = row["rank_histogram"]
            shown = " | ".join(_bars(ranks[dic]) for dic in ("g_s", "g_u"))
            off = max(max(abs(len(v) * x / sum(v) - 1) for x in v) for v in ranks.values())
            lines.append(f"| {_BANDS[band]} | {pattern} | {shown} | {100 * off:.0f} % |")
    return lines


def _bars(counts: list[int]) -> str:
    """A histogram in a line: half height is flat."""
    flat = sum(counts) / len(counts)
    return "".join(_BARS[min(int(4 * n / max(flat, 1e-9)), len(_BARS) - 1)] for n in counts)


def _features(bands: dict[str, Any]) -> list[str]:
    lines = ["", "## Features, mean absolute error", *table("trains", *_UNITS)]
    for band in _SHOWN:
        values = bands.get(band, {}).get("all", {}).get("feature_mae", {})
        shown = [f"{values[f]:.3g} {u}" if values.get(f) is not None else "–" for f, u in _UNITS.items()]
        lines.append(f"| {_BANDS[band]} | " + " | ".join(shown) + " |")
    return lines


def _stressed(rows: dict[str, Any], first: str) -> list[str]:
    others = next(iter(rows.values())).get("rivals", {})
    lines = table(
        first, "trains", "g_s / g_u", *(_METHODS[name] for name in others),
        "expected", "50 %", "80 %", "95 %", "flagged as strange",
    )  # fmt: skip
    for name, row in rows.items():
        errors = " | ".join(pair(e) for e in [row["mae"], *(row["rivals"][other] for other in others)])
        lines.append(
            f"| {name} | {row['trains']} | {errors} | {pair(row['expected_error'])} "
            f"| {percent(row['coverage'])} | {100 * row['flagged']:.1f} % |"
        )
    return lines


def _lengths(scores: dict[str, Any]) -> list[str]:
    rows = scores.get("by_length")
    if not rows:
        return []
    return [
        "",
        "## Length of the recording",
        "",
        "Windows from the middle of test trains that have as many intervals; longer ones are of trains that "
        "fire faster or longer: compare a row's error with what its posterior expects.",
        *_stressed(rows, "intervals"),
        "",
        "Whole test trains, from the start of the recording to its end:",
        *_stressed(scores["by_seconds"], "seconds"),
    ]


def _disturbed(scores: dict[str, Any]) -> list[str]:
    rows = scores.get("disturbed")
    if not rows:
        return []
    return ["", "## Missing, false, jittered and sampled spikes", *_stressed(rows, "trains")]


def _strange(scores: dict[str, Any]) -> list[str]:
    found = scores.get("strange")
    lines = []
    if found:
        alarms = ", ".join(f"{name} {100 * v:.1f} %" for name, v in found["false_alarms"].items())
        lines += [
            "",
            "## Strange recordings",
            "",
            f"Held-out trains of the neuron that are flagged wrongly: {alarms}.",
            *table("kind", "trains", "AUROC", "flagged"),
        ]
        for kind, row in found["kinds"].items():
            lines.append(f"| {kind} | {row['trains']} | {row['auroc']:.3f} | {100 * row['flagged']:.1f} % |")
    moved = scores.get("drift")
    if moved:
        jumps = moved["jumps_over_5_found"]
        found_share = (
            ""
            if jumps is None
            else (f" Of those spliced from two neurons whose DICs differ by over 5, {100 * jumps:.1f} % are.")
        )
        lines += [
            "",
            "## Drift",
            "",
            f"Of {moved['trains']} steady trains, {100 * moved['steady_called_drifting']:.1f} % are said to "
            f"drift.{found_share}",
        ]
    return lines


def _alike(scores: dict[str, Any]) -> list[str]:
    found = scores.get("alike")
    if not found:
        return []
    share = f"{100 * found['tolerance']:g} %"
    lines = [
        "",
        "## Neurons that fire the same train",
        "",
        f"Of {found['populations']} populations that fire without noise, "
        f"{100 * found['trains'] / found['populations']:.0f} % spike so regularly that they fall into groups "
        f"of {found['size']} in whose trains every interval agrees with every other to {share}. Their DICs "
        "differ all the same: the best constant for each group, chosen with the answers known, errs by "
        f"{pair(found['hindsight'])} on average, and no estimator that is blind to differences under "
        f"{share} can be expected to err less on them.",
    ]
    network = found.get("network")
    if network:
        lines[-1] += (
            " The network sees smaller ones, such as how a neuron settles after its start, where they tell "
            f"anything: its posterior median errs by {pair(network['mae'])} on the {network['trains']} of "
            f"these trains that it was not trained on, where it expects {pair(network['expected_error'])}."
        )
    return lines


def _drawn(scores: dict[str, Any]) -> list[str]:
    rows = scores.get("drawn")
    if not rows:
        return []
    lines = [
        "",
        "## Neurons of another make",
        "",
        "Test neurons whose conductances were drawn over their declared ranges, read under each prior.",
        *table("prior", "pattern", "n", "g_s / g_u", "always the median", "50 %", "80 %", "95 %"),
    ]
    for prior, patterns in rows.items():
        if prior == "recognised":
            continue
        for pattern, row in patterns.items():
            lines.append(
                f"| {prior} | {pattern} | {row['trains']} | {pair(row['mae']['median'])} "
                f"| {pair(row['mae']['constant'])} | {percent(row['coverage'])} |"
            )
    if "recognised" in rows:
        lines += ["", f"{100 * rows['recognised']:.1f} % of them are recognised as drawn."]
    return lines


def _behind(scores: dict[str, Any]) -> list[str]:
    """Say where the trees are better than the network's best point."""
    named = {_BANDS[band]: patterns for band, patterns in scores["bands"].items()}
    for data, bands in scores["held_out"].items():
        named |= {_named(data, band): patterns for band, patterns in bands.items()}
    rows = {
        f"{name}, {pattern}": (row["mae"]["median"], row["mae"])
        for name, patterns in named.items()
        for pattern, row in patterns.items()
        if row["trains"] >= _FEWEST_COMPARED
    }
    for name, row in (scores.get("disturbed") or {}).items():
        if row["trains"] >= _FEWEST_COMPARED:
            rows[f"disturbed: {name}"] = row["mae"], row["rivals"]
    lines = []
    for method in (TREES, DISTURBED_TREES):
        asked = [
            (f"{name}, {dic}", errors[method][i], own[i])
            for name, (own, errors) in rows.items()
            if method in errors
            for i, dic in enumerate(("g_s", "g_u"))
        ]
        worse = [name for name, other, own in asked if round(other, 2) < round(own, 2)]
        if asked:
            lines += [
                "",
                f"{_METHODS[method].capitalize()}: their error is smaller than the posterior median's in "
                f"{len(worse)} of {len(asked)} comparisons over {_FEWEST_COMPARED} trains or more"
                f"{': ' if worse else ''}{'; '.join(worse)}.",
            ]
    return lines


def _curve(history: Path | None, rows_shown: int = 12) -> list[str]:
    if history is None or not history.is_file():
        return []
    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    step = max(1, -(-len(rows) // rows_shown))
    kept = [*rows[::step], *([rows[-1]] if (len(rows) - 1) % step else [])]
    names = ("epoch", "minutes", "train_nll", "val_nll", "val_mae_g_s", "val_mae_g_u")
    lines = ["", "## Training curve", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(row.get(n, "") for n in names) + " |" for row in kept]
