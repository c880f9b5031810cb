"""Posteriors: densities integrate to one, moments match samples, regions hold what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import Posterior, Posteriors
from spike2pop_nb.inference.domain import DomainVerdict
from spike2pop_nb.inference.mixture import Box, Mixture
from spike2pop_nb.inference.posterior import FEATURES, PATTERNS

BOX = Box.from_ranges({"g_s": (-20.0, 20.0), "g_u": (0.0, 20.0)})


def _mixture(seed: int, k: int = 4) -> Mixture:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(k))
    scales = np.stack([rng.uniform(-0.3, 2, k), rng.uniform(-0.3, 2, k), rng.normal(0, 0.7, k)], axis=1)
    return Mixture(np.log(weights), rng.normal(0, 1.5, (k, 2)), scales, BOX)


def _posterior(mixture: Mixture | None, n_spikes: int = 50) -> Posterior:
    pattern = dict(zip(PATTERNS, (1.0, 0.0, 0.0) if mixture is None else (0.0, 0.2, 0.8), strict=True))
    return Posterior("a", "stg", mixture, pattern, dict.fromkeys(FEATURES, 1.0), n_spikes)


@pytest.mark.parametrize("seed", range(4))
def test_density_moments_samples_and_quantiles_agree(seed: int) -> None:
    posterior = _posterior(_mixture(seed))
    edges = [np.linspace(BOX.low[i], BOX.high[i], 801) for i in range(2)]
    centres = [0.5 * (e[1:] + e[:-1]) for e in edges]
    grid = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1)
    mass = np.exp(posterior.log_prob(grid)) * np.diff(edges[0])[0] * np.diff(edges[1])[0]
    assert mass.sum() == pytest.approx(1, abs=2e-2)
    mean = (mass[..., None] * grid).sum(axis=(0, 1)) / mass.sum()
    np.testing.assert_allclose(posterior.mean, mean, atol=0.1)
    samples = posterior.sample(60_000, seed=1)
    np.testing.assert_allclose(samples.mean(axis=0), posterior.mean, atol=0.12)
    np.testing.assert_allclose(np.cov(samples.T), posterior.cov, rtol=0.05, atol=0.3)
    np.testing.assert_allclose(posterior.std**2, np.diag(posterior.cov))
    np.testing.assert_allclose(np.median(samples, axis=0), posterior.median, atol=0.2)
    np.testing.assert_allclose(np.quantile(samples, 0.9, axis=0), posterior.quantile(0.9), atol=0.3)


def test_samples_repeat_and_stay_inside() -> None:
    posterior = _posterior(_mixture(0))
    a, b = posterior.sample(500, seed=3), posterior.sample(500, seed=np.random.default_rng(3))
    np.testing.assert_array_equal(a, b)
    assert ((a >= BOX.low) & (a <= BOX.high)).all()
    assert np.isneginf(posterior.log_prob(np.array([[0.0, -0.1], [21.0, 3.0], [np.nan, 1.0]]))).all()


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_region_holds_its_level(level: float) -> None:
    posterior = _posterior(_mixture(2))
    region = posterior.credible_region(level)
    held = region.contains(posterior.sample(20_000, seed=9)).mean()
    assert held == pytest.approx(level, abs=0.02)
    assert region.inside.shape == region.log_density.shape == (161, 161)
    smaller = posterior.credible_region(level / 2)
    assert smaller.threshold > region.threshold


def test_pooling_averages_densities() -> None:
    parts = [_mixture(0), _mixture(1)]
    pooled = Mixture.pool(parts)
    x = np.array([[1.0, 5.0], [-8.0, 12.0]])
    expected = np.log(np.mean([np.exp(p.log_prob(x)) for p in parts], axis=0))
    np.testing.assert_allclose(pooled.log_prob(x), expected)


def test_a_known_coordinate_leaves_the_density_of_the_other() -> None:
    whole = _mixture(3)
    known = 0.3 * whole.box.low[0] + 0.7 * whole.box.high[0]
    given = whole.given_first(known)
    mean, cov = given.moments()
    assert mean[0] == pytest.approx(known, abs=1e-4)
    assert cov[0, 0] < 1e-9
    second = np.linspace(whole.box.low[1], whole.box.high[1], 20_001)[1:-1]
    joint = np.exp(whole.log_prob(np.column_stack([np.full_like(second, known), second])))
    weight = joint / joint.sum()
    assert mean[1] == pytest.approx(weight @ second, rel=1e-3)
    assert cov[1, 1] == pytest.approx(weight @ (second - mean[1]) ** 2, rel=5e-3)


def test_silent_recordings_have_no_distribution() -> None:
    silent = _posterior(None, n_spikes=2)
    assert not silent.usable
    assert silent.most_likely_pattern == "silent"
    assert np.isnan([silent.g_s, silent.g_u, *silent.std, *silent.median]).all()
    for ask in (lambda: silent.sample(3), lambda: silent.log_prob(np.zeros(2)), silent.credible_region):
        with pytest.raises(PredictorError, match="2 spikes"):
            ask()


def test_levels_must_be_probabilities() -> None:
    posterior = _posterior(_mixture(0))
    with pytest.raises(PredictorError, match="between 0 and 1"):
        posterior.credible_region(95)
    with pytest.raises(PredictorError, match="between 0 and 1"):
        posterior.quantile(0)


def test_frame_has_a_row_each() -> None:
    frame = Posteriors([_posterior(_mixture(0)), _posterior(None, 1)]).to_frame()
    assert list(frame["usable"]) == [True, False]
    assert frame.loc[0, "g_s"] == pytest.approx(_posterior(_mixture(0)).g_s)
    assert list(frame["pattern"]) == ["bursting", "silent"]
    assert list(Posteriors().to_frame().columns) == list(frame.columns)


def test_notes_say_first_what_matters_most() -> None:
    plain = _posterior(_mixture(0))
    assert plain.notes == ()
    odd = replace(plain, domain=DomainVerdict(3.0, 0.0, False, lambda: ["it is odd"]), remarks=("Long.",))
    assert odd.notes[0].startswith("Outside what the STG network knows")
    assert "it is odd" in odd.notes[0]
    assert odd.notes[1] == "Long."
    rival = replace(plain, rival=_mixture(0))
    assert "conductances anywhere in their ranges" in rival.notes[0]


def test_patterns_that_differ_are_explained_in_one_sentence() -> None:
    posterior = _posterior(_mixture(0))
    likely = posterior.most_likely_pattern
    agreeing = {"spiking": "irregular tonic", "bursting": "bursting", "silent": "silent"}
    assert posterior.against(agreeing[likely]) == ""
    other = "irregular tonic" if likely != "spiking" else "bursting"
    words = posterior.against(other)
    assert words.startswith(
        f"By rules on its intervals the recording is {other}; the network calls it {likely}"
    )
    assert words.count(". ") == 0


def test_likeness_and_notes_never_contradict_each_other() -> None:
    strange = DomainVerdict(9.0, 0.001, False)
    assert _posterior(_mixture(0)).likeness == "yes"
    rival = replace(_posterior(_mixture(0)), rival=_mixture(1))
    assert rival.likeness == "yes, but made otherwise"
    assert any("It looks more like neurons" in note for note in rival.notes)
    both = replace(rival, domain=strange)
    assert both.likeness == "no"
    assert both.notes[0].startswith("Outside what the STG network knows")
