"""Protocols: what is done to neurons, composed of actions, and series of doses of one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import perturbations, stimuli
from spike2pop_nb.experiments.action import Action, number
from spike2pop_nb.neurons import NeuronModel

__all__ = ["KINDS", "MOST_CONDITIONS", "Doses", "Protocol", "doses"]

MOST_CONDITIONS = 1000
KINDS: dict[str, type[Action]] = {
    kind.kind: kind
    for module in (stimuli, perturbations)
    for name in module.__all__
    if hasattr(kind := getattr(module, name), "kind")
}
"""The kinds of action by the names under which they are written down."""


@dataclass(frozen=True)
class Protocol:
    """What is done to neurons: any number of actions, all of them at once.

    Protocols are made by functions such as `block` and `step` and added up with ``+``. They are values: equal
    where they say the same, hashable, and written as JSON. Times count from the beginning of the recording.

    Attributes
    ----------
    actions
        What is done; nothing in a control.

    Examples
    --------
    >>> from spike2pop_nb.experiments import Protocol, block, step
    >>> protocol = block("A", 0.5) + step(1.0, start_ms=1000, stop_ms=2000)
    >>> print(protocol.describe())
    50 % of A is blocked throughout; a current of 1 µA/cm² is injected from 1000 ms to 2000 ms.
    >>> Protocol.from_json(protocol.to_json()) == protocol
    True
    """

    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        given = self.actions if isinstance(self.actions, tuple | list) else (self.actions,)
        found: list[Action] = []
        for part in given:
            found += part.actions if isinstance(part, Protocol) else [part]
        if wrong := [part for part in found if not isinstance(part, Action)]:
            raise ExperimentError(
                f"A protocol is made of actions, such as block(...) and step(...), not of {wrong[0]!r}."
            )
        object.__setattr__(self, "actions", tuple(found))

    def __add__(self, other: Protocol) -> Protocol:
        if not isinstance(other, Protocol):
            return NotImplemented
        return Protocol((*self.actions, *other.actions))

    def __bool__(self) -> bool:
        return bool(self.actions)

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """A short name, such as ``A −50 %``."""
        return ", ".join(action.label for action in self.actions) or "control"

    def describe(self) -> str:
        """Say in a sentence what is done and when."""
        said = "; ".join(action.describe() for action in self.actions) or "nothing is done"
        return f"{said[0].upper()}{said[1:]}."

    def to_frame(self) -> pd.DataFrame:
        """Return a table of the actions: kind, what, when, and start, stop, ramp in ms."""
        return pd.DataFrame(
            [
                {
                    "kind": action.kind,
                    "what": action.words(),
                    "when": action.when(),
                    "start_ms": math.nan if action.start_ms is None else action.start_ms,
                    "stop_ms": math.nan if action.stop_ms is None else action.stop_ms,
                    "ramp_ms": action.ramp_ms,
                }
                for action in self.actions
            ],
            columns=["kind", "what", "when", "start_ms", "stop_ms", "ramp_ms"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for settings and JSON."""
        return {"actions": [action.to_dict() for action in self.actions]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Protocol:
        """Return the protocol that `to_dict` wrote.

        Raises
        ------
        ExperimentError
            If the values are not those of a protocol.
        """
        actions = values.get("actions") if isinstance(values, Mapping) else None
        if not isinstance(actions, Sequence) or isinstance(actions, str):
            raise ExperimentError("A written protocol has a list of actions.")
        return cls(tuple(_action(each) for each in actions))

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Protocol:
        """Return the protocol that `to_json` wrote.

        Raises
        ------
        ExperimentError
            If the text is not that of a protocol.
        """
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError:
            raise ExperimentError("A written protocol is JSON; this text is not.") from None

    def check(self, neuron: NeuronModel, n: int, duration_ms: float) -> None:
        """Raise if it cannot be done to n members of a neuron in a recording of that length.

        Raises
        ------
        ExperimentError
            If it lasts longer, lacks something of the neuron, or has another number of values than members.
        NeuronModelError
            If it names a channel that the neuron has not.
        """
        for action in self.actions:
            action.check(neuron, n)
            if action.last_ms > duration_ms + 1e-9:
                raise ExperimentError(
                    f"{self.label}: what is done lasts until {action.last_ms:g} ms, but the recording ends "
                    f"at {duration_ms:g} ms; record for longer, or stop earlier."
                )

    def onset_ms(self) -> float:
        """Return when the first action begins to have an effect; infinite for none."""
        return min((action.onset_ms() for action in self.actions), default=math.inf)

    def window_ms(self, duration_ms: float) -> tuple[float, float]:
        """Return the stretch of a recording in which every action is in full effect.

        Where actions follow each other there is none: then it is that of the last of them; and where that
        comes to its full effect for a moment alone, all from the first effect on.
        """
        spans = [action.span_ms() for action in self.actions] or [(-math.inf, math.inf)]
        start, stop = max(begin for begin, _end in spans), min(end for _begin, end in spans)
        if not start < stop:
            start, stop = max(spans)
        start, stop = max(start, 0.0), min(stop, duration_ms)
        return (start, stop) if start < stop else (max(self.onset_ms(), 0.0), duration_ms)


def _action(values: Any) -> Action:
    if not isinstance(values, Mapping) or values.get("kind") not in KINDS:
        raise ExperimentError(
            f"Each action of a written protocol has a kind, one of {', '.join(sorted(KINDS))}."
        )
    kind = KINDS[values["kind"]]
    given = {name: _tuples(value) for name, value in values.items() if name != "kind"}
    if unknown := set(given) - {field.name for field in fields(kind)}:
        raise ExperimentError(f"A {kind.kind} has no {', '.join(sorted(unknown))}.")
    try:
        return kind(**given)
    except TypeError:
        raise ExperimentError(
            f"A written {kind.kind} lacks what it needs; it has {', '.join(given)}."
        ) from None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Doses:
    """A protocol at a series of doses.

    Attributes
    ----------
    values
        The doses, rising.
    protocols
        One for each.
    what
        What the dose is, for an axis.

    Examples
    --------
    >>> from spike2pop_nb.experiments import block, doses
    >>> series = doses(lambda share: block("A", share), [0, 0.5, 1])
    >>> len(series), series.what
    (3, 'share of A blocked')
    """

    values: tuple[float, ...]
    protocols: tuple[Protocol, ...]
    what: str

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[float, Protocol]]:
        return iter(zip(self.values, self.protocols, strict=True))

    def named(self) -> dict[str, Protocol]:
        """Return the protocols by the names of their conditions."""
        return {f"{value:g}": protocol for value, protocol in self}

    def describe(self) -> str:
        """Say what the doses are."""
        return f"{len(self)} doses ({self.what}: {', '.join(f'{value:g}' for value in self.values)})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for settings and JSON."""
        protocols = [protocol.to_dict() for protocol in self.protocols]
        return {"values": list(self.values), "protocols": protocols, "what": self.what}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Doses:
        """Return the doses that `to_dict` wrote.

        Raises
        ------
        ExperimentError
            If the values are not those of doses.
        """
        try:
            made = [Protocol.from_dict(each) for each in values["protocols"]]
            return doses(
                dict(zip(values["values"], made, strict=True)).__getitem__, values["values"], values["what"]
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ExperimentError):
                raise
            raise ExperimentError(
                "Written doses have values, as many protocols, and what they are."
            ) from None


def doses(make: Callable[[float], Protocol], values: Sequence[float], what: str | None = None) -> Doses:
    """Return a protocol at a series of doses.

    Parameters
    ----------
    make
        Makes the protocol of a dose.
    values
        The doses.
    what
        What the dose is, with its unit; by default what the last action says it is.

    Raises
    ------
    ExperimentError
        If there is no dose, one of them is no finite number or there twice, or the protocol cannot be made.

    Examples
    --------
    >>> from spike2pop_nb.experiments import doses, step
    >>> series = doses(lambda current: step(current, start_ms=0, stop_ms=1000), [2, 0, 1])
    >>> series.values, series.what
    ((0.0, 1.0, 2.0), 'current (µA/cm²)')
    """
    found = sorted(number(value, "A dose") for value in np.atleast_1d(np.asarray(values, dtype=object)))
    if not 1 <= len(found) <= MOST_CONDITIONS:
        raise ExperimentError(f"A series has 1 to {MOST_CONDITIONS} doses, not {len(found)}.")
    if len({f"{value:g}" for value in found}) < len(found):
        raise ExperimentError(
            "Each dose of a series may be there once, and apart from the next by more than 1e-6."
        )
    protocols = tuple(make(value) for value in found)
    if wrong := [protocol for protocol in protocols if not isinstance(protocol, Protocol)]:
        raise ExperimentError(f"A dose must make a protocol, such as block(...), not {wrong[0]!r}.")
    axis = next((action.axis for protocol in protocols[-1:] for action in reversed(protocol.actions)), "dose")
    return Doses(tuple(found), protocols, what or axis)
