"""What all actions of a protocol share: when they hold, how they are checked, said and written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.neurons import NeuronModel

__all__ = ["Action", "Amount", "Effect", "Waves", "amount", "check_count", "each", "number", "said"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Amount = float | tuple[float, ...]
"""One number for all members, or one for each."""
Waves = tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.floating[Any]] | None]
"""A current and a conductance of every step, (n or 1, n_steps) each, in µA/cm² and mS/cm²."""


class Effect(NamedTuple):
    """What is done to some members at a time; of channels (n or 1, n_channels), the current (n or 1,)."""

    g_factor: FloatArray | float = 1.0
    """By what conductances are multiplied."""
    g_added: FloatArray | float = 0.0
    """What is added to them after that, in mS/cm²."""
    E_shift: FloatArray | float = 0.0
    """By what reversal potentials are shifted, in mV."""
    level: FloatArray | float = 0.0
    """A current that stays, in µA/cm²."""


def number(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number within limits.

    Raises
    ------
    ExperimentError
        If it is none.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ExperimentError(f"{what} must be a number, not {value!r}.") from None
    if not (math.isfinite(found) and low <= found <= high):
        limits = f" from {low:g} to {high:g}" if math.isfinite(low) and math.isfinite(high) else ""
        if math.isfinite(low) and not limits:
            limits = f" of {low:g} or more"
        raise ExperimentError(f"{what} must be a finite number{limits}, not {found:g}.")
    return found


def amount(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> Amount:
    """Return a checked number, or one for each member.

    Raises
    ------
    ExperimentError
        If one of them is none, or there is none.
    """
    if isinstance(value, str) or np.ndim(value) == 0:
        return number(value, what, low, high)
    if np.ndim(value) != 1 or not len(value):
        raise ExperimentError(f"{what} must be one number, or one for each member.")
    return tuple(number(one, what, low, high) for one in value)


def check_count(value: Amount, n: int, what: str, numbers: str = "numbers") -> None:
    """Raise `ExperimentError` if there is neither one number for all members nor one for each."""
    if isinstance(value, tuple) and len(value) != n:
        raise ExperimentError(
            f"{what} has {len(value)} {numbers} for {n} members; give one, or one for each."
        )


def each(value: Amount, members: IntArray) -> FloatArray:
    """Return the numbers of some members, (n,), or (1,) where all have the same."""
    values = np.atleast_1d(np.asarray(value, dtype=float))
    return values if values.size == 1 else values[members]


def said(value: Amount, unit: str = "", factor: float = 1.0) -> str:
    """Say an amount with its unit."""
    values = factor * np.atleast_1d(np.asarray(value, dtype=float))
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    words = low if low == high else f"{low} to {high}"
    return f"{words} {unit}".strip() + ("" if values.size == 1 else " (one for each member)")


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something done to neurons, in full from the beginning to the end unless times are given.

    Attributes
    ----------
    start_ms, stop_ms
        When it begins and ends, from the beginning of the recording (the end of the transient). None for what
        holds from before the transient, and to the end.
    ramp_ms
        How long it takes to come to full effect from ``start_ms`` on, and to wear off from ``stop_ms`` on.
    course
        In place of these, ``((ms, share), …)``: how much of it there is, from 0 to 1, linear between these
        times and constant outside them.
    """

    start_ms: float | None = None
    stop_ms: float | None = None
    ramp_ms: float = 0.0
    course: tuple[tuple[float, float], ...] = ()

    kind: ClassVar[str]
    changes_neuron: ClassVar[bool] = False
    done: ClassVar[str]
    """The form of `words`, of `label` and of `axis`: {0} is the action."""
    named: ClassVar[str]
    dosed: ClassVar[str] = "dose"

    def __post_init__(self) -> None:
        for name in ("start_ms", "stop_ms"):
            if getattr(self, name) is not None:
                self._set(name, number(getattr(self, name), f"{name} of {self.kind}"))
        self._set("ramp_ms", number(self.ramp_ms, f"ramp_ms of {self.kind}", 0.0))
        start, stop = self.start_ms, self.stop_ms
        if start is not None and stop is not None and not start < stop:
            raise ExperimentError(
                f"What is done ({self.kind}) must stop after it starts, not start at {start:g} ms and stop "
                f"at {stop:g} ms."
            )
        if start is not None and stop is not None and start + self.ramp_ms > stop:
            raise ExperimentError(
                f"What is done ({self.kind}) takes {self.ramp_ms:g} ms to come on, longer than the "
                f"{stop - start:g} ms from start to stop."
            )
        self._set("course", self._checked_course())

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _checked_course(self) -> tuple[tuple[float, float], ...]:
        if not len(self.course):
            return ()
        if self.start_ms is not None or self.stop_ms is not None or self.ramp_ms:
            raise ExperimentError(f"Give {self.kind} a course, or start, stop and ramp, not both.")
        try:
            pairs = tuple((float(ms), float(share)) for ms, share in self.course)
        except (TypeError, ValueError):
            raise ExperimentError("A course is a list of (ms, share) pairs.") from None
        times, shares = np.array(pairs).T
        if not (np.isfinite(times).all() and np.all(np.diff(times) > 0)):
            raise ExperimentError("The times of a course must be finite and rise.")
        if not np.all((shares >= 0) & (shares <= 1)):
            raise ExperimentError("The shares of a course must lie from 0 to 1.")
        return pairs

    # when

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Where its share bends: (ms, share), linear between and constant outside."""
        if self.course:
            return self.course
        points: list[tuple[float, float]] = []
        for begin, ends in ((self.start_ms, (0.0, 1.0)), (self.stop_ms, (1.0, 0.0))):
            if begin is not None:
                points += [(begin, ends[0]), (begin + self.ramp_ms, ends[1])]
        return tuple(points) or ((0.0, 1.0),)

    def share(self, ms: npt.ArrayLike) -> FloatArray:
        """Return how much of it there is at given times, from 0 to 1."""
        at = np.asarray(ms, dtype=float)
        if self.course or self.ramp_ms > 0:
            return np.interp(at, *np.array(self.points).T)
        begun = True if self.start_ms is None else at >= self.start_ms
        over = False if self.stop_ms is None else at >= self.stop_ms
        return np.where(begun & ~np.asarray(over), 1.0, np.zeros_like(at))

    def jumps_ms(self) -> tuple[float, ...]:
        """Return when it begins, ends or bends."""
        return tuple(ms for ms, _share in self.points)

    @property
    def last_ms(self) -> float:
        """When it ends or bends for the last time."""
        return max(self.jumps_ms())

    def moving_ms(self) -> tuple[tuple[float, float], ...]:
        """Return the stretches in which its share changes smoothly."""
        return tuple((a, b) for (a, p), (b, q) in pairwise(self.points) if b > a and p != q)

    def span_ms(self) -> tuple[float, float]:
        """Return from when to when it is in full effect; infinite where nothing limits it."""
        points = self.points
        full = [ms for ms, share in points if share == max(share for _ms, share in points)]
        from_ms = -math.inf if points[0][0] == full[0] and points[0][1] else full[0]
        last = points[-1]
        return from_ms, math.inf if last[1] and last[0] == full[-1] else full[-1]

    def onset_ms(self) -> float:
        """Return when it begins to have an effect; minus infinity if it always has."""
        points = self.points
        if points[0][1] > 0:
            return -math.inf
        return next((a for (a, _p), (_b, q) in pairwise(points) if q > 0), math.inf)

    # what: each kind of action overrides what it does

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise `ExperimentError` if it cannot be done to n members of a neuron."""

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return what stays the same while there is as much of it."""
        return Effect()

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return what changes from step to step, at given times; None for nothing."""
        return None

    def changed(self, neuron: NeuronModel, share: float) -> NeuronModel:
        """Return the neuron as it is then."""
        return neuron

    def at(self, neuron: NeuronModel, share: float) -> float | None:
        """Return the temperature then, in °C; None for the declared one."""
        return None

    # how it is said

    def words(self) -> str:
        """Say what is done, without when."""
        return self.done.format(self)

    @property
    def label(self) -> str:
        """Say it in as few words as can be."""
        return self.named.format(self)

    @property
    def axis(self) -> str:
        """What its dose is, for an axis."""
        return self.dosed.format(self)

    def when(self) -> str:
        """Say when."""
        if self.course:
            return "along " + ", ".join(f"{share:.0%} at {ms:g} ms" for ms, share in self.course)
        parts = [] if self.start_ms is None else [f"from {self.start_ms:g} ms"]
        parts += [] if self.stop_ms is None else [f"{'to' if parts else 'until'} {self.stop_ms:g} ms"]
        parts += [] if not self.ramp_ms else [f"(coming on over {self.ramp_ms:g} ms)"]
        return " ".join(parts) or "throughout"

    def describe(self) -> str:
        """Say what is done and when."""
        return f"{self.words()} {self.when()}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, without what is as by default."""
        found: dict[str, Any] = {"kind": self.kind}
        for field in fields(self):
            value = getattr(self, field.name)
            default = field.default if field.default is not MISSING else None
            if value != default:
                found[field.name] = _plain(value)
        return found


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
