"""Several recordings searched at once, so that their members fill the simulator together.

A search asks for few members at a time, and thinks in between. Here other searches go on meanwhile, each in a
thread of its own, and what they ask for over the same window is simulated as one. No member's firing depends
on those beside it, so each search finds what it would find alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import DICSampler
from spike2pop_nb.fidelity import search
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Desk", "attempt_populations"]

FloatArray = npt.NDArray[np.float64]
_AT_ONCE = 8  # searches; each holds the voltages of its members
_MOST_TOGETHER = 256  # members


class _Asked:
    """Members that a search waits for."""

    def __init__(self, g: FloatArray, options: dict[str, Any]) -> None:
        self.g, self.options = g, options
        self.found: Simulated | None = None
        self.error: BaseException | None = None


class Desk:
    """Stands in for `simulate`: what several threads ask for meanwhile is simulated together.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity.together import Desk
    >>> members = s2p.generate_population("stg", (4.0, 5.0), size=2, seed=1).g
    >>> len(Desk()(members, s2p.get_neuron("stg"), duration_ms=500.0, record="spikes"))
    2
    """

    def __init__(self) -> None:
        self._waiting: list[_Asked] = []
        self._listing, self._turn = threading.Lock(), threading.Lock()

    def __call__(self, g: FloatArray, neuron: NeuronModel, **options: Any) -> Simulated:
        """Simulate members; see `simulate`. ``cancel`` is that of whoever comes first."""
        asked = _Asked(g, options | {"neuron": neuron})
        with self._listing:
            self._waiting.append(asked)
        with self._turn:
            if asked.found is None and asked.error is None:
                self._run(asked)
        if asked.error is not None:
            raise asked.error
        assert asked.found is not None
        return asked.found

    def _run(self, first: _Asked) -> None:
        together, n = [first], len(first.g)
        with self._listing:
            for other in self._waiting:
                alike = other is not first and other.options == first.options
                if alike and n + len(other.g) <= _MOST_TOGETHER:
                    together.append(other)
                    n += len(other.g)
            self._waiting = [other for other in self._waiting if other not in together]
        try:
            made = simulate(np.concatenate([one.g for one in together]), **first.options)
        except BaseException as error:
            for one in together:
                one.error = error
            return
        at = 0
        for one in together:
            rows = range(at, at + len(one.g))
            one.found = made if len(together) == 1 else made.select(rows)
            at += len(one.g)


def attempt_populations(
    trains: Sequence[SpikeTrain],
    neuron: str | NeuronModel,
    posteriors: Sequence[DICSampler | None],
    *,
    progress: Callable[[int, int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    **options: Any,
) -> Iterator[Result]:
    """Search several recordings at once, each as `attempt_population` does; give their results in order.

    Parameters
    ----------
    trains, posteriors
        One posterior a recording; None where the neuron has no network.
    neuron
        A neuron or its name.
    progress
        Called with (place of the recording, done, total, words), from one thread at a time.
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
    model, desk = get_neuron(neuron), Desk()
    speaking, closed = threading.Lock(), threading.Event()

    def stop() -> bool:
        return closed.is_set() or (cancel is not None and cancel())

    def attempt(place: int, train: SpikeTrain, posterior: DICSampler | None) -> Result | None:
        def say(done: int, total: int, words: str) -> None:
            with speaking:
                if progress is not None and not closed.is_set():
                    progress(place, done, total, words)

        if place and stop():
            return None
        return search.attempt_population(
            train, model, posterior, progress=say, cancel=stop, simulator=desk, **options
        )

    pool = ThreadPoolExecutor(min(_AT_ONCE, max(1, len(trains))), "spike2pop-search")
    asked = list(enumerate(zip(trains, posteriors, strict=True)))
    running = {place: pool.submit(attempt, place, *both) for place, both in asked[:_AT_ONCE]}
    try:
        for place, _both in asked:
            result = running.pop(place).result()
            if place + _AT_ONCE < len(asked):  # no more results wait than searches run
                later, both = asked[place + _AT_ONCE]
                running[later] = pool.submit(attempt, later, *both)
            if result is not None:
                yield result
    finally:
        closed.set()
        pool.shutdown(cancel_futures=True)
