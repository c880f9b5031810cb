"""Compensation: against the published scheme, against itself, and against choices that cannot work."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from rich_neuron import RICH

from spike2pop_nb.conductances import DIC_NAMES, baseline_population, compensate, compensation, dics
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel

STG_TARGETS = {"g_s": 1.0, "g_u": 4.0}


def feeds_calcium(neuron: NeuronModel, names: Sequence[str]) -> bool:
    return bool({name for pool in neuron.pools for name in pool.channels} & set(names))


def test_published_scheme_matches_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    for case in reference["compensation_cases"]:
        solved = compensate(neuron, case["baseline"], case["compensated"], case["target"], method="published")
        np.testing.assert_allclose(solved.g, case["modulated"], rtol=1e-6)
        # where no calcium channel is solved for, one solve is the answer and further ones change nothing
        assert np.all(solved.rounds == 6)


def test_newton_solves_the_reference_cases_to_the_residual(
    neuron: NeuronModel, reference: dict[str, Any]
) -> None:
    for case in reference["compensation_cases"]:
        solved = compensate(neuron, case["baseline"], case["compensated"], case["target"])
        assert solved.converged.all()
        values = dics(neuron, solved.g)[:, 1:]
        assert np.abs(values - [case["target"]["g_s"], case["target"]["g_u"]]).max() < 1e-6
        np.testing.assert_allclose(solved.g, case["modulated"], rtol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_newton_meets_random_targets_for_every_choice(neuron: NeuronModel, size: int) -> None:
    """Thousands of random members and targets; the DICs are computed anew from what came out."""
    rng = np.random.default_rng(size)
    n = 400
    base, _ = baseline_population(neuron, n, 1)
    centre = [neuron.baseline.g_f, neuron.baseline.g_s, neuron.baseline.g_u]
    fed = [neuron.channels[neuron.index(name)] for pool in neuron.pools for name in pool.channels]
    tried = 0
    for names in combinations(neuron.channel_names, size):
        rows = sorted(rng.choice(3, size, replace=False))
        targets = {DIC_NAMES[r]: rng.normal(centre[r], 2.0, n) for r in rows}
        try:
            solved = compensate(neuron, base, names, targets)
        except CompensationError:
            continue
        tried += n
        assert (solved.converged == (solved.residual <= 1e-6)).all()
        good = solved.converged
        values = dics(neuron, solved.g[good])[:, rows]
        wanted = np.stack(list(targets.values()), axis=1)[good]
        scale = 1.0 + np.abs(wanted)
        assert (np.abs(values - wanted) / scale).max() < 2e-6
        untouched = [c for c in range(neuron.n_channels) if neuron.channel_names[c] not in names]
        assert np.array_equal(solved.g[:, untouched], base[:, untouched])
        if not feeds_calcium(neuron, names):
            assert good.all(), names
            assert solved.rounds.max() <= 3  # linear: one solve, and rounding
        elif not any(channel.follows_calcium for channel in fed):
            assert good.mean() > 0.4, names
        # where calcium acts on what feeds it, negative conductances may leave it without a steady state
        assert np.array_equal(solved.valid, good & (solved.g >= 0).all(axis=1))
    gated = [channel for channel in neuron.channels if channel.gates or channel.scheme]
    assert tried > (2000 if len(gated) > 5 else 1000)


def test_recommended_pairs_converge_over_the_whole_plane(neuron: NeuronModel) -> None:
    rng = np.random.default_rng(3)
    n = 3000
    base, _ = baseline_population(neuron, n, 2)
    s, u = rng.uniform(*neuron.dic_range["g_s"], n), rng.uniform(*neuron.dic_range["g_u"], n)
    which = neuron.modulation_index(s, u)
    for index in np.unique(which):
        rows = which == index
        pair = neuron.modulation[index].compensate
        solved = compensate(neuron, base[rows], pair, {"g_s": s[rows], "g_u": u[rows]})
        assert solved.converged.mean() > 0.999, pair
        assert solved.residual[solved.converged].max() < 1e-6


@pytest.mark.parametrize(
    ("pair", "at_least"),
    [
        (("CaS", "H"), 1.0),
        (("CaS", "A"), 1.0),
        (("CaT", "H"), 1.0),
        (("CaS", "KCa"), 1.0),
        (("CaT", "CaS"), 0.97),  # nearly proportional: both ways of solving lose some, and few are useful
    ],
)
def test_newton_agrees_with_a_long_fixed_point_iteration(pair: tuple[str, str], at_least: float) -> None:
    rng = np.random.default_rng(4)
    n = 1000
    base, _ = baseline_population("stg", n, 3)
    targets = {"g_s": rng.uniform(-15, 5, n), "g_u": rng.uniform(1, 15, n)}
    newton = compensate("stg", base, pair, targets)
    long = compensate("stg", base, pair, targets, method="published", max_rounds=2000)
    settled = long.residual < 1e-9
    assert settled.mean() > 0.3
    assert newton.converged[settled].mean() >= at_least  # where plain iteration gets there, so does Newton
    # the equations may have more than one root, so that a few differ
    same = np.abs(newton.g - long.g).max(axis=1) <= 1e-6 * np.abs(long.g).max(axis=1)
    useful = settled & (long.g >= 0).all(axis=1)
    assert same[useful].mean() >= (0.99 if at_least == 1.0 else 0.85)
    assert newton.rounds[settled].mean() < 12


@pytest.mark.parametrize("method", ["newton", "published"])
def test_calcium_of_any_kind_is_solved_as_the_simple_kind_is(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    n = 300
    base, _ = baseline_population("stg", n, 6)
    targets = {"g_s": rng.uniform(-15, 5, n), "g_u": rng.uniform(1, 15, n)}
    for pair in (("CaS", "H"), ("A", "H"), ("KCa", "leak")):
        simple = compensate("stg", base, pair, targets, method=method)
        with monkeypatch.context() as patch:
            patch.setattr(compensation, "_simple_calcium", lambda neuron, terms: None)
            anyhow = compensate("stg", base, pair, targets, method=method)
        same = np.abs(anyhow.g - simple.g).max(axis=1) <= 1e-6 * np.abs(simple.g).max(axis=1)
        assert same.mean() > 0.97, pair  # where there are several roots, another may be found
        assert (anyhow.rounds == simple.rounds).mean() > 0.9


def test_pools_that_act_on_what_feeds_them_are_compensated() -> None:
    base, _ = baseline_population(RICH, 50, 0)
    np.testing.assert_allclose(dics(RICH, base), np.tile([-6.2, 4.0, 5.0], (50, 1)), atol=1e-5)
    rng = np.random.default_rng(9)
    targets = {"g_s": rng.uniform(-6, 4, 50), "g_u": rng.uniform(3, 8, 50)}
    for pair in (("CaS", "H"), ("CaT", "H"), ("A", "H")):
        solved = compensate(RICH, base, pair, targets)
        # CaS opens SK as well, by as much as it brings in, so that many targets are out of its reach
        assert solved.converged.mean() > (0.2 if pair[0] == "CaS" else 0.9), pair
        values = dics(RICH, solved.g[solved.converged])[:, 1:]
        wanted = np.stack(list(targets.values()), axis=1)[solved.converged]
        np.testing.assert_allclose(values, wanted, atol=1e-5)
        one = compensate(RICH, base[7], pair, {"g_s": targets["g_s"][7], "g_u": targets["g_u"][7]})
        assert np.array_equal(one.g[0], solved.g[7])


def test_published_residual_falls_with_the_rounds() -> None:
    rng = np.random.default_rng(5)
    n = 2000
    base, _ = baseline_population("stg", n, 4)
    targets = {"g_s": rng.uniform(-20, 0, n), "g_u": rng.uniform(0, 20, n)}
    means = [
        np.median(compensate("stg", base, ("CaS", "H"), targets, method="published", max_rounds=r).residual)
        for r in (1, 2, 4, 6, 12)
    ]
    assert all(later < earlier for earlier, later in pairwise(means))
    assert np.median(compensate("stg", base, ("CaS", "H"), targets).residual) < 1e-6


def test_a_batch_gives_what_one_by_one_gives(neuron: NeuronModel) -> None:
    rng = np.random.default_rng(6)
    base, _ = baseline_population(neuron, 24, 5)
    s, u = rng.uniform(*neuron.dic_range["g_s"], 24), rng.uniform(1.0, 10.0, 24)
    for entry in neuron.modulation:
        batch = compensate(neuron, base, entry.compensate, {"g_s": s, "g_u": u})
        for row in range(24):
            one = compensate(neuron, base[row], entry.compensate, {"g_s": s[row], "g_u": u[row]})
            assert np.array_equal(one.g[0], batch.g[row], equal_nan=True)
            assert one.rounds[0] == batch.rounds[row]


def test_dics_can_be_set_at_another_voltage(neuron: NeuronModel) -> None:
    base, _ = baseline_population(neuron, 10, 0)
    pair = neuron.recommend(neuron.baseline.g_s, neuron.baseline.g_u)
    V = neuron.V_th_mV + 2.0
    wanted = {"g_s": dics(neuron, base, V)[:, 1] + 0.5, "g_u": dics(neuron, base, V)[:, 2] + 0.5}
    solved = compensate(neuron, base, pair, wanted, V_mV=V)
    assert solved.converged.all()
    np.testing.assert_allclose(dics(neuron, solved.g, V)[:, 1], wanted["g_s"], atol=1e-6)
    assert np.abs(dics(neuron, solved.g)[:, 1] - wanted["g_s"]).max() > 1e-3


def test_members_that_do_not_converge_are_reported() -> None:
    base, _ = baseline_population("stg", 200, 0)
    rounds = compensate("stg", base, ("CaS", "H"), {"g_s": -15.0, "g_u": 10.0}, max_rounds=1)
    assert not rounds.converged.any()
    assert np.all(rounds.residual > 1e-6)
    assert not rounds.valid.any()
    # no conductance of KCa and H makes this member's slow DIC this low together with CaT: some have no root
    none = compensate("stg", base, ("CaS", "KCa", "H"), {"g_f": -60.0, "g_s": -40.0, "g_u": 30.0})
    assert (~none.converged).any()
    assert not none.valid[~none.converged].any()


def test_a_damaged_member_fails_alone() -> None:
    base, _ = baseline_population("stg", 4, 0)
    base[0, 2] = np.nan
    base[2, -1] = 0.0
    solved = compensate("stg", base, ("A", "H"), STG_TARGETS)
    assert solved.converged.tolist() == [False, True, False, True]
    assert solved.valid.tolist() == [False, True, False, True]


def test_nothing_in_nothing_out() -> None:
    solved = compensate("stg", np.zeros((0, 8)), ("A", "H"), STG_TARGETS)
    assert solved.g.shape == (0, 8)
    assert solved.valid.shape == (0,)


BAD_CHOICES: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    ((), {}, "Choose one to three different conductances of the stg neuron .* not none"),
    (("A", "A"), STG_TARGETS, "Choose one to three different .* not A, A"),
    (("Na", "A", "H", "Kd"), STG_TARGETS, "Choose one to three"),
    (("A", "H"), {"g_s": 1.0}, "As many DICs as conductances must be given: A, H against g_s"),
    (("A",), STG_TARGETS, "As many DICs as conductances must be given: A against g_s, g_u"),
    (("A", "H"), {"g_s": 1.0, "g_t": 1.0}, "A target must be one of g_f, g_s, g_u, not 'g_t'"),
    (("A", "Ih"), STG_TARGETS, "The stg neuron has no channel 'Ih'; it has Na, Kd"),
    (("A", "H"), {"g_s": np.nan, "g_u": 1.0}, "The target g_s must be one finite number, or one per member"),
    (
        ("A", "H"),
        {"g_s": 1.0, "g_u": [1.0, 2.0]},
        "The target g_u must be one finite number, or one per member",
    ),
    (("H",), {"g_s": 5.0}, "Compensating H of the stg neuron cannot set g_s: .*absent or proportional"),
    (("Na", "Kd"), STG_TARGETS, "Compensating Na and Kd of the stg neuron cannot set g_s and g_u"),
]


@pytest.mark.parametrize(("choice", "targets", "message"), BAD_CHOICES)
def test_unsolvable_choice_is_refused_in_one_sentence(
    choice: tuple[str, ...], targets: dict[str, Any], message: str
) -> None:
    base, _ = baseline_population("stg", 3, 0)
    with pytest.raises(CompensationError, match=message) as caught:
        compensate("stg", base, choice, targets)
    assert "\n" not in str(caught.value)


def test_wrong_members_and_methods_are_refused() -> None:
    with pytest.raises(CompensationError, match="rows of 8 conductances, not in shape"):
        compensate("stg", np.ones((3, 7)), ("A", "H"), STG_TARGETS)
    with pytest.raises(CompensationError, match="'newton' or 'published', not 'magic'"):
        compensate("stg", np.ones((3, 8)), ("A", "H"), STG_TARGETS, method="magic")
