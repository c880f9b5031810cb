"""Conductances that change while a simulation runs."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import generate_population, modulation_path
from spike2pop_nb.errors import Cancelled, SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Course, simulate, simulate_modulation
from spike2pop_nb.spiketrains import ActivityPattern


@pytest.fixture(scope="module")
def path():
    return modulation_path(generate_population("stg", (5.0, 5.0), 4, seed=1), (-8.0, 8.0), steps=20)


def test_a_course_that_stays_changes_nothing(neuron: NeuronModel) -> None:
    population = generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), 3)
    course = Course(np.array([0.0, 300.0]), np.repeat(population.g[:, None], 2, axis=1))
    plain = simulate(population, duration_ms=500, transient_ms=0)
    same = simulate(population, duration_ms=500, transient_ms=0, course=course)
    np.testing.assert_array_equal(plain.V_mV, same.V_mV)
    for one, two in zip(plain.spike_times_ms, same.spike_times_ms, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_course_is_linear_between_and_constant_outside() -> None:
    course = Course(np.array([10.0, 20.0, 40.0]), np.array([[[0.0], [1.0], [5.0]]]))
    found = [course.at(ms)[0, 0] for ms in (0, 10, 15, 20, 30, 40, 99)]
    np.testing.assert_allclose(found, [0, 0, 0.5, 1, 3, 5, 5])


def test_spiking_members_come_to_burst(path) -> None:
    found = simulate_modulation(path, before_ms=1500, during_ms=1500, after_ms=2000, record="spikes")
    assert {report.kind for report in found.before()} == {ActivityPattern.REGULAR}
    assert {report.kind for report in found.after()} == {ActivityPattern.BURSTING}
    assert (found.begin_ms, found.end_ms) == (4500, 6000)
    np.testing.assert_allclose(found.step_at([0, 4500, 5250, 6000, 9000]), [0, 0, 10, 20, 20])
    assert found.time_ms()[-1] == 6000
    # the members end as those that had been there all the time
    settled = simulate(path.at(path.steps), duration_ms=8000, transient_ms=6000, record="spikes")
    for moved, there in zip(found.simulated.spike_times_ms, settled.spike_times_ms, strict=True):
        late = moved[moved >= 6000]
        assert len(late) == pytest.approx(len(there), rel=0.25)


def test_the_steps_of_the_course_are_fine_enough(path) -> None:
    """Halving the integration step moves spikes during modulation by little."""
    one, two = (
        simulate_modulation(
            path, before_ms=200, during_ms=600, after_ms=200, accuracy=accuracy, record="spikes"
        ).simulated
        for accuracy in ("standard", "exact")
    )
    for a, b in zip(one.spike_times_ms, two.spike_times_ms, strict=True):
        assert abs(len(a) - len(b)) <= 1
        np.testing.assert_allclose(a[:5], b[:5], atol=2.0)


def test_bad_courses_are_refused(path) -> None:
    population, g = path.at(0), path.g[:, :2]
    with pytest.raises(SimulationError, match="must be finite and rise"):
        simulate(population, duration_ms=10, course=Course(np.array([5.0, 5.0]), g))
    with pytest.raises(SimulationError, match=r"must have shape \(4, 2, 8\)"):
        simulate(population, duration_ms=10, course=Course(np.array([0.0, 5.0]), g[:2]))
    with pytest.raises(SimulationError, match="during_ms must be longer than 0 ms"):
        simulate_modulation(path, during_ms=0)
    negative = g.copy()
    negative[1, 1, 0] = -1.0
    found = simulate(population, duration_ms=10, course=Course(np.array([0.0, 5.0]), negative))
    assert found.failed.tolist() == [False, True, False, False]
    with pytest.raises(Cancelled):
        simulate_modulation(path, cancel=lambda: True)
