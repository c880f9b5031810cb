"""The low-threshold-spiking cortical neuron of Pospischil et al. (2008), as in its authors' code.

As published (Na 50, Kd 5, M 0.03, CaT 0.4 and leak 0.01 mS/cm²) it is silent at −84 mV; a step of 0.5
µA/cm² makes it spike twice within 14 ms, on the CaT that hyperpolarisation had made ready, and then at 4
Hz. It spikes without end from 0.45 µA/cm² on. CaT takes its reversal potential from calcium below the
membrane, which raises it from 0.24 to a few µM. tonic is a drive of excitatory synapses, which the baseline
has.
"""

from __future__ import annotations

from spike2pop_nb.neurons.forebrain import (
    CELSIUS,
    leak,
    low_threshold,
    muscarinic,
    rectifier,
    sodium,
    submembrane_calcium,
)
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Gamma, Modulation, Range

__all__ = ["LTS"]

AT_REST = "spikes at 18 Hz at rest"

V_T = -55.0
(Na, tau_mNa), (Kd, tau_nKd), (M, tau_pM) = sodium(V_T), rectifier(V_T), muscarinic()

LTS = NeuronModel(
    name="lts",
    title="Low-threshold-spiking neuron (cortex)",
    channels=(Na, Kd, M, low_threshold(), leak("tonic", 0.0), leak("leak", -85.0)),
    calcium=submembrane_calcium(),
    V_th_mV=-51.5,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_pM,
    baseline=Baseline(
        free={"leak": Gamma(0.01, 0.02), "Kd": Range(4, 6), "tonic": Range(0.015, 0.025)},
        compensated=("Na", "M", "CaT"),
        g_f=-2.3,
        g_s=0.36,
        g_u=1.4,
    ),
    modulation=(Modulation(("CaT", "M")),),
    dic_range={"g_s": (0.2, 0.6), "g_u": (0.5, 3.0)},
    conductance_range={
        "Na": (0, 100),
        "Kd": (0, 10),
        "M": (0, 0.1),
        "CaT": (0, 1),
        "tonic": (0, 0.06),
        "leak": (0, 0.04),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(1000.0, 4000.0),
    references=(
        "Pospischil et al. (2008), Biol Cybern 99:427, doi:10.1007/s00422-008-0263-8",
        "Pospischil et al., ModelDB 123623 (the authors' code; its demonstration cell)",
        "Destexhe, Contreras & Steriade (2001), Neurocomputing 38:555 (where the cell comes from)",
    ),
    temperature_C=CELSIUS,
)
