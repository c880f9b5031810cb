"""The model card: a network's scores as Markdown, beside the baseline and the published figures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from spike2pop_nb.inference.tokens import MAX_INTERVALS
from spike2pop_nb.training.baseline import DISTURBED_TREES, TREES
from spike2pop_nb.training.card_commands import AS_SHIPPED, commands, runs_of, sets_of
from spike2pop_nb.training.disturbances import MISSING, SAMPLED

__all__ = ["model_card", "published_errors", "rendered"]

_BANDS = {
    "clean": "no injected noise",
    "noisy": "injected noise",
    "sigma_0_2": "σ up to 2",
    "sigma_2_4": "σ 2 to 4",
    "sigma_4_6": "σ over 4",
    "all": "both",
}
_SHOWN = {band: _BANDS[band] for band in ("clean", "noisy", "all")}
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
_CURVE = ("epoch", "minutes", "train_nll", "val_nll", "val_mae_g_s", "val_mae_g_u")
_BARS = "▁▂▃▄▅▆▇█"
_FEWEST_COMPARED = 250
_FEWEST_LISTED = 30
_MOST_SHOWN = 12  # rows of the history


def model_card(scores: dict[str, Any], history: Path | None = None, drawing: str | None = None) -> str:
    """Markdown from what `evaluate` returns, the run's ``history.csv``, and the name of a drawing.

    Its words are in ``model_card.md.j2``.
    """
    weights = scores["weights"]
    return rendered(
        "model_card.md.j2",
        scores=scores,
        data=weights.get("data", {}),
        training=weights.get("training", {}),
        kind=_kind(weights),
        published=published_errors(scores["neuron"]),
        held_out={name: _bands_of(name, bands) for name, bands in scores["held_out"].items()},
        behind=_behind(scores),
        drawing=drawing,
        history=_history(history),
        commands=commands(scores),
        made=sets_of(weights),
        runs=runs_of(weights),
        BANDS=_BANDS,
        SHOWN=_SHOWN,
        UNITS=_UNITS,
        CURVE=_CURVE,
        FEWEST_LISTED=_FEWEST_LISTED,
        MAX_INTERVALS=MAX_INTERVALS,
        DISTURBED_TREES=DISTURBED_TREES,
        AS_SHIPPED=AS_SHIPPED,
        MISSING=MISSING,
        SAMPLED=SAMPLED,
    )


def rendered(template: str, **values: Any) -> str:
    """Return what a template of a card says."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "pair": _pair, "share": _share, "shares": _shares, "bars": _bars, "departure": _departure
    }  # fmt: skip
    return environment.get_template(template).render(METHODS=_METHODS, **values)


def published_errors(neuron: str) -> list[tuple[str, str, str, tuple[float, float]]]:
    """Published figures for a neuron, from ``published/<name>.csv``; none if there is no such file.

    Each is (test set, pattern, source, mean absolute error of g_s and g_u); trains of the set "noisy" have σ
    of 5 µA/cm².
    """
    file = Path(__file__).parent / "published" / f"{neuron}.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as table:
        return [
            (row["trains"], row["pattern"], row["source"], (float(row["g_s"]), float(row["g_u"])))
            for row in csv.DictReader(table)
        ]


def _pair(values: Sequence[float | str]) -> str:
    """Two numbers, as of g_s and g_u."""
    return " / ".join(f"{float(v):.2f}" for v in values)


def _share(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def _shares(values: dict[str, float]) -> str:
    """Shares as cells of a row."""
    return " | ".join(f"{100 * v:.1f}" for v in values.values())


def _bars(counts: list[int]) -> str:
    """A histogram in a line: half height is flat."""
    flat = sum(counts) / len(counts)
    return "".join(_BARS[min(int(4 * n / max(flat, 1e-9)), len(_BARS) - 1)] for n in counts)


def _departure(ranks: dict[str, list[int]]) -> float:
    """How far the bin is from flat that is farthest."""
    return max(abs(len(v) * x / sum(v) - 1) for v in ranks.values() for x in v)


def _kind(weights: dict[str, Any]) -> str:
    """What was learned, and from where on."""
    if base := weights.get("base"):
        return f"low-rank adapters on the frozen network of {base['neuron']!r}"
    if start := weights.get("training", {}).get("start"):
        rows = sum(row["rows"] for row in (start.get("recipes") or {}).values())
        seen = f" (learned from {rows} rows of data)" if rows else ""
        return f"whole network, begun from that of {start['neuron']!r}{seen}"
    return "whole network"


def _bands_of(data: str, bands: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What the bands of a data set are called: all, and those whose errors are shown."""
    named = {band: _named(data, band) for band in bands}
    shown = {band: words for band, words in named.items() if band in _SHOWN or band not in _BANDS}
    return {"all": named, "shown": shown}


def _named(data: str, band: str) -> str:
    return data if band == "all" else f"{data}, {_BANDS.get(band, band)}"


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
    sentences = []
    for method in (TREES, DISTURBED_TREES):
        asked = [
            (f"{name}, {dic}", errors[method][i], own[i])
            for name, (own, errors) in rows.items()
            if method in errors
            for i, dic in enumerate(("g_s", "g_u"))
        ]
        worse = [name for name, other, own in asked if round(other, 2) < round(own, 2)]
        if asked:
            sentences.append(
                f"{_METHODS[method].capitalize()}: their error is smaller than the posterior median's in "
                f"{len(worse)} of {len(asked)} comparisons over {_FEWEST_COMPARED} trains or more"
                f"{': ' if worse else ''}{'; '.join(worse)}."
            )
    return sentences


def _history(path: Path | None) -> list[dict[str, str]]:
    """Evenly spaced rows of a run's ``history.csv``, and the last."""
    if path is None or not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    step = max(1, -(-len(rows) // _MOST_SHOWN))
    return [*rows[::step], *([rows[-1]] if (len(rows) - 1) % step else [])]
