"""What a network has to beat: gradient-boosted trees on hand-made statistics of the intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.tokens import MAX_INTERVALS, interval_statistics
from spike2pop_nb.training.batches import Trains, ordered_batches

__all__ = ["statistics_of", "trees"]


def statistics_of(trains: Trains, longest: int = MAX_INTERVALS) -> NDArray[np.floating]:
    """`STATISTICS` (n, 55) of every train, undisturbed."""
    parts = [
        (b.rows, interval_statistics(b.isi_ms, b.lengths)) for b in ordered_batches(trains, 4096, longest)
    ]
    made = np.concatenate([values for _, values in parts])
    return made[np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")]


def trees(
    fitting: Trains, test: Trains, most: int | None = 100_000, seed: int = 0, rounds: int = 500
) -> NDArray[np.floating]:
    """Predict (g_s, g_u) of ``test`` (n, 2) by histogram gradient boosting of the absolute error on
    ``fitting``.

    Parameters
    ----------
    most : int, optional
        Trains to fit at most, drawn at random; None for all.

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
    seen, asked = statistics_of(fitting), statistics_of(test)
    columns = []
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
        columns.append(model.fit(seen, fitting.targets[:, i]).predict(asked))
    return np.stack(columns, axis=1)
