"""Noise currents: white, or Ornstein–Uhlenbeck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.experiments.action import FloatArray, Waves, number
from spike2pop_nb.experiments.stimuli import MOST_UA, Stimulus
from spike2pop_nb.neurons import NeuronModel

__all__ = ["Noise"]

IntArray = npt.NDArray[np.int64]
_CLOCK_MS = 0.1


@dataclass(frozen=True)
class Noise(Stimulus):
    """A Gaussian noise current, white on a clock of 0.1 ms or Ornstein–Uhlenbeck.

    Attributes
    ----------
    sd
        Standard deviation of the current.
    tau_ms
        Correlation time of an Ornstein–Uhlenbeck process; 0 for white noise.
    mean
        Of the current.
    same_for_all
        Whether all members get the same noise ("frozen"). A member gets the same in all conditions anyway.
    """

    sd: float
    tau_ms: float = 0.0
    mean: float = 0.0
    same_for_all: bool = False
    kind = "noise"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("sd", number(self.sd, "The standard deviation of noise", 0.0, MOST_UA))
        self._set("mean", number(self.mean, "The mean of noise", -MOST_UA, MOST_UA))
        self._set("tau_ms", number(self.tau_ms, "tau_ms of noise", 0.0, 1e5))

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return the current."""
        tick = np.floor(ms / _CLOCK_MS + 1e-9).astype(np.int64)
        # Each quarter of a second has its own generator, so that only what is asked for is drawn.
        whose = np.zeros(1, dtype=np.int64) if self.same_for_all else members
        drawn = self._ticks(int(tick[0]), int(tick[-1]), [(*seed, int(member)) for member in whose])
        current = (self.per_area(neuron) * (self.mean + self.sd * drawn)).astype(np.float32)
        current = np.take(current, tick - tick[0], axis=1)
        share = self.share(ms)
        return current if share.min() == 1 else current * share, None

    def _ticks(self, first: int, last: int, seeds: list[tuple[int, ...]]) -> FloatArray:
        """Unit noise from one tick of the clock to another, (n, n_ticks), however it is asked for."""
        memory = math.exp(-_CLOCK_MS / self.tau_ms) if self.tau_ms > 0 else 0.0
        # an Ornstein–Uhlenbeck process has forgotten what lies 20 correlation times back
        back = math.ceil(20.0 * self.tau_ms / _CLOCK_MS)
        blocks = range((first - back) // _PER_BLOCK, last // _PER_BLOCK + 1)
        white = np.stack([np.concatenate([_block(seed, block) for block in blocks]) for seed in seeds])
        begin = first - back - blocks[0] * _PER_BLOCK
        white = white[:, begin : begin + back + last - first + 1]
        if memory:
            from scipy.signal import lfilter  # slow to import

            white = lfilter([math.sqrt(1.0 - memory**2)], [1.0, -memory], white)
        return np.asarray(white[:, back:])

    def words(self) -> str:
        sort = (
            f"Ornstein–Uhlenbeck noise (correlation time {self.tau_ms:g} ms)"
            if self.tau_ms
            else (f"white noise (new every {_CLOCK_MS:g} ms)")
        )
        mean = f" around {self.mean:g}" if self.mean else ""
        same = ", the same for all members," if self.same_for_all else ""
        return f"{sort} of standard deviation {self.sd:g}{mean} {self.unit_words}{same} is injected"

    @property
    def axis(self) -> str:
        return f"standard deviation of noise ({self.unit_words})"

    @property
    def label(self) -> str:
        return f"noise {self.sd:g} {self.unit_words}"


_PER_BLOCK = 2_500


@lru_cache(maxsize=4096)  # all conditions get the same
def _block(seed: tuple[int, ...], block: int) -> FloatArray:
    return np.random.default_rng([*seed, block + 2**20]).standard_normal(_PER_BLOCK)
