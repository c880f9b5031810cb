"""Strange trains are told from simulated ones, by kinds that were met in training and by one that was not."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import write_shards

from spike2pop_nb.inference.domain import ALARM, Domain
from spike2pop_nb.inference.statistics import STATISTICS, interval_statistics
from spike2pop_nb.inference.tokens import TokenScale, pad_intervals
from spike2pop_nb.training.batches import Trains, ordered_batches, read_trains, split_of
from spike2pop_nb.training.domain import (
    STRANGE,
    _calibrate,
    _rows_of_all_lengths,
    _some_groups,
    fit_domain,
    strange_trains,
)


@pytest.fixture(scope="module")
def trains(tmp_path_factory: pytest.TempPathFactory) -> Trains:
    return read_trains(write_shards(tmp_path_factory.mktemp("shards"), n_groups=1500, members=2)).active()


@pytest.fixture(scope="module")
def scale(trains: Trains) -> TokenScale:
    (batch,) = ordered_batches(trains, len(trains))
    return TokenScale.measure(batch.isi_ms, batch.lengths)


@pytest.fixture(scope="module")
def domain(trains: Trains, scale: TokenScale) -> Domain:
    side = split_of(trains.group)
    return fit_domain(trains.take(side == 0), trains.take(side == 1), scale, steps=400)


def _shares(domain: Domain, scale: TokenScale, isi: list[np.ndarray]) -> np.ndarray:
    raw = interval_statistics(*pad_intervals(isi))
    scores = domain.score(scale.standardise(raw))
    return np.array([domain.p_value(s, i.size, i.sum()) for s, i in zip(scores, isi, strict=True)])


def test_held_out_trains_are_inside_and_strange_ones_are_not(
    domain: Domain, scale: TokenScale, trains: Trains
) -> None:
    held = trains.take(split_of(trains.group) == 2)
    isi = [np.diff(held.train(i)).astype(float) for i in range(len(held))]
    assert (_shares(domain, scale, isi) < ALARM).mean() < 0.15
    rng = np.random.default_rng(7)
    for kind in ("Poisson", "renewal", "random bursts"):
        assert (_shares(domain, scale, strange_trains(kind, isi, rng)) < ALARM).mean() > 0.8


@pytest.mark.parametrize("kind", STRANGE)
def test_strange_trains_are_trains(kind: str) -> None:
    rng = np.random.default_rng(0)
    bursts = np.tile([5.0, 6.0, 7.0, 120.0], 10)
    made = strange_trains(kind, [bursts, *(rng.gamma(2, 20, n) for n in (2, 5, 40, 200))], rng)
    assert made
    for isi in made:
        assert isi.size >= 2
        assert np.isfinite(isi).all()
        assert (isi > 0).all()


def test_only_clear_bursts_are_shuffled() -> None:
    rng = np.random.default_rng(0)
    bursts = np.tile([5.0, 6.0, 7.0, 120.0], 10)
    (made,) = strange_trains("shuffled", [bursts, np.full(40, 30.0), rng.exponential(30, 40)], rng)
    assert sorted(made) == sorted(bursts)
    assert made.tolist() != bursts.tolist()


def test_long_recordings_count_though_they_are_few() -> None:
    span_ms = np.where(np.arange(10_000) < 9_900, 3000.0, 30_000.0)
    rows = _rows_of_all_lengths(span_ms, 2000, np.random.default_rng(0))
    assert len(rows) == 2000
    assert (span_ms[rows] > 3000).mean() == pytest.approx(0.5 * 0.01 + 0.25, abs=0.04)
    alike = _rows_of_all_lengths(np.full(100, 3000.0), 60, np.random.default_rng(0))
    assert len(np.unique(alike)) == 60


class SlowIsStrange(Domain):
    """Scores the mean interval, whatever the perceptron says."""

    def score(self, statistics: np.ndarray) -> np.ndarray:
        return statistics[:, STATISTICS.index("log_mean_isi")]


def _regular(mean_isi_ms: np.ndarray, n: int = 20) -> Trains:
    rows = len(mean_isi_ms)
    return Trains(
        (np.arange(n + 1) * mean_isi_ms[:, None]).ravel(),
        np.arange(rows + 1) * (n + 1),
        np.zeros((rows, 2), np.float32),
        np.full((rows, 5), np.nan, np.float32),
        np.ones(rows, np.int8),
        np.zeros(rows, np.float32),
        np.arange(rows),
        np.zeros(rows, bool),
        np.arange(rows),
        np.zeros(rows, dtype=np.float32),
    )


def test_long_recordings_are_judged_among_long_ones(domain: Domain) -> None:
    rng = np.random.default_rng(0)
    slow = np.arange(3000) < 300
    mean_isi_ms = np.where(slow, rng.uniform(2000, 3000, 3000), rng.uniform(10, 30, 3000))
    judge = SlowIsStrange(**{name: getattr(domain, name) for name in Domain.names()})
    judge.span_edges_ms = np.array([6 * 20 * 20.0], np.float32)
    judge.quantiles = np.zeros_like(domain.quantiles)
    trains = _regular(mean_isi_ms)
    (batch,) = ordered_batches(trains, len(trains))
    scale = TokenScale.measure(batch.isi_ms, batch.lengths)
    _calibrate(judge, trains, scale, seed=0)

    def flagged(mean_isi_ms: np.ndarray) -> float:
        shares = _shares(judge, scale, [np.full(20, mean) for mean in mean_isi_ms])
        return float((shares < ALARM).mean())

    assert flagged(rng.uniform(2000, 3000, 500)) < 2 * ALARM
    assert flagged(rng.uniform(10, 30, 500)) < 2 * ALARM
    assert flagged(rng.uniform(3200, 4000, 50)) == 1


def test_populations_are_calibrated_on_or_learned_from() -> None:
    group = np.repeat(np.arange(50), 4)
    chosen = _some_groups(group, 0.2, np.random.default_rng(0))
    assert chosen.sum() == 40
    assert (chosen.reshape(50, 4).sum(axis=1) % 4 == 0).all()
    assert not _some_groups(group[:4], 0.2, np.random.default_rng(0)).any()


def test_the_reason_names_what_is_out_of_range(domain: Domain, scale: TokenScale) -> None:
    slow = np.full(20, 5000.0)
    raw = interval_statistics(*pad_intervals([slow]))[0]
    verdict = domain.judge(float(domain.score(scale.standardise(raw[None]))[0]), 20, raw, scale)
    assert not verdict.inside
    assert "fires at 0.2 Hz" in verdict.reasons[0]
    sentence = verdict.describe("TOY")
    assert sentence.startswith("Outside what the TOY network knows")
    assert verdict.reasons[0] in sentence


def test_without_anything_out_of_range_the_nearest_recording_gives_the_reason(
    domain: Domain, scale: TokenScale
) -> None:
    isi = np.random.default_rng(3).gamma(1, 40, 60) + 7
    raw = interval_statistics(*pad_intervals([isi]))[0]
    reasons = domain._reasons(50.0, np.clip(raw, domain.least, domain.most), scale)
    assert 1 <= len(reasons) <= 2
    assert all("most similar simulated recording" in reason for reason in reasons)


def test_a_recording_inside_has_no_sentence(domain: Domain, scale: TokenScale, trains: Trains) -> None:
    i = int(np.flatnonzero(trains.sigma == 0)[0])
    isi = np.diff(trains.train(i)).astype(float)
    raw = interval_statistics(*pad_intervals([isi]))[0]
    verdict = domain.judge(float(domain.quantiles.min()), isi.size, raw, scale)
    assert verdict.inside
    assert verdict.reasons == ()
    assert verdict.describe("TOY") == ""
