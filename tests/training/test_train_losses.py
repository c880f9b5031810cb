"""The density that is trained is the density that is reported."""

from __future__ import annotations

import numpy as np
import torch

from spike2pop_nb.inference.mixture import Box, Mixture
from spike2pop_nb.inference.network import NetworkOutput
from spike2pop_nb.training.losses import LossWeights, losses, mixture_nll

BOX = Box(np.array([-20.0, 0.0]), np.array([20.0, 20.0]))


def _output(n: int = 5, k: int = 4) -> NetworkOutput:
    torch.manual_seed(0)
    return NetworkOutput(
        torch.randn(n, 2, k, dtype=torch.float64).log_softmax(-1),
        torch.randn(n, 2, k, 2, dtype=torch.float64),
        0.5 * torch.randn(n, 2, k, 3, dtype=torch.float64),
        torch.randn(n, 2),
        torch.randn(n, 2),
        torch.randn(n, 5),
    )


def test_training_and_reporting_agree_on_the_density() -> None:
    out = _output()
    x = np.random.default_rng(1).uniform([-18, 1], [18, 19], (5, 2))
    prior = np.array([0, 1, 1, 0, 1])
    nll = mixture_nll(out, torch.from_numpy(BOX.to_line(x)), torch.from_numpy(prior)).numpy()
    y = (x - BOX.low) / (BOX.high - BOX.low)
    jacobian = np.log((BOX.high - BOX.low) * y * (1 - y)).sum(axis=1)
    for i in range(5):
        mixture = Mixture(*(t[i, prior[i]].numpy() for t in out[:3]), BOX)
        np.testing.assert_allclose(mixture.log_prob(x[i]), -nll[i] - jacobian[i], rtol=1e-10)


def test_a_train_teaches_the_density_of_its_own_prior_alone() -> None:
    out = NetworkOutput(*(t.requires_grad_() for t in _output()))
    mixture_nll(out, torch.zeros(5, 2), torch.zeros(5, dtype=torch.long)).sum().backward()
    assert out.means.grad is not None
    assert (out.means.grad[:, 0] != 0).any()
    assert (out.means.grad[:, 1] == 0).all()


def test_unknown_features_carry_no_loss() -> None:
    out = NetworkOutput(*(t.float().requires_grad_() for t in _output()))
    features = torch.zeros(5, 5)
    features[:, 1:] = torch.nan
    parts = losses(
        out,
        torch.zeros(5, 2),
        torch.zeros(5, dtype=torch.long),
        torch.ones(5, dtype=torch.long),
        features,
        torch.ones(2),
        LossWeights(),
    )
    parts.total.backward()
    assert torch.isfinite(parts.total)
    assert out.features.grad is not None
    assert (out.features.grad[:, 1:] == 0).all()
    assert (out.features.grad[:, 0] != 0).any()
