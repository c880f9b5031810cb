"""What a population answers, and that it answers the same however it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import Cancelled, ExperimentError
from spike2pop_nb.experiments import (
    DoseResponse,
    Experiment,
    Protocol,
    block,
    calcium_buffering,
    constant_current,
    dose_response,
    doses,
    noise,
    potassium,
    run_experiment,
    scale,
    shift_reversal,
    split,
    step,
    temperature,
    who_crashes,
)
from spike2pop_nb.experiments.running import Applied
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (5.0, 5.0), 64, seed=1)


@pytest.fixture(scope="module")
def few(population: Population) -> Population:
    return population.select(range(5))


@pytest.fixture(scope="module")
def halves(population: Population) -> Experiment:
    return run_experiment(population, {"half of A": block("A", 0.5), "half of H": block("H", 0.5)})


def test_half_of_A_splits_tonic_members_and_half_of_H_does_not(halves: Experiment) -> None:
    patterns = halves.data["pattern"]
    assert np.all(patterns.sel(condition="control") == "regular tonic")
    assert np.all(patterns.sel(condition="half of H") == "regular tonic")
    bursting = int((patterns.sel(condition="half of A") == "bursting").sum())
    assert 25 <= bursting <= 40
    table = split(halves).set_index("condition")
    assert table["entropy_bits"]["control"] == 0
    assert table["entropy_bits"]["half of A"] > 0.9
    assert table["kept"]["half of H"] == 64


def test_conductances_tell_who_loses_the_rhythm(halves: Experiment) -> None:
    ranked = who_crashes(halves, "half of A")
    assert ranked["telling"].is_monotonic_decreasing
    assert ranked["telling"][0] > 0.7
    assert ranked["p"][0] < 1e-3
    best, kept = ranked["channel"][0], halves.kept("half of A")
    g = halves.population.g[:, halves.population.neuron.index(best)]
    pairs = (g[~kept][:, None] > g[kept]).mean()
    assert pairs == pytest.approx(ranked["auroc"][0])
    with pytest.raises(ExperimentError, match="all members keep"):
        who_crashes(halves, "half of H")
    with pytest.raises(ExperimentError, match="There is no condition"):
        who_crashes(halves, "half of B")


def test_a_block_is_what_fewer_channels_are(few: Population) -> None:
    found = run_experiment(few, block("A", 0.5), duration_ms=1000, transient_ms=500)
    g = few.g.copy()
    g[:, few.neuron.index("A")] *= 0.5
    known = simulate(g, few.neuron, duration_ms=1500, transient_ms=500)
    for ours, theirs in zip(found.spike_times_ms["A −50 %"], known.spike_times_ms, strict=True):
        np.testing.assert_allclose(ours + 500, theirs)
    scaled = run_experiment(few, {"half": scale("A", 0.5)}, duration_ms=1000, transient_ms=500)
    np.testing.assert_array_equal(
        found.data["V_mV"].values[:, 1], scaled.data["V_mV"].sel(condition="half").values
    )


def test_what_begins_later_changes_nothing_before(few: Population) -> None:
    late = {
        "current": step(3.0, 500, 900),
        "noise": noise(5.0, 5.0, start_ms=500),
        "block": block("A", 0.8, start_ms=500, ramp_ms=100),
        "potassium": potassium(2.0, start_ms=500),
        "buffering": calcium_buffering(5.0, start_ms=500),
        "warm": temperature(20, rate_q10=2, conductance_q10=1.3, declared_C=11, start_ms=500),
    }
    found = run_experiment(few, late, duration_ms=1000, transient_ms=200)
    V = found.data["V_mV"]
    before, after = V.sel(time=slice(0, 500)), V.sel(time=slice(501, None))
    for name in late:
        np.testing.assert_array_equal(before.sel(condition=name), before.sel(condition="control"))
        assert float(np.abs(after.sel(condition=name) - after.sel(condition="control")).max()) > 1.0


def test_the_same_seed_gives_the_same_for_any_number_of_workers(population: Population) -> None:
    protocol = {
        "noise": noise(5.0, 3.0),
        "white": noise(20.0) + block("A", 0.3),
        "warm": temperature(20, rate_q10=2, conductance_q10=1.3, declared_C=11),
    }
    options = {"duration_ms": 300, "transient_ms": 100, "noise_sigma": 1.0}
    members = population.select(range(20))
    one = run_experiment(members, protocol, seed=3, workers=1, **options)
    two = run_experiment(members, protocol, seed=3, workers=2, **options)
    np.testing.assert_array_equal(one.data["V_mV"], two.data["V_mV"])
    other = run_experiment(members, protocol, seed=4, workers=2, **options)
    assert not np.array_equal(one.data["V_mV"], other.data["V_mV"])
    alone = run_experiment(members, {"noise": protocol["noise"]}, seed=3, **options)
    np.testing.assert_array_equal(
        alone.data["V_mV"].sel(condition="noise"), one.data["V_mV"].sel(condition="noise")
    )


def test_noise_has_the_deviation_and_correlation_that_are_asked_for() -> None:
    neuron = get_neuron("stg")
    ms = np.arange(0, 20_000, 0.1) + 0.05
    for protocol, tau in ((noise(2.0, 5.0), 5.0), (noise(2.0), 0.0)):
        (action,) = protocol.actions
        current, _none = action.wave(neuron, ms, np.arange(4), (1, 0))
        assert current.shape == (4, ms.size)
        assert current.std() == pytest.approx(2.0, rel=0.05)
        lag = 50
        found = np.mean([np.corrcoef(row[:-lag], row[lag:])[0, 1] for row in current])
        assert found == pytest.approx(np.exp(-0.1 * lag / tau) if tau else 0.0, abs=0.05)
        # however it is asked for
        part, _none = action.wave(neuron, ms[70_000:80_000], np.arange(4), (1, 0))
        np.testing.assert_allclose(part, current[:, 70_000:80_000], atol=1e-6)
    (action,) = noise(1.0, same_for_all=True).actions
    current, _none = action.wave(neuron, ms[:100], np.arange(4), (1, 0))
    assert current.shape == (1, 100)


def test_potassium_follows_Nernst() -> None:
    neuron = get_neuron("stg")
    (action,) = potassium(2.5, shares={"leak": 0.4}, temperature_C=11).actions
    shift = action.effect(neuron, 1.0, np.arange(1)).E_shift[0]
    expected = 8.314462618 * (273.15 + 11) / 96485.33212 * 1000 * np.log(2.5)
    by_name = dict(zip(neuron.channel_names, shift, strict=True))
    for name in ("Kd", "KCa", "A"):
        assert by_name[name] == pytest.approx(expected)
    assert by_name["leak"] == pytest.approx(0.4 * expected)
    assert by_name["Na"] == by_name["H"] == by_name["CaT"] == 0


def test_values_for_each_member(few: Population) -> None:
    found = run_experiment(
        few, {"each": constant_current([0, 2, 4, 6, 8])}, duration_ms=1000, transient_ms=500
    )
    for member, current in enumerate([0, 2, 4, 6, 8]):
        alone = run_experiment(
            few.select([member]), {"one": constant_current(current)}, duration_ms=1000, transient_ms=500
        )
        np.testing.assert_array_equal(
            found.data["V_mV"].sel(condition="each", member=member), alone.data["V_mV"].values[0, 1]
        )


def test_how_and_when_members_crash(few: Population) -> None:
    found = run_experiment(
        few,
        {
            "down": step(-8, 500, 2000),
            "up": step(5000, 500, 2000),
            "burst": block("A", 1.0, start_ms=500),
            "nothing": Protocol(),
        },
        duration_ms=2000,
        transient_ms=1000,
    )
    crash, when = found.data["crash"], found.data["crash_ms"]
    assert np.all(crash.sel(condition="down") == "silent")
    assert np.all((when.sel(condition="down") >= 500) & (when.sel(condition="down") < 700))
    assert np.all(crash.sel(condition="up") == "depolarisation block")
    assert np.all(crash.sel(condition="nothing") == "")
    assert np.all(np.isnan(when.sel(condition=["control", "nothing"])))
    lost = crash.sel(condition="burst") == "lost its pattern"
    assert lost.any()
    assert np.all(when.sel(condition="burst").values[lost.values] >= 500)


def test_a_member_that_runs_away_is_said(few: Population) -> None:
    far = step(10_000, 500, 2000) + block("Kd", 1.0, start_ms=500, stop_ms=2000)
    found = run_experiment(few, {"far": far}, duration_ms=2000, transient_ms=1000)
    far = found.data.sel(condition="far")
    assert np.all(far["crash"] == "ran away")
    assert np.all(far["failed"])
    assert np.all((far["crash_ms"] >= 500) & (far["crash_ms"] < 2000))
    assert np.all(np.isnan(far["V_mV"]))


def test_doses_and_the_dose_at_which_half_have_lost_the_rhythm(population: Population) -> None:
    series = doses(lambda share: block("A", share), [0.25, 0.5, 0.75])
    found = run_experiment(population, series, duration_ms=2000, record="spikes")
    assert found.data["dose"].values[1:].tolist() == [0.25, 0.5, 0.75]
    assert "V_mV" not in found.data
    response = dose_response(found)
    assert response.share[0] == 1
    assert response.share[-1] == 0
    assert 0.4 < response.half < 0.6
    assert response.describe().startswith("Half of the members have lost their rhythm at 0.")
    assert np.all(np.isin(response.lost_at, [0.5, 0.75]))
    with pytest.raises(ExperimentError, match="needs a series of doses"):
        dose_response(run_experiment(population.select([0]), block("A", 0.1), duration_ms=500))


def test_members_that_all_keep_the_rhythm_are_said_to_have_one_pattern() -> None:
    kept = np.ones((4, 2), dtype=bool)
    none, at = np.full(4, np.nan), np.array([0.2, 0.5])
    said = DoseResponse(at, "share of H blocked", kept, np.nan, none, np.zeros(2)).describe()
    all_keep = "All keep their rhythm at all doses (share of H blocked)."
    assert said == f"{all_keep} They all have the same pattern at each dose."
    kept[0, 1] = False
    said = DoseResponse(at, "share of H blocked", kept, np.nan, none, np.array([0.0, 0.8])).describe()
    assert said.startswith("At least half keep their rhythm at all doses (share of H blocked). They are most")


def test_tables_and_words(halves: Experiment) -> None:
    table = halves.to_frame()
    assert len(table) == 3 * 64
    assert table["id"].unique().tolist() == ["1"]
    assert "30 of 64" in halves.describe() or "keep their rhythm" in halves.describe()
    rates = halves.rates(500.0)
    assert rates.sizes == {"member": 64, "condition": 3, "time": 6}
    total = rates.sum("time").values * 0.5
    counts = [[len(times) for times in halves.spike_times_ms[name]] for name in halves.conditions]
    np.testing.assert_allclose(total, np.transpose(counts))
    assert halves.data["g_A"].attrs["units"] == "mS/cm²"


def test_methods_say_what_was_done(few: Population, halves: Experiment) -> None:
    said = halves.methods()
    assert "Each of 64 members" in said
    assert "half of A (50 % of A is blocked throughout)" in said
    assert "Background noise" not in said
    series = doses(constant_current, [1, 2])
    said = run_experiment(few, series, duration_ms=200, transient_ms=0, noise_sigma=0.5, seed=7).methods()
    assert "2 doses (current (µA/cm²): 1, 2), such as: A current of 2 µA/cm²" in said
    assert "Background noise of 0.5 µA/cm² was the same in all conditions (seed 7)." in said


def test_progress_and_cancel(few: Population) -> None:
    seen: list[tuple[int, int]] = []
    run_experiment(few, block("A", 0.5), duration_ms=100, progress=lambda *at: seen.append(at))
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(Cancelled):
        run_experiment(few, block("A", 0.5), cancel=lambda: True)


def test_members_of_conditions_with_other_tables_do_not_share_a_block(few: Population) -> None:
    warm = temperature(20, rate_q10=2, conductance_q10=1.3, declared_C=11)
    protocols = (Protocol(), warm, block("A", 0.5), warm + block("A", 0.5))
    condition, member = np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4)
    applied = Applied(few.neuron, protocols, condition, member, 0.0, 0)
    groups = [set(condition[rows]) for rows in applied.groups(20)]
    assert groups == [{0, 2}, {1, 3}]


def test_every_neuron_can_be_asked(neuron: NeuronModel) -> None:
    population = generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), 3, seed=1)
    protocols = {"current": constant_current(0.5), "potassium": potassium(1.5), "noise": noise(0.1, 5.0)}
    if neuron.pools:
        protocols["buffering"] = calcium_buffering(2.0)
    else:
        with pytest.raises(ExperimentError, match="no calcium pool"):
            run_experiment(population, calcium_buffering(2))
    if neuron.temperature_C is None:
        protocols["warm"] = temperature(20, rate_q10=2, conductance_q10=1.3, declared_C=11)
    found = run_experiment(population, protocols, duration_ms=500, transient_ms=200)
    assert not found.data["failed"].any()


def test_shifting_all_reversal_potentials_alike_shifts_the_rest() -> None:
    """A leaky membrane alone rests at E_leak."""
    neuron = get_neuron("stg")
    g = np.zeros((1, neuron.n_channels))
    g[:, -1] = 0.5
    population = Population.from_g(neuron, np.repeat(g, 1, axis=0))
    found = run_experiment(
        population,
        {"E": shift_reversal("leak", 5.0), "I": constant_current(5.0)},
        duration_ms=100,
        transient_ms=200,
    )
    V = found.data["V_mV"].values[0, :, -1]
    np.testing.assert_allclose(V, [neuron.E_mV[-1], neuron.E_mV[-1] + 5, neuron.E_mV[-1] + 10], atol=1e-3)
