"""Publication figures of a result as SVG, PNG or PDF files: which there are, how wide, and of how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.errors import SimulationError, Spike2PopError
from spike2pop_nb.fidelity import Result
from spike2pop_nb.plots.drawing import Drawing
from spike2pop_nb.simulation import Currents, currents

__all__ = [
    "COLUMN_MM",
    "FIGURES",
    "ColumnWidth",
    "FigureFormat",
    "best_currents",
    "drawn_files",
    "drawn_formats",
    "figure_files",
]

FigureFormat = Literal["svg", "png", "pdf"]
ColumnWidth = Literal["one", "two"]

COLUMN_MM: dict[ColumnWidth, float] = {"one": 85.0, "two": 180.0}
"""Widths of one and of two columns of a journal page, in mm."""

FIGURES: dict[str, tuple[ColumnWidth, str]] = {
    "recording": ("two", "spikes of the recording and its intervals over time"),
    "posterior": ("one", "posterior over the slow and ultraslow DICs, with the members kept"),
    "conductances": ("two", "maximal conductances of the members, each relative to its median"),
    "traces": ("two", "voltages of up to eight members under the spikes of the recording"),
    "raster": ("two", "spikes of the recording and of the members"),
    "intervals": ("one", "cumulative distributions of the intervals of the recording and of the members"),
    "return_map": ("one", "each interval against the next, of the recording and of the members"),
    "pairs": ("two", "maximal conductances against each other, with their correlations"),
    "dic_curves": ("two", "dynamic input conductances of the members over voltage, with the threshold"),
    "currents": (
        "two",
        "currentscape of the member with the best score: shares of the currents over time",
    ),
}
"""Width and content of each figure."""

_MOST_TRACES, _SPIKES_SHOWN, _SHORTEST_MS = 8, 40, 300.0


def drawn_formats(formats: Sequence[str]) -> list[FigureFormat]:
    """Return those of some formats that are of figures."""
    return [cast(FigureFormat, format) for format in formats if format in get_args(FigureFormat)]


def drawn_files(
    name: str, drawing: Drawing, formats: Sequence[FigureFormat], width: ColumnWidth
) -> dict[str, bytes]:
    """Return a drawing as a file of each format, so many columns wide."""
    from spike2pop_nb.plots.on_paper import rendered

    made = rendered(drawing, formats, COLUMN_MM[width]) if formats else []
    return {f"{name}.{format}": content for format, content in zip(formats, made, strict=True)}


def best_currents(result: Result) -> Currents | None:
    """Return the currents of the member with the best score, or None where they cannot be followed.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import best_currents
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> best_currents(result).neuron.name
    'stg'
    """
    if result.population is None or result.verdict is None or result.simulated is None:
        return None
    try:
        return currents(result.population, result.verdict.best, like=result.simulated)
    except SimulationError:  # simulated with noise, or too long, or a member that failed
        return None


def _recording(result: Result, mm: float) -> Drawing | None:
    return plots.recording.drawing(result.recording, 275) if result.recording.n_spikes else None


def _posterior(result: Result, mm: float) -> Drawing | None:
    found = result.posterior
    if not getattr(found, "usable", False) or not hasattr(found, "log_prob"):
        return None
    passed = None if result.verdict is None else result.verdict.passed
    height = round(2.5 * mm + 180)
    plane = plots.dic_plane.drawing
    return plane(result.neuron, found, None, result.population, height, passed=passed, close=True)


def _traces(result: Any, mm: float) -> Drawing | None:
    simulated = result.simulated
    rows = (
        [int(row) for row in np.flatnonzero(~simulated.failed)[:_MOST_TRACES]] if simulated.V_mV.size else []
    )
    if not rows:
        return None
    judged = ["" if result.verdict.passed[row] else ", not passed" for row in rows]
    # some forty spikes of the recording, if it lasts that long
    times = result.recording.times_ms
    until = 1.04 * float(times[min(_SPIKES_SHOWN, len(times) - 1)] - times[0])
    columns = 1 if mm < 120 or len(rows) == 1 else 2
    return plots.traces.drawing(
        simulated,
        result.recording,
        rows=rows,
        labels=[f"member {simulated.labels[row][1]}{words}" for row, words in zip(rows, judged, strict=True)],
        height=110 + 78 * -(-len(rows) // columns),
        until_ms=max(until, _SHORTEST_MS),
        columns=columns,
    )


def _raster(result: Any, mm: float) -> Drawing | None:
    n = min(64, len(result.simulated or ()))
    height = round(120 + 5 * n * max(1.5, min(2.7, 24 / n), 8 / n))
    return plots.members.drawing(
        result.simulated, result.recording, height=height, passed=result.verdict.passed
    )


def _pairs(result: Any, mm: float) -> Drawing | None:
    height = round(4.1 * mm + 30)
    return plots.conductance_pairs.drawing(result.population, result.verdict, most=100, height=height)


def _currents(result: Result, mm: float) -> Drawing | None:
    found = best_currents(result)
    if found is None:
        return None
    drawn = plots.currentscape.drawing(found, most_points=900, height=500)
    return replace(drawn, note=f"member {found.label[1]}")


def _curves(result: Any, mm: float) -> Drawing | None:
    wide = mm >= 120
    options: dict[str, Any] = {"height": 250 if wide else 460, "columns": 4 if wide else 2}
    return plots.dic_curves.drawing(result.population, result.verdict.passed, **options)


_OF_RECORDING = {"recording": _recording, "posterior": _posterior}
_OF_MEMBERS: dict[str, Callable[[Any, float], Drawing | None]] = {
    "conductances": lambda r, mm: plots.conductances.drawing(r.population, r.verdict.passed, 300, most=400),
    "traces": _traces,
    "raster": _raster,
    "intervals": lambda r, mm: plots.intervals.drawing(
        r.simulated, r.recording, height=310, passed=r.verdict.passed
    ),
    "return_map": lambda r, mm: plots.return_map.drawing(
        r.simulated, r.recording, most=32, height=round(5 * min(mm + 8, 98)), passed=r.verdict.passed
    ),
    "pairs": _pairs,
    "dic_curves": _curves,
    "currents": _currents,
}


def figure_files(
    result: Result,
    formats: Sequence[FigureFormat] = ("svg", "png"),
    *,
    width: ColumnWidth | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, bytes]:
    """Draw the figures of one result.

    Parameters
    ----------
    result
        What lacks (no network's posterior, no population, voltages not kept) has no figure.
    formats
        Of "svg", "png" (300 dpi) and "pdf".
    width
        ``"one"`` (85 mm) or ``"two"`` (180 mm) columns; each figure's own, see `FIGURES`, by default.
    names
        Which of `FIGURES`; all by default.

    Returns
    -------
    dict
        ``{"recording.svg": content, …}``; the same result gives the same bytes.

    Raises
    ------
    Spike2PopError
        If a format, width or name is not known.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import figure_files
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> list(figure_files(result, ("svg",), names=["recording"]))
    ['recording.svg']
    """
    chosen = list(FIGURES) if names is None else list(names)
    for what, given, known in (
        ("format", formats, get_args(FigureFormat)),
        ("width", [width] if width is not None else [], tuple(COLUMN_MM)),
        ("name", chosen, tuple(FIGURES)),
    ):
        for value in given:
            if value not in known:
                raise Spike2PopError(
                    f"The {what} of a figure must be one of {', '.join(known)}, not {value!r}."
                )
    whole = result.population is not None and result.verdict is not None and result.simulated is not None
    drawn = _OF_RECORDING | (_OF_MEMBERS if whole else {})
    files: dict[str, bytes] = {}
    for name in chosen:
        columns = width or FIGURES[name][0]
        drawing = drawn[name](result, COLUMN_MM[columns]) if name in drawn else None
        if drawing is not None and not drawing.empty:
            if not drawing.panels[0].title:
                drawing = replace(drawing, title=f"recording {result.recording.id}")
            files |= drawn_files(name, drawing, formats, columns)
    return files
