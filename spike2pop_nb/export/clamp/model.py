"""What a dynamic clamp injects: channels of one member, or the difference between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export.simulators.description import PoolText, describe_pools
from spike2pop_nb.neurons import NeuronModel

__all__ = ["Clamp", "Side", "dynamic_clamp"]

FloatArray = npt.NDArray[np.float64]
_SAME = 1e-12  # relative; conductances that differ by less are the same


@dataclass(frozen=True, eq=False)
class Clamp:
    """What is injected into a cell, from its voltage: currents of channels that one member has and it lacks.

    Attributes
    ----------
    neuron
        The declaration.
    channels
        Names of the channels whose currents are injected.
    to_g, from_g : (n_channels,)
        Maximal conductances in mS/cm² of the member that the cell is made like, and of what it is before.
        Injected is what the first carries through the channels, less what the second does.
    to_label, from_label
        ``(id, member)`` of the two; the second is None if channels are added to any cell.
    capacitance_pF
        Of the cell, by which densities become currents in pA; None if it is only known at the rig.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import dynamic_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> dynamic_clamp(population, 3, ["A"], capacitance_pF=25.0).describe()
    'A of member 1/3'
    """

    neuron: NeuronModel
    channels: tuple[str, ...]
    to_g: FloatArray
    from_g: FloatArray
    to_label: tuple[str, int]
    from_label: tuple[str, int] | None
    capacitance_pF: float | None

    @property
    def added(self) -> dict[str, float]:
        """By how much each channel is more, in mS/cm²; less than zero for what is taken away."""
        places = [self.neuron.index(name) for name in self.channels]
        return {
            name: float(self.to_g[c] - self.from_g[c]) for name, c in zip(self.channels, places, strict=True)
        }

    @property
    def sides(self) -> tuple[Side, ...]:
        """The members of which channels that follow calcium are injected, or taken away."""
        made = [Side(self, "to", 1.0, self.to_g), Side(self, "from", -1.0, self.from_g)]
        return tuple(side for side in made if side.following)

    def describe(self) -> str:
        """Say in a few words what is injected."""
        names, whose = ", ".join(self.channels), "/".join(map(str, self.to_label))
        if self.from_label is None:
            return f"{names} of member {whose}"
        return f"{names} of member {whose} less those of member {'/'.join(map(str, self.from_label))}"


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two members of a clamp (to, from), as far as its own calcium is needed to know its currents.

    Its currents count with a sign.
    """

    clamp: Clamp
    name: str
    sign: float
    g: FloatArray

    @property
    def following(self) -> tuple[str, ...]:
        """Its channels that are injected and follow calcium."""
        neuron = self.clamp.neuron
        return tuple(
            name
            for name in self.clamp.channels
            if neuron.channels[neuron.index(name)].follows_calcium and self.g[neuron.index(name)] > 0
        )

    @property
    def pools(self) -> tuple[PoolText, ...]:
        """Calcium pools that these channels follow, and pools that channels feeding those follow."""
        neuron, needed, asked = self.clamp.neuron, set[str](), list(self.following)
        feeding = {pool.name: pool.channels for pool in neuron.pools}
        while asked:
            channel = neuron.channels[neuron.index(asked.pop())]
            followed = {gate.hill.pool for gate in channel.gates if gate.hill is not None}
            if not isinstance(channel.E_mV, float | int):
                followed.add(channel.E_mV.pool)
            for pool in followed - needed:
                needed.add(pool)
                asked += feeding[pool]
        return tuple(pool for pool in describe_pools(neuron) if pool.declared.name in needed)

    @property
    def computed(self) -> tuple[str, ...]:
        """All channels of it whose currents must be known, in the order of the declaration."""
        known = set(self.following) | {name for pool in self.pools for name in pool.declared.channels}
        neuron = self.clamp.neuron
        return tuple(
            name for name in neuron.channel_names if name in known and self.g[neuron.index(name)] > 0
        )


def dynamic_clamp(
    population: Population,
    row: int,
    channels: Sequence[str] | None = None,
    *,
    from_row: int | None = None,
    capacitance_pF: float | None = None,
) -> Clamp:
    """Return what a dynamic clamp injects: channels of a member, or what it has more than another member.

    Parameters
    ----------
    population
        Members.
    row
        Whose channels are injected, or like whom the cell is made.
    channels
        Their names. With ``from_row`` all that differ by default; else they have to be named.
    from_row
        A member that the cell is like; then the difference is injected.
    capacitance_pF
        Of the cell.

    Raises
    ------
    SimulationError
        If there is no such row, no channel is named, the members do not differ, or the capacitance cannot be.
    NeuronModelError
        If the neuron has no such channel.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import dynamic_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> clamp = dynamic_clamp(population, 3, from_row=0, capacitance_pF=25.0)
    >>> len(clamp.channels), round(clamp.added["A"])
    (8, -100)
    """
    neuron = population.neuron
    for place in (row, *([] if from_row is None else [from_row])):
        if not 0 <= place < len(population):
            raise SimulationError(f"There is no member in row {place}; the population has {len(population)}.")
    if capacitance_pF is not None and not (np.isfinite(capacitance_pF) and 0 < capacitance_pF <= 1e6):
        raise SimulationError(
            f"The capacitance of the cell must be above 0 and up to 1e6 pF, not {capacitance_pF:g} pF."
        )
    to_g = population.g[row]
    if from_row is not None:
        from_g = population.g[from_row]
        differing = np.abs(to_g - from_g) > _SAME * np.maximum(to_g, from_g)
        chosen = channels or [
            name for name, differs in zip(neuron.channel_names, differing, strict=True) if differs
        ]
        if not any(differing[neuron.index(name)] for name in chosen):
            whose = f"the same conductance of {', '.join(channels)}" if channels else "the same conductances"
            raise SimulationError(f"The two members have {whose}: there is nothing to inject.")
    else:
        if not channels:
            raise SimulationError(f"Name the channels to inject, of {', '.join(neuron.channel_names)}.")
        chosen = list(channels)
        from_g = to_g.copy()
        from_g[[neuron.index(name) for name in chosen]] = 0.0
        if not any(to_g[neuron.index(name)] > 0 for name in chosen):
            raise SimulationError(f"The member has no {', '.join(chosen)}: there is nothing to inject.")
    return Clamp(
        neuron=neuron,
        channels=tuple(name for name in neuron.channel_names if name in set(chosen)),
        to_g=to_g,
        from_g=from_g,
        to_label=population.labels[row],
        from_label=None if from_row is None else population.labels[from_row],
        capacitance_pF=capacitance_pF,
    )
