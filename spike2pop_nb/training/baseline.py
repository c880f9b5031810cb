"""What a network has to beat: gradient-boosted trees on hand-made statistics of the intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.tokens import interval_statistics
from spike2pop_nb.training.batches import (
    NO_AUGMENTATION,
    Augmentation,
    Batch,
    Trains,
    epoch_batches,
    ordered_batches,
)

__all__ = ["DISTURBED_TREES", "TREES", "Trees", "fit_trees", "statistics_of"]

Floats = NDArray[np.floating]
TREES = "trees"
"""Name, among scores, of trees fitted to trains as they were simulated."""
DISTURBED_TREES = "trees_disturbed"
"""Of trees fitted to the same trains, disturbed as a network's are while it learns."""
_AT_ONCE = 4096


class Trees:
    """Histogram gradient boosting of the absolute error, once for g_s and once for g_u; see `fit_trees`."""

    def __init__(self, models: Sequence[Any]) -> None:
        self._models = models

    def predict(self, trains: Trains) -> Floats:
        """Return g_s, g_u (n, 2) of trains of 3 spikes or more."""
        asked = statistics_of(trains)
        return np.stack([model.predict(asked) for model in self._models], axis=1)


def statistics_of(trains: Trains) -> Floats:
    """`STATISTICS` (n, 55) of every train, undisturbed."""
    return _in_order(ordered_batches(trains, _AT_ONCE))


def fit_trees(
    fitting: Trains,
    how: Augmentation = NO_AUGMENTATION,
    most: int | None = 100_000,
    seed: int = 0,
    rounds: int = 500,
) -> Trees:
    """Fit trees to trains, each as it is or disturbed once.

    Parameters
    ----------
    fitting : Trains
        With 3 spikes or more each.
    how : Augmentation
        How the trains are disturbed first, as a network's are while it learns.
    most : int, optional
        Trains to fit at most, drawn at random; None for all.
    rounds : int
        Trees for each DIC at most; fewer, once others of the trains (5 %) gain no more.

    Raises
    ------
    TrainingError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError:
        raise TrainingError("The baseline needs scikit-learn: pip install 'spike2pop-nb[bench]'.") from None
    rng = np.random.default_rng(seed)
    if most is not None and len(fitting) > most:
        fitting = fitting.take(rng.permutation(len(fitting))[:most])
    disturbed = epoch_batches(fitting, _AT_ONCE, how, (seed, 8))
    seen = statistics_of(fitting) if how == NO_AUGMENTATION else _in_order(disturbed)
    models = []
    for i in range(2):
        model = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=rounds,
            learning_rate=0.1,
            max_leaf_nodes=63,
            min_samples_leaf=20,
            early_stopping=len(fitting) > 1000,
            validation_fraction=0.05,
            random_state=seed,
        )
        models.append(model.fit(seen, fitting.targets[:, i]))
    return Trees(models)


def _in_order(batches: Iterable[Batch]) -> Floats:
    parts = [(batch.rows, interval_statistics(batch.isi_ms, batch.lengths)) for batch in batches]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    return np.concatenate([values for _, values in parts])[order]
