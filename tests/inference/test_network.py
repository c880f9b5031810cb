"""The network's sizes: components that are split go on from what they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spike2pop_nb.inference.mixture import Box, Mixture
from spike2pop_nb.inference.network import AttentionNetwork, NetworkConfig, split_components
from spike2pop_nb.inference.tokens import CHANNELS, N_STATISTICS

CONFIG = NetworkConfig(n_components=3)


@pytest.fixture
def network() -> AttentionNetwork:
    torch.manual_seed(0)
    return AttentionNetwork(CONFIG)


def test_split_components_begin_nearly_where_they_were(network: AttentionNetwork) -> None:
    made = split_components(network, 6, seed=1)
    assert made.config.n_components == 6
    tokens = torch.randn(5, 16, len(CHANNELS))
    statistics = torch.randn(5, N_STATISTICS)
    with torch.inference_mode():
        before, after = (each(tokens, None, statistics) for each in (network, made))
    for name in ("prior_logits", "pattern_logits", "features"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name))
    box = Box.from_ranges({"g_s": (-20.0, 20.0), "g_u": (0.0, 20.0)})
    for i in range(5):
        for prior in range(CONFIG.n_priors):
            old, new = (
                Mixture(*(part[i, prior].double().numpy() for part in out[:3]), box)
                for out in (before, after)
            )
            np.testing.assert_allclose(new.moments()[0], old.moments()[0], atol=0.1 * 40)
            assert new.log_weights.size == 6
    # Next to the component that they come from (others are over 2 away), and drawn apart by the seed.
    for name in ("log_weights", "means", "scales"):
        old, new = (getattr(out, name).unflatten(2, (3, -1)) for out in (before, after))
        if name == "log_weights":
            old, new = old.exp().sum(-1), new.exp().sum(-1)
        assert float((new - old).abs().max()) < 1
    pair = after.means[:, :, 0] - after.means[:, :, 1]
    assert float(pair.abs().min()) > 0
    again = split_components(network, 6, seed=1)
    torch.testing.assert_close(again.state_dict(), made.state_dict(), rtol=0, atol=0)


def test_components_are_split_evenly_or_not_at_all(network: AttentionNetwork) -> None:
    assert split_components(network, 3, seed=0) is network
    for wrong in (4, 2, 0):
        with pytest.raises(ValueError, match="3 components cannot be split"):
            split_components(network, wrong, seed=0)
