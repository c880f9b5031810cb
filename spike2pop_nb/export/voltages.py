"""Recorded voltages with their detected spikes, as a page of figures, SVG, PNG or PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spike2pop_nb import plots
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export.exploring import figure_format, write_drawing, write_page
from spike2pop_nb.plots import recordings
from spike2pop_nb.spiketrains import Detected

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["write_voltage_figure"]

_MOST_DRAWN = 12


def write_voltage_figure(found: Sequence[Detected], path: str | Path) -> None:
    """Draw voltages with their thresholds and detected spikes: a page (.html) or a figure (.svg, .png, .pdf).

    Parameters
    ----------
    found : sequence of Detected
        What `detect_traces` returned.
    path : path
        Where to write it.

    Raises
    ------
    Spike2PopError
        If there are too many traces for one figure, or the name has another ending.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import numpy as np
    >>> from spike2pop_nb.export import write_voltage_figure
    >>> from spike2pop_nb.spiketrains import VoltageTrace, detect_traces
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> file = Path(mkdtemp()) / "voltage.svg"
    >>> write_voltage_figure(detect_traces([trace]), file)
    >>> file.exists()
    True
    """
    kind = figure_format(path)
    if not 1 <= len(found) <= _MOST_DRAWN:
        raise Spike2PopError(
            f"A figure shows 1 to {_MOST_DRAWN} voltages, not {len(found)}; choose some of them."
        )
    if kind == "html":
        write_page(Path(path), "Spikes detected in voltage traces", [_section(one) for one in found])
    else:
        write_drawing(Path(path), recordings.voltages(found), kind)


def _section(one: Detected) -> tuple[str, list[str], list[tuple[str, go.Figure]]]:
    detection, unit = one.detection, one.trace.unit
    n = one.train.n_spikes
    said = f"{n} {'spike' if n == 1 else 'spikes'}"
    if detection is None:
        said += ": nothing stands out of the voltage."
        threshold = None
    else:
        threshold = detection.threshold
        said += f" at a threshold of {threshold:.4g} {unit} ({detection.reason})."
    words = "Voltage, the threshold (dashed), and above them a stroke for each detected spike."
    return one.train.id, [said], [(words, plots.voltage(one.trace, threshold, 300, spikes=one.train))]
