"""Windows of recordings in, what a network says of each out; in blocks, and the same in any.

Sums of floating-point numbers depend on their order, and libraries choose it by the shape of what they sum
and by the number of threads. So a window is padded to a width that follows from its own length, and computed
on one thread, in blocks of one of two numbers of rows, filled up with repeats. Where windows do not come out
the same in all places of both, which is tried out, each is computed alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from spike2pop_nb.inference.drive import told
from spike2pop_nb.inference.tokens import make_batch, pad_intervals
from spike2pop_nb.inference.weights import LoadedNetwork

__all__ = ["Blocks", "Read"]

_ROWS = (4, 16)  # of a block for few windows, and for many
_TRIED = 48  # windows: another order of summing changes the result of one in ten


class Read(NamedTuple):
    """What the network says of each window; arrays over windows."""

    log_weights: NDArray[np.floating]
    means: NDArray[np.floating]
    scales: NDArray[np.floating]
    priors: NDArray[np.floating]
    patterns: NDArray[np.floating]
    features: NDArray[np.floating]
    statistics: NDArray[np.floating]
    domain_score: NDArray[np.floating]
    n_intervals: NDArray[np.integer]


class Blocks:
    """A network that reads windows; to be asked on one thread."""

    def __init__(self, loaded: LoadedNetwork, device: str | torch.device) -> None:
        self._loaded = loaded
        self._device = torch.device(device)
        self._network = loaded.network.to(self._device).fuse()
        config = loaded.network.config
        self._narrowest = -(-config.most_tokens // config.patch) * config.patch
        self._rows: dict[int, tuple[int, int]] = {}  # of the blocks of each width

    @torch.inference_mode()
    def read(
        self,
        windows: Sequence[NDArray[np.floating]],
        known: NDArray[np.floating],
        progress: Callable[[int, int], None] | None,
    ) -> Read | None:
        """Read windows of intervals in ms, with what is known beside each, (n, 4); None if there are none."""
        by_width: dict[int, list[int]] = {}
        for i, window in enumerate(windows):
            by_width.setdefault(self._width(window.size), []).append(i)
        order: list[int] = []
        parts: list[list[NDArray[Any]]] = []
        for width, members in sorted(by_width.items()):
            few, many = self._rows_of(width)
            while members:
                rows = few if len(members) <= few else many
                chosen, members = members[:rows], members[rows:]
                filled = np.resize(chosen, rows)
                block = self._block([windows[i] for i in filled], width, known[filled])
                parts.append([array[: len(chosen)] for array in block])
                order += chosen
                if progress is not None:
                    progress(len(order), len(windows))
        if not parts:
            return None
        back = np.argsort(order)
        return Read(*(np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True)))

    def _width(self, n_intervals: int) -> int:
        """Intervals to which a window is padded: powers of two times what attention looks at."""
        return self._narrowest << max(0, math.ceil(n_intervals / self._narrowest) - 1).bit_length()

    def _rows_of(self, width: int) -> tuple[int, int]:
        """Rows of the blocks of a width: one if a row's place or the number of rows has a say in it here."""
        if width not in self._rows:
            rng = np.random.default_rng(0)
            sizes = rng.integers(width // 2 + 1, width + 1, _TRIED)
            shapes = rng.uniform(1.0, 9.0, _TRIED)
            tried = [rng.gamma(shape, 20.0, size) for shape, size in zip(shapes, sizes, strict=True)]
            few, many = (self._in_blocks(tried, width, rows) for rows in _ROWS)
            turned = self._in_blocks(tried[::-1], width, _ROWS[1])
            same = all(
                np.array_equal(a, b) and np.array_equal(b, c[::-1])
                for a, b, c in zip(few, many, turned, strict=True)
            )
            self._rows[width] = _ROWS if same else (1, 1)
        return self._rows[width]

    def _in_blocks(
        self, windows: Sequence[NDArray[np.floating]], width: int, rows: int
    ) -> list[NDArray[Any]]:
        parts = [self._block(windows[a : a + rows], width) for a in range(0, len(windows), rows)]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def _block(
        self, windows: Sequence[NDArray[np.floating]], width: int, known: NDArray[np.floating] | None = None
    ) -> Read:
        """Read a block of windows (n,), all padded to ``width`` intervals, with what is known beside them."""
        config, domain = self._loaded.network.config, self._loaded.domain
        isi, lengths = pad_intervals(windows, width)
        batch = make_batch(isi, lengths, self._loaded.scale, config.patch, config.most_tokens)
        given = [batch.tokens, batch.lengths, batch.statistics]
        if config.n_told:
            given.append(told(*np.full((2, len(windows)), np.nan)) if known is None else known)
        out = self._network(*(_aligned(array, self._device) for array in given))
        log_weights, means, scales, priors, patterns, features = (
            t.cpu().numpy()
            for t in (*out[:3], out.prior_logits.softmax(-1), out.pattern_logits.softmax(-1), out.features)
        )
        # few at once: NumPy sums many rows in another order
        few = [batch.statistics[a : a + _ROWS[0]] for a in range(0, len(windows), _ROWS[0])]
        score = np.concatenate(
            [np.zeros(len(rows)) if domain is None else domain.score(rows) for rows in few]
        )
        return Read(
            log_weights, means, scales, priors, patterns, features, batch.raw_statistics, score, lengths
        )


def _aligned(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    """A copy in memory of PyTorch's own, whose alignment is always the same: kernels may choose by it."""
    return torch.from_numpy(array).to(device, copy=True)
