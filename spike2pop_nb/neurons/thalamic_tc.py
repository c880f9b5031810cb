"""The thalamocortical relay neuron of Destexhe, Bal, McCormick and Sejnowski (1996), without calcium on H.

With Na 90, Kd 10, CaT 2, H 0.02, a potassium leak KL of 0.0138 and a leak of 0.01 mS/cm² it bursts at rest
every 0.26 s (delta oscillations); it is silent from 0.05 µA/cm² on, spikes tonically from 1.5 µA/cm² on,
and bursts more slowly the more it is hyperpolarised, until −0.4 µA/cm² silences it. tonic is a drive of
excitatory synapses.

Left out: in the model, calcium binds to a protein that holds H open (two more states with rates that depend
on calcium and on that protein, which a declaration cannot say). It makes H grow from burst to burst until
they stop: with the conductances above, five bursts within 1.2 s and then 26 s without a spike. Without it
bursts go on. The first second is nearly the same.

Na begins to open at −35 mV (V_T is high in this model, to stand for A), where CaT is inactivated and H
closed; g_t falls through zero only there, at −24 mV. DICs are read at −67 mV, where low-threshold spikes
begin. CaT alone makes g_s there, and with H g_u, so that DICs fix CaT and H to the leak, and members of a
population differ in Na, Kd, and KL against tonic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.forebrain import (
    CELSIUS,
    E_K,
    leak,
    low_threshold,
    rectifier,
    sodium,
    submembrane_calcium,
)
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["TC"]

AT_REST = "bursts every 0.3 s at rest"

V_T, E_H = -25.0, -40.0
(Na, tau_mNa), (Kd, tau_nKd) = sodium(V_T), rectifier(V_T)


def tau_o(V: Any) -> Any:
    """Time constant of H, ms."""
    return 20.0 + 1000.0 / (np.exp((V + 71.5) / 14.2) + np.exp(-(V + 89.0) / 11.6))


TC = NeuronModel(
    name="tc",
    title="Relay neuron (thalamus)",
    channels=(
        Na,
        Kd,
        low_threshold(),
        Channel("H", E_H, (Gate("o", s(0, 1, 5.5, 75), tau_o, q10=3.0),), q10=1.0),
        leak("KL", E_K),
        leak("tonic", 0.0),
        leak("leak", -70.0),
    ),
    calcium=submembrane_calcium(),
    V_th_mV=-67.0,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_o,
    baseline=Baseline(
        free={
            "leak": Gamma(0.008, 0.012),
            "Na": Range(70, 110),
            "Kd": Range(8, 12),
            "tonic": Range(0, 0.0006),
        },
        compensated=("CaT", "H", "KL"),
        g_f=-4.5,
        g_s=3.8,
        g_u=5.1,
    ),
    modulation=(Modulation(("CaT", "H")),),
    dic_range={"g_s": (3.4, 5.0), "g_u": (4.0, 8.0)},
    conductance_range={
        "Na": (0, 180),
        "Kd": (0, 20),
        "CaT": (0, 5),
        "H": (0, 0.05),
        "KL": (0, 0.04),
        "tonic": (0, 0.01),
        "leak": (0, 0.02),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(2000.0, 6000.0),
    time_step_ms=0.01,
    references=(
        "Destexhe, Bal, McCormick & Sejnowski (1996), J Neurophysiol 76:2049, doi:10.1152/jn.1996.76.3.2049",
        "McCormick & Huguenard (1992), J Neurophysiol 68:1384, doi:10.1152/jn.1992.68.4.1384 (CaT, H)",
        "Destexhe et al., ModelDB 3343 (the authors' code)",
    ),
    temperature_C=CELSIUS,
)
