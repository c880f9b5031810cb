"""The pre-Bötzinger pacemaker neuron of Butera, Rinzel and Smith (1999): their model 1, with its tonic drive.

Published for a whole cell of 21 pF. At 1 µF/cm² that is an area of 2.1·10⁻⁵ cm², by which conductances in nS
are divided: Na 28, NaP 2.8, K 11.2 and leak 2.8 nS are 1.333, 0.1333, 0.5333 and 0.1333 mS/cm².

Sodium activations follow the voltage at once. Transient sodium inactivates as 1 − n, n being the gate of K:
that is a gate of steady state 1 − n_inf with the time constant of n. The tonic excitatory conductance takes
the cell, at its resting leak, from silence (under 0.3 nS) over bursting (0.4 nS: pauses of 1.1 s) to tonic
spiking (from 0.5 nS).

Reference time constants are those of the published method: the gate of K between fast and slow, and the
slowest gate, inactivation of NaP, for ultraslow. The method's fast one is that of sodium activation, which
has none here; 0.01 ms stands for "at once". NaP alone is ultraslow, so g_u fixes NaP to the leak, and
members differ in K and in what balances it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.neurons.functions import constant
from spike2pop_nb.neurons.functions import sigmoid as s
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Baseline, Channel, Gamma, Gate, Modulation, Range

__all__ = ["PREBOTZINGER"]

AT_REST = "spikes at 7.7 Hz at rest"

E_NA, E_K, E_TONIC, E_LEAK = 50.0, -85.0, 0.0, -65.0


def tau_nK(V: Any) -> Any:
    """Time constant of the potassium gate, and so of sodium inactivation, ms."""
    return 10.0 / np.cosh((V + 29.0) / 8.0)


def tau_hNaP(V: Any) -> Any:
    """Inactivation time constant of the persistent sodium current, ms."""
    return 10_000.0 / np.cosh((V + 48.0) / 12.0)


PREBOTZINGER = NeuronModel(
    name="prebotc",
    title="Pre-Bötzinger pacemaker neuron (mammalian brainstem)",
    channels=(
        Channel("Na", E_NA, (Gate("m", s(0, 1, -5, 34), None, 3), Gate("h", s(0, 1, 4, 29), tau_nK))),
        Channel("NaP", E_NA, (Gate("m", s(0, 1, -6, 40), None), Gate("h", s(0, 1, 6, 48), tau_hNaP))),
        Channel("K", E_K, (Gate("n", s(0, 1, -4, 29), tau_nK, 4),)),
        Channel("tonic", E_TONIC),
        Channel("leak", E_LEAK),
    ),
    V_th_mV=-42.5,  # of the published cell; the mean of the baseline is 0.2 mV lower
    tau_fast=constant(0.01),
    tau_slow=tau_nK,
    tau_ultraslow=tau_hNaP,
    baseline=Baseline(
        free={"leak": Gamma(0.08, 0.2), "K": Range(0.3, 0.9)},
        compensated=("Na", "NaP", "tonic"),
        g_f=-1.38,
        g_s=0.028,
        g_u=1.25,
    ),
    modulation=(Modulation(("Na", "NaP")),),
    dic_range={"g_s": (0.0, 0.06), "g_u": (0.5, 3.0)},
    conductance_range={"Na": (0, 4), "NaP": (0, 0.4), "K": (0, 2), "tonic": (0, 0.1), "leak": (0, 0.3)},
    V_initial_mV=-60.0,
    recording_window_ms=(8000.0, 18_000.0),
    spike_threshold_mV=-20.0,
    spike_reset_mV=-35.0,
    references=(
        "Butera, Rinzel & Smith (1999), J Neurophysiol 82:382, doi:10.1152/jn.1999.82.1.382 (model 1)",
        "Butera, Rinzel & Smith (1999), J Neurophysiol 82:398, doi:10.1152/jn.1999.82.1.398 (tonic drive)",
    ),
)
