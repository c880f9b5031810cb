"""The pyloric neuron of Prinz, Bucher and Marder (2004): bursts as slow as those of a crab's AB/PD and LP.

Its time constants are twice those of Liu et al. (1998), calcium goes back ten times as slowly, and its
reversal potential follows it. V_th is the mean threshold of random members over the published ranges. Most
members of the baseline burst. The Q10s are a choice within measured ranges (Tang et al. 2010: 1.5 to 4 for
gates, 1 to 2 for conductances), with which bursts come about twice as often at 10 °C more, as in the crab.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.calcium import CalciumPool, Nernst
from spike2pop_nb.neurons.functions import product
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["PYLORIC"]

AT_REST = "bursts every 0.81 s at rest"

E_NA, E_K, E_H, E_LEAK = 50.0, -80.0, -20.0, -50.0
E_CA = Nernst(outside_uM=3000.0, slope_mV=12.2)


def tau_mCaS(V: Any) -> Any:
    """Activation time constant of CaS, ms."""
    return 2.8 + 14.0 / (np.exp((V + 27.0) / 10.0) + np.exp(-(V + 70.0) / 13.0))


def tau_hCaS(V: Any) -> Any:
    """Inactivation time constant of CaS, ms."""
    return 120.0 + 300.0 / (np.exp((V + 55.0) / 9.0) + np.exp(-(V + 65.0) / 16.0))


def tau_mH(V: Any) -> Any:
    """Activation time constant of H, ms."""
    return 2.0 / (np.exp(-(V + 169.7) / 11.6) + np.exp((V - 26.7) / 14.3))


def at_or_above_the_baseline(g_s: Any, g_u: Any) -> Any:
    """Targets for which A and H are compensated."""
    return g_s >= G_S


G_S = -1.0  # of the baseline
tau_mNa, tau_mKd = s(2.64, -2.52, -25, 120), s(14.4, -12.8, -19.2, 28.3)

PYLORIC = NeuronModel(
    name="pyloric",
    title="Pyloric neuron (crab stomatogastric ganglion)",
    channels=(
        Channel(
            "Na",
            E_NA,
            (
                Gate("m", s(0, 1, -5.29, 25.5), tau_mNa, 3, q10=2.0),
                Gate("h", s(0, 1, 5.18, 48.9), product(s(0, 1.34, -10, 62.9), s(1.5, 1, 3.6, 34.9)), q10=2.0),
            ),
            q10=1.5,
        ),
        Channel(
            "CaT",
            E_CA,
            (
                Gate("m", s(0, 1, -7.2, 27.1), s(43.4, -42.6, -20.5, 68.1), 3, q10=2.5),
                Gate("h", s(0, 1, 5.5, 32.1), s(210, -179.6, -16.9, 55), q10=2.5),
            ),
            q10=1.5,
        ),
        Channel(
            "CaS",
            E_CA,
            (
                Gate("m", s(0, 1, -8.1, 33), tau_mCaS, 3, q10=2.5),
                Gate("h", s(0, 1, 6.2, 60), tau_hCaS, q10=2.5),
            ),
            q10=1.5,
        ),
        Channel(
            "A",
            E_K,
            (
                Gate("m", s(0, 1, -8.7, 27.2), s(23.2, -20.8, -15.2, 32.9), 3, q10=3.0),
                Gate("h", s(0, 1, 4.9, 56.9), s(77.2, -58.4, -26.5, 38.9), q10=3.0),
            ),
            q10=1.5,
        ),
        Channel(
            "KCa",
            E_K,
            (Gate("m", s(0, 1, -12.6, 28.3), s(180.6, -150.2, -22.7, 46), 4, calcium_half_uM=3.0, q10=2.5),),
            q10=1.5,
        ),
        Channel("Kd", E_K, (Gate("m", s(0, 1, -11.8, 12.3), tau_mKd, 4, q10=2.0),), q10=1.5),
        Channel("H", E_H, (Gate("m", s(0, 1, 5.5, 75), tau_mH, q10=2.5),), q10=1.5),
        Channel("leak", E_LEAK, q10=1.5),
    ),
    # 14.96 µM/nA on 0.628·10⁻³ cm²
    calcium=CalciumPool(
        ("CaT", "CaS"), tau_ms=200.0, influx_uM_per_uA=9.395, rest_uM=0.05, initial_uM=0.05, q10=2.0
    ),
    V_th_mV=-52.0,
    tau_fast=tau_mNa,
    tau_slow=tau_mKd,
    tau_ultraslow=tau_mH,
    baseline=Baseline(
        free={
            "leak": Gamma(0.007, 0.014),
            "Kd": Range(25, 125),
            "CaT": Range(1, 4),
            "CaS": Range(2, 5),
            "KCa": Range(5, 25),
        },
        compensated=("Na", "A", "H"),
        g_f=1.0,
        g_s=G_S,
        g_u=0.2,
    ),
    modulation=(Modulation(("A", "H"), where=at_or_above_the_baseline), Modulation(("CaS", "H"))),
    dic_range={"g_s": (-4.0, 1.0), "g_u": (0.0, 0.4)},
    conductance_range={
        "Na": (0, 500),
        "CaT": (0, 12.5),
        "CaS": (0, 10),
        "A": (0, 50),
        "KCa": (0, 25),
        "Kd": (0, 125),
        "H": (0, 0.05),
        "leak": (0, 0.05),
    },
    V_initial_mV=-50.0,
    recording_window_ms=(3000.0, 9000.0),
    references=(
        "Prinz, Billimoria & Marder (2003), J Neurophysiol 90:3998, doi:10.1152/jn.00641.2003",
        "Prinz, Bucher & Marder (2004), Nat Neurosci 7:1345, doi:10.1038/nn1352",
        "Tang et al. (2010), PLoS Biol 8:e1000469, doi:10.1371/journal.pbio.1000469 (range of the Q10s)",
        "Alonso & Marder (2020), eLife 9:e55470, doi:10.7554/eLife.55470 (range of the Q10s)",
    ),
    temperature_C=10.0,
)
