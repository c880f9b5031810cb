"""The thalamic reticular neuron of Destexhe, Bal, McCormick and Sejnowski (1996), as in its authors' code.

As published (Na 200, Kd 20, CaT 3 and leak 0.05 mS/cm²) it is silent at −90 mV, bursts under 0.42 to 0.6
µA/cm² (about ten spikes, pauses of 0.7 to 0.26 s), and spikes tonically from 0.9 µA/cm² on. The model of
1996 has no currents that calcium opens; so has this. tonic is a drive of excitatory synapses, with which
the baseline bursts. CaT activates within 4 ms and inactivates within 50: it makes g_s negative and g_u
alone, so that g_u fixes it to the leak, and what is left of g_s fixes Kd; members of a population differ in
Na against tonic, and so in their drive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.forebrain import CELSIUS, E_CA, leak, rectifier, sodium, submembrane_calcium
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["RE"]

AT_REST = "bursts every 0.38 s at rest"

V_T, Q10 = -55.0, 2.5
SPEED = Q10**1.2  # measured at 24 °C
(Na, tau_mNa), (Kd, tau_nKd) = sodium(V_T), rectifier(V_T)


def tau_s(V: Any) -> Any:
    """Activation time constant of CaT, ms."""
    return (3.0 + 1.0 / (np.exp((V + 27.0) / 10.0) + np.exp(-(V + 102.0) / 15.0))) / SPEED


def tau_u(V: Any) -> Any:
    """Inactivation time constant of CaT, ms."""
    return (85.0 + 1.0 / (np.exp((V + 48.0) / 4.0) + np.exp(-(V + 407.0) / 50.0))) / SPEED


RE = NeuronModel(
    name="re",
    title="Reticular neuron (thalamus)",
    channels=(
        Na,
        Kd,
        Channel(
            "CaT",
            E_CA,
            (
                Gate("s", s(0, 1, -7.4, 52), tau_s, 2, q10=Q10),
                Gate("u", s(0, 1, 5, 80), tau_u, q10=Q10),
            ),
            q10=1.0,
        ),
        leak("tonic", 0.0),
        leak("leak", -90.0),
    ),
    calcium=submembrane_calcium(),
    V_th_mV=-53.5,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_u,
    baseline=Baseline(
        free={"leak": Gamma(0.03, 0.07), "tonic": Range(0.0058, 0.0085)},
        compensated=("Na", "Kd", "CaT"),
        g_f=-0.73,
        g_s=-0.96,
        g_u=1.52,
    ),
    modulation=(Modulation(("Kd", "CaT")),),
    dic_range={"g_s": (-0.95, -0.6), "g_u": (1.3, 1.8)},
    conductance_range={
        "Na": (0, 400),
        "Kd": (0, 80),
        "CaT": (0, 6),
        "tonic": (0, 0.05),
        "leak": (0, 0.1),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(2000.0, 6000.0),
    time_step_ms=0.01,
    references=(
        "Destexhe, Bal, McCormick & Sejnowski (1996), J Neurophysiol 76:2049, doi:10.1152/jn.1996.76.3.2049",
        "Destexhe, Contreras, Steriade, Sejnowski & Huguenard (1996), J Neurosci 16:169, "
        "doi:10.1523/JNEUROSCI.16-01-00169.1996 (CaT)",
        "Destexhe et al., ModelDB 3343 (the authors' code)",
    ),
    temperature_C=CELSIUS,
)
