"""A density over a unit cube that depends on what a recording tells: a neural spline flow.

Each coordinate has a distribution on (0, 1) given those before it and a summary of the recording: a monotonic
rational quadratic spline from 0 to 1 (Durkan et al. 2019, arXiv:1906.04032), which a small perceptron draws.
The summary is what a perceptron makes of the recording's interval statistics, and learns together with them;
that of two recordings is near each other where they tell the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["FlowShape", "SplineFlow"]

_LEAST = 1e-3  # width and height of a bin, and slope at its border
_ONE = math.log(math.e - 1.0)  # whose softplus is 1


class FlowShape(NamedTuple):
    """Sizes of a flow."""

    n_in: int
    """Statistics of a recording, as they are standardised."""
    d: int
    """Coordinates of the cube."""
    summary: int = 12
    trunk: int = 256
    hidden: int = 96
    bins: int = 10
    dropout: float = 0.05


class _Bin(NamedTuple):
    """The bin that a value lies in: where it begins, how wide and high it is, slopes at both ends."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    left: Tensor
    right: Tensor


def _bin(raw: Tensor, bins: int, at: Tensor, *, by_height: bool) -> _Bin:
    """Return the bins (...) of values (...) of splines (..., 3 bins + 1)."""
    rest = 1.0 - _LEAST * bins
    widths = rest * torch.softmax(raw[..., :bins], -1) + _LEAST
    heights = rest * torch.softmax(raw[..., bins : 2 * bins], -1) + _LEAST
    slopes = _LEAST + F.softplus(raw[..., 2 * bins :] + _ONE)
    x, y = (F.pad(torch.cumsum(each, -1), (1, 0)) for each in (widths, heights))
    borders = (y if by_height else x)[..., 1:-1]
    k = (at[..., None] >= borders).sum(-1, keepdim=True)
    found = ((x, k), (y, k), (widths, k), (heights, k), (slopes, k), (slopes, k + 1))
    return _Bin(*(table.gather(-1, place).squeeze(-1) for table, place in found))


def _log_slope(part: _Bin, along: Tensor) -> Tensor:
    """Return ln dy/dx at so much of the width of a bin."""
    steep, mixed = part.height / part.width, along * (1.0 - along)
    below = steep + (part.left + part.right - 2.0 * steep) * mixed
    above = part.right * along**2 + 2.0 * steep * mixed + part.left * (1.0 - along) ** 2
    return 2.0 * torch.log(steep) + torch.log(above) - 2.0 * torch.log(below)


def _up(raw: Tensor, bins: int, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distribution function at u, and the log density."""
    part = _bin(raw, bins, u, by_height=False)
    along = ((u - part.x) / part.width).clamp(0.0, 1.0)
    steep, mixed = part.height / part.width, along * (1.0 - along)
    below = steep + (part.left + part.right - 2.0 * steep) * mixed
    v = part.y + part.height * (steep * along**2 + part.left * mixed) / below
    return v, _log_slope(part, along)


def _down(raw: Tensor, bins: int, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the distribution function is v, and the log density there."""
    part = _bin(raw, bins, v, by_height=True)
    steep = part.height / part.width
    above = torch.minimum((v - part.y).clamp(min=0.0), part.height)
    bend = part.left + part.right - 2.0 * steep
    a = part.height * (steep - part.left) + above * bend
    b, c = part.height * part.left - above * bend, -steep * above
    along = (2.0 * c / (-b - torch.sqrt((b**2 - 4.0 * a * c).clamp(min=0.0)))).clamp(0.0, 1.0)
    return part.x + along * part.width, _log_slope(part, along)


class SplineFlow(nn.Module):
    """The network; before it has learned, the density is uniform.

    Parameters
    ----------
    shape
        Its sizes.

    Examples
    --------
    >>> import torch
    >>> from spike2pop_nb.inference.spline_flow import FlowShape, SplineFlow
    >>> flow = SplineFlow(FlowShape(n_in=4, d=3)).eval()
    >>> summary = flow.summary(torch.zeros(2, 4))
    >>> with torch.no_grad():
    ...     u, log_density = flow.drawn(summary, torch.full((2, 3), 0.25))
    >>> bool((u - 0.25).abs().max() < 1e-3), bool(log_density.abs().max() < 0.05)
    (True, True)
    """

    def __init__(self, shape: FlowShape) -> None:
        super().__init__()
        self.shape = shape
        d, n, h = shape.d, shape.summary + 2 * shape.d, shape.hidden
        self.trunk = nn.Sequential(
            nn.Linear(shape.n_in, shape.trunk),
            nn.GELU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.trunk, shape.trunk),
            nn.GELU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.trunk, shape.summary),
            nn.BatchNorm1d(shape.summary, affine=False),
        )
        self.first = nn.Parameter(torch.randn(d, n, h) / math.sqrt(n))
        self.second = nn.Parameter(torch.randn(d, h, h) / math.sqrt(h))
        self.last = nn.Parameter(torch.zeros(d, h, 3 * shape.bins + 1))
        self.of_first, self.of_second = (nn.Parameter(torch.zeros(d, 1, h)) for _ in range(2))
        self.of_last = nn.Parameter(torch.zeros(d, 1, 3 * shape.bins + 1))

    def summary(self, statistics: Tensor) -> Tensor:
        """Return the summaries (n, summary) of recordings, from their standardised statistics (n, n_in)."""
        found: Tensor = self.trunk(statistics)
        return found

    def _splines(self, summary: Tensor, u: Tensor, of: slice) -> Tensor:
        """Return the splines (n, k, 3 bins + 1) of some coordinates."""
        d = self.shape.d
        earlier = torch.tril(torch.ones(d, d), -1)[of]
        centred = 2.0 * u - 1.0
        each = torch.cat([centred, 2.0 * centred**2 - 1.0], -1)
        seen = each * torch.cat([earlier, earlier], -1)[:, None]
        x = torch.cat([summary.expand(len(earlier), -1, -1), seen], -1)
        h = F.gelu(torch.baddbmm(self.of_first[of], x, self.first[of]))
        h = F.gelu(torch.baddbmm(self.of_second[of], h, self.second[of]))
        return torch.baddbmm(self.of_last[of], h, self.last[of]).transpose(0, 1)

    def ranked(self, summary: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return of points (n, d) the conditional distribution functions (n, d) and the log density (n,)."""
        v, log_density = _up(self._splines(summary, u, slice(None)), self.shape.bins, u)
        return v, log_density.sum(-1)

    def drawn(self, summary: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points (n, d) that have these distribution functions (n, d), and the log density (n,).

        Of uniform v, points are drawn from the density.
        """
        u, total = torch.full_like(v, 0.5), torch.zeros(len(v))
        for k in range(self.shape.d):
            spline = self._splines(summary, u, slice(k, k + 1))[:, 0]
            place, log_density = _down(spline, self.shape.bins, v[:, k])
            u = torch.cat([u[:, :k], place[:, None], u[:, k + 1 :]], 1)
            total = total + log_density
        return u, total

    def tensors(self) -> dict[str, Tensor]:
        """Return what it learned, by name, in 16 bits."""
        return {name: value.half() for name, value in self.state_dict().items() if value.is_floating_point()}

    @classmethod
    def from_tensors(cls, shape: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> SplineFlow:
        """Return one that was kept.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a tensor is missing or of another size.
        """
        flow = cls(FlowShape(**shape))
        own = flow.state_dict()
        known = {name: tensors[name].float() for name, value in own.items() if value.is_floating_point()}
        if any(known[name].shape != own[name].shape for name in known):
            raise ValueError("its tensors have other sizes")
        flow.load_state_dict(known, strict=False)
        return flow.eval()
