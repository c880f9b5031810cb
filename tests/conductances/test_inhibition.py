"""Rhythmic inhibition that members carry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spike2pop_nb.conductances import Inhibition, Population, generate_population, modulation_path
from spike2pop_nb.errors import CompensationError


@pytest.fixture(scope="module")
def quiet() -> Population:
    return generate_population("stg", (4.0, 5.0), size=2, seed=1)


@pytest.fixture(scope="module")
def followers(quiet: Population) -> Population:
    seeds = [2**62 + 1, 5]
    inhibition = Inhibition.of([0.1, 0.0], 900.0, [0.4, 0.5])
    return Population.from_g("stg", quiet.g, noise_sigma=[1.0, 2.0], noise_seeds=seeds, inhibition=inhibition)


@given(
    st.floats(0.001, 1),
    st.floats(1, 1e4),
    st.floats(0.01, 1),
    st.lists(st.floats(0, 1e5), min_size=1, max_size=8),
)
def test_it_is_on_at_the_beginning_of_each_period(
    g: float, period: float, share: float, ms: list[float]
) -> None:
    found = Inhibition.of(g, period, share).at(np.array(ms))[0]
    phase = np.mod(ms, period) / period
    clear = np.abs(phase - share) > 1e-5
    clear &= phase < 1 - 1e-5  # which rounds to the next
    np.testing.assert_allclose(found[clear], np.where(phase < share, g, 0.0)[clear], rtol=1e-6)


def test_members_with_other_periods_stand_side_by_side() -> None:
    both = Inhibition.of([0.1, 0.2], [100.0, 150.0], 0.5)
    ms = np.arange(0.0, 400.0, 7.0)
    for row in range(2):
        np.testing.assert_array_equal(both.at(ms)[row], both.select(np.array([row])).at(ms)[0])
    assert both.repeated(2).conductance.tolist() == [0.1, 0.2, 0.1, 0.2]


@given(
    st.lists(
        st.tuples(st.floats(0, 1, width=32), st.sampled_from([0.1, 0.25, 0.5, 1.0])), min_size=1, max_size=5
    ),
    st.floats(10, 1000),
)
def test_what_members_of_one_period_receive_is_told_in_few_pieces(
    members: list[tuple[float, float]], period: float
) -> None:
    g, share = np.array(members).T
    ms = np.linspace(0.0, 3000.0, 4001)
    inhibition = Inhibition.of(g, period, share)
    conductance, piece = inhibition.pieces(ms)
    assert conductance.shape[1] <= len(np.unique(share)) + 1
    on = np.mod(ms / period, 1.0) < share[:, None]
    np.testing.assert_array_equal(conductance[:, piece], np.where(on, g[:, None], 0.0))
    np.testing.assert_array_equal(inhibition.at(ms), conductance[:, piece])


@pytest.mark.parametrize(
    "values", [(-0.1, 900, 0.5), (0.1, 0, 0.5), (0.1, 900, 0), (0.1, 900, 1.1), (np.nan, 900, 0.5)]
)
def test_what_cannot_be_is_one_sentence(values: tuple[float, float, float]) -> None:
    with pytest.raises(
        CompensationError, match=r"The inhibition in row 0 is .* it needs a conductance of zero"
    ):
        Inhibition.of(*values)
    with pytest.raises(CompensationError, match="must be of the same members"):
        Inhibition.of([0.1, 0.2], 900.0, [0.1, 0.2, 0.3])


def test_a_population_keeps_it_in_files_selections_joins_and_paths(
    quiet: Population, followers: Population, tmp_path: Path
) -> None:
    assert quiet.inhibition is None
    assert followers.driven
    both = Population.joined([quiet, followers])
    both.to_csv(tmp_path / "both.csv")
    both.to_parquet(tmp_path / "both.parquet")
    for found in (
        both,
        Population.from_csv(tmp_path / "both.csv"),
        Population.from_parquet(tmp_path / "both.parquet"),
    ):
        assert found.inhibition is not None
        assert found.inhibition.conductance.tolist() == [0.0, 0.0, 0.1, 0.0]
        assert found.inhibition.share[2] == 0.4
        assert found.noise_seeds is not None
        assert found.noise_seeds.tolist() == [0, 0, 2**62 + 1, 5]
    assert both.select([3]).inhibition is None  # which has none
    moved = modulation_path(followers, (2.0, 5.0), steps=2).at(1).inhibition
    assert moved is not None
    assert moved.period_ms.tolist() == [900.0, 900.0]


def test_members_that_receive_nothing_may_be_left_blank_in_a_file(
    quiet: Population, followers: Population, tmp_path: Path
) -> None:
    path = tmp_path / "blank.csv"
    frames = [followers.to_frame().astype({"noise_seed": "Int64"}), quiet.to_frame()]
    pd.concat(frames).to_csv(path, index=False)
    found = Population.from_csv(path)
    assert found.noise_sigma.tolist() == [1.0, 2.0, 0.0, 0.0]
    assert found.noise_seeds is not None
    assert found.noise_seeds.tolist() == [2**62 + 1, 5, 0, 0]


def test_a_file_with_half_of_it_is_refused(followers: Population, tmp_path: Path) -> None:
    path = tmp_path / "half.csv"
    followers.to_frame().drop(columns="inhibition_share").to_csv(path, index=False)
    with pytest.raises(CompensationError, match=r"half.csv has a column .*, but no column inhibition_share"):
        Population.from_csv(path)
    followers.to_frame().assign(inhibition_share=2.0).to_csv(path, index=False)
    with pytest.raises(
        CompensationError, match=r"half.csv: The inhibition in row 0 is 0.1 mS/cm² for a share"
    ):
        Population.from_csv(path)
