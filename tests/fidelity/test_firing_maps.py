"""Firing patterns over the plane."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from spike2pop_nb.conductances import baseline_population, modulate
from spike2pop_nb.errors import Cancelled, CompensationError
from spike2pop_nb.fidelity import ACTIVITY_PATTERNS, pattern_map
from spike2pop_nb.fidelity import firing_maps as atlas_module
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import describe_pattern

PAIR = ("CaS", "H")


@pytest.fixture(scope="module")
def maps():
    made = []
    made.append(pattern_map("stg", PAIR, n_grid=11, members=2, seed=3, coarse=made.append))
    return made


def test_maps_get_finer_and_agree(maps) -> None:
    assert [len(found.g_s) for found in maps] == [6, 11]
    coarse, fine = maps
    np.testing.assert_array_equal(coarse.rate_hz, fine.rate_hz[::2, ::2])
    np.testing.assert_array_equal(coarse.g_u, fine.g_u[::2])
    known = np.isfinite(fine.rate_hz)
    np.testing.assert_allclose(fine.shares[known].sum(axis=-1), 1.0)
    np.testing.assert_array_equal(fine.valid_fraction > 0, known)
    np.testing.assert_array_equal(fine.pattern >= 0, known)


def test_the_stomatogastric_neuron_bursts_left_and_fires_tonically_right(maps) -> None:
    fine = maps[-1]
    assert ACTIVITY_PATTERNS[fine.pattern[5, 1]] == "bursting"
    assert ACTIVITY_PATTERNS[fine.pattern[5, 7]] == "regular tonic"
    assert "bursting 100 %" in fine.describe([(fine.g_s[1], fine.g_u[5])])
    assert "over the plane: bursting" in fine.describe()
    assert "brings no member at this recording" in fine.describe([(fine.g_s[-1], fine.g_u[-1])])


def test_a_node_is_what_its_members_do(maps) -> None:
    fine = maps[-1]
    base, _ = baseline_population("stg", 2, 3)
    g, _, valid = modulate("stg", base, fine.g_s[4], fine.g_u[6], PAIR)
    simulated = simulate(g[valid], "stg", duration_ms=6000, transient_ms=3000, record="spikes")
    kinds = [describe_pattern(train).kind for train in simulated.trains()]
    for share, kind in zip(fine.shares[6, 4], ACTIVITY_PATTERNS, strict=True):
        assert share == kinds.count(kind) / len(kinds)
    assert fine.rate_hz[6, 4] == np.median([train.n_spikes / 3.0 for train in simulated.trains()])


def test_what_was_simulated_is_kept(maps, monkeypatch) -> None:
    monkeypatch.setattr(atlas_module, "simulate", None)
    again = pattern_map("stg", list(PAIR), n_grid=11, members=2, seed=3)
    np.testing.assert_array_equal(again.shares, maps[-1].shares)


def test_cancelled_work_is_taken_up_again() -> None:
    calls, seen = count(), []
    options = {"n_grid": 3, "members": 1, "seed": 99}
    with pytest.raises(Cancelled):
        pattern_map("stg", PAIR, cancel=lambda: next(calls) > 3, **options)
    found = pattern_map("stg", PAIR, progress=lambda done, total: seen.append((done, total)), **options)
    assert seen[-1] == (9, 9)
    assert found.observed_ms == 3000.0


def test_what_cannot_be_mapped_is_refused_in_one_sentence() -> None:
    with pytest.raises(CompensationError, match="cannot set g_s and g_u"):
        pattern_map("stg", ("Na", "Kd"))
    with pytest.raises(CompensationError, match="takes two conductances, not 1"):
        pattern_map("stg", ("Na",))
    with pytest.raises(CompensationError, match="3 to 81 nodes a side, not 2"):
        pattern_map("stg", PAIR, n_grid=2)
    with pytest.raises(CompensationError, match="1 to 64 members"):
        pattern_map("stg", PAIR, members=0)
