"""Members with a current and noise of their own, found without a network, in every file that is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export import (
    best_currents,
    html_report,
    methods_paragraph,
    nwb_of_result,
    open_session,
    results_frames,
    save_session,
    write_results,
)
from spike2pop_nb.export.clamp import dynamic_clamp, predict_clamp
from spike2pop_nb.export.simulators import export
from spike2pop_nb.export.tables import describe_column
from spike2pop_nb.fidelity import Result, Variability, find_population
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains


@pytest.fixture(scope="module")
def found() -> Result:
    g = np.array([[400, 2.5, 6, 50, 10, 100, 0.01, 0.01]])
    run = simulate(g, "pyloric", noise_sigma=3.0, seed=2, duration_ms=7_000, record="spikes")
    return find_population(SpikeTrain("cell", run.spike_times_ms[0]), "pyloric", size=3, seed=1)


def test_the_methods_text_says_how_they_were_found_and_judged(found: Result) -> None:
    text = methods_paragraph(found)
    assert "differential evolution [" in text
    assert "constant injected current (−3 to 8 µA/cm²)" in text
    assert "were those of 8000 simulated before that fired most like the recording" in text
    assert "by a block bootstrap [" in text
    assert "burst period from" in text
    assert "with injected current noise of σ" in text
    for word in ("neural network", "solving iteratively", "Broyden", "that the user gave", "torch"):
        assert word not in text


def test_a_session_keeps_what_drives_them_and_the_rule(found: Result, tmp_path: Path) -> None:
    path = tmp_path / "one.s2p"
    save_session(path, [found])
    (back,) = open_session(path).results
    assert back.population is not None
    assert found.population is not None
    np.testing.assert_array_equal(back.population.current, found.population.current)
    np.testing.assert_array_equal(back.simulated.noise_sigma, found.population.noise_sigma)
    assert back.verdict is not None
    assert isinstance(back.verdict.rule, Variability)
    assert found.verdict is not None
    assert back.verdict.rule == found.verdict.rule
    np.testing.assert_array_equal(back.verdict.table["distance"], found.verdict.table["distance"])


def test_each_column_is_described_as_what_it_is(found: Result) -> None:
    columns = results_frames([found])["population"].columns
    off = describe_column("burst_period_off")
    assert "burst_period_off" in columns
    assert (off.unit, off.meaning) == (
        "tolerances",
        "by how much its burst period differs from the recording's",
    )
    for name in columns:
        conductance = name.startswith("g_") and name not in ("g_s", "g_u")
        assert describe_column(name).meaning.startswith("maximal conductance") == conductance, name


def test_currents_are_followed_under_their_own_noise(found: Result) -> None:
    best = best_currents(found)
    assert best is not None
    assert found.simulated is not None
    row = found.verdict.best  # type: ignore[union-attr]
    np.testing.assert_array_equal(best.spike_times_ms, found.simulated.spike_times_ms[row])


def test_what_was_in_the_way_is_told_of_the_last_generation(found: Result) -> None:
    assert "Of the last generation, those that did not pass" in html_report(found)


def test_tables_and_the_report_have_them(found: Result, tmp_path: Path) -> None:
    write_results([found], tmp_path, {}, formats=("csv", "html"))
    head = (tmp_path / "population.csv").read_text().splitlines()[0]
    assert '"current_uA_cm2","noise_sigma_uA_cm2","noise_seed"' in head
    (entry,) = json.loads((tmp_path / "summary.json").read_text())["recordings"]
    assert "burst period from" in entry["rule"]
    assert "dics" not in entry
    assert "within its own variability" in (tmp_path / "report.html").read_text()


def test_other_simulators_have_them_or_refuse_rather_than_half_of_a_member(
    found: Result, tmp_path: Path
) -> None:
    assert found.population is not None
    script, *_ = export(found.population.select([1]), "brian2", tmp_path)
    assert repr(float(found.population.noise_sigma[1])) in script.read_text()
    assert str(found.population.table["noise_seed"][1]) in script.read_text()
    with pytest.raises(SimulationError, match="injected noise, which LEMS cannot draw alike"):
        export(found.population, "neuroml", tmp_path)


def test_nwb_has_them(found: Result, tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    path = tmp_path / "found.nwb"
    path.write_bytes(nwb_of_result(found))
    assert found.population is not None
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        read = file.read()
        units = read.units
        for column in ("current_uA_cm2", "noise_sigma_uA_cm2", "noise_seed"):
            np.testing.assert_array_equal(units[column][:], found.population.table[column])
            assert "maximal conductance" not in units[column].description
        assert len(read.stimulus) == np.count_nonzero(found.population.current)
    for train, times in zip(read_spike_trains(path), found.simulated.spike_times_ms, strict=True):
        np.testing.assert_array_equal(train.times_ms, times)


def test_a_clamp_is_predicted_with_what_drives_them(found: Result) -> None:
    assert found.population is not None
    prediction = predict_clamp(dynamic_clamp(found.population, 0, ["A"]), found.population, duration_ms=4000)
    assert prediction.experiment.made_by["noise_sigma"] == pytest.approx(
        found.population.noise_sigma.tolist()
    )
    assert prediction.describe()[0].startswith("Without a clamp: member cell/")
