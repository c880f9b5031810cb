"""How members are moved by those that move with them."""

from __future__ import annotations

import numpy as np

from spike2pop_nb.fidelity.moves import moves


def test_groups_move_by_themselves_and_within_their_limits() -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.random((20, 3)), 10 + rng.random((20, 3))])
    groups = [np.arange(20), np.arange(20, 40)]
    most = np.concatenate([np.full((20, 3), 1.0), np.full((20, 3), 20.0)])
    for _ in range(20):
        moved = moves(x, rng.random(40), groups, np.zeros(3), most, rng)
        assert (moved >= 0).all()
        assert (moved <= most).all()
        assert (moved[:20] < 5).all()
        assert (moved[20:] > 5).all()


def test_members_move_towards_the_better_ones() -> None:
    rng = np.random.default_rng(4)
    x = rng.random((200, 2))
    cost = np.abs(x - 0.5).max(axis=1)
    moved = moves(x, cost, [np.arange(200)], np.zeros(2), np.ones((200, 2)), rng)
    assert not np.array_equal(moved, x)
    assert np.median(np.abs(moved - 0.5).max(axis=1)) < np.median(cost)
