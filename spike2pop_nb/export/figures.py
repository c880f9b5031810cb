"""Publication figures of a result as SVG, PNG or PDF files, drawn by Matplotlib without display or browser.

Colours are those of the page (Okabe and Ito), shapes repeat what colours say, every axis has its unit, text
in an SVG stays text, and the same result gives the same bytes.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.fidelity import Result
from spike2pop_nb.plots.style import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLUMN_MM", "DPI", "FIGURES", "FigureFormat", "figure_files", "rendered"]

FigureFormat = Literal["svg", "png", "pdf"]
ColumnWidth = Literal["one", "two"]

COLUMN_MM: dict[ColumnWidth, float] = {"one": 85.0, "two": 180.0}
"""Widths of one and of two columns of a journal page, in mm."""

DPI = 300
"""Resolution of PNG files."""

FIGURES: dict[str, tuple[ColumnWidth, str]] = {
    "recording": ("two", "spikes of the recording and its intervals over time"),
    "posterior": ("one", "posterior over the slow and ultraslow DICs, with the members kept"),
    "conductances": ("two", "maximal conductances of the members, each as a fold of its median"),
    "traces": ("two", "voltages of up to eight members under the spikes of the recording"),
    "raster": ("two", "spikes of the recording and of the members"),
    "intervals": ("one", "cumulative distributions of the intervals of the recording and of the members"),
    "return_map": ("one", "each interval against the next, of the recording and of the members"),
    "pairs": ("two", "maximal conductances against each other, with their correlations"),
    "dic_curves": ("two", "dynamic input conductances of the members over voltage, with the threshold"),
    "currents": ("two", "currentscape of the member with the best score: what each current carries when"),
}
"""Width and content of each figure."""

_STYLE: dict[Any, Any] = {
    "figure.constrained_layout.w_pad": 0.02,
    "figure.constrained_layout.h_pad": 0.02,
    "font.family": "sans-serif",
    # The first comes with Matplotlib, so that figures are laid out alike everywhere; the others are for who
    # opens an SVG without it, and are narrower.
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    # names come from files, and a label set as mathematics would be single letters in an SVG
    "text.parse_math": False,
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.borderaxespad": 0.2,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 0.8,
    "lines.solid_capstyle": "butt",
    "savefig.dpi": DPI,
    "svg.fonttype": "none",
    "svg.hashsalt": "spike2pop_nb",
    "pdf.fonttype": 42,
}
# Dates and versions of programs would make equal figures differ.
_NO_METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "png": {"Software": None},
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
}
# Settings of Matplotlib belong to the whole process: one figure at a time changes and restores them.
_ALONE = threading.Lock()


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with _ALONE, matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def _rendered(figure: Figure, format: FigureFormat) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format=format, metadata=_NO_METADATA[format])
    content = sink.getvalue()
    if format == "svg":  # the document type names a file on the web, which some viewers would fetch
        start, end = content.index(b"<!DOCTYPE"), content.index(b"<svg")
        content = content[:start] + content[end:]
    return content


def rendered(draw: Callable[[], Figure], format: FigureFormat) -> bytes:
    """Return what is drawn, in the style of all publication figures, as a file."""
    with _style():
        return _laid_out(draw(), [format])[0]


def _laid_out(figure: Figure, formats: Sequence[FigureFormat]) -> list[bytes]:
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)  # once for all formats
        figure.set_layout_engine("none")
        for axes in figure.axes:  # the solver's last digits vary, and would come into the file
            axes.set_position(np.round(axes.get_position().bounds, 6))
    return [_rendered(figure, format) for format in formats]


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
    from spike2pop_nb.export.drawings import DRAWN
    from spike2pop_nb.export.drawings_of_members import DRAWN_OF_MEMBERS

    drawn = DRAWN | DRAWN_OF_MEMBERS
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
    files: dict[str, bytes] = {}
    for name in chosen:
        with _style():
            figure = drawn[name](result, COLUMN_MM[width or FIGURES[name][0]])
            if figure is not None:
                names_of_files = [f"{name}.{format}" for format in formats]
                files |= dict(zip(names_of_files, _laid_out(figure, formats), strict=True))
    return files
