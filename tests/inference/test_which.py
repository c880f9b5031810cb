"""Which neuron fires like a recording."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from spike2pop_nb.cli import cli
from spike2pop_nb.data import example_path
from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import NONE, Fit, list_atlases, load_atlas, which, which_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import read_spike_trains


def test_shares_sum_to_one_and_the_largest_comes_first() -> None:
    for fit in which_neuron(read_spike_trains(example_path("stg_set"))):
        assert set(fit.shares) == {*list_atlases(), NONE}
        assert sum(fit.shares.values()) == pytest.approx(1)
        assert list(fit.shares.values()) == sorted(fit.shares.values(), reverse=True)
        assert fit.best == next(iter(fit.shares))
        assert fit.describe().startswith(f"Recording {fit.id!r} is most like: {fit.best} ")


def test_members_of_an_atlas_are_told_apart_and_shares_are_honest() -> None:
    rng = np.random.default_rng(8)
    right, sure = [], []
    for name in list_atlases():
        members = load_atlas(name).members
        rows = rng.permutation(len(members.g))[:24]
        run = simulate(
            members.g[rows],
            name,
            current=rng.uniform(-2, 4, 24),
            noise_sigma=rng.uniform(0, 8, 24),
            seed=rng,
            transient_ms=5000,
            duration_ms=20_000,
            record="spikes",
        )
        trains = [times for times in run.spike_times_ms if len(times) >= 40]
        for fit in which_neuron(trains):
            right.append(fit.best == name)
            sure.append(fit.shares[fit.best])
    assert np.mean(right) > 0.5
    assert abs(np.mean(right) - np.mean(sure)) < 0.15


def test_what_no_neuron_fires_is_none_of_these() -> None:
    rng = np.random.default_rng(2)
    without_refractoriness = [np.cumsum(rng.exponential(60, 200)) for _ in range(10)]
    of_three = [np.unique(np.cumsum(rng.gamma(4, 40, (3, 90)), axis=1)) for _ in range(10)]
    for trains in (without_refractoriness, of_three):
        assert sum(fit.best == NONE for fit in which_neuron(trains)) >= 9


def test_another_neuron_is_named_only_where_this_one_is_unlikely() -> None:
    assert which.Fit("a", {"da": 0.9, "stg": 0.05, NONE: 0.05}).other_than("stg") == "da"
    assert which.Fit("a", {"da": 0.6, "stg": 0.35, NONE: 0.05}).other_than("stg") is None
    assert which.Fit("a", {NONE: 0.9, "da": 0.1, "stg": 0.0}).other_than("stg") is None
    assert which.Fit("a", {"stg": 0.9, "da": 0.1, NONE: 0.0}).other_than("stg") is None


def test_a_silent_recording_says_nothing() -> None:
    fits = which_neuron([np.array([1.0, 2.0])])
    (fit,) = fits
    assert (fit.best, dict(fit.shares)) == ("", {})
    assert "silent" in fit.describe()
    assert fits.to_frame().loc[0, "best"] == ""


def test_a_sentence_names_those_that_may_be_meant() -> None:
    fit = Fit("cell", {"da": 0.8, NONE: 0.12, "stg": 0.04, "leech": 0.04})
    assert fit.describe() == "Recording 'cell' is most like: da 80 %, none of these 12 %, others 8 %."
    none = Fit("cell", {NONE: 0.6, "da": 0.4})
    assert none.describe().endswith(" A search may find members that fire like it all the same.")


def test_a_recording_does_not_depend_on_the_others() -> None:
    trains = read_spike_trains(example_path("da_set"))
    together = which_neuron(trains)
    assert [dict(fit.shares) for fit in together] == [
        dict(which_neuron([train])[0].shares) for train in trains
    ]


@pytest.mark.usefixtures("without_atlases")
def test_two_neurons_are_needed() -> None:
    with pytest.raises(PredictorError, match="two must have an atlas"):
        which_neuron([np.arange(10.0)])


def test_with_other_atlases_it_is_learned_anew_and_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(which, "list_atlases", lambda: ["da", "stg"])
    monkeypatch.setattr(which, "_STEPS", 300)
    which._remembered.cache_clear()
    steps = []
    trains = read_spike_trains(example_path("da_set"))
    first = which_neuron(trains, progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, 300)
    assert {fit.best for fit in first} == {"da"}
    assert set(first[0].shares) == {"da", "stg", NONE}
    which._remembered.cache_clear()
    again = which_neuron(trains, progress=lambda _done, _total: pytest.fail("learned twice"))
    assert [dict(fit.shares) for fit in again] == [dict(fit.shares) for fit in first]
    which._remembered.cache_clear()


def test_the_command_prints_and_writes_a_table(tmp_path) -> None:
    file = str(example_path("da_set.csv"))
    shown = CliRunner().invoke(cli, ["which", file, "--unit", "ms"])
    assert shown.exit_code == 0, shown.output
    assert "none of these" in shown.output
    out = tmp_path / "which.csv"
    assert CliRunner().invoke(cli, ["which", file, "--unit", "ms", "--out", str(out)]).exit_code == 0
    assert out.read_text().startswith('"id","best","ca1","da",')
