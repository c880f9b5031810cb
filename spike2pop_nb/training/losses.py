"""What training minimises: the mixture's negative log likelihood, plus firing pattern and features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from spike2pop_nb.inference.network import NetworkOutput

__all__ = ["LossParts", "LossWeights", "losses", "mixture_nll", "posterior_mean"]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the parts beside the negative log likelihood, which has weight one."""

    pattern: float = 0.3
    feature: float = 0.3
    mean: float = 0.0


class LossParts(NamedTuple):
    """Batch means."""

    total: Tensor
    nll: Tensor
    pattern: Tensor
    feature: Tensor


def mixture_nll(out: NetworkOutput, line: Tensor) -> Tensor:
    """Negative log likelihood (n,) of targets (n, 2) in the mixture's unbounded coordinates.

    It differs from that in DIC units by a term that depends on the target alone.
    """
    a, b, slope = out.scales.unbind(-1)
    first = line[:, None, 0] - out.means[..., 0]
    second = line[:, None, 1] - out.means[..., 1]
    z1 = first * a.exp()
    z2 = (second - slope * first) * b.exp()
    return -torch.logsumexp(out.log_weights + a + b - 0.5 * (z1**2 + z2**2), dim=-1) + math.log(2 * math.pi)


# Five-point Gauss-Hermite rule for a standard normal.
_NODES = (-2.8569700138728, -1.3556261799743, 0.0, 1.3556261799743, 2.8569700138728)
_NODE_WEIGHTS = (0.0112574113277, 0.2220759220056, 0.5333333333333, 0.2220759220056, 0.0112574113277)


def posterior_mean(out: NetworkOutput) -> Tensor:
    """Posterior means (n, 2) as fractions of the DIC box, by quadrature of each component's marginals."""
    a, b, slope = out.scales.unbind(-1)
    first = (-a).exp()
    spread = torch.stack([first, torch.hypot(slope * first, (-b).exp())], dim=-1)
    nodes = spread.new_tensor(_NODES)
    values = torch.sigmoid(out.means[..., None] + spread[..., None] * nodes) @ spread.new_tensor(
        _NODE_WEIGHTS
    )
    return (out.log_weights.exp()[..., None] * values).sum(dim=1)


def losses(
    out: NetworkOutput,
    line: Tensor,
    fraction: Tensor,
    bursting: Tensor,
    features: Tensor,
    pattern_weight: Tensor,
    weights: LossWeights,
) -> LossParts:
    """Loss of a batch.

    Parameters
    ----------
    line, fraction : Tensor, shape (n, 2)
        Targets in unbounded coordinates, and as fractions of the DIC box.
    bursting : Tensor of int64, shape (n,)
        1 if bursting, 0 if spiking.
    features : Tensor, shape (n, 5)
        Standardised logs, nan where undefined (those are left out).
    pattern_weight : Tensor, shape (2,)
        Weight of each pattern in the cross-entropy.
    """
    nll = mixture_nll(out, line).mean()
    pattern = F.cross_entropy(out.pattern_logits, bursting, weight=pattern_weight)
    known = ~features.isnan()
    error = F.smooth_l1_loss(out.features, features.nan_to_num(), reduction="none", beta=0.1)
    feature = (error * known).sum() / known.sum().clamp(min=1)
    total = nll + weights.pattern * pattern + weights.feature * feature
    if weights.mean > 0:
        total = total + weights.mean * (posterior_mean(out) - fraction).abs().sum(dim=-1).mean()
    return LossParts(total, nll.detach(), pattern.detach(), feature.detach())
