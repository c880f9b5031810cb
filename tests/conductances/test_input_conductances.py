"""Sensitivity, DICs, curves and thresholds, against independently computed numbers and first principles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich_neuron import RICH
from steady_state import SteadyState

from spike2pop_nb.conductances import (
    DIC_NAMES,
    baseline_population,
    dic_curves,
    dics,
    find_threshold,
    sensitivity,
)
from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import NeuronModel


def random_members(neuron: NeuronModel, n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(*neuron.conductance_range[c], n) for c in neuron.channel_names], axis=1)


def test_sensitivity_and_dics_match_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    for case in reference["compensation_cases"]:
        g = np.array(case["modulated"])
        # the printed conductances carry 12 digits, and S is a difference of terms: 1e-9 of its largest entry
        S, expected = sensitivity(neuron, g), np.array(case["sensitivity_at_V_th"])
        np.testing.assert_allclose(S, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())
        values = dics(neuron, g)
        np.testing.assert_allclose(values, np.array(case["dics_at_V_th"])[:, :3], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(values.sum(axis=1), np.array(case["dics_at_V_th"])[:, 3], atol=1e-8)


def test_dic_curves_match_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    expected = reference["dic_curves"]
    curves = dic_curves(neuron, expected["conductances"], expected["V"])
    for name in (*DIC_NAMES, "g_t"):
        np.testing.assert_allclose(curves[name], expected[name], rtol=1e-8, atol=1e-8, err_msg=name)


def test_dics_are_sensitivity_times_conductance(neuron: NeuronModel) -> None:
    g = random_members(neuron, 20)
    S = sensitivity(neuron, g)
    assert S.shape == (20, 3, neuron.n_channels)
    np.testing.assert_allclose(np.einsum("nij,nj->ni", S, g), dics(neuron, g), rtol=1e-12)


def test_dics_do_not_change_with_the_unit_of_conductance_without_calcium(neuron: NeuronModel) -> None:
    if neuron.calcium is not None:
        pytest.skip("calcium makes the DICs nonlinear in g")
    g = random_members(neuron, 20)
    np.testing.assert_allclose(dics(neuron, 7.0 * g), dics(neuron, g), rtol=1e-11)


def central(function: Any, x: float, h: float) -> Any:
    return (-function(x + 2 * h) + 8 * function(x + h) - 8 * function(x - h) + function(x - 2 * h)) / (12 * h)


@pytest.mark.parametrize("V", [-70.0, -58.0, -50.0, -42.0])
def test_every_path_counts_on_its_time_scale(neuron: NeuronModel, V: float) -> None:
    check_paths(neuron, V)


@pytest.mark.parametrize("V", [-70.0, -50.0, -42.0])
def test_every_path_through_calcium_counts(V: float) -> None:
    """Gates that calcium opens and closes, potentials that follow it, pumps, and pools beside each other."""
    check_paths(RICH, V)


def check_paths(neuron: NeuronModel, V: float) -> None:
    """Each path from the voltage to the steady current, by finite differences, is weighted by itself.

    Voltage acts on the current at once, by each gate, and by the calcium of each pool; together that is the
    slope dI_inf/dV over g_leak.
    """
    for g in random_members(neuron, 3, seed=1):
        state = SteadyState(neuron, g)
        wanted, total = by_paths(state, V), central(state.steady, V, 1e-2)
        found = dics(neuron, g, V)
        scale = np.abs(wanted).max() / g[-1]
        np.testing.assert_allclose(found, wanted / g[-1], rtol=1e-6, atol=1e-6 * scale)
        assert found.sum() == pytest.approx(total / g[-1], rel=1e-5, abs=1e-5 * scale)


def by_paths(state: SteadyState, V: float) -> np.ndarray:
    neuron = state.neuron
    names, at = ("fast", "slow", "ultraslow"), np.array([V])
    f, s, u = (float(tau(at)[0]) for tau in (neuron.tau_fast, neuron.tau_slow, neuron.tau_ultraslow))

    def shares(tau: float, scale: str | None = None) -> np.ndarray:
        if scale is not None:
            return np.eye(3)[names.index(scale)]
        below = [np.clip(np.log(b / max(tau, 1e-9)) / np.log(b / a), 0, 1) for a, b in ((f, s), (s, u))]
        return np.array([below[0], below[1] - below[0], 1 - below[1]])

    Ca, held = state.calcium(V), [V] * len(state.parts)
    wanted = shares(0.0) * central(lambda x: state.total(x, held, Ca), V, 1e-3)
    for k, (_c, part) in enumerate(state.parts):
        tau = 0.0 if getattr(part, "tau", None) is None else float(part.tau(at)[0])

        def moved(x: float, k: int = k) -> float:
            return state.total(V, [*held[:k], x, *held[k + 1 :]], Ca)

        wanted = wanted + shares(tau, part.time_scale) * central(moved, V, 1e-3)
    for q, pool in enumerate(neuron.pools):

        def filled(x: float, q: int = q) -> float:
            return state.total(V, held, np.array([*Ca[:q], x, *Ca[q + 1 :]]))

        pumped = 0.0
        if (pump := pool.pump) is not None:
            pumped = pump.rate_uM_per_ms * pump.half_uM / (pool.rest_uM + pump.half_uM) ** 2
        slope = central(state.calcium, V, 1e-2)[q]
        tau = 1.0 / (1.0 / pool.tau_ms + pumped)
        wanted = wanted + shares(tau) * central(filled, Ca[q], 1e-4 * Ca[q]) * slope
    return wanted


def test_shapes_follow_the_members_and_the_voltages(neuron: NeuronModel) -> None:
    g = random_members(neuron, 6).reshape(2, 3, -1)
    n = neuron.n_channels
    assert sensitivity(neuron, g[0, 0]).shape == (3, n)
    assert sensitivity(neuron, g, -40.0).shape == (2, 3, 3, n)
    assert sensitivity(neuron, g, [-50.0, -40.0]).shape == (2, 3, 2, 3, n)
    assert dics(neuron, g).shape == (2, 3, 3)
    assert dics(neuron, g, [-50.0, -40.0]).shape == (2, 3, 2, 3)
    at_two = dics(neuron, g, [-50.0, -40.0])
    np.testing.assert_allclose(at_two[..., 1, :], dics(neuron, g, -40.0), rtol=1e-12)
    curves = dic_curves(neuron, g[0])
    assert curves["g_t"].shape == (3, curves["V_mV"].size)
    assert find_threshold(neuron, g).shape == (2, 3)


def test_wrong_number_of_conductances_is_refused(neuron: NeuronModel) -> None:
    with pytest.raises(NeuronModelError, match=f"needs {neuron.n_channels} conductances per member"):
        dics(neuron, np.ones((4, neuron.n_channels + 1)))
    with pytest.raises(NeuronModelError, match="the array has shape"):
        sensitivity(neuron, 1.0)


def test_threshold_is_where_the_total_dic_first_falls_through_zero(neuron: NeuronModel) -> None:
    g, _ = baseline_population(neuron, 50, 0)
    V_th = find_threshold(neuron, g)
    assert np.all(np.isfinite(V_th))
    for member, V in zip(g, V_th, strict=True):
        around = dics(neuron, member, [V - 0.1, V, V + 0.1]).sum(axis=-1)
        assert around[0] > 0 > around[2]
        assert abs(around[1]) < 0.05 * (around[0] - around[2])


def test_threshold_is_nan_where_there_is_none(neuron: NeuronModel) -> None:
    leak_alone = np.zeros(neuron.n_channels)
    leak_alone[-1] = 0.01
    assert np.isnan(find_threshold(neuron, leak_alone))


def test_mean_threshold_of_random_stg_neurons_is_the_declared_one() -> None:
    from spike2pop_nb.neurons import get_neuron

    stg = get_neuron("stg")
    V_th = find_threshold(stg, random_members(stg, 2000))
    assert np.nanmean(V_th) == pytest.approx(-51.1, abs=0.3)
    assert np.nanmean(V_th) == pytest.approx(stg.V_th_mV, abs=0.5)


def test_the_declared_da_threshold_is_not_the_mean_of_its_population() -> None:
    """−55.5 mV is part of the published model; its baseline population crosses at −62.9 mV on average."""
    V_th = find_threshold("da", baseline_population("da", 500, 0)[0])
    assert np.nanmean(V_th) == pytest.approx(-62.9, abs=0.3)
