"""Controls tied to settings: what is shown is no choice, what is refused does not become one."""

from __future__ import annotations

import ipywidgets as w
import pytest

from spike2pop_nb.app.binding import Binding, bind
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError


def test_a_control_shows_a_setting_and_changes_it():
    session, control = Session(), w.IntText()
    bind(session, control, "seed", Messages())
    assert control.value == session.settings.seed == 1
    control.value = 7
    assert session.settings.seed == 7
    session.choose(seed=9)
    assert control.value == 9


def test_what_is_refused_stands_to_be_corrected_and_is_refused_again():
    session, messages, control = Session(), Messages(), w.IntText()
    tied = bind(session, control, "size", messages)
    control.value = 0
    assert "Settings, size: " in messages.text
    assert (control.value, session.settings.size) == (0, 16)
    with pytest.raises(Spike2PopError, match="size"):
        tied.take()
    session.choose(seed=2)
    assert control.value == 16, "until something else is chosen"


def test_a_setting_that_the_control_cannot_show_exactly_is_not_changed_by_showing_it():
    session, control = Session(), w.FloatText()
    rounded = (lambda share: round(100 * share, 1), lambda percent: percent / 100)
    tied = bind(session, control, "rate_tolerance", Messages(), *rounded)
    session.choose(rate_tolerance=0.012345)
    assert control.value == 1.2
    tied.take()
    assert session.settings.rate_tolerance == 0.012345


def test_other_options_are_no_choice():
    chosen, control = [], w.Dropdown(options=("a", "b"))
    tied = Binding(control, chosen.append, Messages())
    tied.show("d", options=("c", "d"))
    assert (control.value, chosen) == ("d", [])
    control.value = "c"
    control.value = "d"
    assert chosen == ["c", "d"]


def test_one_event_tells_of_all_settings_that_changed():
    session, told = Session(), []
    session.follow(lambda change: told.append(change["new"].seed), "seed", "size")
    session.choose(seed=3, size=4)
    session.choose(budget=5)
    session.choose(seed=3)
    assert told == [3]
