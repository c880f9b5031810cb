"""Sections of a model card that set other networks beside the scored one: ablations, and adapters."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.training.card_commands import AS_SHIPPED
from spike2pop_nb.training.card_markdown import pair, table
from spike2pop_nb.training.stress import MISSING, SAMPLED

__all__ = ["ablations", "adapting"]


def ablations(scores: dict[str, Any]) -> list[str]:
    if not scores.get("ablations"):
        return []
    lines = [
        "",
        "## Ablations",
        "",
        "Other networks, from runs as the columns tell, beside the shipped one, on the same "
        f"{scores['ablations'][AS_SHIPPED]['all']['trains']} test trains: posterior median, negative log "
        f"likelihood per train (DIC units), and both for those trains with {MISSING}, with "
        f"{SAMPLED}, and for whole test trains of other lengths.",
        *table(
            "network", "changed", "trains", "steps", "g_s / g_u", "spiking", "bursting", "NLL",
            "pattern right", MISSING, "NLL", SAMPLED, "NLL", "other lengths", "NLL",
        ),
    ]  # fmt: skip
    for name, row in scores["ablations"].items():
        errors = " | ".join(
            pair(row[p]["mae"]["median"]) if p in row else "–" for p in ("all", "spiking", "bursting")
        )
        run = row["run"]
        asked = (row["disturbed"][MISSING], row["disturbed"][SAMPLED], row["other_lengths"])
        stressed = " | ".join(f"{pair(r['mae'])} | {r['nll']:.3f}" if r else "– | –" for r in asked)
        lines.append(
            f"| {name.replace('_', ' ')} | {', '.join(run['changes']) or '–'} | {run['trains']} "
            f"| {run['steps']} | {errors} | {row['all']['nll']:.3f} | {row['all']['pattern_accuracy']:.4f} "
            f"| {stressed} |"
        )
    return lines


def adapting(scores: dict[str, Any]) -> list[str]:
    if not scores.get("curve"):
        return []
    lines = [
        "",
        "## Adapting against training from scratch",
        "",
        "Posterior median, test trains made by compensation.",
        *table("training trains", "steps", "way", "g_s / g_u", "NLL"),
    ]
    for row in scores["curve"]:
        error = pair([float(row["mae_g_s"]), float(row["mae_g_u"])])
        lines.append(
            f"| {row['trains']} | {row['steps']} | {row['way']} | {error} | {float(row['nll']):.2f} |"
        )
    return lines
