"""The CA1 pyramidal neuron of Golomb, Yue and Yaari (2006): their model for no extracellular calcium.

As published (Na 35, Kdr 6, A 1.4, M 1 and leak 0.05 mS/cm²; NaP from 0 to 0.41) it is silent at −70 mV.
With 0.3 mS/cm² of NaP it bursts from 0.4 µA/cm² on, every 0.31 s at first and every 0.17 s under 0.66
µA/cm², the current of their code; with 0.1 it spikes, from 0.66 µA/cm² on. tonic is a drive of excitatory
synapses, with which the baseline bursts.

Activations of Na, NaP and A follow the voltage at once; 0.05 ms stands for that among the reference time
constants. The others are those of Kdr and of M, which is the slowest gate.
"""

from __future__ import annotations

from spike2pop_nb.neurons.functions import constant
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["CA1"]

AT_REST = "bursts every 0.14 s at rest"

E_NA, E_K, E_TONIC, E_LEAK = 55.0, -90.0, 0.0, -70.0
tau_nKdr, tau_zM = s(0.1, 0.5, 15, 27), constant(75.0)

CA1 = NeuronModel(
    name="ca1",
    title="Pyramidal neuron (hippocampus, CA1)",
    channels=(
        Channel(
            "Na",
            E_NA,
            (Gate("m", s(0, 1, -9.5, 30), None, 3), Gate("h", s(0, 1, 7, 45), s(0.1, 0.75, 6, 40.5))),
        ),
        Channel("NaP", E_NA, (Gate("p", s(0, 1, -3, 47), None),)),
        Channel("Kdr", E_K, (Gate("n", s(0, 1, -10, 35), tau_nKdr, 4),)),
        Channel("A", E_K, (Gate("a", s(0, 1, -20, 50), None, 3), Gate("b", s(0, 1, 6, 80), constant(15.0)))),
        Channel("M", E_K, (Gate("z", s(0, 1, -5, 39), tau_zM),)),
        Channel("tonic", E_TONIC),
        Channel("leak", E_LEAK),
    ),
    V_th_mV=-61.5,
    tau_fast=constant(0.05),
    tau_slow=tau_nKdr,
    tau_ultraslow=tau_zM,
    baseline=Baseline(
        free={
            "leak": Gamma(0.045, 0.055),
            "Na": Range(30, 40),
            "Kdr": Range(5, 7),
            "tonic": Range(0.01, 0.02),
        },
        compensated=("NaP", "A", "M"),
        g_f=-1.0,
        g_s=-0.025,
        g_u=1.07,
    ),
    modulation=(Modulation(("A", "M")),),
    dic_range={"g_s": (-0.1, 0.05), "g_u": (0.0, 2.5)},
    conductance_range={
        "Na": (0, 70),
        "NaP": (0, 0.41),
        "Kdr": (0, 12),
        "A": (0, 2.8),
        "M": (0, 2),
        "tonic": (0, 0.05),
        "leak": (0, 0.1),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(1000.0, 3000.0),
    time_step_ms=0.0025,  # instantaneous gates make the spike, in a quarter of a millisecond
    spike_threshold_mV=-10.0,  # some members peak below the usual 10 mV
    spike_reset_mV=-30.0,
    references=("Golomb, Yue & Yaari (2006), J Neurophysiol 96:1912, doi:10.1152/jn.00205.2006",),
)
