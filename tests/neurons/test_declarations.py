"""Common tests over every registered neuron, and the independently computed values of its formulas."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.conductances.input_conductances import _value_and_slope
from spike2pop_nb.neurons import Gamma, Nernst, NeuronModel, Range
from spike2pop_nb.neurons.dopamine import rate_mNa_printed, tau_mNa

V_MV = np.linspace(-120.0, 80.0, 2001)


def gates(neuron: NeuronModel) -> list[Any]:
    return [(channel.name, gate) for channel in neuron.channels for gate in channel.gates]


def test_gates_are_finite_and_in_range(neuron: NeuronModel) -> None:
    for channel, gate in gates(neuron):
        x = gate.x_inf(V_MV)
        assert x.shape == V_MV.shape
        assert np.all(np.isfinite(x)), (channel, gate.name)
        assert np.all(x >= 0), (channel, gate.name)
        assert np.all(x <= 1), (channel, gate.name)


def test_time_constants_are_positive(neuron: NeuronModel) -> None:
    taus = [gate.tau for _, gate in gates(neuron) if gate.tau is not None]
    for tau in [*taus, neuron.tau_fast, neuron.tau_slow, neuron.tau_ultraslow]:
        values = tau(V_MV)
        assert np.all(np.isfinite(values))
        assert np.all(values > 0)


def test_reference_time_constants_are_ordered_at_the_threshold(neuron: NeuronModel) -> None:
    V = np.array([neuron.V_th_mV])
    assert neuron.tau_fast(V) < neuron.tau_slow(V) < neuron.tau_ultraslow(V)


def test_schemes_conserve_and_settle(neuron: NeuronModel) -> None:
    for channel in neuron.channels:
        if channel.scheme is None:
            continue
        steady = channel.scheme.steady_state(V_MV)
        assert np.all(steady >= 0)
        assert np.all(steady.sum(axis=-1) <= 1 + 1e-12)
        A, b = channel.scheme.linear_system(V_MV)
        change = np.einsum("vij,vj->vi", A, steady) + b
        assert np.abs(change).max() < 1e-9 * np.abs(A).max()


def test_slopes_by_complex_step_match_finite_differences(neuron: NeuronModel) -> None:
    functions = [gate.x_inf for _, gate in gates(neuron)]
    functions += [c.scheme.conducting_inf for c in neuron.channels if c.scheme is not None]
    V, h = np.linspace(-110.0, 70.0, 181), 1e-3
    for f in functions:
        value, slope = _value_and_slope(f, V)
        central = (-f(V + 2 * h) + 8 * f(V + h) - 8 * f(V - h) + f(V - 2 * h)) / (12 * h)
        np.testing.assert_allclose(value, f(V), rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(slope, central, rtol=1e-8, atol=1e-10)


def test_gates_match_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    V = np.array(reference["V"])
    declared = {f"{gate.name}_{channel}": gate for channel, gate in gates(neuron)}
    seen = set()
    for key, vectors in reference["gates"].items():
        name, _, calcium = key.partition("_at_Ca_")
        gate = declared[name]
        seen.add(name)
        x = gate.x_inf(V)
        assert (gate.calcium_half_uM is not None) == bool(calcium)
        if calcium:
            x = x * float(calcium) / (float(calcium) + gate.calcium_half_uM)
        np.testing.assert_allclose(x, vectors["inf"], rtol=1e-9)
        np.testing.assert_allclose(gate.tau(V), vectors["tau"], rtol=1e-9)
    assert {name for name, gate in declared.items() if gate.tau is not None} == seen


def test_gates_that_follow_the_voltage_at_once_match_the_reference(
    neuron: NeuronModel, reference: dict[str, Any]
) -> None:
    declared = {f"{gate.name}_{channel}": gate for channel, gate in gates(neuron) if gate.tau is None}
    assert declared.keys() == reference["instantaneous"].keys()
    for name, expected in reference["instantaneous"].items():
        np.testing.assert_allclose(declared[name].x_inf(np.array(reference["V"])), expected, rtol=1e-9)


def test_calcium_matches_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    moving = [channel.E_mV for channel in neuron.channels if isinstance(channel.E_mV, Nernst)]
    for case in reference["E_Ca"]:
        for E in moving:
            assert E.value(case["Ca_uM"]) == pytest.approx(case["E_mV"], rel=1e-9)
    pool = neuron.pools[0]
    assert pool.influx_uM_per_uA == pytest.approx(reference["calcium_influx_uM_per_uA"], rel=1e-9)


def test_schemes_and_blocks_match_the_reference(neuron: NeuronModel, reference: dict[str, Any]) -> None:
    if "ERG_rates" not in reference:
        pytest.skip("no kinetic scheme in the reference")
    V = np.array(reference["V"])
    expected = reference["ERG_rates"]
    scheme = neuron.channels[neuron.index("ERG")].scheme
    assert scheme is not None
    for name, transition in (("a0", "co"), ("b0", "oc"), ("ai", "oi"), ("bi", "io")):
        np.testing.assert_allclose(scheme.rates[transition[0], transition[1]](V), expected[name], rtol=1e-9)
    np.testing.assert_allclose(scheme.conducting_inf(V), expected["o_inf"], rtol=1e-9)
    block = neuron.channels[neuron.index("NMDA")].gates[0]
    assert block.tau is None
    np.testing.assert_allclose(block.x_inf(V), reference["NMDA_unblocked"], rtol=1e-9)


def test_channel_order_and_threshold_match_the_reference(
    neuron: NeuronModel, reference: dict[str, Any]
) -> None:
    assert list(neuron.channel_names) == reference["channel_order"]
    assert neuron.V_th_mV == reference["V_th"]


def test_da_sodium_time_constant_is_as_printed_but_at_its_pole() -> None:
    def printed(V: Any) -> Any:
        return 0.01 + 1.0 / (rate_mNa_printed(V) + 3.0212 * np.exp(-0.007463 * V))

    outside = V_MV[np.abs(V_MV + 38.72) > 0.3]
    assert np.array_equal(tau_mNa(outside), printed(outside))
    inside = np.linspace(-38.72 - 0.32, -38.72 + 0.32, 4001)
    tau = tau_mNa(inside)
    assert np.all(tau > 0)
    assert (printed(inside) < 0).any()  # which is why the bridge is there
    step = inside[1] - inside[0]
    slope = np.diff(tau) / step
    assert np.abs(slope).max() < 0.02  # ms/mV: the printed curve has about −0.01 around here
    assert np.abs(np.diff(slope)).max() < 1e-3  # no kink where the bridge begins and ends
    assert tau.min() > 0.9 * min(tau[0], tau[-1])
    assert tau.max() < 1.1 * max(tau[0], tau[-1])


def test_neurons_are_pickled_by_name(neuron: NeuronModel) -> None:
    assert pickle.loads(pickle.dumps(neuron)) is neuron
    assert copy.deepcopy(neuron) is neuron
    assert len(pickle.dumps(neuron)) < 200


def test_a_pickled_neuron_arrives_in_another_process(neuron: NeuronModel) -> None:
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).title)"
    out = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(neuron).hex()], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == neuron.title


def test_declared_metadata_is_complete(neuron: NeuronModel) -> None:
    assert neuron.channel_names[-1] == "leak"
    assert neuron.g_columns == tuple(f"g_{name}" for name in neuron.channel_names)
    assert neuron.n_channels == len(neuron.E_mV)
    assert neuron.references
    start, stop = neuron.recording_window_ms
    assert 0 <= start < stop
    for low, high in neuron.conductance_range.values():
        assert 0 <= low < high
    assert -90 < neuron.V_th_mV < -20


def test_recommendation_covers_the_plane_and_agrees_with_its_array_form(neuron: NeuronModel) -> None:
    g_s, g_u = np.meshgrid(
        np.linspace(*neuron.dic_range["g_s"], 9), np.linspace(-2.0, neuron.dic_range["g_u"][1], 9)
    )
    which = neuron.modulation_index(g_s, g_u)
    for index, s, u in zip(which.ravel(), g_s.ravel(), g_u.ravel(), strict=True):
        assert neuron.recommend(s, u) == neuron.modulation[index].compensate


@pytest.mark.parametrize(
    ("name", "g_s", "g_u", "pair"),
    [
        ("stg", 4, 5, ("A", "H")),
        ("stg", 0, 5, ("A", "H")),
        ("stg", -10, 3, ("CaS", "H")),
        ("stg", 5, -1, ("CaS", "A")),
        ("da", -5, 3, ("ERG", "CaL")),
        ("da", 0, 3, ("ERG", "Kd")),
    ],
)
def test_published_choice_of_conductances(name: str, g_s: float, g_u: float, pair: tuple[str, str]) -> None:
    from spike2pop_nb.neurons import get_neuron

    assert get_neuron(name).recommend(g_s, g_u) == pair


def test_gamma_has_the_mean_and_variance_of_the_uniform() -> None:
    gamma, uniform = Gamma(0.007, 0.014), Range(0.007, 0.014)
    drawn = gamma.draw(np.random.default_rng(0), 400_000)
    assert gamma.mean == uniform.mean
    assert drawn.mean() == pytest.approx(uniform.mean, rel=2e-3)
    assert drawn.var() == pytest.approx((0.014 - 0.007) ** 2 / 12, rel=1e-2)
    assert drawn.min() > 0
    flat = uniform.draw(np.random.default_rng(0), 10_000)
    assert flat.min() >= 0.007
    assert flat.max() <= 0.014
