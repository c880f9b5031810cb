"""Tokens and statistics of trains do not depend on how they are batched."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spike2pop_nb.inference.statistics import FINE, STATISTICS, interval_statistics
from spike2pop_nb.inference.tokens import (
    CHANNELS,
    TokenScale,
    make_batch,
    pad_intervals,
    raw_tokens,
    segments,
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


def test_a_regular_train_is_told_beyond_single_precision() -> None:
    """What a processor's own rounding of single logarithms would change, a network must not see."""
    isi = np.array([[794.717, 794.718, 794.717, 794.717, 794.717, 794.718, 794.717, 794.717]], np.float32)
    exact = np.log(isi[0].astype(np.longdouble))
    told = dict(zip(STATISTICS, interval_statistics(isi, np.array([8]))[0], strict=True))
    assert told["std_log_isi"] == pytest.approx(float(exact.std()), rel=1e-4)
    assert told["first_step"] == pytest.approx(float(np.arcsinh(FINE * (exact[1] - exact[0]))), rel=1e-4)
    step = raw_tokens(isi, np.array([8]))[0, 1, 2]
    exact = np.log1p(isi[0].astype(np.longdouble))
    assert step == pytest.approx(float(np.arcsinh(FINE * (exact[1] - exact[0]))), rel=1e-4)


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


def test_attention_sees_the_middle_and_statistics_see_all() -> None:
    isi = np.concatenate([np.full(40, 10.0), np.full(8, 20.0), np.full(40, 30.0)])
    padded, lengths = pad_intervals([isi, isi[:5]])
    scale = TokenScale.measure(padded, lengths)
    batch = make_batch(padded, lengths, scale, patch=4, most=8)
    assert batch.tokens.shape == (2, 8, len(CHANNELS))
    assert batch.lengths.tolist() == [8, 5]
    middle = make_batch(*pad_intervals([np.full(8, 20.0)]), scale, patch=4, most=8)
    np.testing.assert_array_equal(batch.tokens[0], middle.tokens[0])
    np.testing.assert_array_equal(batch.raw_statistics, interval_statistics(padded, lengths))


def test_the_course_within_bursts_is_seen() -> None:
    """Intervals after and before a gap, by their places; one odd interval does not move the split by logs."""
    isi = np.tile([100.0, 4.0, 5.0, 6.0, 7.0, 8.0], 6)
    values = dict(zip(STATISTICS, interval_statistics(*pad_intervals([isi]))[0], strict=True))
    short = np.log([4.0, 5.0, 6.0, 7.0, 8.0]).mean()
    assert values["after_gap"] == pytest.approx(np.log(4) - short, abs=1e-5)
    assert values["after_gap_2"] == pytest.approx(np.log(5) - short, abs=1e-5)
    assert values["before_gap_3"] == pytest.approx(np.log(6) - short, abs=1e-5)
    odd = isi.copy()
    odd[12] = 900.0
    values = dict(zip(STATISTICS, interval_statistics(*pad_intervals([odd]))[0], strict=True))
    assert values["gap_fraction"] == pytest.approx(1 / 36)
    assert values["gap_fraction_by_logs"] == pytest.approx(1 / 6)


@given(st.integers(2, 100_000), st.integers(4, 3000))
def test_pieces_are_the_whole_recording(n: int, longest: int) -> None:
    parts = segments(n, longest)
    assert parts[0].start == 0
    assert parts[-1].stop == n
    assert all(a.stop == b.start for a, b in itertools.pairwise(parts))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) <= longest
    assert max(sizes) - min(sizes) <= 1


def test_few_rows_are_standardised_like_many() -> None:
    rng = np.random.default_rng(0)
    padded, lengths = pad_intervals([rng.gamma(2, 20, n) for n in rng.integers(2, 80, 100)])
    scale = TokenScale.measure(padded, lengths)
    raw = interval_statistics(padded, lengths) * rng.choice([1.0, 1.0, 3.0, -3.0], (100, 1))
    together = scale.standardise(raw)
    alone = np.concatenate([scale.standardise(row[None]) for row in raw])
    # Where knots coincide the curve has a step, and either side of it is right.
    assert (np.abs(together - alone) > 1e-4).mean() < 0.02
