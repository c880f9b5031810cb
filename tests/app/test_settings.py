"""Settings: saved, written in an address, checked; and what can be undone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spike2pop_nb.app.panels.toolbar import History
from spike2pop_nb.app.parts import MOST_DOSES, Asked, Compared
from spike2pop_nb.app.settings import MAX_MEMBERS, PARTS, Explored, Settings
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Question
from spike2pop_nb.neurons import get_neuron

CONDUCTANCES = st.floats(0.001, 1e4)
POINTS = st.none() | st.tuples(st.floats(-20, 20), st.floats(0, 20))
LEVEL = st.floats(-1e5, 1e5)
LEVELS = st.none() | LEVEL | st.dictionaries(st.text(min_size=1, max_size=20), LEVEL, min_size=1, max_size=8)
EXPLORED = st.builds(
    Explored,
    pair=st.none() | st.just(("A", "H")),
    layer=st.sampled_from(["reached", "condition", "residual", "pattern", "rate"]),
    target=POINTS,
    end=POINTS,
    V_th_mV=st.none() | st.floats(-90, -20),
    noise_sigma=st.floats(0, 100),
    ranges=st.dictionaries(
        st.sampled_from(["Kd", "CaT", "CaS", "KCa"]), st.tuples(CONDUCTANCES, CONDUCTANCES).map(sorted)
    ),
)
ASKED = st.builds(
    Asked,
    kind=st.just("current"),
    channel=st.none() | st.just("A"),
    range=st.none() | st.lists(st.floats(-20, 20), min_size=2, max_size=2).map(sorted).map(tuple),
    n=st.integers(1, MOST_DOSES),
    rate_q10=st.none() | st.floats(1, 4),
    declared_C=st.none() | st.floats(5, 40),
)
COMPARED = st.builds(
    Compared,
    before=st.none() | st.text(min_size=1, max_size=40),
    after=st.none() | st.text(min_size=1, max_size=40),
    known=st.none() | st.sampled_from(["A", "H"]),
    share=st.floats(0.05, 1),
    size=st.integers(0, 48),
)
CHOICES = st.builds(
    Settings,
    file=st.none() | st.text(min_size=1, max_size=40),
    recording=st.none() | st.text(min_size=1, max_size=40),
    unit=st.sampled_from(["auto", "s", "ms", "us", "samples", "0.1 ms"]),
    layout=st.sampled_from(["auto", "long", "trials"]),
    sheets=st.none() | st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8).map(tuple),
    id_columns=st.none() | st.lists(st.text(min_size=1, max_size=20), max_size=8).map(tuple),
    time_column=st.none() | st.text(min_size=1, max_size=20),
    sampling_rate_hz=st.none() | st.floats(1, 1e7),
    start_s=st.none() | st.floats(-10, 1e4),
    stop_s=st.none() | st.floats(-10, 1e4),
    voltage_unit=st.sampled_from(["auto", "mV", "uV"]),
    threshold_mV=LEVELS,
    reset_mV=LEVELS,
    polarity=st.sampled_from(["auto", "up", "down", "both"]),
    neuron=st.just("stg"),
    prior=st.sampled_from(["compensated", "drawn", "both"]),
    compensate=st.none() | st.just(("CaS", "H")),
    size=st.integers(1, MAX_MEMBERS),
    seed=st.integers(0, 1000),
    budget=st.integers(0, 1000),
    rate_tolerance=st.floats(0, 1),
    explore=EXPLORED,
    ask=ASKED,
    compare=COMPARED,
)

EXPLORED_ALL = Explored(
    pair=("A", "H"), layer="rate", target=(1, 5), end=(2, 5), V_th_mV=-50, ranges={"Kd": (1, 2)}
)
ASKED_ALL = Asked(
    kind="temperature", channel="A", range=(7, 30), n=4, rate_q10=2.5, conductance_q10=1.5, declared_C=11
)
COMPARED_ALL = Compared(before="1", after="2", known="A", share=0.25, size=8)


@given(CHOICES)
def test_a_file_and_an_address_restore_every_choice(settings):
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json(settings.to_json().encode()) == settings
    assert Settings.from_fragment(settings.to_fragment()) == settings


def test_an_address_is_short():
    assert Settings().to_fragment() == ""
    assert Settings(neuron="da", compensate=("ERG", "Kd")).to_fragment() == "neuron=da&compensate=ERG%2CKd"
    explored = Explored(target=(-5, 4), ranges={"Kd": (100, 120.5)})
    assert Settings(explore=explored).to_fragment() == (
        "explore.target=-5.0%2C4.0&explore.ranges=Kd%3A100.0%3A120.5"
    )


def test_a_file_from_before_there_was_an_explorer_is_restored():
    text = '{"spike2pop_settings": 1, "neuron": "da", "compensate": ["ERG", "Kd"], "size": 3}'
    settings = Settings.from_json(text)
    assert settings == Settings(neuron="da", compensate=("ERG", "Kd"), size=3)
    assert settings.explore == Explored()


def test_the_one_column_of_ids_of_older_files_and_addresses_is_read():
    text = '{"spike2pop_settings": 1, "unit": "us", "id_column": "cell, no."}'
    assert Settings.from_json(text) == Settings(unit="us", id_columns=("cell, no.",))
    assert Settings.from_json('{"spike2pop_settings": 1, "id_column": null}') == Settings()
    assert Settings.from_fragment("id_column=cell") == Settings(id_columns=("cell",))


def test_an_address_that_says_all_there_is_to_say_is_restored():
    other = {"layout": "long", "voltage_unit": "mV", "polarity": "up", "prior": "both", "refine": False}
    other |= {
        "judged": "own",
        "inhibition": "never",
        "file": "a.csv",
        "unit": "ms",
        "neuron": "stg",
        "compensate": ("A", "H"),
        "id_columns": tuple("abcdefgh"),
        "sheets": ("Cell 1, left", "Cell 2"),
    }
    others = {name: other.get(name, 2) for name in Settings.model_fields if name not in ("neuron", *PARTS)}
    others |= {"recording": "b", "time_column": "t", "rate_tolerance": 0.5, "burst_tolerance": 0.5}
    every = Settings(**others, explore=EXPLORED_ALL, ask=ASKED_ALL, compare=COMPARED_ALL)
    assert every.to_fragment().count("=") > 30
    assert Settings.from_fragment(every.to_fragment()) == every


def test_as_many_sheets_as_excel_has_are_kept_in_an_address_and_a_file():
    many = Settings(sheets=tuple(f"{'細' * 28}{k:03}" for k in range(255)))
    assert Settings.from_fragment(many.to_fragment()) == many
    assert Settings.from_json(many.to_json()) == many


def test_columns_of_ids_stand_one_by_one_in_an_address():
    assert Settings(id_columns=("a,b", "none")).to_fragment() == "id_columns=a%2Cb&id_columns=none"
    assert Settings(id_columns=()).to_fragment() == "id_columns="
    assert Settings.from_fragment("id_columns=").id_columns == ()


def test_a_unit_is_kept_in_one_spelling():
    assert [Settings(unit=text).unit for text in ("msec", "µs", "10^-4 s", "auto")] == [
        "ms",
        "us",
        "0.1 ms",
        "auto",
    ]


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("size=0", "Settings, size: input should be greater than or equal to 1."),
        (f"size={MAX_MEMBERS + 1}", f"Settings, size: input should be less than or equal to {MAX_MEMBERS}."),
        ("neuron=x", "Settings, neuron: there is no neuron 'x'; there are stg, ca1, da"),
        ("compensate=H,H", "Settings, compensate: two different conductances are needed."),
        ("compensate=H,Q", "Settings, compensate: the stg neuron has no channel 'Q'; it has Na, "),
        ("unit=<b>", "Settings, unit: the unit '<b>' is unknown; give h, min, s, ms, us, ns, samples, or a"),
        ("sampling_rate_hz=0", "Settings, sampling_rate_hz: input should be greater than or equal to 1."),
        ("start_s=nan", "Settings, start_s: input should be a finite number."),
        ("&".join(["id_columns=a"] * 9), "Settings, id_columns: tuple should have at most 8 items"),
        ("shell=1", "Settings, shell: extra inputs are not permitted."),
        ("explore.shell=1", "Settings, explore.shell: extra inputs are not permitted."),
        ("explore.pair=H", "Settings, explore.pair"),
        ("explore.pair=H,H", "Settings, explore.pair: two different conductances are needed."),
        ("explore.pair=H,<b>", "Settings, explore: the stg neuron has no channel '<b>'; it has Na, "),
        ("explore.layer=x", "Settings, explore.layer: input should be 'reached', "),
        ("explore.target=1", "Settings, explore.target"),
        ("reset_mV=low", "Settings, reset_mV: input should be a valid number"),
        ("threshold_mV=nan", "Settings, threshold_mV: input should be a finite number."),
        ("threshold_mV={Vm:1}", "Settings, threshold_mV: levels of channels must be written as {channel"),
        ("polarity=left", "Settings, polarity: input should be 'auto', 'up', 'down' or 'both'."),
        ("explore.target=1,nan", "Settings, explore.target.1: input should be a finite number."),
        ("explore.target=-400,1", "Settings, explore: the target has g_s = -400; for the stg neuron it must"),
        ("explore.end=1,99", "Settings, explore: the end of modulation has g_u = 99; for the stg neuron"),
        ("explore.V_th_mV=inf", "Settings, explore.V_th_mV: input should be a finite number."),
        ("explore.V_th_mV=5", "Settings, explore: V_th must lie between -90 and -20 mV, not at 5 mV."),
        ("explore.ranges=Kd:1", "Settings, explore.ranges: each range must be written as channel:low:high."),
        ("explore.ranges=Kd:1:x", "Settings, explore.ranges.Kd.1: input should be a valid number"),
        ("explore.ranges=Na:1:2", "Settings, explore: the baseline of the stg neuron does not draw 'Na'; it"),
        ("explore.ranges=Kd:2:1", "Settings, explore: the baseline range of Kd must go from a low to a high"),
        ("explore.ranges=Kd:0:1e300", "Settings, explore: the baseline range of Kd must"),
        ("ask.shell=1", "Settings, ask.shell: extra inputs are not permitted."),
        ("ask.kind=boil", "Settings, ask.kind: input should be 'block', 'current', 'temperature' or"),
        ("ask.channel=<b>", "Settings, ask: the stg neuron has no channel '<b>'; it has Na, "),
        ("ask.range=0,2", "Settings, ask: doses of share blocked rise from 0 to 1 at most, not from 0 to 2."),
        ("ask.range=1,0", "Settings, ask: doses of share blocked rise"),
        ("ask.range=1,nan", "Settings, ask.range.1: input should be a finite number."),
        ("ask.n=1000", f"Settings, ask.n: input should be less than or equal to {MOST_DOSES}."),
        ("compare.known=<b>", "Settings, compare: the stg neuron has no channel '<b>'; it has Na, "),
        ("compare.share=0", "Settings, compare.share: input should be greater than or equal to 0.05."),
        ("&".join(f"a{i}=1" for i in range(1000)), "Settings, as a whole: "),
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


CHOSEN = Settings(
    file="a.csv",
    recording="1",
    unit="ms",
    reset_mV=-60,
    compensate=("CaS", "H"),
    seed=3,
    explore=EXPLORED_ALL,
    ask=ASKED_ALL,
    compare=COMPARED_ALL,
)


@pytest.mark.parametrize(
    ("choice", "forgotten"),
    [
        ({"seed": 4}, {}),
        ({"recording": "1"}, {}),
        ({"recording": "2"}, {"target": None, "end": None}),
        ({"compensate": None}, {"pair": None}),
        ({"neuron": "da"}, dict.fromkeys(["pair", "target", "end", "V_th_mV"]) | {"ranges": {}}),
    ],
)
def test_what_belonged_to_another_neuron_recording_or_pair_is_forgotten(choice, forgotten):
    changed = CHOSEN.changed(**choice)
    explore = EXPLORED_ALL.model_copy(update=forgotten)
    rest = {}
    if "neuron" in choice:
        compare = COMPARED_ALL.model_copy(update={"known": None})
        rest = {"compensate": None, "ask": Asked(kind=ASKED_ALL.kind), "compare": compare}
    assert changed == CHOSEN.model_copy(update={**choice, **rest, "explore": explore})


def test_doses_go_evenly_from_the_lowest_to_the_highest():
    assert Asked(range=(0, 1), n=5).doses == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert Asked(range=(0, 1), n=1).doses == (1.0,)
    assert Asked(range=(0.5, 0.5), n=3).doses == (0.5,)
    assert len(Asked(kind="temperature").doses) == Asked().n
    neuron = get_neuron("stg")
    assert Asked().question(neuron).channel == "A"
    assert ASKED_ALL.question(neuron) == Question("temperature", "", 2.5, 1.5, 11)


def test_a_choice_that_cannot_be_is_refused():
    with pytest.raises(Spike2PopError, match="Settings, size: input should be less than or equal to"):
        CHOSEN.changed(size=10**9)
    with pytest.raises(
        Spike2PopError, match="Settings, recording: string should have at most 300 characters"
    ):
        CHOSEN.changed(recording="x" * 1000)


def test_how_a_file_is_read_and_its_targets_go_with_it():
    explore = EXPLORED_ALL.model_copy(update={"target": None, "end": None})
    opened = CHOSEN.with_file_of(Settings(file="b.csv"))
    compare = COMPARED_ALL.model_copy(update={"before": None, "after": None})
    assert opened == Settings(
        file="b.csv", compensate=("CaS", "H"), seed=3, explore=explore, ask=ASKED_ALL, compare=compare
    )
    assert CHOSEN.changed(file="b.csv").compare == compare
    assert opened.with_file_of(CHOSEN) == CHOSEN
    assert Settings(neuron="da").with_file_of(CHOSEN).explore == Explored()


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


def test_a_point_that_is_dragged_is_put_back_at_once(monkeypatch):
    clock = iter([0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 3.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    state = [Settings()]
    history = History(lambda: state[0], lambda settings: state.__setitem__(0, settings), lambda: None)
    changes = [{"target": (x, 4.0)} for x in (1.0, 2.0, 3.0)]
    changes += [{"target": (3.0, 4.0), "end": (x, 4.0)} for x in (1.0, 2.0)]
    changes += [{"target": (3.0, 4.0), "end": (2.0, 4.0), "V_th_mV": V} for V in (-50.0, -49.0)]
    for change in changes:
        state[0] = Settings(explore=Explored(**change))
        history.note()
    seen = []
    while history.can_undo:
        history.undo()
        seen.append(state[0].explore)
    assert seen == [Explored(**changes[k]) for k in (5, 4, 2)] + [Explored()]


@pytest.mark.parametrize("text", ["explore=x&explore.target=1,2", "explore.target=1,2&explore=x"])
def test_a_part_that_is_given_as_a_whole_and_by_entries_is_refused(text: str) -> None:
    with pytest.raises(Spike2PopError, match=r"^Settings, explore: [^\n]*\.$"):
        Settings.from_fragment(text)


@pytest.mark.parametrize("name", ["a\nb", "a\r", "a\u2028b"])
def test_a_name_that_breaks_the_line_is_told_in_one(name: str) -> None:
    with pytest.raises(Spike2PopError, match=r"extra inputs are not permitted\.$") as caught:
        Settings.from_json(json.dumps({"spike2pop_settings": 1, name: 1}))
    assert str(caught.value).isprintable()
