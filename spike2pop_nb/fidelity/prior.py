"""What is taken to be known of a member before a recording is seen: the prior of a posterior over members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import scipy

from spike2pop_nb.conductances import Inhibition, baseline_population
from spike2pop_nb.conductances.inhibition import INHIBITION_COLUMNS
from spike2pop_nb.conductances.member_table import CURRENT_COLUMN, NOISE_COLUMN
from spike2pop_nb.inference.drive import (
    CURRENT_RANGE,
    INHIBITION_RANGE,
    INHIBITION_SHARE_RANGE,
    NOISE_RANGE,
)
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate

__all__ = ["MemberPrior"]

FloatArray = npt.NDArray[np.float64]
_T = TypeVar("_T")
_NEAR_NONE = 1.0  # µA/cm², SD of the currents of one half of the members
_NODES = 4001


@dataclass(frozen=True, eq=False)
class MemberPrior:
    """Each conductance uniform over its declared range; current and noise as members of an atlas have them.

    One half of the currents is uniform from −3 to 8 µA/cm², the other normal around none with a standard
    deviation of 1. σ of the noise is 12 µA/cm² times the square of a uniform number. All are independent. A
    member is also written by the quantiles of its values, which are uniform from 0 to 1.

    Parameters
    ----------
    neuron
        Their declaration.
    period_ms
        Of a rhythmic inhibition that members receive, whose size and share of the period are uniform; None
        for none.
    current
        Of all members, in µA/cm², where it is known, and then it is no value of theirs; None if it is not.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import MemberPrior
    >>> prior = MemberPrior(s2p.get_neuron("stg"))
    >>> prior.values([[0.5] * 10])[0].round(2).tolist()
    [4000.0, 175.0, 6.0, 25.0, 125.0, 300.0, 0.35, 0.01, 0.48, 3.0]
    """

    neuron: NeuronModel
    period_ms: float | None = None
    current: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a population that hold the values: conductances, inhibition, current, noise."""
        rhythm = (INHIBITION_COLUMNS[0], INHIBITION_COLUMNS[2]) if self.inhibited else ()
        return (*self.neuron.g_columns, *rhythm, *self._if_unknown(CURRENT_COLUMN), NOISE_COLUMN)

    @property
    def names(self) -> tuple[str, ...]:
        """What the values are called: channels, inhibition and its share of a period, I and σ."""
        rhythm = ("inhibition", "share") if self.inhibited else ()
        return (*self.neuron.channel_names, *rhythm, *self._if_unknown("I"), "σ")

    @property
    def units(self) -> tuple[str, ...]:
        """Of the values; that of a share is empty."""
        rhythm = ("mS/cm²", "") if self.inhibited else ()
        return (*("mS/cm²",) * self.neuron.n_channels, *rhythm, *self._if_unknown("µA/cm²"), "µA/cm²")

    @property
    def inhibited(self) -> bool:
        """Whether members receive a rhythmic inhibition."""
        return self.period_ms is not None

    @cached_property
    def ranges(self) -> FloatArray:
        """Least and most of each value, (d, 2)."""
        known = dict(self.neuron.conductance_range)
        if missing := [name for name in self.neuron.channel_names if name not in known]:
            g, _drawn = baseline_population(self.neuron, 64, np.random.default_rng(0))
            most = 2.0 * g.max(axis=0)
            known |= {name: (0.0, float(most[self.neuron.index(name)])) for name in missing}
        declared = [known[name] for name in self.neuron.channel_names]
        rhythm = [INHIBITION_RANGE, INHIBITION_SHARE_RANGE] if self.inhibited else []
        return np.array([*declared, *rhythm, *self._if_unknown(CURRENT_RANGE), NOISE_RANGE], dtype=float)

    def _if_unknown(self, of_current: _T) -> tuple[_T, ...]:
        return (of_current,) if self.current is None else ()

    @cached_property
    def _currents(self) -> tuple[FloatArray, FloatArray]:
        """Currents, and the share of members that have less."""
        low, high = CURRENT_RANGE
        at = np.linspace(low, high, _NODES)
        normal = scipy.special.ndtr(at / _NEAR_NONE)
        normal = (normal - normal[0]) / (normal[-1] - normal[0])
        return at, 0.5 * ((at - low) / (high - low) + normal)

    def values(self, u: npt.ArrayLike) -> FloatArray:
        """Return the members (n, d) of given quantiles (n, d)."""
        u = np.asarray(u, dtype=float)
        low, high = self.ranges.T
        found = low + u * (high - low)
        if self.current is None:
            at, less = self._currents
            found[:, -2] = np.interp(u[:, -2], less, at)
        found[:, -1] = low[-1] + (high[-1] - low[-1]) * u[:, -1] ** 2
        return np.asarray(found)

    def quantiles(self, values: npt.ArrayLike) -> FloatArray:
        """Return the quantiles (n, d) of given members (n, d)."""
        values = np.asarray(values, dtype=float)
        low, high = self.ranges.T
        u = (values - low) / (high - low)
        if self.current is None:
            at, less = self._currents
            u[:, -2] = np.interp(values[:, -2], at, less)
        u[:, -1] = np.sqrt(np.clip(u[:, -1], 0.0, 1.0))
        return np.asarray(np.clip(u, 0.0, 1.0))

    def drive(self, values: FloatArray) -> dict[str, Any]:
        """Return what members (n, d) receive, as `simulate` takes it."""
        current = values[:, -2] if self.current is None else np.full(len(values), self.current)
        drive: dict[str, Any] = {"current": current, "noise_sigma": values[:, -1]}
        if self.period_ms is not None:
            first = self.neuron.n_channels
            drive["inhibition"] = Inhibition.of(values[:, first], self.period_ms, values[:, first + 1])
        return drive

    def fired(
        self,
        u: npt.ArrayLike,
        seeds: npt.NDArray[np.uint64],
        duration_ms: float,
        *,
        accuracy: str = "standard",
        cancel: Callable[[], bool] | None = None,
        workers: int | None = None,
    ) -> list[FloatArray]:
        """Simulate members of given quantiles; return spike times from 0, none of those that failed."""
        values, start = self.values(u), self.neuron.recording_window_ms[0]
        run = simulate(
            values[:, : self.neuron.n_channels],
            self.neuron,
            **self.drive(values),
            seed=seeds,
            transient_ms=start,
            duration_ms=start + duration_ms,
            accuracy=accuracy,
            record="spikes",
            cancel=cancel,
            workers=workers,
        )
        return [
            np.zeros(0) if failed else times - start
            for times, failed in zip(run.spike_times_ms, run.failed, strict=True)
        ]

    def describe(self) -> str:
        """Say it in two or three sentences."""
        (low, high), most = CURRENT_RANGE, NOISE_RANGE[1]
        text = (
            "Before the recording is seen, each conductance is uniform over the range that the "
            f"{self.neuron.name} neuron declares, independent of the others. "
        )
        if self.current is None:
            text += (
                f"One half of the currents is uniform from {low:g} to {high:g} µA/cm², the other normal "
                f"around none with a standard deviation of {_NEAR_NONE:g}; noise"
            )
        else:
            text += f"The constant current is known, {self.current:g} µA/cm²; noise"
        text += f" is {most:g} µA/cm² times the square of a uniform number."
        if self.period_ms is not None:
            strongest, (least, longest) = INHIBITION_RANGE[1], INHIBITION_SHARE_RANGE
            text += (
                f" Members receive a rhythmic inhibition every {self.period_ms:.0f} ms, uniform up to "
                f"{strongest:g} mS/cm², for a uniform share of each period, {least:g} to {longest:g}."
            )
        return text.replace("-", "−")
