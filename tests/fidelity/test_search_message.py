"""What is said of how a search went."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from spike2pop_nb.fidelity.message import search_message
from spike2pop_nb.spiketrains import SpikeTrain

TRAIN = SpikeTrain("cell", [0.0, 100.0, 200.0, 300.0, 400.0])


def said(n_passed: int, **how: Any) -> str:
    told: dict[str, Any] = {
        "n_tried": 40,
        "n_asked": 16,
        "n_good": n_passed,
        "n_kept": 16,
        "refined": True,
    } | how
    return search_message(
        TRAIN,
        n_passed=n_passed,
        why_short="the budget was spent",
        reasons=Counter({"rate": 40 - n_passed}),
        **told,
    )


def test_where_none_passed_another_search_is_named() -> None:
    assert said(0).startswith(
        "0 of 40 members tried, after refinement, fire like the recording (0 %); 16 were asked"
    )
    assert "tolerance “own”" in said(0)


@pytest.mark.parametrize(
    ("n_passed", "how"), [(3, {}), (16, {}), (0, {"refined": False}), (0, {"n_tried": 4})]
)
def test_it_is_not_named_where_some_passed_or_little_was_tried(n_passed: int, how: dict[str, Any]) -> None:
    assert "“own”" not in said(n_passed, **how)
