"""A posterior over members: each conductance, the current and the noise, and each pair of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from spike2pop_nb.plots.drawing import Axis, Cell, Drawing, Line, Mark, Panel, Points
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, FloatArray, spread

if TYPE_CHECKING:
    from spike2pop_nb.fidelity import DrawnPosterior

__all__ = ["posterior_pairs"]

_BINS, _NODES = 14, 57
_TALL = 0.8  # of a panel, for the highest bar
_HARDLY = 0.1  # rank correlation below which a field stays blank


@figure
def posterior_pairs(drawn: DrawnPosterior, *, most: int = 300, height: int | None = None) -> Drawing:
    """Marginal distributions of a posterior, scatter plots of every pair, and their rank correlations.

    Axes go from the least to the most that the prior allows; along the diagonal, the prior is a grey line.

    Parameters
    ----------
    drawn : DrawnPosterior
        What `sample_posterior` gave.
    most : int
        Members drawn at most in each scatter plot, evenly chosen; all count in the rest.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> figure = s2p.plots.posterior_pairs(drawn)
    >>> len(figure.data) > 0
    True
    """
    values, ranges, names = drawn.values, drawn.prior.ranges, drawn.prior.names
    units = drawn.to_frame()["unit"].tolist()
    axes = [_axis(name, *ends) for name, ends in zip(names, ranges.tolist(), strict=True)]
    upright = [replace(axis, title="") for axis in axes]  # names stand below, and along the diagonal
    labels, shown = drawn.population.table["member"].to_numpy(), spread(len(drawn), most)
    panels: list[Panel] = []
    for row, name in enumerate(names):
        for column in range(row):
            x, y = (f"{names[k]} %{{{axis}:.4g}} {units[k]}" for k, axis in ((column, "x"), (row, "y")))
            points = Points(
                values[shown, column],
                values[shown, row],
                size=3,
                opacity=0.5,
                colour=BLUE,
                members=labels[shown],
                hover=f"member %{{id}}: {x}, {y}",
            )
            panels.append(Panel(axes[column], upright[row], [points], place=(row, column)))
        marks = _marginal(drawn, row, units[row])
        panels.append(Panel(axes[row], upright[row], marks, note=name, place=(row, row)))
    note = "conductances (mS/cm²), current I and noise σ (µA/cm²); "
    note += "along the diagonal: posterior, and prior (grey)"
    note += f"\nabove it: Spearman's rank correlations; effective sample size {drawn.n_effective:.0f}"
    note += f"; {shown.size} of {len(drawn)} members are drawn" if shown.size < len(drawn) else ""
    gap = 0.08 / len(names)
    tall = height or 90 + 66 * len(names)
    cells = _numbers(drawn.correlations().to_numpy())
    return Drawing(
        panels, tall, note=note, columns=len(names), gaps=(gap, gap), cells=cells, share_x=True, share_y=True
    )


def _axis(name: str, low: float, high: float) -> Axis:
    # ticks in the left half, so that those of neighbours do not touch
    return Axis(name, (low, high), ticks=(0.0, 0.5 * high), grid=False)


def _marginal(drawn: DrawnPosterior, k: int, unit: str) -> list[Mark]:
    """The posterior of one value in steps, and its prior, within the range of the value on both axes."""
    low, high = drawn.prior.ranges[k]
    height, edges = np.histogram(drawn.values[:, k], _BINS, (low, high), weights=drawn.weights)
    # of the prior what lies in as many bins, from its quantiles
    at = np.linspace(low, high, _NODES)
    table = np.tile(drawn.prior.ranges[:, 0], (_NODES, 1))
    table[:, k] = at
    before = np.gradient(drawn.prior.quantiles(table)[:, k], at) * (high - low) / _BINS
    top = max(float(height.max()), 1e-9)
    scale = _TALL * (high - low) / top

    def placed(share: FloatArray) -> FloatArray:
        return np.asarray(low + np.minimum(scale * share, high - low))

    x = np.repeat(edges, 2)[1:-1]
    hover = f"%{{x:.4g}} {unit}"
    return [
        Line(at, placed(before), colour=GREY, width=1.0),
        Line(x, placed(np.repeat(height, 2)), colour=BLUE, width=1.4, hover=hover),
    ]


def _numbers(correlations: FloatArray) -> list[Cell]:
    cells = []
    for place in combinations(range(len(correlations)), 2):
        rho = float(correlations[place])
        strong = abs(rho) >= _HARDLY
        fill = (BLUE if rho > 0 else ORANGE, 0.6 * abs(rho)) if strong else None
        cells.append(Cell(place, f"{rho:z.2f}".replace("-", "−"), INK if strong else GREY, fill))
    return cells
