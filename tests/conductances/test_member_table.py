"""A table of members says of which neuron they are, and what is read back is what was written."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import Population, dics, generate_population
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, get_neuron, vary_neuron

TARGET = (4.0, 4.0)
RANGES = {"Kd": (80.0, 100.5), "leak": (0.008, 0.014)}


@pytest.fixture(scope="module")
def varied() -> Population:
    """Members with DICs of 4 at another threshold."""
    return generate_population("stg", TARGET, 4, seed=1, V_mV=-49, baseline=RANGES)


@pytest.fixture(scope="module")
def unknown() -> Population:
    """Members of a neuron that nobody registered."""
    mine = dataclasses.replace(get_neuron("stg"), name="mine", V_th_mV=-50.5, capacitance_uF=1.1)
    return generate_population(mine, TARGET, 4, seed=1)


def by_csv(population: Population, folder: Path, *neuron: Any) -> Population:
    population.to_csv(folder / "members.csv")
    return Population.from_csv(folder / "members.csv", *neuron)


def by_parquet(population: Population, folder: Path, *neuron: Any) -> Population:
    population.to_parquet(folder / "members.parquet")
    return Population.from_parquet(folder / "members.parquet", *neuron)


Way = Callable[..., Population]
WAYS = pytest.mark.parametrize("way", [by_csv, by_parquet])


def test_a_population_has_the_neuron_that_it_was_made_with(varied: Population) -> None:
    assert varied.neuron is vary_neuron("stg", V_th_mV=-49, baseline=RANGES)
    assert varied.select([1]).neuron is Population.joined([varied, varied]).neuron is varied.neuron
    assert Population("stg", varied.table).neuron is get_neuron("stg")  # type: ignore[arg-type]
    for other in (copy.copy(varied), copy.deepcopy(varied), pickle.loads(pickle.dumps(varied))):
        assert other.neuron is varied.neuron
        assert other.table.equals(varied.table)
    with pytest.raises(
        CompensationError, match=r"not of stg at V_th -49 mV drawn with Kd:80:100.5, .* and stg\.$"
    ):
        Population.joined([varied, generate_population("stg", TARGET, 1)])


@WAYS
def test_what_is_read_back_is_what_was_written(varied: Population, way: Way, tmp_path: Path) -> None:
    for neuron in ((), ("STG",), (varied.neuron,)):
        back = way(varied, tmp_path, *neuron)
        assert back.neuron is varied.neuron
        pd.testing.assert_frame_equal(back.table, varied.table, check_exact=False, rtol=1e-12)
        np.testing.assert_allclose(back.table[["g_s", "g_u"]], [TARGET] * 4, atol=1e-6)


def test_a_file_says_its_neuron_in_plain_columns(varied: Population, tmp_path: Path) -> None:
    varied.to_csv(tmp_path / "members.csv")
    table = pd.read_csv(tmp_path / "members.csv")
    assert list(table.columns[-4:]) == ["neuron", "V_th_mV", "baseline", "declaration"]
    assert set(table["neuron"]) == {"stg"}
    assert set(table["V_th_mV"]) == {-49.0}
    assert set(table["baseline"]) == {"Kd:80:100.5 leak:0.008:0.014"}
    declared = generate_population("da", (4.0, 5.0), 2).to_frame()
    assert "baseline" not in declared
    assert set(declared["declaration"]) == {get_neuron("da").declaration}


@WAYS
def test_a_table_that_says_nothing_is_of_the_neuron_that_is_named(
    varied: Population, way: Way, tmp_path: Path
) -> None:
    class Old(Population):
        def to_frame(self) -> pd.DataFrame:
            return self.table

    old = Old(varied.neuron, varied.table)
    assert way(old, tmp_path, varied.neuron).neuron is varied.neuron
    back = way(old, tmp_path, "stg")
    assert back.neuron is get_neuron("stg")
    np.testing.assert_allclose(back.table["g_u"], dics("stg", varied.g)[:, 2])
    with pytest.raises(
        CompensationError, match=r"^members\.\w+ does not say of which neuron .*; name the neuron"
    ):
        way(old, tmp_path)


@WAYS
def test_a_neuron_that_nobody_registered_has_to_be_given(
    unknown: Population, way: Way, tmp_path: Path
) -> None:
    mine = unknown.neuron
    assert way(unknown, tmp_path, mine).neuron is mine
    with pytest.raises(CompensationError, match="the neuron 'mine', which has to be registered, or given"):
        way(unknown, tmp_path)
    varied = Population.from_g(vary_neuron(mine, baseline={"Kd": (1, 2)}), unknown.g)
    assert way(varied, tmp_path, varied.neuron).neuron is varied.neuron
    with pytest.raises(CompensationError, match="another variation of the neuron 'mine'"):
        way(varied, tmp_path, mine)


def changed(**fields: Any) -> NeuronModel:
    return dataclasses.replace(get_neuron("stg"), **fields)


@WAYS
@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        ("da", r"holds members of the neuron 'stg', not of 'da'; name that one, or none\.$"),
        (get_neuron("da"), "holds members of the neuron 'stg', not of 'da'"),
        (
            vary_neuron("stg", V_th_mV=-48),
            r"another variation of the neuron 'stg' \(V_th_mV -49.0, baseline Kd:80",
        ),
        (get_neuron("stg"), r"another variation of the neuron 'stg' \(V_th_mV -49.0"),
        (vary_neuron("stg", V_th_mV=-49), "another variation of the neuron 'stg'"),
        (changed(capacitance_uF=2.0), "made with another declaration of the neuron 'stg' than this one"),
    ],
)
def test_a_contradiction_is_one_error(
    varied: Population, way: Way, neuron: str | NeuronModel, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CompensationError, match=rf"^members\.\w+ .*{message}") as caught:
        way(varied, tmp_path, neuron)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"neuron": ["stg", "stg", "da", "da"]},
            r"several neurons, .* column neuron has 2 values \(stg, da\)",
        ),
        ({"V_th_mV": [-49, -49, -49, -50]}, "column V_th_mV has 2 values"),
        ({"neuron": ["stg", "stg", "stg", None]}, "column neuron has 2 values"),
        ({"neuron": "nix"}, "the neuron 'nix', which has to be registered"),
        ({"V_th_mV": 12}, "columns V_th_mV and baseline: V_th must lie between -90 and -20 mV, not at 12"),
        ({"V_th_mV": "high"}, "columns V_th_mV and baseline: could not convert"),
        ({"baseline": "Kd:80"}, "a range is written as CHANNEL:LOW:HIGH, not 'Kd:80'"),
        ({"baseline": "Na:80:90"}, "does not draw 'Na'"),
        ({"declaration": "stg-000000000000"}, "made with another declaration of the neuron 'stg'"),
    ],
)
def test_columns_that_cannot_be_are_refused(
    varied: Population, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    varied.to_frame().assign(**change).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(CompensationError, match=f"^t.csv.*{message}"):
        Population.from_csv(tmp_path / "t.csv")


def test_conductances_may_be_changed_and_columns_left_out(varied: Population, tmp_path: Path) -> None:
    table = varied.to_frame().drop(columns=["declaration", "baseline", "g_s"])
    table.assign(g_Na=0.0).to_csv(tmp_path / "blocked.csv", index=False)
    back = Population.from_csv(tmp_path / "blocked.csv")
    assert back.neuron is vary_neuron("stg", V_th_mV=-49)
    np.testing.assert_allclose(back.table["g_u"], dics(back.neuron, back.g)[:, 2])


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("no table")
    with pytest.raises(CompensationError, match=r"^bad\.parquet is not a Parquet table that can be read\.$"):
        Population.from_parquet(tmp_path / "bad.parquet")
    with pytest.raises(CompensationError, match=r"^none\.parquet: there is no such file\.$"):
        Population.from_parquet(tmp_path / "none.parquet")


def test_two_columns_of_one_name_are_refused(varied: Population) -> None:
    table = varied.to_frame()
    with pytest.raises(CompensationError, match=r"^The table has two columns g_Na; keep the one"):
        Population.from_frame(pd.concat([table, table[["g_Na"]]], axis=1))
