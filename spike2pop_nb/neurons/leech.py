"""The oscillator heart interneuron of the leech (Hill, Lu, Masino, Olsen and Calabrese 2001).

Published for a whole cell of 0.5 nF. At 1 µF/cm² that is an area of 5·10⁻⁴ cm², by which conductances in nS
are divided: Na 200, P 7, CaF 5, CaS 3.2, K1 100, K2 80, KA 80 and H 4 nS are 0.4, 0.014, 0.01, 0.0064, 0.2,
0.16, 0.16 and 0.008 mS/cm². With a leak of 9.9 nS that reverses at −63.5 mV the isolated cell bursts every
7.3 s; that is in the narrow stripe of leaks in which such a cell bursts (Cymbalyuk et al. 2002), so that by
its neighbours in the space of conductances it is tonic or silent.

Reference time constants are those of the published method: activation of Na (0.1 ms), of the delayed
rectifier K1, and of H. V_th is the threshold of the published conductances, and the mean over the ranges.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.functions import constant
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["LEECH"]

AT_REST = "spikes at 12 Hz at rest"

E_NA, E_CA, E_K, E_H, E_LEAK = 45.0, 135.0, -70.0, -21.0, -63.5


def f(steepness: float, half_mV: float) -> Any:
    """Steady state ``1 / (1 + exp(steepness · (V + half)))``, as Hill et al. print it (steepness in 1/mV)."""
    return s(0, 1, 1.0 / steepness, half_mV)


def tau(steepness: float, half_mV: float, least: float, more: float) -> Any:
    """Time constant ``least + more / (1 + exp(steepness · (V + half)))``, ms, as Hill et al. print it."""
    return s(least, more, 1.0 / steepness, half_mV)


def tau_hNa(V: Any) -> Any:
    """Inactivation time constant of Na, ms."""
    return 4.0 + 6.0 / (1.0 + np.exp(0.5 * (V + 28.0))) + 10.0 / np.cosh(0.3 * (V + 27.0))


def tau_mCaF(V: Any) -> Any:
    """Activation time constant of CaF, ms."""
    return 11.0 + 24.0 / np.cosh(0.33 * (V + 46.7))


def m_H(V: Any) -> Any:
    """Steady state of H, whose slope is shallow at first."""
    return 1.0 / (1.0 + 2.0 * np.exp(0.18 * (V + 47.0)) + np.exp(0.5 * (V + 47.0)))


tau_mNa, tau_mK1, tau_mH = constant(0.1), tau(0.15, 16, 1, 11), tau(-0.1, 73, 700, 1700)

LEECH = NeuronModel(
    name="leech",
    title="Heart interneuron (leech)",
    channels=(
        Channel("Na", E_NA, (Gate("m", f(-0.15, 29), tau_mNa, 3), Gate("h", f(0.5, 30), tau_hNa))),
        Channel("P", E_NA, (Gate("m", f(-0.12, 39), tau(0.4, 57, 10, 200)),)),
        Channel(
            "CaF",
            E_CA,
            (Gate("m", f(-0.6, 46.7), tau_mCaF, 2), Gate("h", f(0.35, 55.5), tau(0.27, 55, 60, 310))),
        ),
        Channel(
            "CaS",
            E_CA,
            (
                Gate("m", f(-0.42, 47.2), tau(-0.4, 48.7, 5, 134), 2),
                Gate("h", f(0.36, 55), tau(-0.25, 43, 200, 5250)),
            ),
        ),
        Channel(
            "K1",
            E_K,
            (Gate("m", f(-0.143, 21), tau_mK1, 2), Gate("h", f(0.111, 28), tau(-0.143, 13, 500, 200))),
        ),
        Channel("K2", E_K, (Gate("m", f(-0.083, 20), tau(0.2, 35, 57, 43), 2),)),
        Channel(
            "KA",
            E_K,
            (Gate("m", f(-0.13, 44), tau(0.2, 30, 5, 11), 2), Gate("h", f(0.16, 63), tau(-0.3, 55, 26, 8.5))),
        ),
        Channel("H", E_H, (Gate("m", m_H, tau_mH, 2),)),
        Channel("leak", E_LEAK),
    ),
    V_th_mV=-48.0,
    tau_fast=tau_mNa,
    tau_slow=tau_mK1,
    tau_ultraslow=tau_mH,
    baseline=Baseline(
        free={
            "leak": Gamma(0.017, 0.022),
            "CaF": Range(0.008, 0.012),
            "CaS": Range(0.0055, 0.0075),
            "K1": Range(0.16, 0.24),
            "K2": Range(0.14, 0.18),
            "KA": Range(0.14, 0.18),
        },
        compensated=("Na", "P", "H"),
        g_f=1.3,
        g_s=-2.3,
        g_u=0.45,
    ),
    modulation=(Modulation(("P", "H")),),
    dic_range={"g_s": (-3.0, -1.0), "g_u": (0.0, 1.5)},
    conductance_range={
        "Na": (0, 0.8),
        "P": (0, 0.03),
        "CaF": (0, 0.03),
        "CaS": (0, 0.02),
        "K1": (0, 0.4),
        "K2": (0, 0.35),
        "KA": (0, 0.35),
        "H": (0, 0.025),
        "leak": (0, 0.04),
    },
    V_initial_mV=-50.0,
    recording_window_ms=(6000.0, 16_000.0),
    spike_threshold_mV=-20.0,
    spike_reset_mV=-25.0,
    references=(
        "Hill, Lu, Masino, Olsen & Calabrese (2001), J Comput Neurosci 10:281, doi:10.1023/A:1011216131638",
        "Cymbalyuk, Gaudry, Masino & Calabrese (2002), J Neurosci 22:10580, "
        "doi:10.1523/JNEUROSCI.22-24-10580.2002 (leak of the isolated cell)",
    ),
)
