"""The stomatogastric (STG) neuron of Liu, Golowasch, Marder and Abbott (1998)."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.calcium import CalciumPool
from spike2pop_nb.neurons.functions import product
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import (
    Baseline,
    Channel,
    Gamma,
    Gate,
    Modulation,
    Range,
)

__all__ = ["STG"]

AT_REST = "spikes at 13 Hz at rest"

E_NA, E_K, E_H, E_LEAK, E_CA = 50.0, -80.0, -20.0, -50.0, 80.0


def tau_mCaS(V: Any) -> Any:
    """Activation time constant of CaS, ms."""
    return 1.4 + 7.0 / (np.exp((V + 27.0) / 10.0) + np.exp(-(V + 70.0) / 13.0))


def tau_hCaS(V: Any) -> Any:
    """Inactivation time constant of CaS, ms."""
    return 60.0 + 150.0 / (np.exp((V + 55.0) / 9.0) + np.exp(-(V + 65.0) / 16.0))


def below_zero_g_u(g_s: Any, g_u: Any) -> Any:
    """Targets for which CaS and A are compensated."""
    return g_u < 0


def from_zero_g_s(g_s: Any, g_u: Any) -> Any:
    """Of the others, those for which A and H are."""
    return g_s >= 0


def guess_CaS(g_s: Any) -> Any:
    """Start of the iteration for g_CaS, mS/cm²."""
    return 34.12 - 2.33 * g_s


def guess_CaT(g_s: Any) -> Any:
    """Start of the iteration for g_CaT, mS/cm²."""
    return 24.6 - 5.14 * g_s


tau_mNa, tau_mKd, tau_mH = s(1.32, -1.26, -25, 120), s(7.2, -6.4, -19.2, 28.3), s(272, 1499, -8.73, 42.2)

STG = NeuronModel(
    name="stg",
    title="STG neuron (crab stomatogastric ganglion)",
    channels=(
        Channel(
            "Na",
            E_NA,
            (
                Gate("m", s(0, 1, -5.29, 25.5), tau_mNa, 3),
                Gate("h", s(0, 1, 5.18, 48.9), product(s(0, 0.67, -10, 62.9), s(1.5, 1, 3.6, 34.9))),
            ),
        ),
        Channel("Kd", E_K, (Gate("m", s(0, 1, -11.8, 12.3), tau_mKd, 4),)),
        Channel(
            "CaT",
            E_CA,
            (
                Gate("m", s(0, 1, -7.2, 27.1), s(21.7, -21.3, -20.5, 68.1), 3),
                Gate("h", s(0, 1, 5.5, 32.1), s(105, -89.8, -16.9, 55)),
            ),
        ),
        Channel(
            "CaS",
            E_CA,
            (Gate("m", s(0, 1, -8.1, 33), tau_mCaS, 3), Gate("h", s(0, 1, 6.2, 60), tau_hCaS)),
        ),
        Channel(
            "KCa",
            E_K,
            (Gate("m", s(0, 1, -12.6, 28.3), s(90.3, -75.1, -22.7, 46), 4, calcium_half_uM=3.0),),
        ),
        Channel(
            "A",
            E_K,
            (
                Gate("m", s(0, 1, -8.7, 27.2), s(11.6, -10.4, -15.2, 32.9), 3),
                Gate("h", s(0, 1, 4.9, 56.9), s(38.6, -29.2, -26.5, 38.9)),
            ),
        ),
        Channel("H", E_H, (Gate("m", s(0, 1, 6, 70), tau_mH),)),
        Channel("leak", E_LEAK),
    ),
    calcium=CalciumPool(("CaT", "CaS"), tau_ms=20.0, influx_uM_per_uA=0.94, rest_uM=0.05, initial_uM=0.5),
    V_th_mV=-51.0,
    tau_fast=tau_mNa,
    tau_slow=tau_mKd,
    tau_ultraslow=tau_mH,
    baseline=Baseline(
        free={
            "leak": Gamma(0.007, 0.014),
            "Kd": Range(70, 140),
            "CaT": Range(3, 7),
            "CaS": Range(6, 22),
            "KCa": Range(140, 180),
        },
        compensated=("Na", "A", "H"),
        g_f=-6.2,
        g_s=4.0,
        g_u=5.0,
    ),
    modulation=(
        Modulation(("CaS", "A"), where=below_zero_g_u),
        Modulation(("A", "H"), where=from_zero_g_s),
        Modulation(("CaS", "H")),
    ),
    calcium_guess={"CaS": guess_CaS, "CaT": guess_CaT},
    dic_range={"g_s": (-20.0, 20.0), "g_u": (0.0, 20.0)},
    conductance_range={
        "Na": (0, 8000),
        "Kd": (0, 350),
        "CaT": (0, 12),
        "CaS": (0, 50),
        "KCa": (0, 250),
        "A": (0, 600),
        "H": (0, 0.7),
        "leak": (0, 0.02),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(3000.0, 6000.0),
    references=(
        "Liu, Golowasch, Marder & Abbott (1998), J Neurosci 18:2309, doi:10.1523/JNEUROSCI.18-07-02309.1998",
        "Fyon et al. (2024), PNAS Nexus 3:pgae415, doi:10.1093/pnasnexus/pgae415 (populations)",
        "Brandoit et al. (2026), PLOS Comput Biol, doi:10.1371/journal.pcbi.1014337 (what to compensate)",
    ),
)
