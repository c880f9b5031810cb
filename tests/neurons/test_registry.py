"""Finding, registering and refusing neurons."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import (
    CalciumPool,
    Channel,
    Gate,
    Hill,
    KineticScheme,
    Modulation,
    Nernst,
    NeuronModel,
    Pump,
    constant,
    get_neuron,
    list_neurons,
    register_neuron,
    registry,
    sigmoid,
)

half = sigmoid(0, 1, -5, 30)


@pytest.fixture
def stg() -> NeuronModel:
    return get_neuron("stg")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, NeuronModel]:
    """A registry that may be changed."""
    copied = dict(registry._registered)
    monkeypatch.setattr(registry, "_registered", copied)
    return copied


def test_names_are_found_whatever_their_case() -> None:
    assert list_neurons() == ["stg", *sorted(set(list_neurons()) - {"stg"})]
    for name in list_neurons():
        assert get_neuron(name).name == name
        assert get_neuron(f" {name.upper()} ") is get_neuron(name)
        assert get_neuron(get_neuron(name)) is get_neuron(name)


def test_unknown_neuron_is_refused_with_the_choice() -> None:
    with pytest.raises(NeuronModelError, match="There is no neuron 'purkinje'; choose one of stg, ca1, da"):
        get_neuron("purkinje")


def test_duplicate_name_is_refused(stg: NeuronModel, registered: dict[str, NeuronModel]) -> None:
    assert register_neuron(stg) is stg  # the same declaration again is no conflict
    with pytest.raises(NeuronModelError, match="'stg' is already declared"):
        register_neuron(dataclasses.replace(stg, title="another"))
    assert registered["stg"] is stg


def test_a_registered_neuron_is_listed(stg: NeuronModel, registered: dict[str, NeuronModel]) -> None:
    mine = register_neuron(dataclasses.replace(stg, name="mine"))
    assert "mine" in list_neurons()
    assert get_neuron("mine") is mine


def test_entry_points_join_the_registry(
    stg: NeuronModel, registered: dict[str, NeuronModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = dataclasses.replace(stg, name="from_a_package")

    class Found(EntryPoint):
        def load(self) -> Any:
            return mine if self.name == "good" else "not a neuron"

    def offer(name: str) -> None:
        found = Found(name, f"package:{name}", registry.ENTRY_POINT_GROUP)
        monkeypatch.setattr(registry, "entry_points", lambda group: [found])
        registry._load_entry_points.cache_clear()

    try:
        offer("good")
        assert get_neuron("from_a_package") is mine
        offer("bad")
        with pytest.raises(NeuronModelError, match="'bad' of package:bad is not a NeuronModel"):
            list_neurons()
    finally:
        monkeypatch.undo()
        registry._load_entry_points.cache_clear()


def test_unknown_channel_is_refused(stg: NeuronModel) -> None:
    with pytest.raises(NeuronModelError, match="no channel 'CaL'; it has Na, Kd"):
        stg.index("CaL")


def with_channel(stg: NeuronModel, **changes: Any) -> dict[str, Any]:
    """Replace the H channel."""
    channels = [dataclasses.replace(c, **changes) if c.name == "H" else c for c in stg.channels]
    return {"channels": tuple(channels)}


def gate(**changes: Any) -> dict[str, Any]:
    return {"gates": (dataclasses.replace(Gate("m", half, constant(1.0)), **changes),)}


def scheme(**changes: Any) -> dict[str, Any]:
    two = KineticScheme(("c", "o"), {("c", "o"): half, ("o", "c"): half}, "o", "slow")
    return {"gates": (), "scheme": dataclasses.replace(two, **changes)}


CHAIN = tuple("abcdefghij")
BAD_CHANNELS: list[tuple[dict[str, Any], str]] = [
    ({"E_mV": np.nan}, "channel H needs a finite reversal potential"),
    (gate(exponent=0), "channel H, gate m: the exponent must be a whole number from 1 to 7, not 0"),
    (gate(exponent=2.5), "channel H, gate m: the exponent"),
    (gate(x_inf=lambda V: 2 * half(V)), "channel H, gate m: the steady state must lie in 0…1"),
    (gate(x_inf=lambda V: np.nan * V), "channel H, gate m: the steady state"),
    (gate(tau=lambda V: V), "channel H, gate m: tau must be positive and finite from -120 to 80 mV"),
    (gate(calcium_half_uM=-1.0), "channel H, gate m: calcium_half_uM must be positive"),
    (gate(calcium=Hill(-1.0)), "channel H, gate m: its Hill needs a positive half_uM"),
    (gate(calcium=Hill(1.0, power=0.0)), "channel H, gate m: its Hill needs .* not 1 and 0"),
    (
        gate(calcium=Hill(1.0, pool="store")),
        "channel H, gate m: a gate follows the calcium pool store",
    ),
    (gate(calcium=Hill(1.0), calcium_half_uM=1.0), "channel H, gate m: declare either calcium_half_uM or"),
    ({"E_mV": Nernst(0.0, 12.5)}, "channel H: Nernst needs a positive outside_uM"),
    ({"E_mV": Nernst(3000.0, 0.0)}, "channel H: Nernst needs .* a slope_mV that is not 0"),
    (
        {"E_mV": Nernst(3000.0, 12.5, "store")},
        "channel H: a reversal potential follows the calcium",
    ),
    (gate(time_scale="quick"), "channel H, gate m: the time scale must be fast, slow or ultraslow"),
    (scheme() | gate(), "channel H has both gates and a kinetic scheme"),
    (scheme(conducting="x"), "channel H: the conducting state must be one of"),
    (scheme(states=("c", "o", "o")), "channel H: the conducting state must be one of"),
    (scheme(rates={("c", "x"): half}), "channel H: the rate c→x joins states that are not declared"),
    (
        scheme(rates={("c", "o"): lambda V: V, ("o", "c"): half}),
        "channel H: the rate c→o must be finite and not negative",
    ),
    (scheme(initial={"c": half}), "channel H: the initial fractions say nothing about o"),
    (scheme(time_scale="quick"), "channel H: the time scale must be"),
    (scheme(states=("c", "o", "lost")), "channel H: its rates leave states that are never entered or left"),
    (
        scheme(states=CHAIN, conducting="a", rates=dict.fromkeys(pairwise(CHAIN), half)),
        "channel H: a scheme can have 9 states at most, not 10",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD_CHANNELS)
def test_bad_channel_is_refused_by_name(stg: NeuronModel, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NeuronModelError, match=f"Neuron 'stg': {message}") as caught:
        dataclasses.replace(stg, **with_channel(stg, **changes))
    assert "\n" not in str(caught.value)


POOL = CalciumPool(("CaT", "CaS"), 20.0, 0.94, 0.05, 0.5)
BAD_NEURONS: list[tuple[dict[str, Any], str]] = [
    ({"name": "my neuron"}, "its name must be a plain lower-case word"),
    ({"name": "STG"}, "its name must be a plain lower-case word"),
    ({"calcium": None}, "channel KCa, gate m: a gate depends on calcium, but no CalciumPool"),
    ({"calcium": dataclasses.replace(POOL, channels=())}, "calcium pool Ca needs at least one channel that"),
    (
        {"calcium": dataclasses.replace(POOL, tau_ms=0.0)},
        "calcium pool Ca: tau_ms must be finite and",
    ),
    (
        {"calcium": dataclasses.replace(POOL, rest_uM=np.nan)},
        "calcium pool Ca: rest_uM must be finite",
    ),
    ({"calcium": dataclasses.replace(POOL, pump=Pump(-1.0, 1.0))}, "calcium pool Ca: its pump needs a rate"),
    ({"calcium": (POOL, POOL)}, "calcium pools must have different names, not Ca, Ca"),
    (
        {"calcium": (POOL, dataclasses.replace(POOL, name="shell"))},
        "channel CaT feeds the calcium pools Ca and shell; it can feed one",
    ),
    ({"calcium": dataclasses.replace(POOL, channels=("CaL",))}, "the calcium pool names CaL"),
    ({"modulation": ()}, "modulation needs at least one entry"),
    ({"modulation": (Modulation(("A", "H"), where=np.less),)}, "the last must apply everywhere"),
    ({"modulation": (Modulation(("A", "Ih")),)}, "modulation names Ih, which is no channel"),
    ({"calcium_guess": {"CaX": abs}}, "the calcium guess names CaX"),
    ({"conductance_range": {"Na": (0, 1)}}, "the conductance ranges say nothing about A, CaS"),
    ({"dic_range": {"g_s": (0, 1)}}, "dic_range needs a range .* for g_u"),
    ({"dic_range": {"g_s": (1, 0), "g_u": (0, 1)}}, "dic_range needs a range .* for g_s"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_NEURONS)
def test_bad_neuron_is_refused(stg: NeuronModel, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NeuronModelError, match=message):
        dataclasses.replace(stg, **changes)


def test_bad_channel_lists_are_refused(stg: NeuronModel) -> None:
    with pytest.raises(NeuronModelError, match="all different"):
        dataclasses.replace(stg, channels=(stg.channels[0], *stg.channels[1:], stg.channels[0]))
    with pytest.raises(NeuronModelError, match="the last channel must be the leak"):
        dataclasses.replace(stg, channels=stg.channels[::-1])


def test_bad_baselines_are_refused(stg: NeuronModel) -> None:
    free = dict(stg.baseline.free)
    with pytest.raises(NeuronModelError, match="must draw the leak, leak, from a Range"):
        dataclasses.replace(stg, baseline=dataclasses.replace(stg.baseline, free=free | {"leak": 0.01}))
    free.pop("Kd")
    with pytest.raises(NeuronModelError, match="the baseline says nothing about Kd"):
        dataclasses.replace(stg, baseline=dataclasses.replace(stg.baseline, free=free))
    with pytest.raises(NeuronModelError, match="the baseline names Kx"):
        dataclasses.replace(stg, baseline=dataclasses.replace(stg.baseline, free=free | {"Kx": 1.0}))


def test_a_leak_is_a_channel_without_gates() -> None:
    assert Channel("leak", -50.0).gates == ()
