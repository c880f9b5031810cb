"""Numbers that are written: as they stand, or refused with the name of the field; never another number."""

from __future__ import annotations

import pytest

from spike2pop_nb.app.binding import Number, as_number, bind, number_if_any, number_in
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError


@pytest.mark.parametrize(
    ("text", "number"),
    [("2,5", 2.5), ("2.5", 2.5), (" −16 ", -16), ("1e-3", 1e-3), ("0,125", 0.125), ("12,3456", 12.3456)],
)
def test_a_number_is_read_as_it_is_written(text, number):
    assert as_number(text) == number
    assert number_if_any(text) == number


@pytest.mark.parametrize("text", ["1,000", "1.000,5", "1,2,3", "abc", "1_000", "nan", "inf", "0x10", "5 %"])
def test_what_is_no_number_or_could_be_two_stays_text(text):
    assert as_number(text) == text


def typed(control, text):
    """What the browser sends once a person has left the field."""
    control.set_state({"value": text})


def bound(name, label, *ways):
    session, messages, control = Session(), Messages(), Number(description=label)
    bind(session, control, name, messages, *ways)
    return session, messages, control


def test_a_decimal_comma_makes_no_other_number():
    percent = (lambda share: 100 * share, lambda held: held if isinstance(held, str) else held / 100)
    session, messages, control = bound("rate_tolerance", "Rate (%)", *percent)
    typed(control, "2,5")
    assert session.settings.rate_tolerance == 0.025
    assert control.get_state(["value"])["value"] == "2.5"
    assert messages.text == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.5", "“Members”: give a whole number from 1 to 1000, not 1.5."),
        ("0", "“Members”: give a whole number from 1 to 1000, not 0."),
        ("1,000", "“Members”: give a whole number from 1 to 1000, not &#x27;1,000&#x27;."),
        ("", "“Members”: give a whole number from 1 to 1000; it is empty."),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_the_field_until_it_is_corrected(text, why):
    session, messages, control = bound("size", "Members")
    typed(control, text)
    assert why in messages.text
    assert session.settings.size == 16
    typed(control, "4")
    assert (messages.text, session.settings.size) == ("", 4)


def test_limits_are_named_as_the_field_counts():
    percent = (lambda share: 100 * share, lambda held: held if isinstance(held, str) else held / 100)
    _session, messages, control = bound("rate_tolerance", "Rate (%)", *percent)
    typed(control, "500")
    assert "“Rate (%)”: give a number from 0 to 100, not 500." in messages.text


def test_a_complaint_goes_with_what_it_was_about_and_no_other_does():
    session, messages, control = bound("size", "Members")
    typed(control, "0")
    session.choose(seed=3)  # the field shows what is chosen again
    assert messages.text == ""
    messages.show("Something else.")
    typed(control, "5")
    assert "Something else." in messages.text
    typed(control, "0")
    typed(control, "5")  # back to what stands
    assert messages.text == ""


def test_a_field_without_a_number_has_none():
    control = Number(description="Target g_s")
    typed(control, "far")
    typed(control, "99999999999")
    assert control.get_state(["value"])["value"] == "99999999999"
    typed(control, "far")
    with pytest.raises(Spike2PopError, match="“Target g_s” must be a number; not 'far'"):
        number_in(control)
    typed(control, "-3")
    assert number_in(control) == -3.0
