"""Protocols are values: composed, hashed, said, written down, and refused in one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import ExperimentError, NeuronModelError, Spike2PopError
from spike2pop_nb.experiments import (
    Doses,
    Protocol,
    block,
    calcium_buffering,
    chirp,
    conductance_pulses,
    constant_current,
    doses,
    knock_in,
    noise,
    potassium,
    ramp,
    run_experiment,
    scale,
    shift_reversal,
    step,
    temperature,
    waveform,
)
from spike2pop_nb.experiments.protocol import KINDS

EVERY = {
    "constant": constant_current(1.0),
    "each": constant_current([1.0, 2.0, 3.0]),
    "step": step(50, 100, 200, unit="pA", capacitance_pF=20, ramp_ms=10),
    "ramp": ramp(0, 5, 0, 1000),
    "chirp": chirp(0.5, 1, 20, 0, 1000, logarithmic=True),
    "noise": noise(1.0, 5.0, mean=0.2, same_for_all=True, start_ms=100),
    "waveform": waveform([0.0, 1.0, 0.5], 0.5, start_ms=10),
    "pulses": conductance_pulses(0.1, -80, [10, 20], rise_ms=1, decay_ms=5),
    "rectangular": conductance_pulses(2, 0, 10, duration_ms=5, unit="nS", capacitance_pF=20),
    "block": block("A", 0.5, course=((0, 0), (100, 1))),
    "scale": scale("H", 2.0, stop_ms=100),
    "knock_in": knock_in("A", [5, -1, 2], unit="nS", capacitance_pF=20, start_ms=100),
    "reversal": shift_reversal("leak", -5),
    "potassium": potassium(2.5, channels=("Kd",), shares={"leak": 0.5}, temperature_C=11),
    "temperature": temperature(19, rate_q10=2.5, conductance_q10=1.5, declared_C=11),
    "buffering": calcium_buffering(4),
}


def test_every_kind_of_action_is_tried() -> None:
    assert {action.kind for protocol in EVERY.values() for action in protocol.actions} == set(KINDS)


@pytest.mark.parametrize("name", EVERY)
def test_written_and_read_back(name: str) -> None:
    protocol = EVERY[name]
    again = Protocol.from_json(protocol.to_json())
    assert again == protocol
    assert hash(again) == hash(protocol)
    assert again.describe() == protocol.describe()
    assert len(protocol.to_frame()) == 1


@pytest.mark.parametrize("name", EVERY)
def test_said_in_one_sentence(name: str) -> None:
    said = EVERY[name].describe()
    assert said.endswith(".")
    assert said.count(". ") == 0
    assert "  " not in said


def test_composed() -> None:
    both = block("A", 0.5) + step(1.0, 0, 100)
    assert both == Protocol((block("A", 0.5), step(1.0, 0, 100)))
    assert both.label == "A −50 %, 1 µA/cm²"
    assert both.to_frame()["kind"].tolist() == ["block", "step"]
    assert not Protocol()
    assert Protocol().describe() == "Nothing is done."
    assert len({block("A", 0.5), block("A", 0.5), block("A", 0.6)}) == 2


def test_doses_are_written_and_read_back() -> None:
    series = doses(lambda share: block("A", share) + constant_current(1.0), [1, 0, 0.5])
    assert series.values == (0.0, 0.5, 1.0)
    again = Doses.from_dict(json.loads(json.dumps(series.to_dict())))
    assert again == series
    assert hash(again) == hash(series)
    assert series.what == "current (µA/cm²)"
    assert doses(potassium, [1, 2]).what == "factor on potassium outside"


def test_a_pulse_may_still_decay_at_the_end(population) -> None:
    run_experiment(population, conductance_pulses(0.1, -80, [90], rise_ms=1, decay_ms=20), duration_ms=100)


def test_shares_over_time() -> None:
    (action,) = block("A", 0.5, start_ms=100, stop_ms=300, ramp_ms=50).actions
    np.testing.assert_allclose(
        action.share([0, 100, 125, 150, 200, 300, 325, 350, 900]), [0, 0, 0.5, 1, 1, 1, 0.5, 0, 0]
    )
    assert action.moving_ms() == ((100, 150), (300, 350))
    (action,) = block("A", 0.5, start_ms=100, stop_ms=300).actions
    np.testing.assert_allclose(action.share([99.9, 100, 299.9, 300]), [0, 1, 1, 0])
    assert action.moving_ms() == ()
    protocol = block("A", 0.5, start_ms=100, ramp_ms=50) + step(1.0, 300, 600)
    assert protocol.window_ms(1000) == (300, 600)
    assert protocol.onset_ms() == 100
    assert (step(1, 0, 100) + step(2, 200, 300)).window_ms(1000) == (200, 300)
    assert block("A", 0.5, course=((100, 0), (1000, 1))).window_ms(1000) == (100, 1000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: block("A", 1.2), "must lie from 0 to 1"),
        (lambda: block("A", -0.1), "must lie from 0 to 1"),
        (lambda: block("A", [0.1, 2.0]), "must lie from 0 to 1"),
        (lambda: block("A", "half"), "must be a number"),
        (lambda: scale("A", -1), "from 0 to 1000"),
        (lambda: step(1, 200, 100), "must stop after it starts"),
        (lambda: step(1, 100, 200, ramp_ms=200), "longer than the 100 ms"),
        (lambda: step(1, 0, 100, unit="pA"), "needs the capacitance of the cell"),
        (lambda: step(1, 0, 100, unit="nA"), "must be uA/cm2 or pA"),
        (lambda: step(float("nan"), 0, 100), "must be a finite number"),
        (lambda: waveform([0, np.nan, 1], 0.1), "Sample 2 of the waveform is nan"),
        (lambda: waveform([0, 1, 0], 5.0), "a sample every 1 ms or more often"),
        (lambda: waveform([0], 0.1), "two samples or more"),
        (lambda: conductance_pulses(1, 0, [1]), "either duration_ms, or rise_ms and decay_ms"),
        (lambda: conductance_pulses(1, 0, [1], rise_ms=5, decay_ms=2), "decay more slowly"),
        (lambda: conductance_pulses(1, 0, [1], duration_ms=5, unit="nS"), "needs the capacitance"),
        (lambda: block("A", 0.5, course=((0, 0), (0, 1))), "must be finite and rise"),
        (lambda: block("A", 0.5, course=((0, 2),)), "must lie from 0 to 1"),
        (lambda: block("A", 0.5, course=((0, 1),), start_ms=5), "not both"),
        (lambda: temperature(900), "from 0 to 50"),
        (lambda: Protocol(("block",)), "made of actions"),  # type: ignore[arg-type]
        (lambda: Protocol.from_json("{"), "this text is not"),
        (lambda: Protocol.from_json('{"actions": [{"kind": "magic"}]}'), "has a kind, one of"),
        (lambda: Protocol.from_json('{"actions": [{"kind": "block", "chanel": "A"}]}'), "has no chanel"),
        (
            lambda: Protocol.from_json('{"actions": [{"kind": "block", "channel": "A"}]}'),
            "lacks what it needs",
        ),
        (lambda: doses(constant_current, []), "1 to 1000 doses"),
        (lambda: doses(constant_current, [1, 1]), "may be there once"),
        (lambda: doses(lambda dose: dose, [1]), "must make a protocol"),  # type: ignore[arg-type, return-value]
    ],
)
def test_refused(make, words: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def population():
    return generate_population("stg", (5.0, 5.0), 2, seed=1)


@pytest.mark.parametrize(
    ("protocol", "kind", "words"),
    [
        (step(1, 500, 2000), ExperimentError, "lasts until 2000 ms, but the recording ends at 1000 ms"),
        (block("B", 0.5), NeuronModelError, "has no channel 'B'"),
        (block("leak", 1.0), ExperimentError, "leak cannot be blocked entirely"),
        (scale("leak", 0.0), ExperimentError, "leak cannot be scaled to nothing"),
        (constant_current([1.0, 2.0, 3.0]), ExperimentError, "3 currents for 2 members"),
        (block("A", [0.1, 0.2, 0.3]), ExperimentError, "3 numbers for 2 members"),
        (potassium(2, shares={"B": 0.5}), NeuronModelError, "has no channel 'B'"),
        (temperature(20), ExperimentError, "does not declare at which temperature it holds"),
        (temperature(20, declared_C=11), ExperimentError, "declares no Q10 of Na"),
        ({"control": block("A", 0.5)}, ExperimentError, "name it otherwise"),
        ({"A": 0.5}, ExperimentError, "is no protocol"),
        ("block", ExperimentError, "needs a protocol, several by name, or doses"),
    ],
)
def test_what_does_not_fit_is_refused(population, protocol, kind: type[Spike2PopError], words: str) -> None:
    with pytest.raises(kind) as caught:
        run_experiment(population, protocol, duration_ms=1000)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_added_is_a_scale_that_no_block_reaches() -> None:
    members = generate_population("stg", (5.0, 5.0), size=3, seed=1)
    own = members.g[:, members.neuron.index("A")]
    found = run_experiment(
        members,
        {
            "scaled": scale("A", 1.5),
            "added": knock_in("A", 0.5 * own),
            "given back": block("A", 1.0) + knock_in("A", own),
            "all taken": knock_in("A", -own),
            "blocked": block("A", 1.0),
        },
        duration_ms=500,
        transient_ms=500,
    )
    for one, other in (("scaled", "added"), ("control", "given back"), ("blocked", "all taken")):
        for ours, theirs in zip(found.spike_times_ms[one], found.spike_times_ms[other], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=0.05)


def test_no_more_is_taken_than_there_is() -> None:
    members = generate_population("stg", (5.0, 5.0), size=2, seed=1)
    with pytest.raises(ExperimentError, match=r"of A a member has only .* no more can be taken"):
        run_experiment(members, knock_in("A", -1e4, start_ms=200), duration_ms=500)
