"""A stretch of the recording that is marked in its figure."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Source


def opened(dashboard, loop, table, name="mine.csv"):
    data = pd.DataFrame(table).to_csv(index=False).encode()
    dashboard.actions.open(Source(data, name))
    loop.until(lambda: dashboard.session.train is not None and not dashboard.session.busy)
    return dashboard.session, dashboard.recordings


def mark(panel, low, high):
    panel.figure._receive(panel.figure.widget, {"kind": "stretch", "from": low, "to": high}, [])


def test_a_stretch_is_marked_shown_given_up_and_undone(dashboard, loop):
    session, panel = opened(dashboard, loop, {"time_s": np.arange(1, 101) / 2})
    how = panel.reading.how
    layout = panel.figure.widget._widget_layout
    assert (layout["dragmode"], layout["selectdirection"]) == ("select", "h")
    assert "drag over it in the figure" in panel.stretch.says.value
    assert panel.stretch.whole.layout.display == "none"
    mark(panel, 30.012345, 10.2)
    loop.until(lambda: session.train.n_spikes == 40 and not session.busy)
    assert (session.settings.start_s, session.settings.stop_s) == (10.2, 30.01)
    assert (how["start_s"].value, how["stop_s"].value) == ("10.2", "30.01")
    assert "start_s=10.2" in dashboard.browser.fragment
    assert Settings.from_fragment(dashboard.browser.fragment).stop_s == 30.01
    assert "from 10.2 to 30.01 s" in panel.stretch.says.value
    dashboard.toolbar.undo.click()
    loop.until(lambda: session.train.n_spikes == 100 and not session.busy)
    assert (how["start_s"].value, session.settings.stop_s) == ("", None), "one drag is one change"
    mark(panel, -4.0, 25.1)
    loop.until(lambda: session.train.n_spikes == 50 and not session.busy)
    assert (session.settings.start_s, session.settings.stop_s) == (None, 25.1), "nothing is left out before"
    panel.stretch.whole.click()
    loop.until(lambda: session.train.n_spikes == 100 and not session.busy)
    assert panel.stretch.whole.layout.display == "none"


def test_a_stretch_with_nothing_in_it_is_given_up_with_one_click(dashboard, loop):
    session, panel = opened(dashboard, loop, {"time_s": [1.0, 2.0, 3.0, 40.0, 41.0, 42.0]})
    mark(panel, 10.0, 20.0)
    loop.until(lambda: not session.busy and (session.refused is not None or session.train.n_spikes == 0))
    assert panel.stretch.widget.layout.display == panel.stretch.whole.layout.display == ""
    panel.stretch.whole.click()
    loop.until(lambda: session.train is not None and session.train.n_spikes == 6)


def test_a_stretch_of_a_voltage(dashboard, loop):
    t = np.arange(0, 1000, 0.5)
    volts = -65 + 100 * np.exp(-(((t % 100) - 50) ** 2) / 4)
    session, panel = opened(dashboard, loop, {"time_ms": t, "V_mV": volts})
    assert session.train.n_spikes == 10
    mark(panel, 200.0, 500.0)
    loop.until(lambda: session.train is not None and session.train.n_spikes == 3)
    assert (session.settings.start_s, session.settings.stop_s) == (0.2, 0.5)


def test_short_recordings_are_marked_in_milliseconds(dashboard, loop):
    session, panel = opened(dashboard, loop, {"time_ms": 0.1 * np.arange(1, 20)})
    mark(panel, 0.52345678, 1.5501)
    loop.until(lambda: session.train.n_spikes == 10)
    assert (session.settings.start_s, session.settings.stop_s) == (0.000523, 0.00155)


@pytest.mark.parametrize(
    "ends", [{}, {"from": None, "to": 1}, {"from": 1, "to": 1}, {"from": "nan", "to": 2}]
)
def test_what_no_page_sends_is_no_stretch(dashboard, loop, ends):
    session, panel = opened(dashboard, loop, {"time_s": np.arange(1, 101) / 2})
    panel.figure._receive(panel.figure.widget, {"kind": "stretch", **ends}, [])
    assert session.settings.start_s is session.settings.stop_s is None
    assert not dashboard.messages.text


def test_what_is_said_of_drift_points_to_the_figure(dashboard, loop, network, gaussian):
    def drifting(trains, prior):
        found = [gaussian(train) for train in trains]
        for one in found:
            one.course = SimpleNamespace(drifts=True)
        return found

    opened(dashboard, loop, {"time_s": np.arange(1, 101) / 2})
    assert "Drag over a steady stretch" not in dashboard.dics.notes.value
    network.predict = drifting
    opened(dashboard, loop, {"time_s": np.arange(1, 90) / 2}, "other.csv")
    loop.until(lambda: dashboard.session.posterior is not None and not dashboard.session.busy)
    assert "Drag over a steady stretch" in dashboard.dics.notes.value
    assert 'data-to="s2p-recording"' in dashboard.dics.notes.value
    assert "s2p-recording" in dashboard.recordings.figure.widget._dom_classes
