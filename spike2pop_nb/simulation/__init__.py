"""One compiled kernel that simulates any declared neuron."""

from spike2pop_nb.simulation.course import Course, Modulated, simulate_modulation
from spike2pop_nb.simulation.model_check import ModelCheck, check_model
from spike2pop_nb.simulation.recorded_currents import MAX_CURRENTS_MS, Currents, currents
from spike2pop_nb.simulation.simulator import (
    ACCURACY_STEPS,
    MAX_DURATION_MS,
    Simulated,
    compiling_words,
    keeps_compiled,
    needs_compiling,
    simulate,
    time_step_ms,
)

__all__ = [
    "ACCURACY_STEPS",
    "MAX_CURRENTS_MS",
    "MAX_DURATION_MS",
    "Course",
    "Currents",
    "ModelCheck",
    "Modulated",
    "Simulated",
    "check_model",
    "compiling_words",
    "currents",
    "keeps_compiled",
    "needs_compiling",
    "simulate",
    "simulate_modulation",
    "time_step_ms",
]
