"""A pyramidal neuron of hippocampal area CA1 (Golomb, Yue & Yaari 2006), as a user would declare it.

`ca1` of the package is the same cell with a drive of its own; this one is to be read and changed.

The model for zero extracellular calcium: transient and persistent sodium, delayed-rectifier, A-type and
M-type potassium. The activations of Na, NaP and A follow the voltage at once. A constant stimulus of
1 µA/cm² is written as a leak reversal of -50 mV instead of -70 mV, exact for the leak of 0.05 mS/cm².
"""

from spike2pop_nb.neurons import (
    Baseline,
    Channel,
    Gamma,
    Gate,
    Modulation,
    NeuronModel,
    Range,
    constant,
    sigmoid,
)

E_NA, E_K, E_LEAK = 55.0, -90.0, -50.0

# sigmoid(A, B, C, D) is A + B / (1 + exp((V + D) / C)), V in mV
tau_h = sigmoid(0.1, 0.75, 6, 40.5)
tau_n = sigmoid(0.1, 0.5, 15, 27)
tau_z = constant(75.0)

CA1 = NeuronModel(
    name="my_ca1",
    title="CA1 pyramidal neuron (hippocampus)",
    channels=(
        Channel(
            "Na", E_NA, (Gate("m", sigmoid(0, 1, -9.5, 30), None, 3), Gate("h", sigmoid(0, 1, 7, 45), tau_h))
        ),
        Channel("NaP", E_NA, (Gate("p", sigmoid(0, 1, -3, 47), None),)),
        Channel("Kdr", E_K, (Gate("n", sigmoid(0, 1, -10, 35), tau_n, 4),)),
        Channel(
            "A",
            E_K,
            (Gate("a", sigmoid(0, 1, -20, 50), None, 3), Gate("b", sigmoid(0, 1, 6, 80), constant(15.0))),
        ),
        Channel("M", E_K, (Gate("z", sigmoid(0, 1, -5, 39), tau_z),)),
        Channel("leak", E_LEAK),
    ),
    V_th_mV=-61.0,
    tau_fast=constant(0.05),
    tau_slow=tau_n,
    tau_ultraslow=tau_z,
    baseline=Baseline(
        free={"leak": Gamma(0.045, 0.055), "Na": Range(30, 40), "Kdr": Range(5, 7)},
        compensated=("NaP", "A", "M"),
        g_f=-0.8,
        g_s=-0.01,
        g_u=0.5,
    ),
    modulation=(Modulation(("A", "M")),),
    dic_range={"g_s": (-0.1, 0.05), "g_u": (0.0, 2.0)},
    conductance_range={
        "Na": (0, 70),
        "NaP": (0, 0.41),
        "Kdr": (0, 12),
        "A": (0, 2.8),
        "M": (0, 2),
        "leak": (0, 0.1),
    },
    V_initial_mV=-70.0,
    recording_window_ms=(1000.0, 3000.0),
    time_step_ms=0.005,  # instantaneous gates make the spike, in a quarter of a millisecond
    spike_threshold_mV=-10.0,  # some members peak below the usual 10 mV
    spike_reset_mV=-30.0,
    references=("Golomb, Yue & Yaari (2006), J Neurophysiol 96:1912, doi:10.1152/jn.00205.2006",),
)
