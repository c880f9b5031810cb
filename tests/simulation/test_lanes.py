"""Sixteen members side by side do what each of them would do alone."""

import numba as nb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spike2pop_nb.simulation import currents, noise_lanes, one_by_one
from spike2pop_nb.simulation.lanes import LANES, crossed, fill, highest, load, look_up, lowest, store
from spike2pop_nb.simulation.noise import filter_sections, gaussian_quantiles

finite = st.floats(-1e6, 1e6, width=32)
numbers = arrays(np.float32, (4, LANES), elements=finite)


@nb.njit
def calculated(rows, out):
    a, b, c = load(rows, 0), load(rows, 1), load(rows, 2)
    store(out, 0, a + b)
    store(out, 1, a - b)
    store(out, 2, a * b)
    store(out, 3, a / b)
    store(out, 4, lowest(a, b))
    store(out, 5, highest(a, b))
    store(out, 6, fill(rows[3, 0]))
    return crossed(a, b, c)


@settings(deadline=None)  # the first call compiles
@given(rows=numbers)
def test_operations_act_on_every_lane(rows):
    out = np.zeros((7, LANES), np.float32)
    apart = calculated(rows, out)
    a, b, c, d = rows
    with np.errstate(all="ignore"):
        expected = [a + b, a - b, a * b, a / b, np.minimum(a, b), np.maximum(a, b), np.full(LANES, d[0])]
    np.testing.assert_array_equal(out, np.array(expected))
    assert apart == bool(np.any((a >= c) != (b >= c)))


def test_what_is_no_number_gives_way_to_the_other():
    rows = np.ones((4, LANES), np.float32)
    rows[0, 3] = np.nan
    out = np.zeros((7, LANES), np.float32)
    calculated(rows, out)
    np.testing.assert_array_equal(out[4:6], 1.0)


@nb.njit
def in_registers(current, held, sigma, seeds, sections, quantiles, filters, out):
    noise_lanes.draw_noise(current, sigma, seeds, sections, quantiles, filters)
    store(out, 0, noise_lanes.summed(current, held))


@settings(deadline=None, max_examples=20)
@given(
    sigma=arrays(float, LANES, elements=st.floats(0, 50)),
    seeds=arrays(np.uint64, LANES, elements=st.integers(0, 2**64 - 1)),
    cutoff_Hz=st.floats(10, 4000),
)
def test_noise_of_a_tile_is_that_of_each_lane(sigma, seeds, cutoff_Hz):
    sections, quantiles = filter_sections(cutoff_Hz), gaussian_quantiles()
    held = np.linspace(-3.0, 3.0, LANES)
    states = [(np.zeros(LANES), seeds.copy(), np.zeros((4, 2, LANES))) for _ in range(2)]
    out = np.zeros((1, LANES), np.float32)
    for _ in range(50):
        for draw, (current, own, filters) in zip((in_registers, one_by_one.draw_noise), states, strict=True):
            given_ = (sigma, own, sections, quantiles, filters)
            if draw is in_registers:
                draw(current, held, *given_, out)
            else:
                draw(current, *given_)
        for one, other in zip(*states, strict=True):
            # the compiler may round a product and a sum at once, in one of them and not in the other
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(out[0], (states[0][0] + held).astype(np.float32))


@nb.njit
def found(table, position, n_columns, out):
    look_up(table, load(position, 0), n_columns, out)


@pytest.mark.parametrize("n_columns", [8, 24])
@settings(deadline=None)
@given(data=st.data())
def test_tables_are_interpolated(n_columns, data):
    values = data.draw(arrays(np.float32, (5, n_columns), elements=st.floats(-100, 100, width=32)))
    position = data.draw(arrays(np.float32, (1, LANES), elements=st.floats(0, 4, width=32)))
    ways = np.diff(values, axis=0, append=values[-1:])
    table = np.stack([part.reshape(5, -1, 8) for part in (values, ways)], axis=2).ravel()
    out = np.zeros((n_columns, LANES), np.float32)
    found(table, position, n_columns, out)
    expected = [np.interp(position[0], np.arange(5), column) for column in values.T]
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_a_slow_gate_does_not_stand_still():
    """A step of 0.02 ms moves a gate of 1500 ms by less than a number of 32 bits can tell."""
    from spike2pop_nb.neurons import get_neuron

    neuron = get_neuron("stg")
    g = np.zeros(neuron.n_channels)
    H = neuron.index("H")
    g[H], g[-1] = 1e-9, 0.1
    flowing = currents(g, 0, "stg", duration_ms=6000, transient_ms=0, sample_ms=10)
    gate = neuron.channels[H].gates[0]
    rest = np.array([neuron.E_mV[-1]])
    late = flowing.time_ms > 500  # by then the voltage rests where the leak holds it
    t, m = flowing.time_ms[late], (flowing.I[H] / (g[H] * (flowing.V_mV - neuron.E_mV[H])))[late]
    m_inf, tau = float(gate.x_inf(rest)[0]), float(gate.tau(rest)[0])
    np.testing.assert_allclose(m, m_inf + (m[0] - m_inf) * np.exp(-(t - t[0]) / tau), rtol=2e-6)
