"""Settings: saved, written in an address, checked; and what can be undone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spike2pop_nb.app.history import History
from spike2pop_nb.app.settings import MAX_MEMBERS, Settings
from spike2pop_nb.errors import Spike2PopError

CHOICES = st.builds(
    Settings,
    file=st.none() | st.text(min_size=1, max_size=40),
    recording=st.none() | st.text(min_size=1, max_size=40),
    unit=st.sampled_from(["auto", "s", "ms", "us"]),
    threshold_mV=st.none() | st.floats(-100, 100),
    neuron=st.just("stg"),
    prior=st.sampled_from(["compensated", "drawn", "both"]),
    compensate=st.none() | st.just(("CaS", "H")),
    size=st.integers(1, MAX_MEMBERS),
    seed=st.integers(0, 1000),
    budget=st.integers(0, 1000),
)


@given(CHOICES)
def test_a_file_and_an_address_restore_every_choice(settings):
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json(settings.to_json().encode()) == settings
    assert Settings.from_fragment(settings.to_fragment()) == settings


def test_an_address_is_short():
    assert Settings().to_fragment() == ""
    assert Settings(neuron="da", compensate=("ERG", "Kd")).to_fragment() == "neuron=da&compensate=ERG%2CKd"


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("size=0", "Settings, size: input should be greater than or equal to 1."),
        (f"size={MAX_MEMBERS + 1}", f"Settings, size: input should be less than or equal to {MAX_MEMBERS}."),
        ("neuron=x", "Settings, neuron: there is no neuron 'x'; there are stg, da."),
        ("compensate=H,H", "Settings, compensate: two different conductances are needed."),
        ("compensate=H,Q", "Settings, compensate: the stg neuron has no channel 'Q'; it has Na, "),
        ("shell=1", "Settings, shell: extra inputs are not permitted."),
        ("&".join(f"a{i}=1" for i in range(40)), "Settings, as a whole: "),
    ],
)
def test_what_is_wrong_in_an_address_is_named(fragment, words):
    with pytest.raises(Spike2PopError) as error:
        Settings.from_fragment(fragment)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff\xfe", b"{}", b'{"spike2pop_settings": 2}', b"[" * 30_000]
)
def test_another_file_is_no_settings(text):
    with pytest.raises(Spike2PopError, match="not a file of settings"):
        Settings.from_json(text)


def test_numbers_out_of_range_are_kept_at_its_end():
    settings = Settings.nearest(size=10**9, seed=-5, budget=3, file="x" * 1000)
    assert (settings.size, settings.seed, settings.budget) == (MAX_MEMBERS, 0, 3)
    assert len(settings.file) == 300


def test_changes_that_come_together_are_undone_together(monkeypatch):
    clock = iter([0.0, 0.01, 5.0, 10.0, 11.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    state, told = [Settings()], []

    def restore(settings):
        state[0] = settings
        history.note()

    history = History(lambda: state[0], restore, lambda: told.append(history.can_undo))
    history.note()
    assert not history.can_undo
    for change in ({"neuron": "da"}, {"neuron": "da", "seed": 2}, {"neuron": "da", "seed": 3}):
        state[0] = Settings(**change)
        history.note()
    history.undo()
    assert state[0] == Settings(neuron="da", seed=2)
    history.undo()
    assert state[0] == Settings()
    assert not history.can_undo
    history.undo()
    assert told[-1] is False
