"""The intrinsically bursting cortical neuron of Pospischil et al. (2008), as in its authors' code.

As published (Na 50, Kd 5, M 0.03, CaL 0.17 and leak 0.01 mS/cm²) it is silent at −85 mV; a step of 0.5
µA/cm² makes it burst once, with eight spikes, and then spike at 3 Hz. With 0.22 mS/cm² of CaL it bursts a
few times, from 0.25 to 0.3 on and on. tonic is a drive of excitatory synapses, with which the baseline
bursts. CaL opens above the threshold, so that DICs hardly tell how much of it there is; M makes g_u nearly
alone and is fixed by it to the leak.
"""

from __future__ import annotations

from spike2pop_nb.neurons.forebrain import CELSIUS, high_threshold, leak, muscarinic, rectifier, sodium
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Gamma, Modulation, Range

__all__ = ["IB"]

AT_REST = "bursts every 0.43 s at rest"

V_T = -55.0
(Na, tau_mNa), (Kd, tau_nKd), (M, tau_pM) = sodium(V_T), rectifier(V_T), muscarinic()

IB = NeuronModel(
    name="ib",
    title="Intrinsically bursting neuron (cortex)",
    channels=(Na, Kd, M, high_threshold(), leak("tonic", 0.0), leak("leak", -85.0)),
    V_th_mV=-51.5,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_pM,
    baseline=Baseline(
        free={"leak": Gamma(0.01, 0.02), "CaL": Range(0.26, 0.34), "tonic": Range(0.0145, 0.02)},
        compensated=("Na", "Kd", "M"),
        g_f=-2.3,
        g_s=0.15,
        g_u=1.75,
    ),
    modulation=(Modulation(("Kd", "M")),),
    dic_range={"g_s": (0.02, 0.4), "g_u": (0.5, 4.0)},
    conductance_range={
        "Na": (0, 100),
        "Kd": (0, 15),
        "M": (0, 0.1),
        "CaL": (0, 0.4),
        "tonic": (0, 0.06),
        "leak": (0, 0.04),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(2000.0, 6000.0),
    time_step_ms=0.01,
    references=(
        "Pospischil et al. (2008), Biol Cybern 99:427, doi:10.1007/s00422-008-0263-8",
        "Pospischil et al., ModelDB 123623 (the authors' code; its demonstration cell)",
        "Reuveni, Friedman, Amitai & Gutnick (1993), J Neurosci 13:4609, "
        "doi:10.1523/JNEUROSCI.13-11-04609.1993 (CaL)",
    ),
    temperature_C=CELSIUS,
)
