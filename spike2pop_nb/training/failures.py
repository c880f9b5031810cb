"""Where in the (g_s, g_u) plane a network errs, and where it knows that it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binned_statistic_2d

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.posterior import Posterior
from spike2pop_nb.training.batches import Trains

__all__ = ["draw_failures"]

_CELLS = (20, 10)
_FEWEST = 3


def draw_failures(test: Trains, posteriors: list[Posterior], path: Path) -> None:
    """Draw mean errors, expected errors and missed targets over the plane of true DICs, as SVG.

    Raises
    ------
    TrainingError
        If a posterior is that of a silent train.
    """
    from matplotlib.figure import Figure

    mixture = posteriors[0].mixture
    if mixture is None:
        raise TrainingError("Only trains with 3 spikes or more can be drawn.")
    box = mixture.box
    edges = [np.linspace(box.low[i], box.high[i], n + 1) for i, n in enumerate(_CELLS)]
    targets = test.targets.astype(float)
    error = np.abs(np.stack([p.median for p in posteriors]) - targets)
    std = np.stack([p.std for p in posteriors])
    missed = np.array([not _reached(p, t) for p, t in zip(posteriors, targets, strict=True)])
    panels = [
        ("error of g_s", error[:, 0]),
        ("error of g_u", error[:, 1]),
        ("posterior's std of g_s", std[:, 0]),
        ("posterior's std of g_u", std[:, 1]),
        ("share outside the 95 % region", missed.astype(float)),
        ("share bursting", (test.pattern == 2).astype(float)),
    ]
    figure = Figure(figsize=(9.5, 9), layout="constrained")
    for place, (title, values) in enumerate(panels):
        axes = figure.add_subplot(3, 2, place + 1)
        cells = _mean_by_cell(targets, values, edges)
        if "share" in title:
            top = 0.15 if "outside" in title else 1.0
        else:
            top = float(max(1.0, np.nan_to_num(cells).max()))
        drawn = axes.pcolormesh(edges[0], edges[1], cells.T, cmap="cividis", vmin=0, vmax=top)
        figure.colorbar(drawn, ax=axes)
        axes.set(title=title, xlabel="true g_s", ylabel="true g_u")
    figure.savefig(path, format="svg", metadata={"Date": None})


def _reached(p: Posterior, target: NDArray[np.floating]) -> bool:
    """Whether the 95 % highest-density region holds the target."""
    mixture = p.mixture
    assert mixture is not None
    drawn = mixture.log_prob(mixture.sample(200, np.random.default_rng(0)))
    inside = mixture.box.from_line(mixture.box.to_line(target))
    return bool((drawn > mixture.log_prob(inside)).mean() <= 0.95)


def _mean_by_cell(
    targets: NDArray[np.floating], values: NDArray[np.floating], edges: list[NDArray[np.floating]]
) -> NDArray[np.floating]:
    """Means over cells of the plane; nan where there are too few trains."""
    x, y = targets.T
    count = binned_statistic_2d(x, y, values, "count", bins=edges).statistic
    mean: NDArray[np.floating] = binned_statistic_2d(x, y, values, "mean", bins=edges).statistic
    return np.where(count >= _FEWEST, mean, np.nan)
