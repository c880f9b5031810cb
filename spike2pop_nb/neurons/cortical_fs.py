"""The fast-spiking cortical interneuron of Pospischil et al. (2008), as in its authors' code.

As published (Na 50, Kd 10 and leak 0.15 mS/cm²) it is silent at −70 mV and spikes from 2.8 µA/cm² on
without adapting, at 16 Hz at first, 50 Hz under 3.5 and 280 Hz under 20 µA/cm². M is that of the other
cells, as in the fast-spiking cell that the paper fits to a recording (0.079 mS/cm²). tonic is a drive of
excitatory synapses, which the baseline has. Kd makes g_s nearly alone and M g_u, so that DICs fix both to
the leak, and members of a population differ in Na against tonic, and so in their drive.
"""

from __future__ import annotations

from spike2pop_nb.neurons.forebrain import CELSIUS, leak, muscarinic, rectifier, sodium
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Gamma, Modulation, Range

__all__ = ["FS"]

AT_REST = "spikes at 91 Hz at rest"

V_T = -55.0
(Na, tau_mNa), (Kd, tau_nKd), (M, tau_pM) = sodium(V_T), rectifier(V_T), muscarinic()

FS = NeuronModel(
    name="fs",
    title="Fast-spiking neuron (cortex)",
    channels=(Na, Kd, M, leak("tonic", 0.0), leak("leak", -70.0)),
    V_th_mV=-49.0,
    tau_fast=tau_mNa,
    tau_slow=tau_nKd,
    tau_ultraslow=tau_pM,
    baseline=Baseline(
        free={"leak": Gamma(0.12, 0.18), "tonic": Range(0.07, 0.13)},
        compensated=("Na", "Kd", "M"),
        g_f=-0.11,
        g_s=0.16,
        g_u=0.057,
    ),
    modulation=(Modulation(("Kd", "M")),),
    dic_range={"g_s": (0.02, 0.4), "g_u": (0.01, 0.3)},
    conductance_range={
        "Na": (0, 100),
        "Kd": (0, 30),
        "M": (0, 0.05),
        "tonic": (0, 0.5),
        "leak": (0, 0.3),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(1000.0, 4000.0),
    references=(
        "Pospischil et al. (2008), Biol Cybern 99:427, doi:10.1007/s00422-008-0263-8",
        "Pospischil et al., ModelDB 123623 (the authors' code; its demonstration cell)",
    ),
    temperature_C=CELSIUS,
)
