"""Errors: a sentence and the ways out of it, told in the words of each entrance."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from spike2pop_nb import cli
from spike2pop_nb.app.messages import LABELS, control
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.errors import Spike2PopError, SpikeTrainError, WayOut, three_digits
from spike2pop_nb.spiketrains import read_spike_trains, read_voltage

SAMPLES = b"id,sample\nA,100\nA,5500\nA,11200\n"


def test_a_sentence_alone_stays_as_it_is() -> None:
    error = Spike2PopError("There is no such file.")
    assert str(error) == error.told(control) == error.sentence == "There is no such file."
    assert (error.ways_out, error.settings) == ((), frozenset())


def test_ways_out_follow_and_survive_another_process() -> None:
    ways = WayOut("name the column", ("time_column",)), WayOut("add names")
    error = pickle.loads(pickle.dumps(SpikeTrainError("No times.", *ways)))
    assert isinstance(error, SpikeTrainError)
    assert str(error) == "No times; name the column (time_column), or add names."
    assert error.ways_out == ways


def test_each_entrance_has_its_own_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(SAMPLES, filename="a.csv")
    error = caught.value
    assert error.settings == {"sampling_rate_hz"}
    assert str(error).endswith("give the sampling rate in Hz, such as 30000 (sampling_rate_hz).")
    assert error.told(control).endswith("such as 30000 (“Sampling rate (Hz)”).")
    file = tmp_path / "a.csv"
    file.write_bytes(SAMPLES)
    monkeypatch.setattr(sys, "argv", ["spike2pop", "predict", str(file)])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err.endswith("such as 30000 (--sampling-rate-hz).\n")


def test_a_setting_that_the_page_lacks_is_one_of_the_command_line() -> None:
    with pytest.raises(SpikeTrainError) as caught:
        read_voltage(b"time_ms,I_pA\n0,1\n0.1,2\n0.2,3\n0.3,1\n", filename="a.csv")
    assert "(--channels on the command line and “Spike threshold”)" in caught.value.told(control)
    assert "(channels and threshold_mV)" in str(caught.value)


def test_every_control_is_of_a_setting() -> None:
    assert set(LABELS) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("value", "words"),
    [(1821.4, "1820"), (1000, "1000"), (0.0579, "0.0579"), (-0.113, "-0.113"), (12345.6, "12300")],
)
def test_measured_values_are_said_without_powers_of_ten(value, words):
    assert three_digits(value) == words
