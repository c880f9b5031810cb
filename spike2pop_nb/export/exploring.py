"""Choices, maps over the plane and voltages as files: CSV, Parquet, a page of figures, SVG, PNG or PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from spike2pop_nb import __version__, plots
from spike2pop_nb.conductances import Ranking, Reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export.figures import COLUMN_MM, FigureFormat
from spike2pop_nb.export.html import Picture, page
from spike2pop_nb.export.tables import Column, table_csv, table_parquet
from spike2pop_nb.fidelity import ACTIVITY_PATTERNS, PatternMap
from spike2pop_nb.files import write_whole
from spike2pop_nb.plots import choices, plane, recordings
from spike2pop_nb.plots.drawing import Drawing
from spike2pop_nb.spiketrains import Detected

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "choices_table",
    "figure_format",
    "plane_table",
    "table_format",
    "write_choices",
    "write_choices_figure",
    "write_plane",
    "write_plane_figure",
    "write_voltage_figure",
]

_CHOICES = {
    "id": Column("", "name of the recording, or target"),
    "place": Column("", "place in the ranking, from 1"),
    "compensate": Column("", "the two conductances that are solved for"),
    "score": Column("", "within_ranges / ((1 + moved) · √condition), from 0 to 1"),
    "reached": Column("fraction", "members that reach their target without a negative conductance"),
    "within_ranges": Column("fraction", "members whose solved conductances lie within this neuron's ranges"),
    "moved": Column("fraction", "median change of the solved conductances, relative to the baseline median"),
    "condition": Column("", "median condition number of the solve, columns scaled to length one; 1 is best"),
    "published": Column("", "whether the published heuristic makes this choice"),
    "tied_with_first": Column("", "whether the score is indistinguishable from the first"),
    "why": Column("", "why the choice is first, or why it is not"),
}
_PLANE = {
    "valid_fraction": Column("fraction", "baseline members that get there without a negative conductance"),
    "condition": Column("", "condition number of the solve, columns scaled to length one; 1 is best"),
    "residual": Column("in units of g_leak", "median over members of the distance from the wanted DICs"),
    "pattern": Column("", "most frequent firing pattern of the members simulated there"),
    "rate_hz": Column("Hz", "median firing rate of the members simulated there, spikes over observed time"),
} | {
    f"share_{str(kind).replace(' ', '_')}": Column("fraction", f"members simulated there that are {kind}")
    for kind in ACTIVITY_PATTERNS
}
_MOST_DRAWN = 12
_TABLES, _PICTURES = (".csv", ".parquet"), (".html", *(f".{kind}" for kind in get_args(FigureFormat)))


def table_format(path: str | Path) -> str:
    """Return the format of a table by the ending of its name: csv or parquet.

    Raises
    ------
    Spike2PopError
        If it is another.

    Examples
    --------
    >>> from spike2pop_nb.export import table_format
    >>> table_format("choices.csv")
    'csv'
    """
    return _ending(path, _TABLES, "A table")


def figure_format(path: str | Path) -> str:
    """Return the format of a figure by the ending of its name: html, svg, png or pdf.

    Raises
    ------
    Spike2PopError
        If it is another.

    Examples
    --------
    >>> from spike2pop_nb.export import figure_format
    >>> figure_format("map.svg")
    'svg'
    """
    return _ending(path, _PICTURES, "A figure")


def _ending(path: str | Path, known: Sequence[str], what: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        raise Spike2PopError(
            f"{what} must have a name that ends in {', '.join(known)}, not {Path(path).name!r}."
        )
    return suffix[1:]


def choices_table(rankings: Mapping[str, Ranking]) -> pd.DataFrame:
    """Return the choices of each recording, best first.

    Raises
    ------
    Spike2PopError
        If there is no ranking.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import choices_table
    >>> ranking = s2p.rank_choices("stg", (4.0, 5.0), n=64)
    >>> choices_table({"cell 1": ranking}).columns[:3].tolist()
    ['id', 'place', 'compensate']
    """
    if not rankings:
        raise Spike2PopError("There is no ranking to write: no recording has DICs to rank choices for.")
    tables = []
    for name, ranking in rankings.items():
        table = ranking.to_frame()
        table.insert(0, "id", name)
        table.insert(1, "place", range(1, len(table) + 1))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def plane_table(reach: Reachability, firing: PatternMap | None = None) -> pd.DataFrame:
    """Return what a choice reaches at each node, and how members fire there where that was simulated.

    Raises
    ------
    Spike2PopError
        If the two are maps of different choices or grids.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import plane_table
    >>> reach = s2p.reachability("stg", ("CaS", "H"), 5)
    >>> len(plane_table(reach))
    25
    """
    table = reach.to_frame()
    if firing is None:
        return table
    fired = firing.to_frame()
    if reach.compensate != firing.compensate or not fired[["g_s", "g_u"]].equals(table[["g_s", "g_u"]]):
        raise Spike2PopError("The two maps differ in their choice or grid, so one table cannot hold both.")
    return table.join(fired.drop(columns=["g_s", "g_u", "valid_fraction"]))


def write_choices(rankings: Mapping[str, Ranking], path: str | Path) -> pd.DataFrame:
    """Write the choices of each recording as CSV or Parquet, and return the table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_choices
    >>> ranking = s2p.rank_choices("stg", (4.0, 5.0), n=64)
    >>> len(write_choices({"cell 1": ranking}, Path(mkdtemp()) / "choices.csv")) == len(ranking)
    True
    """
    return _write(choices_table(rankings), path, _CHOICES)


def write_plane(reach: Reachability, path: str | Path, firing: PatternMap | None = None) -> pd.DataFrame:
    """Write a map as CSV or Parquet, one row per node, and return the table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_plane
    >>> reach = s2p.reachability("stg", ("CaS", "H"), 5)
    >>> len(write_plane(reach, Path(mkdtemp()) / "map.csv"))
    25
    """
    return _write(plane_table(reach, firing), path, _PLANE)


def _write(table: pd.DataFrame, path: str | Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    csv = table_format(path) == "csv"
    write_whole(Path(path), table_csv(table).encode() if csv else table_parquet(table, columns))
    return table


def write_choices_figure(rankings: Mapping[str, Ranking], path: str | Path, whose: str = "recording") -> None:
    """Draw the scores of all choices of each recording: a page (.html) or a figure (.svg, .png, .pdf).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_choices_figure
    >>> ranking = s2p.rank_choices("stg", (4.0, 5.0), n=64)
    >>> file = Path(mkdtemp()) / "choices.svg"
    >>> write_choices_figure({"cell 1": ranking}, file)
    >>> file.exists()
    True
    """
    kind = figure_format(path)
    if not 1 <= len(rankings) <= _MOST_DRAWN:
        raise Spike2PopError(
            f"A figure of choices shows 1 to {_MOST_DRAWN} recordings, not {len(rankings)}; "
            "choose some of them."
        )
    if kind == "html":
        words = "Score of each choice: the higher, the better. Blue: not distinguishable from the first."
        sections = [
            (f"Choices for {whose} {name}", [ranking.describe()], [(words, plots.ranking(ranking))])
            for name, ranking in rankings.items()
        ]
        _write_page(Path(path), "Which two conductances to compensate", sections)
    else:
        _write_drawing(Path(path), choices.rankings(rankings, whose), kind)


def write_plane_figure(
    reach: Reachability,
    path: str | Path,
    firing: PatternMap | None = None,
    *,
    posterior: Any = None,
    target: Sequence[float] | None = None,
) -> None:
    """Draw a map, as a page (.html) or as a figure (.svg, .png, .pdf).

    Parameters
    ----------
    reach, firing
        What the choice of a neuron's conductances reaches, and how members fire where that was simulated.
    path
        Where to write it.
    posterior, target
        Drawn over it.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_plane_figure
    >>> reach = s2p.reachability("stg", ("CaS", "H"), 5)
    >>> file = Path(mkdtemp()) / "map.svg"
    >>> write_plane_figure(reach, file)
    >>> file.exists()
    True
    """
    kind = figure_format(path)
    if kind == "html":
        points = posterior.sample(256, 0) if posterior is not None and posterior.usable else target
        over: dict[str, Any] = {"posterior": posterior, "target": target}
        figures = [
            (_sentence(plots.LAYERS[layer]), plots.plane_map(reach, 360, layer=layer, **over))
            for layer in ("reached", "condition", "residual")
        ]
        where = "the target" if posterior is None else "this recording's DICs"
        sentences = [reach.describe(points, where)]
        if firing is not None:
            figures += [
                (_sentence(plots.LAYERS[layer]), plots.plane_map(firing, 380, layer=layer, **over))
                for layer in ("pattern", "rate")
            ]
            sentences.append(firing.describe(points, where))
        _write_page(
            Path(path),
            f"What {reach.choice} can reach, {reach.neuron.title}",
            [(reach.choice, sentences, figures)],
        )
    else:
        _write_drawing(Path(path), plane.plane_maps(reach, firing, posterior, target), kind)


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
        _write_page(Path(path), "Spikes detected in voltage traces", [_voltage(one) for one in found])
    else:
        _write_drawing(Path(path), recordings.voltages(found), kind)


def _voltage(one: Detected) -> tuple[str, list[str], list[tuple[str, go.Figure]]]:
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


def _write_drawing(path: Path, drawn: Drawing, kind: str) -> None:
    """Write a drawing as SVG, PNG or PDF."""
    from spike2pop_nb.plots.on_paper import rendered

    write_whole(path, rendered(drawn, [kind], COLUMN_MM["two"])[0])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _write_page(
    path: Path, title: str, sections: Sequence[tuple[str, Sequence[str], Sequence[tuple[str, go.Figure]]]]
) -> None:
    """Write a page of titles, sentences, and figures with their captions."""
    content = [
        {
            "title": head,
            "sentences": list(sentences),
            "figures": [
                Picture(str(k), len(figures) == 1, words, drawn).entry(i)
                for k, (words, drawn) in enumerate(figures)
            ],
        }
        for i, (head, sentences, figures) in enumerate(sections)
    ]
    write_whole(path, page("figures.html.j2", title=title, version=__version__, sections=content).encode())
