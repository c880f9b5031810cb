"""A recording that is strange to its neuron, and another that it fits."""

from __future__ import annotations

import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.inference import load_predictor, other_neurons
from spike2pop_nb.spiketrains import read_spike_trains


@pytest.mark.parametrize(("file", "neuron", "other"), [("da_set", "stg", "da"), ("stg_set", "da", "stg")])
def test_a_strange_recording_fits_the_neuron_that_fired_it(file, neuron, other):
    trains = read_spike_trains(example_path(file))
    posteriors = load_predictor(neuron).predict(trains)
    expected = [None if posterior.domain.inside else other for posterior in posteriors]
    assert expected.count(other) >= 4
    assert other_neurons(trains, posteriors) == expected


def test_no_network_is_loaded_without_need_and_none_may_fit():
    def never(name):
        raise AssertionError(name)

    trains = read_spike_trains(example_path("stg_set"))
    posteriors = load_predictor("stg").predict(trains)
    assert other_neurons(trains, posteriors, never) == [None] * len(trains)
    hard = read_spike_trains(example_path("hard_set"))
    posteriors = load_predictor("stg").predict(hard)
    assert not all(posterior.domain.inside for posterior in posteriors)
    assert other_neurons(hard, posteriors) == [None] * len(hard)
