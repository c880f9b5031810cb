"""Whether another neuron fits a recording that is strange to the one it was read as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from spike2pop_nb.inference.weight_files import list_predictors
from spike2pop_nb.neurons import list_neurons

if TYPE_CHECKING:
    from spike2pop_nb.inference.posterior import Posterior
    from spike2pop_nb.inference.predictor import Predictor

__all__ = ["other_neurons"]


def other_neurons(
    trains: Sequence[Any], posteriors: Sequence[Posterior], load: Callable[[str], Predictor] | None = None
) -> list[str | None]:
    """For each recording that is strange to its neuron, another to which it is not.

    Parameters
    ----------
    trains : sequence of SpikeTrain
        The recordings.
    posteriors : sequence of Posterior
        What was predicted of them.
    load : callable, optional
        Gives the predictor of a neuron by its name; `load_predictor` by default.

    Returns
    -------
    list of str or None
        Names of neurons with a network; of several that fit the one to which the recording looks least
        strange. None for a recording that fits its own neuron, or none.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("da_set.csv"))[:2]
    >>> s2p.inference.other_neurons(trains, s2p.load_predictor("stg").predict(trains))
    ['da', 'da']
    """
    from spike2pop_nb.inference.predictor import load_predictor

    predictor = load or load_predictor
    best: list[tuple[float, str | None]] = [(0.0, None)] * len(trains)
    strange = [i for i, p in enumerate(posteriors) if p.domain is not None and not p.domain.inside]
    for name in list_predictors():
        asked = [i for i in strange if posteriors[i].neuron != name]
        if not asked or name not in list_neurons():
            continue
        for i, other in zip(asked, predictor(name).predict([trains[i] for i in asked]), strict=True):
            if other.domain is not None and other.domain.inside:
                best[i] = max(best[i], (other.domain.p_value, name))
    return [name for _p, name in best]
