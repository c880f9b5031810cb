"""A neuron that the package has never seen goes through every room as a declaration alone.

The barnacle muscle fibre of Morris and Lecar (1981), whose calcium current follows the voltage at once and
whose potassium channel is written here as a two-state scheme, with a slow potassium current (a squared gate)
and a non-specific one added. Its constant stimulus is the leak reversal.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.checking.equations import solve_declared
from spike2pop_nb.conductances import (
    baseline_population,
    compensate,
    dic_curves,
    dics,
    find_threshold,
    generate_population,
    reachability,
    solvable_pairs,
)
from spike2pop_nb.neurons import (
    Baseline,
    Channel,
    Gamma,
    Gate,
    KineticScheme,
    Modulation,
    NeuronModel,
    Range,
    constant,
    get_neuron,
    list_neurons,
    load_neuron,
    register_neuron,
    registry,
    sigmoid,
)
from spike2pop_nb.simulation import simulate

w_inf = sigmoid(0, 1, -15, -2)


def tau_w(V: np.ndarray) -> np.ndarray:
    return 25.0 / np.cosh((V - 2.0) / 60.0)


MORRIS_LECAR = NeuronModel(
    name="morris_lecar",
    title="Morris-Lecar with a slow potassium current",
    channels=(
        Channel("Ca", 120.0, (Gate("m", sigmoid(0, 1, -9, 1.2), None),)),
        Channel(
            "K",
            -84.0,
            scheme=KineticScheme(
                ("c", "o"),
                {("c", "o"): lambda V: w_inf(V) / tau_w(V), ("o", "c"): lambda V: (1 - w_inf(V)) / tau_w(V)},
                conducting="o",
                time_scale="slow",
            ),
        ),
        Channel("M", -84.0, (Gate("n", sigmoid(0, 1, -8, 25), constant(300.0), 2),)),
        Channel("cat", -20.0, (Gate("x", sigmoid(0.2, 0.5, 10, 40), constant(60.0)),)),
        Channel("leak", -8.0),
    ),
    V_th_mV=-28.0,
    tau_fast=constant(1.0),
    tau_slow=constant(20.0),
    tau_ultraslow=constant(200.0),
    baseline=Baseline(
        free={"leak": Gamma(1.9, 2.1), "cat": Range(0.1, 0.3)},
        compensated=("Ca", "K", "M"),
        g_f=-0.05,
        g_s=1.57,
        g_u=0.25,
    ),
    modulation=(Modulation(("K", "M")),),
    dic_range={"g_s": (1.0, 2.0), "g_u": (0.1, 1.0)},
    conductance_range={"Ca": (0, 8), "K": (0, 16), "M": (0, 4), "cat": (0, 1), "leak": (0, 4)},
    V_initial_mV=-50.0,
    recording_window_ms=(500.0, 2500.0),
    capacitance_uF=20.0,
    references=("Morris & Lecar (1981), Biophys J 35:193, doi:10.1016/S0006-3495(81)84782-0",),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    register_neuron(MORRIS_LECAR)


def test_it_is_found_by_name() -> None:
    assert list_neurons()[-1] == "morris_lecar"
    assert get_neuron("morris_lecar") is MORRIS_LECAR


def test_its_dics_follow_from_the_declaration() -> None:
    g = np.array([4.4, 8.0, 0.5, 0.2, 2.0])
    h, V = 1e-3, MORRIS_LECAR.V_th_mV
    m, w = MORRIS_LECAR.channels[0].gates[0].x_inf, w_inf
    n, x = MORRIS_LECAR.channels[2].gates[0].x_inf, MORRIS_LECAR.channels[3].gates[0].x_inf

    def slope(f) -> float:  # type: ignore[no-untyped-def]
        return float((f(V + h) - f(V - h)) / (2 * h))

    ohmic = g[0] * m(V) + g[1] * w(V) + g[2] * n(V) ** 2 + g[3] * x(V) + g[4]
    fast = g[0] * slope(m) * (V - 120)
    slow = g[1] * slope(w) * (V + 84)
    ultraslow = g[2] * slope(lambda v: n(v) ** 2) * (V + 84)
    cat = g[3] * slope(x) * (V + 20)  # 60 ms lies between the slow and the ultraslow reference
    share = (np.log(200) - np.log(60)) / (np.log(200) - np.log(20))
    expected = np.array([ohmic + fast, slow + share * cat, ultraslow + (1 - share) * cat]) / g[4]
    np.testing.assert_allclose(dics(MORRIS_LECAR, g), expected, rtol=1e-6)
    assert dic_curves(MORRIS_LECAR, g)["g_t"].shape == dic_curves(MORRIS_LECAR, g)["V_mV"].shape
    # its steady current rises all the way: it fires through a Hopf bifurcation, without a threshold in g_t
    assert np.isnan(find_threshold(MORRIS_LECAR, g))


def test_it_is_compensated_and_populated() -> None:
    population = generate_population("morris_lecar", (1.5, 0.3), 12, seed=1)
    np.testing.assert_allclose(population.table[["g_s", "g_u"]], [(1.5, 0.3)] * 12, atol=1e-6)
    assert np.all(population.g >= 0)
    assert population.table["g_cat"].std() > 0
    one = compensate("morris_lecar", population.g, ("M",), {"g_u": 0.3})
    assert one.converged.all()
    assert ("K", "M") in solvable_pairs("morris_lecar")
    assert reachability("morris_lecar", ("K", "M"), 5).valid_fraction.max() == 1.0


@pytest.mark.parametrize("accuracy", ["standard", "exact"])
def test_it_is_simulated_as_its_equations_say(accuracy: str) -> None:
    population = generate_population("morris_lecar", (1.5, 0.3), 3, seed=1)
    t = np.arange(0.0, 800.0, 1.0)
    out = simulate(population, duration_ms=800.0, transient_ms=0.0, sample_ms=1.0, accuracy=accuracy)
    assert not out.failed.any()
    for row in range(3):
        crossings, solution = solve_declared(MORRIS_LECAR, population.g[row], 800.0, t)
        ours = out.spike_times_ms[row]
        assert len(ours) >= 4
        assert len(ours) in (len(crossings), len(crossings) - 1)
        assert np.abs(ours - crossings[: len(ours)]).max() < 0.05
        assert np.abs(out.V_mV[row] - solution.y[0]).max() < 0.05


@pytest.mark.parametrize(("accuracy", "median", "largest"), [("standard", 2e-3, 6e-3), ("exact", 6e-4, 2e-3)])
def test_fast_spikes_of_instantaneous_gates_keep_their_intervals(
    accuracy: str, median: float, largest: float
) -> None:
    """The declaration shortens the time step, since three gates follow a steep spike at once."""
    neuron = load_neuron(Path(__file__).parents[2] / "notebooks" / "my_neuron.py")
    g, _ = baseline_population(neuron, 3, seed=3)
    out = simulate(g, neuron, duration_ms=300.0, transient_ms=0.0, accuracy=accuracy, record="spikes")
    for row in range(3):
        crossings, _solution = solve_declared(neuron, g[row], 300.0, np.arange(0.0, 300.0, 1.0))
        ours = out.spike_times_ms[row]
        assert len(ours) >= 10
        error = np.abs(np.diff(ours) / np.diff(crossings[: len(ours)]) - 1.0)
        assert np.median(error) < median
        assert error.max() < largest
