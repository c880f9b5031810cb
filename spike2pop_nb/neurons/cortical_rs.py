"""The regular-spiking cortical pyramidal neuron of Pospischil et al. (2008), as in its authors' code.

As published (Na 50, Kd 5, M 0.07 and leak 0.1 mS/cm²) it is silent at −70 mV, spikes from 2.4 µA/cm² on at
3 Hz, and adapts: under 2.6 µA/cm² the first interval is 28 ms and the fourth 136 ms. The published cell has
no more currents, so three DICs would fix all of it to the leak. CaL is that of the intrinsically bursting
cell of the same authors, with which it goes on to spike regularly up to 0.1 mS/cm²; tonic is a drive of
excitatory synapses (0.05 mS/cm² makes it spike), which the baseline has, since it must spike to be read
from spikes. M makes g_u nearly alone, so that g_u fixes it to the leak.
"""

from __future__ import annotations

from spike2pop_nb.neurons.forebrain import CELSIUS, high_threshold, leak, muscarinic, rectifier, sodium
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Gamma, Modulation, Range

__all__ = ["RS"]

AT_REST = "spikes at 20 Hz at rest"

V_T = -55.0
(Na, tau_mNa), (Kd, tau_nKd), (M, tau_pM) = sodium(V_T), rectifier(V_T), muscarinic()

RS = NeuronModel(
    name="rs",
    title="Regular-spiking neuron (cortex)",
    channels=(Na, Kd, M, high_threshold(), leak("tonic", 0.0), leak("leak", -70.0)),
    V_th_mV=-49.0,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_pM,
    baseline=Baseline(
        free={"leak": Gamma(0.08, 0.12), "CaL": Range(0, 0.1), "tonic": Range(0.05, 0.08)},
        compensated=("Na", "Kd", "M"),
        g_f=-0.9,
        g_s=0.12,
        g_u=0.57,
    ),
    modulation=(Modulation(("Kd", "M")),),
    dic_range={"g_s": (0.02, 0.3), "g_u": (0.1, 1.5)},
    conductance_range={
        "Na": (0, 100),
        "Kd": (0, 15),
        "M": (0, 0.15),
        "CaL": (0, 0.1),
        "tonic": (0, 0.3),
        "leak": (0, 0.2),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(1000.0, 4000.0),
    references=(
        "Pospischil et al. (2008), Biol Cybern 99:427, doi:10.1007/s00422-008-0263-8",
        "Pospischil et al., ModelDB 123623 (the authors' code; its demonstration cell)",
        "Reuveni, Friedman, Amitai & Gutnick (1993), J Neurosci 13:4609, "
        "doi:10.1523/JNEUROSCI.13-11-04609.1993 (CaL)",
    ),
    temperature_C=CELSIUS,
)
