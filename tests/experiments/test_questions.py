"""What can be asked with one number makes the protocol it says, and says what a neuron lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import (
    QUESTIONS,
    Question,
    block,
    constant_current,
    potassium,
    temperature,
)
from spike2pop_nb.neurons import get_neuron


def test_each_kind_makes_its_protocol() -> None:
    assert Question("block", "A").protocol(0.5) == block("A", 0.5)
    assert Question("current").protocol(2) == constant_current(2)
    assert Question("potassium").protocol(2.5) == potassium(2.5)
    assumed = {"rate_q10": 2.0, "conductance_q10": 1.3, "declared_C": 11.0}
    assert Question("temperature", **assumed).protocol(19) == temperature(19, **assumed)


@pytest.mark.parametrize("kind", QUESTIONS)
def test_usual_doses_can_be_given(kind: str) -> None:
    found = QUESTIONS[kind]
    low, high = found.limits
    assert low <= found.usual[0] < found.usual[1] <= high
    assert Question(kind, "A").doses(found.usual).values == found.usual
    for limit in found.limits:
        Question(kind, "A").protocol(limit)


def test_what_a_neuron_lacks_is_one_sentence() -> None:
    neuron = get_neuron("stg")
    assert Question("block", "A").lacking(neuron) == ""
    assert "no channel 'Nap'" in Question("block", "Nap").lacking(neuron)
    words = Question("temperature").lacking(neuron)
    assert words == (
        "The stg neuron does not state at which temperature it holds nor the Q10 of any channel, so give "
        "what to assume."
    )
    assumed = Question("temperature", rate_q10=2.0, conductance_q10=1.3, declared_C=11.0)
    assert assumed.lacking(neuron) == ""
    assumed.protocol(20.0).check(neuron, 1, 0.0)
    assert "Q10" in replace(assumed, rate_q10=None).lacking(neuron)


@pytest.mark.parametrize(
    ("kind", "channel", "words"), [("boil", "", "must be one of"), ("block", "", "name")]
)
def test_what_cannot_be_asked_is_refused(kind: str, channel: str, words: str) -> None:
    with pytest.raises(ExperimentError, match=words):
        Question(kind, channel)
