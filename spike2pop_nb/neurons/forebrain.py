"""Currents that the cortical and thalamic neurons of Destexhe and colleagues share, at 36 °C.

The fast ones are those of Traub and Miles (1991), moved along the voltage by V_T. Rates and Q10s are those
of the authors' own code (ModelDB 123623 and 3343), in which conductances and calcium do not change with
temperature.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.calcium import CalciumPool, Nernst
from spike2pop_nb.neurons.functions import VoltageFunction, exponential, from_rates, linoid
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.parts import Channel, Gate

__all__ = [
    "CELSIUS",
    "E_CA",
    "E_K",
    "E_NA",
    "leak",
    "low_threshold",
    "muscarinic",
    "rectifier",
    "sodium",
    "submembrane_calcium",
    "tau_uCaT",
]

CELSIUS = 36.0
E_NA, E_K = 50.0, -100.0
_R, _F = 8.314462618, 96485.33212  # J/(mol K), C/mol
E_CA = Nernst(outside_uM=2000.0, slope_mV=1e3 * _R * (CELSIUS + 273.15) / (2.0 * _F))


def sodium(V_T: float) -> tuple[Channel, VoltageFunction]:
    """Return Na and the time constant of its activation."""
    m = from_rates(linoid(0.32 * 4, -4, -V_T - 13), linoid(0.28 * 5, 5, -V_T - 40))
    h = from_rates(exponential(0.128, -18, -V_T - 17), s(0, 4, -5, -V_T - 40))
    return Channel("Na", E_NA, (Gate("m", *m, 3, q10=3.0), Gate("h", *h, q10=3.0)), q10=1.0), m[1]


def rectifier(V_T: float) -> tuple[Channel, VoltageFunction]:
    """Return the delayed rectifier Kd and the time constant of its activation."""
    n = from_rates(linoid(0.032 * 5, -5, -V_T - 15), exponential(0.5, -40, -V_T - 10))
    return Channel("Kd", E_K, (Gate("n", *n, 4, q10=3.0),), q10=1.0), n[1]


def tau_pM(V: Any) -> Any:
    """Time constant of M, ms; its largest is 1000 ms / (2 √3.3)."""
    return 1000.0 / (3.3 * np.exp((V + 35.0) / 20.0) + np.exp(-(V + 35.0) / 20.0))


def muscarinic() -> tuple[Channel, VoltageFunction]:
    """Return M, by which firing adapts (Yamada et al. 1989), and its time constant."""
    return Channel("M", E_K, (Gate("p", s(0, 1, -10, 35), tau_pM, q10=2.3),), q10=1.0), tau_pM


def tau_uCaT(V: Any) -> Any:
    """Inactivation time constant of CaT in relay and cortical neurons, ms: measured at 24 °C, Q10 3.

    The sum is that of the code; where the paper is reprinted with 30.8 ms inside the fraction, inactivation
    would take 1.5 ms at −50 mV, and 11 ms by Huguenard and McCormick (1992), whom it goes back to.
    """
    slow = (211.4 + np.exp((V + 115.2) / 5.0)) / (1.0 + np.exp((V + 86.0) / 3.2))
    return (30.8 + slow) / 3.0**1.2


def low_threshold() -> Channel:
    """Return CaT of relay and cortical neurons, whose activation follows the voltage at once."""
    gates = (Gate("s", s(0, 1, -6.2, 59), None, 2), Gate("u", s(0, 1, 4, 83), tau_uCaT, q10=3.0))
    return Channel("CaT", E_CA, gates, q10=1.0)


def high_threshold() -> Channel:
    """Return CaL (Reuveni et al. 1993); no Q10 is known of it."""
    q = from_rates(linoid(0.055 * 3.8, -3.8, 27), exponential(0.94, -17, 75))
    r = from_rates(exponential(0.000457, -50, 13), s(0, 0.0065, -28, 15))
    return Channel("CaL", 120.0, (Gate("q", *q, 2), Gate("r", *r)))


def submembrane_calcium() -> CalciumPool:
    """Return calcium in the outermost 1 µm, which CaT feeds and which sets its reversal potential."""
    return CalciumPool(
        ("CaT",), tau_ms=5.0, influx_uM_per_uA=5.0 * 1e4 / (2.0 * _F), rest_uM=0.24, initial_uM=0.24, q10=1.0
    )


def leak(name: str, E_mV: float) -> Channel:
    """Return a channel that is always open."""
    return Channel(name, E_mV, q10=1.0)
