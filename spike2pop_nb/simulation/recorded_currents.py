"""Each channel's current over time in one member: what a voltage trace does not show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import Inhibited, Schedule
from spike2pop_nb.simulation.noise import noise_seeds
from spike2pop_nb.simulation.runner import UNUSABLE, Runner, unusable
from spike2pop_nb.simulation.simulated import Simulated
from spike2pop_nb.simulation.simulator import drive_of, members_of, recording_window, time_step_ms

__all__ = ["MAX_CURRENTS_MS", "Currents", "currents"]

FloatArray = npt.NDArray[np.float64]
MAX_CURRENTS_MS = 60_000.0
"""Longest simulation whose currents are computed."""


@dataclass(frozen=True, eq=False)
class Currents:
    """Currents of one member over time, outward positive.

    Attributes
    ----------
    neuron
        The declaration that was simulated.
    label
        ``(id, member)``.
    time_ms, V_mV, Ca_uM : (n,)
        Time from the start of the simulation, voltage and calcium (empty without a calcium pool; of several
        pools, the first).
    I : (n_channels, n)
        In µA/cm², in the order of the declaration; they (and ``pump``) sum to −C dV/dt.
    spike_times_ms : (n_spikes,)
        After the transient.
    pools : (n_pools, n)
        Calcium of each pool in µM.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = s2p.currents(population, 0, duration_ms=600, transient_ms=500)
    >>> found.to_frame().columns[:3].tolist()
    ['time_ms', 'V_mV', 'Ca_uM']
    """

    neuron: NeuronModel
    label: tuple[str, int]
    time_ms: FloatArray
    V_mV: FloatArray
    Ca_uM: FloatArray
    I: FloatArray  # noqa: E741
    spike_times_ms: FloatArray
    pools: FloatArray

    @property
    def pump(self) -> FloatArray:
        """Current that calcium pumps carry, (n,), in µA/cm²: zero but for electrogenic ones."""
        carried = np.zeros_like(self.V_mV)
        for pool, Ca in zip(self.neuron.pools, self.pools, strict=True):
            if pool.pump is not None:
                carried += pool.pump.current_uA * pool.pump.share(Ca)
        return carried

    @property
    def outward(self) -> FloatArray:
        """Sum of all outward currents, (n,), in µA/cm²."""
        return np.maximum(self.I, 0.0).sum(axis=0)

    @property
    def inward(self) -> FloatArray:
        """Sum of all inward currents, (n,), in µA/cm²; not negative."""
        return np.maximum(-self.I, 0.0).sum(axis=0)

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Return what each channel carries of the outward and of the inward current, (n_channels, n) each.

        Shares of one direction sum to 1 at any time at which there is such a current, as in the currentscapes
        of Alonso and Marder (2019), doi:10.7554/eLife.42722.
        """
        outward, inward = np.maximum(self.I, 0.0), np.maximum(-self.I, 0.0)
        return _share(outward), _share(inward)

    def to_frame(self) -> pd.DataFrame:
        """Return a table: time_ms, V_mV, calcium if there is any, and ``I_<channel>`` in µA/cm².

        Calcium is ``Ca_uM``, or ``<pool>_uM`` of several pools.
        """
        pools = self.neuron.pools
        names = [f"{pool.name}_uM" for pool in pools] if len(pools) > 1 else ["Ca_uM"][: len(pools)]
        calcium = dict(zip(names, self.pools, strict=True))
        each = {f"I_{name}": current for name, current in zip(self.neuron.channel_names, self.I, strict=True)}
        pump = {"I_calcium_pump": self.pump} if self.pump.any() else {}
        return pd.DataFrame({"time_ms": self.time_ms, "V_mV": self.V_mV, **calcium, **each, **pump})


def _share(part: FloatArray) -> FloatArray:
    total = part.sum(axis=0)
    return np.divide(part, total, out=np.zeros_like(part), where=total > 0)


def currents(
    population: Population | npt.ArrayLike,
    row: int = 0,
    neuron: str | NeuronModel | None = None,
    *,
    like: Simulated | None = None,
    duration_ms: float | None = None,
    transient_ms: float | None = None,
    accuracy: str = "standard",
    sample_ms: float = 0.1,
) -> Currents:
    """Return each channel's current over time in one member.

    The member is simulated once more, with the constant current, noise and inhibition that it carries, which
    gives the same voltage and spikes to the last digit, and the simulator records what flows: at each sample
    the mean over the time step before it and the one after it. Of a member to which nothing is injected that
    is −C dV/dt over all channels (the central difference of the voltage) to within rounding.

    Parameters
    ----------
    population : Population or (n, n_channels)
        Members; maximal conductances in mS/cm².
    row
        Which of them.
    neuron
        Of an array; a population has its own.
    like
        Take duration, transient and accuracy from this simulation of the population; its noise must have
        been the members' own.
    duration_ms, transient_ms, accuracy
        As in :func:`simulate`.
    sample_ms
        Time between samples.

    Raises
    ------
    SimulationError
        If the settings make no sense, there is no such row, or the member cannot be simulated.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = s2p.currents(population, 0, duration_ms=600, transient_ms=500)
    >>> found.I.shape[0] == len(population.channel_names)
    True
    """
    model, g, labels = members_of(population, neuron)
    sigma, held = drive_of(population, len(g), None, None)
    if like is not None:
        if like.noise_sigma.size and not np.array_equal(like.noise_sigma, sigma):
            raise SimulationError(
                "Currents are followed under the noise that members carry, but this simulation had other "
                "noise; simulate the population without noise_sigma."
            )
        duration_ms, transient_ms, accuracy = like.duration_ms, like.transient_ms, like.accuracy
    if not 0 <= row < len(g):
        raise SimulationError(f"There is no member in row {row}; the population has {len(g)}, from row 0.")
    start, stop = recording_window(model, duration_ms, transient_ms)
    if not 0 <= start < stop <= MAX_CURRENTS_MS:
        raise SimulationError(
            f"Currents are computed over up to {MAX_CURRENTS_MS / 1000:g} s that last longer than their "
            f"transient, not over {stop / 1000:g} s with a transient of {start / 1000:g} s."
        )
    dt = time_step_ms(model, accuracy)
    if not dt <= sample_ms < stop - start:
        raise SimulationError(f"sample_ms must be from {dt} ms to {stop - start:g} ms, not {sample_ms}.")
    chosen = g[[row]]
    own = population.noise_seeds if isinstance(population, Population) else None
    seeds = noise_seeds(0 if own is None else own, len(g))
    runner = Runner(model, dt, start, stop, sample_ms, sigma[[row]], seeds[[row]], current=held[[row]])
    if unusable(chosen[:, None])[0]:
        raise SimulationError(f"The member cannot be simulated: {UNUSABLE}.")
    inhibition = population.inhibition if isinstance(population, Population) else None
    given = None if inhibition is None else Inhibited(inhibition.select(np.array([row])), Schedule())
    ran = runner.run(chosen, np.array([0]), schedule=given, currents=True)
    if why := ran.failures[0]:
        raise SimulationError(f"The member cannot be simulated: {why}.")
    return Currents(
        neuron=model,
        label=labels[row],
        time_ms=runner.time_ms(),
        V_mV=ran.V_mV[0].astype(float),
        Ca_uM=ran.Ca_uM[0, 0] if model.pools else np.zeros(0),
        I=ran.I[0],
        spike_times_ms=ran.spike_times_ms[0],
        pools=ran.Ca_uM[0],
    )
