"""The model card of an atlas: what it tells of members that nothing was learned from, as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.atlas import load_atlas
from spike2pop_nb.inference.drive import CURRENT_RANGE, NOISE_RANGE
from spike2pop_nb.inference.predictor import Predictor, load_predictor
from spike2pop_nb.inference.weight_files import find_weights
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.training import disturbances
from spike2pop_nb.training.atlas import simulated_members, trains_of
from spike2pop_nb.training.batches import Trains
from spike2pop_nb.training.model_card import rendered
from spike2pop_nb.training.scores import score_all

__all__ = ["atlas_card", "atlas_scores", "fresh_members"]

_SEED = 8_000_009
_TOLD = {"nothing": (False, False), "current": (True, False), "current and noise": (True, True)}
_ALIKE, _GROUP = 0.05, 5  # intervals this near make regular trains the same; neurons that fire it together


def fresh_members(neuron: str | NeuronModel, n: int, seed: int = _SEED, *, driven: bool = True) -> Trains:
    """Draw n members as those of an atlas, and simulate them; those that fire.

    Parameters
    ----------
    driven
        Whether they have current and noise.
    """
    made = simulated_members(get_neuron(neuron), n, seed, driven=driven, accuracy="standard")
    return trains_of(made.times_ms, made.dics, made.drive, made.drawn)


def atlas_scores(
    neuron: str | NeuronModel,
    path: str | Path | None = None,
    *,
    members: int = 1000,
    seed: int = _SEED,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Score the atlas of a neuron on fresh members, and beside the neuron's larger network if it has one.

    Parameters
    ----------
    path
        File of the atlas; by default the one that `load_atlas` finds.
    members
        To simulate with current and noise, and as many without.
    seed
        That draws them; not one of the atlas.
    progress
        Called with (done, total, words).

    Raises
    ------
    PredictorError
        If the neuron has no atlas.
    TrainingError
        If too few of its members fire.
    """
    model = get_neuron(neuron)
    file = load_atlas(model).path if path is None else Path(path)
    small = Predictor(load_network(file, neuron=model.name))
    large = load_predictor(model.name) if model.name in find_weights() else None

    def say(step: int, words: str) -> None:
        if progress is not None:
            progress(step, 5, words)

    say(0, f"Simulating {members} {model.name} neurons with current and noise")
    driven = fresh_members(model, members, seed)
    say(1, f"Simulating {members} {model.name} neurons without")
    quiet = fresh_members(model, members, seed + 1, driven=False)
    made, drawn = driven.take(~driven.drawn), driven.take(driven.drawn)
    if not len(made):
        raise TrainingError(f"None of {members} {model.name} neurons made by compensation fires.")
    say(2, "Asking for DICs")
    scores: dict[str, Any] = {
        "neuron": model.name,
        "about": small.metadata["atlas"],
        "members": 2 * members,
        "fire": len(driven) / members,
        "large": large is not None,
        "driven": _told(small, made),
        "quiet": _told(small, quiet.take(~quiet.drawn), large),
        "drawn": _told(small, drawn, prior="drawn") if len(drawn) else {},
    }
    say(3, "Asking for current and noise")
    drive = Predictor(load_network(file, neuron=model.name, part="drive"))
    asked = replace(driven, targets=np.column_stack([driven.current, driven.sigma]))
    scores["drive"] = score_all(asked, drive.predict(asked.listed()), seed=seed)["all"]
    say(4, "Disturbing recordings")
    # regular trains are of neurons without a current, which is told: what is left is what trains do not tell
    alone = Predictor(load_network(file, neuron=model.name), current=0.0)
    scores |= {
        "by_length": disturbances.by_length(small, made, seed=seed),
        "disturbed": disturbances.disturbed(small, made, seed=seed),
        "strange": disturbances.strange(small, driven, seed=seed),
        "alike": disturbances.alike(alone, quiet.take(~quiet.drawn), _ALIKE, _GROUP, seed, unseen=True),
    }
    say(5, "")
    return scores


def _told(
    predictor: Predictor, trains: Trains, large: Predictor | None = None, prior: str = "compensated"
) -> dict[str, Any]:
    """Scores of trains by what is told beside them, and of the larger network."""
    if not len(trains):
        return {}
    drive = np.column_stack([trains.current, trains.sigma])
    times = trains.listed()
    rows = {
        what: score_all(trains, predictor.predict(times, prior=prior, drive=np.where(known, drive, np.nan)))
        for what, known in _TOLD.items()
    }
    if large is not None:
        rows["larger network"] = score_all(trains, large.predict(times, prior=prior))
    return rows


def atlas_card(scores: dict[str, Any]) -> str:
    """Return the card, in Markdown, from what `atlas_scores` returns.

    Its words are in ``atlas_card.md.j2``.
    """
    current, noise = ([f"{end:g}".replace("-", "−") for end in ends] for ends in (CURRENT_RANGE, NOISE_RANGE))
    return rendered("atlas_card.md.j2", scores=scores, about=scores["about"], current=current, noise=noise)
