"""Tokens and statistics of trains do not depend on how they are batched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spike2pop_nb.inference.tokens import (
    CHANNELS,
    STATISTICS,
    TokenScale,
    interval_statistics,
    make_batch,
    pad_intervals,
    raw_tokens,
    window_starts,
)

trains = st.lists(
    st.lists(st.floats(0.05, 5000), min_size=2, max_size=40).map(np.array), min_size=1, max_size=6
)


@given(trains)
@settings(max_examples=60, deadline=None)
def test_statistics_are_finite_and_alone_or_together_the_same(isi: list[np.ndarray]) -> None:
    padded, lengths = pad_intervals(isi)
    together = interval_statistics(padded, lengths)
    assert together.shape == (len(isi), len(STATISTICS))
    assert np.isfinite(together).all()
    for i, one in enumerate(isi):
        alone = interval_statistics(*pad_intervals([one]))
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-3, atol=2e-3)


def test_known_statistics() -> None:
    isi = np.tile([5.0, 5.0, 5.0, 85.0], 6)
    values = dict(zip(STATISTICS, interval_statistics(*pad_intervals([isi]))[0], strict=True))
    assert values["log_mean_isi"] == pytest.approx(np.log(25))
    assert values["cv"] == pytest.approx(isi.std() / isi.mean(), rel=1e-5)
    assert values["gap_fraction"] == pytest.approx(0.25)
    assert values["log_spikes_per_burst"] == pytest.approx(np.log(4))
    assert values["log_burst_duration"] == pytest.approx(np.log(16))
    assert values["log_burst_period"] == pytest.approx(np.log(100))
    assert values["std_spikes_per_burst"] == 0


def test_tokens_are_zero_where_padded() -> None:
    padded, lengths = pad_intervals([np.array([10.0, 20.0]), np.full(6, 30.0)])
    tokens = raw_tokens(padded, lengths)
    assert tokens.shape == (2, 6, len(CHANNELS))
    assert (tokens[0, 2:] == 0).all()
    assert tokens[0, 1, 1] == pytest.approx(np.log(21 / 11))
    assert (tokens[1, :, 1] == 0).all()
    batch = make_batch(padded, lengths, TokenScale.measure(padded, lengths), patch=4)
    assert batch.tokens.shape == (2, 8, len(CHANNELS))
    assert (batch.tokens[0, 2:] == 0).all()


@given(st.integers(2, 100_000))
def test_windows_cover_start_and_end(n: int) -> None:
    starts = window_starts(n, longest=128, most=8)
    assert starts[0] == 0
    assert 1 <= starts.size <= 8
    assert starts[-1] == max(0, n - 128)
    assert (np.diff(starts) > 0).all()
    if n <= 8 * 128:
        assert (np.diff(starts) <= 128).all()
