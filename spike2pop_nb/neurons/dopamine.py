"""The midbrain dopaminergic (DA) neuron of Qian et al. (2014)."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.functions import bridge, constant
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import (
    Baseline,
    Channel,
    Gamma,
    Gate,
    KineticScheme,
    Modulation,
    Range,
)

__all__ = ["DA"]

AT_REST = "spikes at 1.1 Hz at rest"

E_NA, E_K, E_CA, E_NMDA, E_LEAK = 60.0, -85.0, 60.0, 0.0, -50.0
MG_MM = 1.4


def rate_mNa_printed(V: Any) -> Any:
    """Opening rate of the sodium activation gate as printed, 1/ms.

    Its numerator vanishes at −38.710 mV and its denominator at −38.727 mV, so that it has a pole between
    them and changes sign: a rounding of the printed constants, not biology.
    """
    return -(15.6504 + 0.4043 * V) / (np.exp(-19.565 - 0.5052 * V) - 1.0)


rate_mNa = bridge(rate_mNa_printed, -39.02, -38.42)


def tau_mNa(V: Any) -> Any:
    """Activation time constant of Na, ms; as printed but for ±0.3 mV around the pole of its rate."""
    return 0.01 + 1.0 / (rate_mNa(V) + 3.0212 * np.exp(-0.007463 * V))


def tau_hNa(V: Any) -> Any:
    """Inactivation time constant of Na, ms."""
    return 0.4 + 1.0 / (5.0754e-4 * np.exp(-0.063213 * V) + 9.7529 * np.exp(0.13442 * V))


def unblocked_NMDA(V: Any) -> Any:
    """Fraction of NMDA receptors that magnesium does not block."""
    return 1.0 / (1.0 + 0.1 * MG_MM * np.exp(-0.08 * V))


def a0(V: Any) -> Any:
    """ERG, closed to open, 1/ms."""
    return 0.0036 * np.exp(0.0759 * V)


def b0(V: Any) -> Any:
    """ERG, open to closed, 1/ms."""
    return 1.2523e-5 * np.exp(-0.0671 * V)


def ai(V: Any) -> Any:
    """ERG, open to inactivated, 1/ms."""
    return 0.1 * np.exp(0.1189 * V)


def bi(V: Any) -> Any:
    """ERG, inactivated to open, 1/ms."""
    return 0.003 * np.exp(-0.0733 * V)


def below_zero_g_s(g_s: Any, g_u: Any) -> Any:
    """Targets for which ERG and CaL are compensated."""
    return g_s < 0


tau_nKd = s(20, -18, -10, 38)

DA = NeuronModel(
    name="da",
    title="DA neuron (midbrain dopaminergic)",
    channels=(
        Channel(
            "Na",
            E_NA,
            (
                Gate("m", s(0, 1, -9.7264, 30.0907), tau_mNa, 3),
                Gate("h", s(0, 1, 10.7665, 54.0289), tau_hNa),
            ),
        ),
        Channel("Kd", E_K, (Gate("n", s(0, 1, -12, 25), tau_nKd, 3),)),
        Channel("CaL", E_CA, (Gate("m", s(0, 1, -2, 50), s(30, -28, -3, 45), 2),)),
        Channel("CaN", E_CA, (Gate("m", s(0, 1, -7, 30), s(30, -25, -6, 55)),)),
        Channel(
            "ERG",
            E_K,
            scheme=KineticScheme(
                states=("c", "o", "i"),
                rates={("c", "o"): a0, ("o", "c"): b0, ("o", "i"): ai, ("i", "o"): bi},
                conducting="o",
                time_scale="ultraslow",
                initial={"o": a0, "i": constant(0.0)},
            ),
        ),
        Channel("NMDA", E_NMDA, (Gate("b", unblocked_NMDA, None, time_scale="fast"),)),
        Channel("leak", E_LEAK),
    ),
    V_th_mV=-55.5,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=constant(100.0),
    baseline=Baseline(
        free={
            "leak": Gamma(0.0087, 0.017),
            "Kd": Range(6, 10),
            "CaL": Range(0.015, 0.075),
            "NMDA": 0.012,
        },
        compensated=("Na", "CaN", "ERG"),
        g_f=-3.9 * 0.5 - 11.0,
        g_s=0.5,
        g_u=5.0,
    ),
    modulation=(
        Modulation(("ERG", "CaL"), where=below_zero_g_s),
        Modulation(("ERG", "Kd")),
    ),
    dic_range={"g_s": (-10.0, 15.0), "g_u": (0.0, 20.0)},
    conductance_range={
        "Na": (0, 60),
        "Kd": (0, 20),
        "CaL": (0, 0.1),
        "CaN": (0, 12),
        "ERG": (0, 0.25),
        "NMDA": (0, 0.185),
        "leak": (0, 0.02),
    },
    V_initial_mV=-90.0,
    recording_window_ms=(3000.0, 12000.0),
    references=(
        "Qian et al. (2014), J Neurophysiol 112:2779, doi:10.1152/jn.00578.2014",
        "Fyon et al. (2024), PNAS Nexus 3:pgae415, doi:10.1093/pnasnexus/pgae415 (populations)",
        "Brandoit et al. (2026), PLOS Comput Biol, doi:10.1371/journal.pcbi.1014337 (what to compensate)",
    ),
)
