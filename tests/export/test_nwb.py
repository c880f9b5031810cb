"""NWB files: valid, inspected, marked as simulated, and read back to the last bit."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import spike2pop_nb as s2p
from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import nwb, results_zip
from spike2pop_nb.fidelity import Result
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.spiketrains import read_spike_trains

pynwb = pytest.importorskip("pynwb")


@pytest.fixture(scope="module")
def driven() -> tuple[Population, Simulated]:
    """Members with a current and noise, over times whose seconds cannot hold every millisecond."""
    g = generate_population("stg", (4.0, 5.0), size=3, seed=1).g
    population = Population.from_g("stg", g, current=[0.5, 0.0, -0.2], noise_sigma=[0.1, 0.2, 0.0])
    return population, simulate(population, duration_ms=9000, transient_ms=500, seed=3)


@pytest.fixture(scope="module")
def written(driven: tuple[Population, Simulated], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nwb") / "members.nwb"
    recording = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    nwb.write_nwb(path, *driven, recording=recording, told={"seed": 3})
    return path


def test_spikes_come_back_to_the_last_bit(driven: tuple[Population, Simulated], written: Path) -> None:
    simulated = driven[1]
    times = np.concatenate(simulated.spike_times_ms)
    assert np.any(1000.0 * (times / 1000.0) != times)  # which seconds alone would not give
    trains = read_spike_trains(written)
    assert [train.id for train in trains] == [f"{name}/{member}" for name, member in simulated.labels]
    for train, expected in zip(trains, simulated.spike_times_ms, strict=True):
        np.testing.assert_array_equal(train.times_ms, expected)
        assert train.window_ms == (500.0, 9000.0)


def test_spikes_in_ms_that_are_others_are_not_read(written: Path, tmp_path: Path) -> None:
    import h5py

    changed = tmp_path / "changed.nwb"
    changed.write_bytes(written.read_bytes())
    with h5py.File(changed, "a") as file:
        file["units/spike_times_ms"][0] += 1.0
    first, again = (read_spike_trains(path)[0] for path in (written, changed))
    np.testing.assert_allclose(again.times_ms, first.times_ms, rtol=1e-12)


def test_everything_is_in_it(driven: tuple[Population, Simulated], written: Path) -> None:
    population, simulated = driven
    with pynwb.NWBHDF5IO(str(written), "r") as file:
        found = file.read()
        assert found.session_description.startswith("SIMULATED, not recorded.")
        assert "stg_set.csv" in found.session_description
        story = json.loads(found.notes)
        assert story["versions"]["spike2pop_nb"] == s2p.__version__
        assert story["seed"] == 3
        assert len(story["recording"]["sha256_of_times_ms"]) == 64
        units = found.units.to_dataframe()
        np.testing.assert_array_equal(units[list(population.neuron.g_columns)].to_numpy(), population.g)
        assert {"g_s", "g_u", "current_uA_cm2", "noise_sigma_uA_cm2", "spike_times"} <= set(units)
        voltage = found.acquisition["voltage_0001"]
        np.testing.assert_array_equal(voltage.data[:], simulated.V_mV[1])
        assert voltage.conversion == 1e-3
        assert voltage.starting_time == pytest.approx(0.5)
        assert 1000.0 / voltage.rate == pytest.approx(simulated.time_ms[1] - simulated.time_ms[0])
        assert sorted(found.stimulus) == ["current_0000", "current_0002"]  # none where none is injected
        assert len(found.intracellular_recordings) == 3
        assert "doi:10.1371/journal.pcbi.1014337" in list(found.related_publications)


@pytest.mark.parametrize("config", [None, "dandi"])
def test_inspected_for_sharing(written: Path, config: str | None) -> None:
    inspector = pytest.importorskip("nwbinspector")
    rules = None if config is None else inspector.load_config(config)
    found = list(inspector.inspect_nwbfile(nwbfile_path=str(written), config=rules))
    worse = [
        one for one in found if one.importance.value > inspector.Importance.BEST_PRACTICE_SUGGESTION.value
    ]
    assert not worse, worse
    assert not pynwb.validate(path=str(written))


def test_of_results(tmp_path: Path) -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    assert isinstance(result, Result)
    with zipfile.ZipFile(
        io.BytesIO(results_zip([result], {"seed": 1}, formats=("nwb", "md", "txt")))
    ) as made:
        content = made.read("nwb/1_1.nwb")
        assert "shared as NWB files" in made.read("methods.md").decode()
        assert "10.7554/eLife.78362" in made.read("methods.md").decode()
        assert "nwb/*.nwb" in made.read("README.txt").decode()
    trains = read_spike_trains(content, filename="members.nwb")
    for one, expected in zip(trains, result.simulated.spike_times_ms, strict=True):
        np.testing.assert_array_equal(one.times_ms, expected)


def test_a_file_for_each_recording(tmp_path: Path) -> None:
    one = generate_population("stg", (4.0, 5.0), size=1, seed=1, id="a")
    two = generate_population("stg", (4.0, 5.0), size=2, seed=1, id="b")
    several = Population.joined([one, two])
    files = nwb.export_nwb(several, tmp_path / "out")
    assert [file.name for file in files] == ["1_a.nwb", "2_b.nwb"]
    assert [train.id for train in read_spike_trains(files[1])] == ["b/0", "b/1"]


def test_what_cannot_be_is_refused(
    driven: tuple[Population, Simulated], monkeypatch: pytest.MonkeyPatch
) -> None:
    population, simulated = driven
    with pytest.raises(Spike2PopError, match="not of the same members"):
        nwb.population_nwb(population, simulated.select([0, 1]))
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(Spike2PopError, match=r"pip install 'spike2pop-nb\[nwb\]'"):
        nwb.population_nwb(population, simulated)
