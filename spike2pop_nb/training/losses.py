"""What training minimises: the mixture's negative log likelihood, plus firing pattern and features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from spike2pop_nb.inference.network import NetworkOutput

__all__ = ["LossParts", "LossWeights", "losses", "mixture_nll"]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the parts beside the negative log likelihood, which has weight one."""

    pattern: float = 0.3
    feature: float = 0.3
    prior: float = 0.1


class LossParts(NamedTuple):
    """Batch means."""

    total: Tensor
    nll: Tensor
    pattern: Tensor
    feature: Tensor
    prior: Tensor


def mixture_nll(out: NetworkOutput, line: Tensor, prior: Tensor) -> Tensor:
    """Negative log likelihood (n,) of targets (n, 2) in the mixture's unbounded coordinates.

    It differs from that in DIC units by a term that depends on the target alone.

    Parameters
    ----------
    prior : Tensor of int64, shape (n,)
        Whose mixture each target is judged by.
    """
    row = torch.arange(len(prior), device=prior.device)
    a, b, slope = out.scales[row, prior].unbind(-1)
    means = out.means[row, prior]
    first = line[:, None, 0] - means[..., 0]
    second = line[:, None, 1] - means[..., 1]
    z1 = first * a.exp()
    z2 = (second - slope * first) * b.exp()
    log_density = torch.logsumexp(out.log_weights[row, prior] + a + b - 0.5 * (z1**2 + z2**2), dim=-1)
    return math.log(2 * math.pi) - log_density


def losses(
    out: NetworkOutput,
    line: Tensor,
    prior: Tensor,
    bursting: Tensor,
    features: Tensor,
    pattern_weight: Tensor,
    weights: LossWeights,
) -> LossParts:
    """Loss of a batch.

    Parameters
    ----------
    line : Tensor, shape (n, 2)
        Targets in unbounded coordinates.
    prior : Tensor of int64, shape (n,)
        0 for members made by compensation, 1 for those with drawn conductances.
    bursting : Tensor of int64, shape (n,)
        1 if bursting, 0 if spiking.
    features : Tensor, shape (n, 5)
        Standardised logs, nan where undefined (those are left out).
    pattern_weight : Tensor, shape (2,)
        Weight of each pattern in the cross-entropy.
    """
    nll = mixture_nll(out, line, prior).mean()
    pattern = F.cross_entropy(out.pattern_logits, bursting, weight=pattern_weight)
    told = F.cross_entropy(out.prior_logits, prior)
    known = ~features.isnan()
    error = F.smooth_l1_loss(out.features, features.nan_to_num(), reduction="none", beta=0.1)
    feature = (error * known).sum() / known.sum().clamp(min=1)
    total = nll + weights.pattern * pattern + weights.feature * feature + weights.prior * told
    return LossParts(total, nll.detach(), pattern.detach(), feature.detach(), told.detach())
