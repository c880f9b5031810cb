"""A neuron at another temperature: what its Q10s change, and what is refused."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import Channel, Gate, NeuronModel, constant, get_neuron, product, same_neuron
from spike2pop_nb.simulation.plan import make_plan

DIGESTS = {"stg": "stg-80af7fd09737", "da": "da-26486c985de4"}
"""Files and trained networks name them."""


def stating(neuron: NeuronModel, rates: float = 2.0, conductances: float = 1.5) -> NeuronModel:
    """The neuron with one Q10 for all that takes time, and one for all conductances."""

    def of(channel: Channel) -> Channel:
        gates = tuple(gate if gate.tau is None else replace(gate, q10=rates) for gate in channel.gates)
        scheme = None if channel.scheme is None else replace(channel.scheme, q10=rates)
        return replace(channel, gates=gates, scheme=scheme, q10=conductances)

    pool = None if neuron.calcium is None else replace(neuron.calcium, q10=rates)
    channels = tuple(map(of, neuron.channels))
    return replace(neuron, channels=channels, calcium=pool, temperature_C=10.0)


@pytest.mark.parametrize("name", DIGESTS)
def test_the_digests_of_before_stay(name: str) -> None:
    neuron = get_neuron(name)
    assert neuron.declaration == DIGESTS[name]
    assert stating(neuron).declaration == DIGESTS[name]  # temperature changes nothing of what was learned
    assert not same_neuron(stating(neuron), neuron)


@pytest.mark.parametrize("name", DIGESTS)
def test_all_rates_twice_as_fast_are_half_the_time_step(name: str) -> None:
    neuron = stating(get_neuron(name))
    warm, slow = make_plan(neuron, 0.02, 20.0), make_plan(neuron, 0.04)
    np.testing.assert_allclose(warm.table, slow.table, rtol=1e-6)
    assert warm.numbers[4] == pytest.approx(slow.numbers[4], rel=1e-12)
    assert warm.numbers[3] == pytest.approx(0.5 * slow.numbers[3])  # what a current brings in stays
    assert np.array_equal(make_plan(neuron, 0.02, 10.0).table, make_plan(get_neuron(name), 0.02).table)


def test_a_gate_follows_its_own_q10() -> None:
    stg = stating(get_neuron("stg"), rates=1.0)
    sodium = stg.channels[0]
    m, h = sodium.gates
    warm = replace(stg, channels=(replace(sodium, gates=(replace(m, q10=3.0), h)), *stg.channels[1:]))
    assert m.tau is not None
    faster = Gate("m", m.x_inf, product(m.tau, constant(3.0**-0.5)), m.exponent, q10=1.0)
    wanted = replace(stg, channels=(replace(sodium, gates=(faster, h)), *stg.channels[1:]))
    np.testing.assert_allclose(make_plan(warm, 0.02, 15.0).table, make_plan(wanted, 0.02).table, rtol=1e-6)


def test_conductances_follow_theirs() -> None:
    neuron = stating(get_neuron("da"))
    np.testing.assert_allclose(neuron.conductance_factors(20.0), 1.5)
    np.testing.assert_allclose(neuron.conductance_factors(5.0), 1.5**-0.5)
    assert np.array_equal(neuron.conductance_factors(), np.ones(neuron.n_channels))
    assert np.array_equal(get_neuron("da").conductance_factors(), np.ones(neuron.n_channels))


def test_what_states_its_q10_is_pickled_as_it_is() -> None:
    neuron = stating(get_neuron("stg"))
    found = pickle.loads(pickle.dumps(neuron))
    assert same_neuron(found, neuron)
    assert found.conductance_factors(20.0)[0] == 1.5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"temperature_C": None}, r"channel Na: a q10 needs the temperature at which the declaration holds"),
        ({"temperature_C": 70.0}, r"temperature_C must lie between 0 and 50 °C, not at 70 °C"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(change: dict[str, float | None], sentence: str) -> None:
    with pytest.raises(NeuronModelError, match=sentence):
        replace(stating(get_neuron("stg")), **change)  # type: ignore[arg-type]


def test_a_rate_of_what_follows_at_once_is_refused() -> None:
    da = stating(get_neuron("da"))
    block = da.channels[da.index("NMDA")]
    quick = replace(block, gates=(replace(block.gates[0], q10=2.0),))
    with pytest.raises(NeuronModelError, match=r"NMDA, gate b: it follows at once"):
        replace(da, channels=(*da.channels[:-2], quick, da.channels[-1]))
    with pytest.raises(NeuronModelError, match=r"channel leak: q10 must be positive and at most 20, not 0"):
        replace(da, channels=(*da.channels[:-1], replace(da.channels[-1], q10=0.0)))


def test_a_temperature_without_q10_names_what_lacks_it() -> None:
    with pytest.raises(NeuronModelError, match=r"declaration does not state at which temperature it holds"):
        make_plan(get_neuron("stg"), 0.02, 20.0)
    stg = stating(get_neuron("stg"))
    sodium = stg.channels[0]
    m, h = sodium.gates
    holes = (replace(sodium, gates=(replace(m, q10=None), h)), *stg.channels[1:-1], Channel("leak", -50.0))
    with pytest.raises(NeuronModelError) as error:
        replace(stg, channels=holes, calcium=get_neuron("stg").calcium).conductance_factors(20.0)
    assert str(error.value) == (
        "The stg neuron cannot be brought from 10 to 20 °C: no Q10 is declared for Na (gate m), "
        "leak (conductance), the calcium pool."
    )
    with pytest.raises(NeuronModelError, match=r"must lie between 0 and 50 °C, not at nan °C"):
        make_plan(stg, 0.02, float("nan"))
