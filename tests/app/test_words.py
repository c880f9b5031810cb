"""What the page says of a recording, a search and a place: no part of it contradicts another."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.app.layout import said
from spike2pop_nb.app.panels.results import injected
from spike2pop_nb.conductances import Inhibition, Population

IRREGULAR = np.cumsum(np.random.default_rng(4).gamma(4, 0.03, 120))


def read(dashboard, loop, times_s):
    dashboard.recordings.pasted.value = "time_s\n" + "\n".join(f"{t:.4f}" for t in times_s)
    dashboard.recordings.take.click()
    loop.until(lambda: dashboard.session.judging is not None and not dashboard.session.busy)


def test_a_recording_that_is_no_clock_is_said_to_do_without_the_pair(dashboard, loop):
    read(dashboard, loop, IRREGULAR)
    assert "found by evolution, which does not use the compensated" in dashboard.population.how.value
    assert "Nor does it use the predicted DICs" in dashboard.population.how.value, "there is an atlas"
    dashboard.population.refine.value = False  # then it is judged as published
    loop.until(lambda: dashboard.session.judging is not None and not dashboard.session.busy)
    assert dashboard.population.how.value == ""


def test_a_clock_is_judged_by_what_is_chosen_unless_told_otherwise(dashboard, loop):
    read(dashboard, loop, np.arange(1, 60) * 0.1)
    assert dashboard.population.how.value == ""
    dashboard.population.judged.value = "own"
    loop.until(lambda: dashboard.session.judging is not None and not dashboard.session.busy)
    assert "own variability" in dashboard.population.how.value


def test_what_is_too_short_for_its_rule_is_said_before_a_search(dashboard, loop):
    dashboard.population.judged.value = "own"
    read(dashboard, loop, [0.1, 0.2, 0.31, 0.4])
    assert isinstance(dashboard.session.judging, str)
    assert "10 are needed to say how it varies" in dashboard.population.how.value


def test_nobody_is_said_to_be_where_nobody_gets(dashboard, loop):
    dashboard.explore.fold.opened = True
    explorer, state = dashboard.explore.explorer, dashboard.explore.state

    def settled():
        return not (state.working or state.mapping) and state.map is not None

    loop.until(lambda: state.population is not None and settled())
    assert "8 members at g_s" in dashboard.explore.status.value
    explorer.choose(pair=("Na", "CaT"), target=(-19.0, 19.0))
    loop.until(lambda: dashboard.explore.messages.text and settled())
    assert state.population is None
    assert "No members at g_s -19.00, g_u 19.00." in dashboard.explore.status.value


@pytest.mark.parametrize("data", [b"<!DOCTYPE html><p>1 2 3", b"\xef\xbb\xbf \n<html><table>"])
def test_a_web_page_is_called_one(data):
    from spike2pop_nb.errors import SpikeTrainError
    from spike2pop_nb.spiketrains import read_spike_trains

    with pytest.raises(SpikeTrainError, match=r"mine\.csv: this is a web page"):
        read_spike_trains(data, filename="mine.csv")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_called_one_whatever_its_protocol(protocol):
    import pickle

    from spike2pop_nb.errors import SpikeTrainError
    from spike2pop_nb.spiketrains import read_spike_trains

    with pytest.raises(SpikeTrainError, match="this is a Python pickle"):
        read_spike_trains(pickle.dumps({"t": [1.0]}, protocol), filename="mine.pkl")


def test_what_is_injected_into_a_member_stands_beside_its_conductances():
    g = np.full((2, 8), 1.0)
    inhibition = Inhibition.of([0.0, 0.1], 1000.0, 0.25)
    driven = Population.from_g("stg", g, current=[-1.5, 0.25], noise_sigma=[3.0, 0.0], inhibition=inhibition)
    assert injected(driven, 0) == ["Injected: a constant current of −1.5 µA/cm², noise of σ 3 µA/cm²."]
    assert injected(driven, 1)[0].endswith("an inhibition of 0.1 mS/cm² for 25 % of every 1000 ms.")
    assert injected(Population.from_g("stg", g), 0) == []


def test_commands_in_a_sentence_are_code_and_the_rest_is_escaped():
    assert said(["`a --b` makes <it>."]) == "<p><code>a --b</code> makes &lt;it&gt;.</p>"
