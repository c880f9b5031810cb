"""What the settings are called on the page: the labels of their controls."""

from __future__ import annotations

from typing import Final

__all__ = ["LABELS", "control"]

LABELS: Final = {
    "neuron": "Neuron model",
    "unit": "Unit of the times",
    "sampling_rate_hz": "Sampling rate (Hz)",
    "layout": "Layout",
    "sheets": "Sheets",
    "time_column": "Column of times",
    "id_columns": "Columns of ids",
    "start_s": "Start (s)",
    "stop_s": "Stop (s)",
    "voltage_unit": "Unit of the voltage",
    "threshold_mV": "Spike threshold",
    "reset_mV": "Reset",
    "polarity": "Spikes point",
}
_OTHERS: Final = {"time_unit": "unit", "voltage": "layout"}


def control(setting: str) -> str:
    """The control for a setting of the library, in quotes; of what the page has none, the option."""
    label = LABELS.get(_OTHERS.get(setting, setting))
    return f"--{setting.replace('_', '-')} on the command line" if label is None else f"“{label}”"
