"""What the publication figures share: sheets in mm, names, strokes, axes and legends."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from spike2pop_nb.fidelity import Result
from spike2pop_nb.plots.style import RED, FloatArray

__all__ = [
    "MM",
    "legend",
    "log_axis",
    "mean_and_sd",
    "sheet",
    "shown",
    "strokes",
    "time_unit",
    "title",
]

MM = 1 / 25.4
"""Inches in a mm."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sheet(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of a size in mm, whose parts keep clear of each other."""
    return Figure(figsize=(width_mm * MM, height_mm * MM), layout="constrained")


def shown(name: str, most: int) -> str:
    """A name from a file, fit to be drawn: of bounded length, without characters that XML cannot hold."""
    name = _NOT_IN_XML.sub("\ufffd", name)
    return name if len(name) <= most else name[: most - 1] + "…"


def title(axes: Axes, result: Result, width_mm: float) -> None:
    """Name the recording above some axes that wide."""
    axes.set_title(f"recording {shown(result.recording.id, round(0.4 * width_mm))}")


def strokes(axes: Axes, times: FloatArray, low: float, high: float, colour: str, width: float) -> None:
    """One vertical stroke per time, as a single broken line, which keeps files small."""
    x = np.repeat(times, 3)
    y = np.tile([low, high, np.nan], len(times))
    axes.plot(x, y, color=colour, linewidth=width)


def time_unit(span_ms: float) -> tuple[float, str]:
    """What to multiply ms by, and the unit, for an axis of this length."""
    return (1e-3, "s") if span_ms >= 10_000 else (1.0, "ms")


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Make one of the axes, "x" or "y", logarithmic, with whole numbers as marks."""
    axis = getattr(axes, f"{which}axis")
    getattr(axes, f"set_{which}scale")("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))


def legend(axes: Axes, columns: int, **more: Any) -> None:
    """Put the legend above the upper right corner."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, **more)


def mean_and_sd(axes: Axes, posterior: Any) -> Any:
    """Mark the mean of a posterior with one standard deviation."""
    (s, u), (ds, du) = posterior.mean, posterior.std
    marks: dict[str, Any] = {"color": RED, "markersize": 4, "markeredgecolor": "white"}
    return axes.errorbar(
        s, u, xerr=ds, yerr=du, fmt="D", capsize=1.5, elinewidth=0.9, label="mean ± s.d.", **marks
    )
