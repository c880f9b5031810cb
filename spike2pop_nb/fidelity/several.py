"""Several recordings searched one after the other; one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from spike2pop_nb.conductances import DICSampler
from spike2pop_nb.fidelity import search
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["attempt_populations"]


def attempt_populations(
    trains: Sequence[SpikeTrain],
    neuron: str | NeuronModel,
    posteriors: Sequence[DICSampler | None],
    *,
    progress: Callable[[int, int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    **options: Any,
) -> Iterator[Result]:
    """Search several recordings, each as `attempt_population` does; give each result once it is there.

    For many, `spike2pop_nb.export.run_recordings` does the same in several processes, and keeps all of it.

    Parameters
    ----------
    trains, posteriors
        One posterior a recording; None where the neuron has no network.
    neuron
        A neuron or its name.
    progress
        Called with (place of the recording, done, total, words).
    cancel
        Polled often; when it returns True, what was found so far is given. Recordings whose search has not
        begun then have no result.
    options
        Of `attempt_population`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import attempt_populations
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2:4]
    >>> posteriors = s2p.load_predictor("stg").predict(trains)
    >>> [len(found.population) for found in attempt_populations(trains, "stg", posteriors, size=2, seed=1)]
    [2, 2]
    """
    model = get_neuron(neuron)
    for place, (train, posterior) in enumerate(zip(trains, posteriors, strict=True)):
        if place and cancel is not None and cancel():
            return

        def say(done: int, total: int, words: str, place: int = place) -> None:
            if progress is not None:
                progress(place, done, total, words)

        yield search.attempt_population(train, model, posterior, progress=say, cancel=cancel, **options)
