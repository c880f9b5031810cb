"""Protocols as the simulator takes them: for rows of members under conditions, what holds at each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.action import Action
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import Levels, Schedule, Waves
from spike2pop_nb.simulation.plan import Plan, make_plan

__all__ = ["Applied"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_FINEST_SHARE = 1 / 32  # the neuron itself changes in so many steps


class Applied(Schedule):
    """What protocols do to rows of members.

    Parameters
    ----------
    neuron
        Of all members.
    protocols
        One for each condition.
    condition, member : (n_rows,)
        Which condition and which member each row is.
    begin_ms
        When the recording begins, from the start of the simulation.
    seed
        Of noise currents.
    """

    def __init__(
        self,
        neuron: NeuronModel,
        protocols: Sequence[Protocol],
        condition: IntArray,
        member: IntArray,
        begin_ms: float,
        seed: int,
    ) -> None:
        self.neuron, self.protocols, self.begin_ms, self.seed = neuron, protocols, begin_ms, seed
        self.condition, self.member = condition, member
        self._parts = [(int(k), np.flatnonzero(condition == k)) for k in np.unique(condition)]

    def select(self, rows: IntArray) -> Applied:
        """Return what is done to some rows."""
        return Applied(
            self.neuron, self.protocols, self.condition[rows], self.member[rows], self.begin_ms, self.seed
        )

    def groups(self, n: int) -> list[IntArray]:
        """Return the rows of conditions that change the neuron itself in the same way."""
        found: dict[tuple[Action, ...], list[IntArray]] = {}
        for k, rows in self._parts:
            key = tuple(action for action in self.protocols[k].actions if action.changes_neuron)
            found.setdefault(key, []).append(rows)
        return [np.concatenate(parts) for parts in found.values()]

    def _actions(self) -> Iterable[Action]:
        return {action for k, _rows in self._parts for action in self.protocols[k].actions}

    def jumps_ms(self) -> Sequence[float]:
        """Return when an action begins, ends or bends."""
        return [self.begin_ms + ms for action in self._actions() for ms in action.jumps_ms()]

    def moving_ms(self) -> Sequence[tuple[float, float]]:
        """Return when an action comes on or wears off."""
        return [
            (self.begin_ms + begin, self.begin_ms + end)
            for action in self._actions()
            for begin, end in action.moving_ms()
        ]

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return conductances, reversal potentials and constant currents of all rows."""
        g, E, current = g.copy(), E.copy(), np.zeros(len(g))
        for k, rows in self._parts:
            members = self.member[rows]
            added: FloatArray = np.zeros((1, g.shape[1]))
            for action in self.protocols[k].actions:
                share = float(action.share(ms - self.begin_ms))
                if share == 0:
                    continue
                if (factor := action.g_factor(self.neuron, share, members)) is not None:
                    g[rows] *= factor
                if (more := action.g_added(self.neuron, share, members)) is not None:
                    added = added + more
                if (shift := action.E_shift(self.neuron, share, members)) is not None:
                    E[rows] += shift
                if (level := action.level(self.neuron, share, members)) is not None:
                    current[rows] += level
            if added.any():
                g[rows] = self._with(added, g[rows], self.protocols[k].label)
        return Levels(g, E, current)

    def _with(self, added: FloatArray, g: FloatArray, label: str) -> FloatArray:
        """Return conductances with what is added; less than nothing by rounding is nothing."""
        total = g + added
        if np.any(total < -1e-9 * np.abs(added)):
            row, channel = np.argwhere(total < -1e-9 * np.abs(added))[0]
            name = self.neuron.channel_names[channel]
            raise ExperimentError(
                f"{label}: of {name} a member has only {g[row, channel]:.4g} mS/cm²; no more can be "
                "taken from it."
            )
        return np.maximum(total, 0.0)

    def waves(self, ms: FloatArray) -> Waves | None:
        """Return what is injected at each of some times."""
        which = np.zeros(len(self.condition), dtype=np.int64)
        none: npt.NDArray[np.floating[Any]] = np.zeros((1, len(ms)), dtype=np.float32)
        currents, conductances = [none], [none]
        found = conducting = False
        for k, rows in self._parts:
            current = conductance = none
            for place, action in enumerate(self.protocols[k].actions):
                since = ms - self.begin_ms
                if not np.any(action.share(since[[0, len(ms) // 2, -1]])):
                    continue  # nothing begins or ends within a chunk
                wave = action.wave(self.neuron, since, self.member[rows], (self.seed, place))
                if wave is None:
                    continue
                found = True
                current = wave[0] if current is none else current + wave[0]
                if wave[1] is not None:
                    conducting = True
                    conductance = conductance + wave[1]
            n = max(len(current), len(conductance))
            which[rows] = sum(map(len, currents)) + (np.arange(len(rows)) if n > 1 else 0)
            currents.append(np.broadcast_to(current, (n, len(ms))))
            conductances.append(np.broadcast_to(conductance, (n, len(ms))))
        if not found:
            return None
        return Waves(which, np.concatenate(currents), np.concatenate(conductances) if conducting else None)

    def plan(self, neuron: NeuronModel, dt_ms: float, ms: float) -> Plan:
        """Return the tables of the neuron as it is at a time."""
        temperature_C: float | None = None
        for action in self.protocols[self._parts[0][0]].actions:
            if action.changes_neuron:
                share = round(float(action.share(ms - self.begin_ms)) / _FINEST_SHARE) * _FINEST_SHARE
                neuron = action.changed(neuron, share)
                at = action.at(neuron, share)
                temperature_C = temperature_C if at is None else at
        if neuron is self.neuron and temperature_C is None:
            return make_plan(neuron, dt_ms)
        return _plan(neuron, dt_ms, temperature_C)


@lru_cache(maxsize=128)
def _plan(neuron: NeuronModel, dt_ms: float, temperature_C: float | None) -> Plan:
    # a longer memory than that of the neurons themselves: a slow change goes through many
    return make_plan.__wrapped__(neuron, dt_ms, temperature_C)
