"""The density that is trained is the density that is reported."""

from __future__ import annotations

import numpy as np
import torch

from spike2pop_nb.inference.mixture import Box, Mixture, moments
from spike2pop_nb.inference.network import NetworkOutput
from spike2pop_nb.training.losses import LossWeights, losses, mixture_nll, posterior_mean

BOX = Box(np.array([-20.0, 0.0]), np.array([20.0, 20.0]))


def _output(n: int = 5, k: int = 4) -> NetworkOutput:
    torch.manual_seed(0)
    return NetworkOutput(
        torch.randn(n, k, dtype=torch.float64).log_softmax(-1),
        torch.randn(n, k, 2, dtype=torch.float64),
        0.5 * torch.randn(n, k, 3, dtype=torch.float64),
        torch.randn(n, 2),
        torch.randn(n, 5),
    )


def test_training_and_reporting_agree_on_the_density() -> None:
    out = _output()
    x = np.random.default_rng(1).uniform([-18, 1], [18, 19], (5, 2))
    line = BOX.to_line(x)
    nll = mixture_nll(out, torch.from_numpy(line)).numpy()
    y = (x - BOX.low) / (BOX.high - BOX.low)
    jacobian = np.log((BOX.high - BOX.low) * y * (1 - y)).sum(axis=1)
    for i in range(5):
        mixture = Mixture(*(t[i].numpy() for t in out[:3]), BOX)
        np.testing.assert_allclose(mixture.log_prob(x[i]), -nll[i] - jacobian[i], rtol=1e-10)


def test_posterior_mean_agrees_with_quadrature() -> None:
    out = _output()
    mean, _ = moments(*(t.numpy() for t in out[:3]), BOX)
    fraction = (mean - BOX.low) / (BOX.high - BOX.low)
    np.testing.assert_allclose(posterior_mean(out).numpy(), fraction, atol=2e-3)


def test_unknown_features_carry_no_loss() -> None:
    out = _output()
    out = NetworkOutput(*(t.float().requires_grad_() for t in out))
    features = torch.zeros(5, 5)
    features[:, 1:] = torch.nan
    target = torch.full((5, 2), 0.5)
    parts = losses(
        out,
        torch.zeros(5, 2),
        target,
        torch.ones(5, dtype=torch.long),
        features,
        torch.ones(2),
        LossWeights(mean=1),
    )
    parts.total.backward()
    assert torch.isfinite(parts.total)
    assert out.features.grad is not None
    assert (out.features.grad[:, 1:] == 0).all()
    assert (out.features.grad[:, 0] != 0).any()
