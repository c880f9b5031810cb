"""Formulas: gates, DICs and compensation beside numbers that were computed independently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.checking.check import Found
from spike2pop_nb.checking.known import known_neurons, known_of
from spike2pop_nb.conductances import DIC_NAMES, compensate, dic_curves, dics
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["check_compensation", "check_dics", "check_gates"]

Away = tuple[float, str]
"""How far off, and where."""
GATES, DICS, COMPENSATED = 1e-9, 1e-8, 1e-6
"""Most that numbers may be off. Those known have 12 digits; DICs are differences, and compensation solves for
them."""


def _off(ours: npt.ArrayLike, known: npt.ArrayLike, least: float = 0.0) -> float:
    """Return the largest difference of numbers, relative to those known, but at least to ``least``."""
    ours, known = np.asarray(ours, float), np.asarray(known, float)
    if ours.shape != known.shape:
        return np.inf
    scale = np.maximum(np.abs(known), least or np.finfo(float).tiny)
    return float(np.nan_to_num(np.abs(ours - known) / scale, nan=np.inf).max())


def _told(found: Iterator[Away], most: float, what: str) -> Found:
    every = list(found)
    worst, where = max(every)
    return Found(
        f"within {most:g} (relative)", f"{worst:.1e} at most, {where} ({len(every)} {what})", worst <= most
    )


def check_gates() -> Found:
    """Compare steady states and time constants over voltage."""
    return _told((away for name in known_neurons() for away in _gates(name)), GATES, "curves")


def _gates(name: str) -> Iterator[Away]:
    known = known_of(name)
    V = np.array(known["V"])
    declared = {f"{gate.name}_{c.name}": gate for c in get_neuron(name).channels for gate in c.gates}
    for key, vectors in known["gates"].items():
        gate_name, _, calcium = key.partition("_at_Ca_")
        gate = declared[gate_name]
        x = np.asarray(gate.x_inf(V))
        if calcium:
            half = gate.calcium_half_uM or 0.0
            x = x * float(calcium) / (float(calcium) + half)
        yield _off(x, vectors["inf"]), f"{key} of {name}"
        tau = np.inf if gate.tau is None else _off(gate.tau(V), vectors["tau"])
        yield tau, f"the time constant of {key} of {name}"
    for key, expected in known.get("instantaneous", {}).items():
        yield _off(declared[key].x_inf(V), expected), f"{key} of {name}"


def check_dics() -> Found:
    """Compare DICs at the threshold and over voltage."""
    return _told((away for name in known_neurons() for away in _dics(name)), DICS, "arrays")


def _dics(name: str) -> Iterator[Away]:
    known, neuron = known_of(name), get_neuron(name)
    for case in known.get("compensation_cases", []):
        ours = dics(neuron, np.array(case["modulated"]))
        yield _off(ours, np.array(case["dics_at_V_th"])[:, :3], 1.0), f"at the threshold of {name}"
    if curves := known.get("dic_curves"):
        ours_of = dic_curves(neuron, curves["conductances"], curves["V"])
        for row in (*DIC_NAMES, "g_t"):
            yield _off(np.asarray(ours_of[row]), curves[row], 1.0), f"{row} over voltage of {name}"


def check_compensation() -> Found:
    """Compare compensated conductances, by the published scheme, and the DICs that Newton's method meets."""
    return _told((away for name in known_neurons() for away in _compensated(name)), COMPENSATED, "cases")


def _compensated(name: str) -> Iterator[Away]:
    neuron: NeuronModel = get_neuron(name)
    for case in known_of(name).get("compensation_cases", []):
        asked: tuple[Any, ...] = (neuron, case["baseline"], case["compensated"], case["target"])
        pair = f"{'+'.join(case['compensated'])} of {name}"
        yield _off(compensate(*asked, method="published").g, case["modulated"], 1e-6), pair
        wanted = [case["target"]["g_s"], case["target"]["g_u"]]
        met = dics(neuron, compensate(*asked).g)[:, 1:]
        yield _off(met, np.broadcast_to(wanted, met.shape), 1.0), f"{pair}, by Newton's method"
