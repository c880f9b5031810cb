"""Gaussian mixtures over a bounded box of (g_s, g_u), in NumPy.

Each coordinate x in (low, high) is moved to the whole line by the logit of (x - low)/(high - low), where the
mixture lives: it can press against a border of the box without leaking mass over it. A component is written
as a regression, u1 ~ N(m1, exp(-2a)) and u2 | u1 ~ N(m2 + r (u1 - m1), exp(-2b)), with scales (a, b, r);
every choice of the six numbers is a valid density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # scipy.special is imported when it is first used
from numpy.typing import NDArray

__all__ = ["Box", "Mixture", "moments"]

Floats = NDArray[np.floating]

_MARGIN = 5e-4
_KNOWN = 16.0  # scale a of a coordinate that is known, which is then off by 1e-7
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(14)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Box:
    """The range of DICs a network was trained on: ``low`` and ``high``, each (2,), for g_s and g_u."""

    low: Floats
    high: Floats

    @classmethod
    def from_ranges(cls, dic_range: dict[str, tuple[float, float]]) -> Box:
        """From ``{"g_s": (low, high), "g_u": (low, high)}``."""
        pairs = np.array([dic_range["g_s"], dic_range["g_u"]], dtype=np.float64)
        return cls(pairs[:, 0], pairs[:, 1])

    def to_line(self, x: Floats) -> Floats:
        """Unbounded coordinates of points (…, 2); those on the border are taken just inside it."""
        inside = np.clip(
            (np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low), _MARGIN, 1 - _MARGIN
        )
        line: Floats = np.log(inside) - np.log1p(-inside)
        return line

    def from_line(self, u: Floats) -> Floats:
        """Points (…, 2) in the box."""
        return self.low + (self.high - self.low) * scipy.special.expit(u)


def moments(log_weights: Floats, means: Floats, scales: Floats, box: Box) -> tuple[Floats, Floats]:
    """Mean (…, 2) and covariance (…, 2, 2) in DIC units, by Gauss-Hermite quadrature of each component.

    Parameters
    ----------
    log_weights, means, scales : arrays (…, K), (…, K, 2), (…, K, 3)
    """
    weights = np.exp(log_weights)
    z1, z2 = np.meshgrid(_NODES, _NODES, indexing="ij")
    a, b, r = (scales[..., i, None, None] for i in range(3))
    step = np.exp(-a) * z1
    x1 = _logistic(means[..., 0, None, None] + step)
    x2 = _logistic(means[..., 1, None, None] + r * step + np.exp(-b) * z2)
    node = np.multiply.outer(weights, np.outer(_NODE_WEIGHTS, _NODE_WEIGHTS))
    axes = (-3, -2, -1)
    m1, m2 = (node * x1).sum(axis=axes), (node * x2).sum(axis=axes)
    d1, d2 = x1 - m1[..., None, None, None], x2 - m2[..., None, None, None]
    c11, c12, c22 = ((node * p).sum(axis=axes) for p in (d1 * d1, d1 * d2, d2 * d2))
    size = box.high - box.low
    mean = box.low + size * np.stack([m1, m2], axis=-1)
    cov = np.stack([np.stack([c11, c12], axis=-1), np.stack([c12, c22], axis=-1)], axis=-2) * np.outer(
        size, size
    )
    return mean, cov


def _logistic(u: Floats) -> Floats:
    """Logistic function to 16 digits of one, enough to sum up; scipy.special takes long to import for it."""
    x: Floats = 0.5 + 0.5 * np.tanh(0.5 * u)
    return x


@dataclass(frozen=True, eq=False)
class Mixture:
    """One mixture: ``log_weights`` (K,), ``means`` (K, 2), ``scales`` (K, 3), in a `Box`."""

    log_weights: Floats
    means: Floats
    scales: Floats
    box: Box

    @classmethod
    def pool(cls, mixtures: list[Mixture], weights: Floats | None = None) -> Mixture:
        """Mixture of several over the same box, of equal weight or with ``weights`` that sum to 1."""
        share = np.full(len(mixtures), 1 / len(mixtures)) if weights is None else weights
        log_share = np.log(np.maximum(share, 1e-300))
        return cls(
            np.concatenate([m.log_weights + w for m, w in zip(mixtures, log_share, strict=True)]),
            np.concatenate([m.means for m in mixtures]),
            np.concatenate([m.scales for m in mixtures]),
            mixtures[0].box,
        )

    def given_first(self, value: float) -> Mixture:
        """Return the mixture where the first coordinate is known, inside the box."""
        u = self.box.to_line(np.array([value, self.box.low[1]]))[0]
        a, b, r = self.scales.T
        off = u - self.means[:, 0]
        log_weights = self.log_weights + a - 0.5 * (np.exp(a) * off) ** 2
        return Mixture(
            log_weights - scipy.special.logsumexp(log_weights),
            np.column_stack([np.full_like(off, u), self.means[:, 1] + r * off]),
            np.column_stack([np.full_like(off, _KNOWN), b, np.zeros_like(off)]),
            self.box,
        )

    def moments(self) -> tuple[Floats, Floats]:
        """Mean (2,) and covariance (2, 2) in DIC units."""
        return moments(self.log_weights, self.means, self.scales, self.box)

    def log_prob(self, x: Floats) -> Floats:
        """Log density (…) per squared DIC unit at points (…, 2); -inf outside the box."""
        x = np.asarray(x, dtype=np.float64)
        outside = np.any((x < self.box.low) | (x > self.box.high) | ~np.isfinite(x), axis=-1)
        u = self.box.to_line(np.where(outside[..., None], 0.5 * (self.box.low + self.box.high), x))
        a, b, r = self.scales.T
        d1 = u[..., None, 0] - self.means[:, 0]
        d2 = u[..., None, 1] - self.means[:, 1]
        z1, z2 = np.exp(a) * d1, np.exp(b) * (d2 - r * d1)
        line = scipy.special.logsumexp(
            self.log_weights + a + b - 0.5 * (z1**2 + z2**2) - np.log(2 * np.pi), axis=-1
        )
        y = scipy.special.expit(u)
        jacobian = np.log((self.box.high - self.box.low) * y * (1 - y)).sum(axis=-1)
        return np.where(outside, -np.inf, line - jacobian)

    def sample(self, n: int, rng: np.random.Generator) -> Floats:
        """Draw points (n, 2)."""
        weights = np.exp(self.log_weights - scipy.special.logsumexp(self.log_weights))
        k = rng.choice(weights.size, size=n, p=weights)
        z = rng.standard_normal((n, 2))
        a, b, r = self.scales[k].T
        step = np.exp(-a) * z[:, 0]
        u = self.means[k] + np.stack([step, r * step + np.exp(-b) * z[:, 1]], axis=1)
        return self.box.from_line(u)

    def quantile(self, q: float) -> Floats:
        """Marginal quantiles (2,) of g_s and g_u, by bisection of the marginal distribution functions."""
        a, b, r = self.scales.T
        first = np.exp(-a)
        spread = np.stack([first, np.hypot(r * first, np.exp(-b))], axis=1)
        low = (self.means - 8 * spread).min(axis=0)
        high = (self.means + 8 * spread).max(axis=0)
        weights = np.exp(self.log_weights)[:, None]
        for _ in range(48):
            middle = 0.5 * (low + high)
            reached = (weights * scipy.special.ndtr((middle - self.means) / spread)).sum(axis=0) >= q
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return self.box.from_line(0.5 * (low + high))
