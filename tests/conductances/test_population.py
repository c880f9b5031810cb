"""Baselines, populations and their CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import (
    MAX_SIZE,
    Population,
    baseline_population,
    dics,
    generate_population,
    modulate,
    sensitivity,
)
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, Range


class Sampler:
    """The least that counts as a posterior."""

    def __init__(self, centre: tuple[float, float], spread: Sequence[float]) -> None:
        self.id, self.centre, self.spread = "cell 7", centre, spread

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(self.centre, self.spread, (n, 2))


@pytest.fixture
def target(neuron: NeuronModel, step: tuple[float, float]) -> tuple[float, float]:
    """A pair of DICs that any neuron can reach: near its own baseline."""
    return neuron.baseline.g_s + step[0], neuron.baseline.g_u + step[1]


def test_baselines_have_the_declared_dics(neuron: NeuronModel) -> None:
    g, drawn = baseline_population(neuron, 500, 0)
    recipe = neuron.baseline
    assert g.shape == (500, neuron.n_channels)
    assert drawn >= 500
    assert np.all(g >= 0)
    np.testing.assert_allclose(dics(neuron, g), [[recipe.g_f, recipe.g_s, recipe.g_u]] * 500, atol=1e-6)


def test_baselines_are_degenerate_and_scale_with_the_leak(neuron: NeuronModel) -> None:
    g, _ = baseline_population(neuron, 4000, 1)
    recipe = neuron.baseline
    leak = recipe.free["leak"]
    assert isinstance(leak, Range)
    for name, spread in recipe.free.items():
        values = g[:, neuron.index(name)]
        if name != "leak":
            values = values * leak.mean / g[:, -1]
        if not isinstance(spread, Range):
            np.testing.assert_allclose(values, spread)
        elif name != "leak":
            assert values.min() >= spread.low - 1e-12
            assert values.max() <= spread.high + 1e-12
    S = sensitivity(neuron, g[0])
    solved = [neuron.index(name) for name in recipe.compensated]
    drawn = [neuron.index(name) for name in recipe.free if name != "leak"]
    per_leak = g / g[:, -1:]
    # what is drawn moves what is solved for as far as it has a hold on the same DICs; where it has none, as
    # on a DIC that one conductance alone makes, DICs fix that to the leak
    moved = -np.linalg.solve(S[:, solved], S[:, drawn]) * per_leak[:, drawn].std(axis=0)
    for c, by in zip(solved, np.sqrt((moved**2).sum(axis=1)) / per_leak[:, solved].mean(axis=0), strict=True):
        spread = per_leak[:, c].std() / per_leak[:, c].mean()
        alone = [row for row in S if np.flatnonzero(row).tolist() == [c]]
        assert bool(alone) <= (spread < 1e-3)
        assert (spread < 1e-3) <= (by < 2e-3), neuron.channel_names[c]
        if not neuron.pools:  # calcium moves with the leak as well
            assert spread == pytest.approx(by, rel=0.2, abs=1e-3), neuron.channel_names[c]


def test_generated_members_have_the_wanted_dics(neuron: NeuronModel, target: tuple[float, float]) -> None:
    population = generate_population(neuron, target, 32, seed=1)
    assert len(population) == 32
    assert population.g.shape == (32, neuron.n_channels)
    assert np.all(population.g >= 0)
    np.testing.assert_allclose(dics(neuron, population.g)[:, 1:], [target] * 32, atol=1e-6)
    np.testing.assert_allclose(population.table[["g_s", "g_u"]], [target] * 32, atol=1e-6)
    assert population.channel_names == neuron.channel_names
    assert list(population.table.columns) == ["id", "member", *neuron.g_columns, "g_s", "g_u"]
    made = population.made_by
    assert made["tried"] == 32 + made["negative"] + made["not_converged"]
    assert (made["size"], made["seed"], made["compensated"]) == (32, 1, "recommended")


def test_the_same_seed_gives_the_same_population(neuron: NeuronModel, target: tuple[float, float]) -> None:
    one = generate_population(neuron, target, 16, seed=5)
    assert one.table.equals(generate_population(neuron, target, 16, seed=5).table)
    assert one.table.equals(generate_population(neuron, target, 16, seed=np.random.default_rng(5)).table)
    assert not one.table.equals(generate_population(neuron, target, 16, seed=6).table)


def test_each_member_may_have_its_own_target(neuron: NeuronModel, step: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    centre = np.array([neuron.baseline.g_s, neuron.baseline.g_u])
    wanted = centre + step * rng.uniform(-1, 1, (20, 2))
    population = generate_population(neuron, wanted, 20)
    np.testing.assert_allclose(population.table[["g_s", "g_u"]], wanted, atol=1e-6)


def test_a_posterior_gives_each_member_its_own_draw(neuron: NeuronModel, step: tuple[float, float]) -> None:
    posterior = Sampler((neuron.baseline.g_s, neuron.baseline.g_u), 0.3 * np.array(step))
    population = generate_population(neuron, posterior, 400, seed=2)
    found = population.table[["g_s", "g_u"]].to_numpy()
    assert (np.abs(found.mean(axis=0) - posterior.centre) / step).max() < 0.1
    assert np.abs(found.std(axis=0) / step - 0.3).max() < 0.06
    assert set(population.table["id"]) == {"cell 7"}
    assert population.labels[3] == ("cell 7", 3)
    assert generate_population(neuron, posterior, 2, id="mine").labels[1] == ("mine", 1)


def test_only_the_chosen_conductances_are_modulated() -> None:
    base, _ = baseline_population("stg", 8, 0)
    g, converged, valid = modulate("stg", base, -5.0, 6.0, ("CaT", "H"))
    assert converged.all()
    changed = np.any(g != base, axis=0)
    assert [
        name
        for name, c in zip(("Na", "Kd", "CaT", "CaS", "KCa", "A", "H", "leak"), changed, strict=True)
        if c
    ] == [
        "CaT",
        "H",
    ]
    assert np.array_equal(valid, (g >= 0).all(axis=1))


def test_recommended_pairs_are_taken_member_by_member() -> None:
    base, _ = baseline_population("stg", 2, 0)
    g, _, valid = modulate("stg", base, [8.0, -8.0], [5.0, 5.0])
    assert valid.all()
    assert np.flatnonzero(g[0] != base[0]).tolist() == [5, 6]  # A and H
    assert np.flatnonzero(g[1] != base[1]).tolist() == [3, 6]  # CaS and H


@pytest.mark.parametrize("size", [0, -3, 2.5, "many", None, MAX_SIZE + 1])
def test_impossible_sizes_are_refused(neuron: NeuronModel, size: Any) -> None:
    with pytest.raises(CompensationError, match=f"whole number from 1 to {MAX_SIZE}, not {size!r}"):
        generate_population(neuron, (4.0, 5.0), size)


@pytest.mark.parametrize(
    "wanted", [(np.nan, 1.0), (np.inf, 1.0), (1.0, 2.0, 3.0), np.zeros((5, 2)), 3.0, "5,5"]
)
def test_impossible_targets_are_refused(neuron: NeuronModel, wanted: Any) -> None:
    with pytest.raises(CompensationError, match=r"one finite pair \(g_s, g_u\), or one for each of the 4"):
        generate_population(neuron, wanted, 4)


def test_a_target_out_of_reach_is_refused_with_the_counts(neuron: NeuronModel) -> None:
    with pytest.raises(
        CompensationError, match="does not reach this target: of 80 members tried, "
    ) as caught:
        generate_population(neuron, (1.0, -900.0), 2, neuron.modulation[-1].compensate)
    assert "choose other conductances or another target." in str(caught.value)


def test_one_conductance_cannot_set_two_dics(neuron: NeuronModel) -> None:
    with pytest.raises(CompensationError, match=r"Two conductances must be chosen .* not 1 \(Na\)"):
        generate_population(neuron, (4.0, 5.0), 4, ("Na",))


def test_csv_round_trip(neuron: NeuronModel, target: tuple[float, float], tmp_path: Path) -> None:
    population = generate_population(neuron, target, 8, seed=3, id="01")
    population.to_csv(tmp_path / "population.csv")
    back = Population.from_csv(tmp_path / "population.csv", neuron)
    assert back.neuron is neuron
    assert back.labels == population.labels  # "01" stays a text
    np.testing.assert_array_equal(back.g, population.g)  # to the last bit, whatever version of pandas reads
    np.testing.assert_allclose(back.table[["g_s", "g_u"]], population.table[["g_s", "g_u"]], atol=1e-9)


def test_csv_needs_conductances_alone(neuron: NeuronModel, tmp_path: Path) -> None:
    g, _ = baseline_population(neuron, 3, 0)
    table = pd.DataFrame(g, columns=list(neuron.g_columns))
    table["note"] = "<b>kept out</b>"
    table[table.columns[::-1]].to_csv(tmp_path / "g.csv", index=False)
    back = Population.from_csv(tmp_path / "g.csv", neuron)
    assert back.labels == [("1", 0), ("1", 1), ("1", 2)]
    np.testing.assert_allclose(back.g, g, rtol=1e-15)
    assert "note" not in back.table


@pytest.mark.parametrize("value", ["-0.5", "abc", "", "nan", "inf", "1e400"])
def test_a_bad_conductance_is_named_with_its_row(neuron: NeuronModel, value: str, tmp_path: Path) -> None:
    g, _ = baseline_population(neuron, 3, 0)
    table = pd.DataFrame(g, columns=list(neuron.g_columns)).astype(object)
    column = neuron.g_columns[1]
    table.loc[1, column] = value
    path = tmp_path / "bad.csv"
    table.to_csv(path, index=False)
    with pytest.raises(
        CompensationError, match=f"bad.csv, row 3: {column} is .*zero or more, in mS/cm²"
    ) as caught:
        Population.from_csv(path, neuron)
    assert "\n" not in str(caught.value)


def test_other_bad_csv_files_are_refused(neuron: NeuronModel, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    g, _ = baseline_population(neuron, 2, 0)
    table = pd.DataFrame(g, columns=list(neuron.g_columns))

    def refuse(message: str) -> None:
        with pytest.raises(CompensationError, match=message) as caught:
            Population.from_csv(path, neuron)
        assert "\n" not in str(caught.value)

    refuse("bad.csv: there is no such file")
    path.write_bytes(b"")
    refuse("bad.csv is not a CSV table")
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe")
    refuse("bad.csv")
    table.drop(columns=neuron.g_columns[0]).to_csv(path, index=False)
    refuse(f"bad.csv has no column {neuron.g_columns[0]}; a population of the {neuron.name} neuron needs")
    table.iloc[:0].to_csv(path, index=False)
    refuse("bad.csv has 0 members")
    table.assign(member=["first", "second"]).to_csv(path, index=False)
    refuse("the column member must hold whole numbers")


def test_selection_keeps_rows_in_the_given_order(neuron: NeuronModel, target: tuple[float, float]) -> None:
    population = generate_population(neuron, target, 6)
    some = population.select([4, 1])
    assert some.labels == [("1", 4), ("1", 1)]
    assert np.array_equal(some.g, population.g[[4, 1]])
    assert some.made_by == population.made_by


def test_other_ranges_and_another_threshold(neuron: NeuronModel, target: tuple[float, float]) -> None:
    name, spread = next(
        (n, s) for n, s in neuron.baseline.free.items() if n != "leak" and isinstance(s, Range)
    )
    middle = spread.mean
    ranges = {name: (middle, middle)}
    V_mV = neuron.V_th_mV - 0.5
    made = generate_population(neuron, target, 8, seed=1, V_mV=V_mV, baseline=ranges)
    np.testing.assert_allclose(dics(neuron, made.g, V_mV)[:, 1:], [target] * 8, atol=1e-6)
    np.testing.assert_allclose(made.table[["g_s", "g_u"]], [target] * 8, atol=1e-6)
    assert made.made_by["V_th_mV"] == V_mV
    assert made.made_by["baseline"] == {name: [middle, middle]}
    if name not in neuron.recommend(*target):
        per_leak = made.g[:, neuron.index(name)] / made.g[:, -1]
        np.testing.assert_allclose(per_leak, per_leak[0])
    assert "V_th_mV" not in generate_population(neuron, target, 2).made_by


def test_populations_of_one_neuron_can_be_joined() -> None:
    a = generate_population("stg", (5.0, 5.0), size=2, seed=1, id="a")
    b = generate_population("stg", (-5.0, 5.0), size=3, seed=1, id="b")
    both = Population.joined([a, b])
    assert both.labels == a.labels + b.labels
    np.testing.assert_array_equal(both.g, np.concatenate([a.g, b.g]))
    assert both.made_by["seed"] == 1
    assert "size" not in both.made_by
    with pytest.raises(CompensationError, match="can be joined, not none"):
        Population.joined([])
    with pytest.raises(CompensationError, match="can be joined, not of stg and da"):
        Population.joined([a, generate_population("da", (2.0, 5.0), size=1, seed=1)])
