"""Does a neuron fire without current, and at which current does it begin, or stop?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import HeldCurrents
from spike2pop_nb.simulation.simulator import simulate
from spike2pop_nb.spiketrains.patterns import SILENT_BELOW

__all__ = ["Excitability", "excitability"]

FloatArray = npt.NDArray[np.float64]
_DOUBLINGS = 13
_FIRST_UA = 0.1


@dataclass(frozen=True, eq=False)
class Excitability:
    """At which current members begin to fire, or stop.

    Attributes
    ----------
    fires : (n,) bool
        Whether a member fires without current.
    current_uA : (n,)
        In µA/cm²: of a member that is silent, the lowest of a series of currents, each twice the last, at
        which it fires; of one that fires, the weakest inward-directed (negative) one that silences it. NaN
        where none of them does.
    most_uA
        The largest current tried.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation.excitability import excitability
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = excitability(population.neuron, population.g)
    >>> bool(found.fires.all()), bool((found.current_uA < 0).all())
    (True, True)
    """

    fires: npt.NDArray[np.bool_]
    current_uA: FloatArray
    most_uA: float

    def describe(self) -> str:
        """Say it, one sentence a line."""
        n, n_fire = len(self.fires), int(self.fires.sum())
        said = []
        if n_fire:
            who = "all" if n_fire == n else f"{n_fire}"
            said.append(f"Without current {who} of {n} members fire; {self._at(self.fires, 'silence')}.")
        if n_fire < n:
            who = "all" if not n_fire else f"{n - n_fire}"
            said.append(f"Without current {who} of {n} members are silent; {self._at(~self.fires, 'fire')}.")
        return "\n".join(said)

    def _at(self, which: npt.NDArray[np.bool_], verb: str) -> str:
        current = self.current_uA[which]
        found = current[np.isfinite(current)]
        sign = "" if verb == "fire" else "−"
        if not found.size:
            none = "makes them fire" if verb == "fire" else "silences them"
            return f"no current up to {sign}{self.most_uA:g} µA/cm² {none}"
        many = "" if found.size == current.size else f"{found.size} of them "
        at = f"{sign}{np.median(np.abs(found)):.3g} µA/cm² (median)"
        return (
            f"{many or 'they '}fire from {at} on"
            if verb == "fire"
            else f"{at} silences {many or 'them'}".strip()
        )


def excitability(
    neuron: NeuronModel, g: FloatArray, fires: npt.NDArray[np.bool_] | None = None
) -> Excitability:
    """Return at which constant current members begin to fire, or stop.

    Parameters
    ----------
    neuron, g : (n, n_channels)
        Members; conductances in mS/cm².
    fires : (n,)
        Which of them fire without current; tried out if that is not known.

    Raises
    ------
    SimulationError
        As `simulate`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation.excitability import excitability
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> print(excitability(population.neuron, population.g).describe().split(";")[0])
    Without current all of 4 members fire
    """
    n = len(g)
    series = _FIRST_UA * neuron.capacitance_uF * 2.0 ** np.arange(_DOUBLINGS)
    if fires is None:
        fires = _counts(neuron, g, np.zeros(n)) >= SILENT_BELOW
    sign = np.where(fires, -1.0, 1.0)
    current = (sign[:, None] * series).ravel()
    spikes = _counts(neuron, np.repeat(g, len(series), axis=0), current).reshape(n, -1)
    changed = (spikes >= SILENT_BELOW) != fires[:, None]
    first = np.argmax(changed, axis=1)
    found = np.where(changed.any(axis=1), sign * series[first], np.nan)
    return Excitability(fires, found, float(series[-1]))


def _counts(neuron: NeuronModel, g: FloatArray, current: FloatArray) -> npt.NDArray[np.int64]:
    """Spikes of members under constant currents; none where the voltage runs away."""
    found = simulate(g, neuron, record="spikes", course=HeldCurrents(current))
    return np.array([len(times) for times in found.spike_times_ms])
