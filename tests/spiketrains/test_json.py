"""Any JSON: read, or refused in a sentence."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spike2pop_nb as s2p
from spike2pop_nb.errors import SpikeTrainError

single = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400)
documents = st.recursive(
    single | st.lists(st.floats(0, 1e4), max_size=30),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=30,
)


@given(documents)
def test_any_json_is_read_or_refused(document: object) -> None:
    with suppress(SpikeTrainError):
        s2p.read_spike_trains(json.dumps(document).encode(), filename="any.json")


def test_a_number_that_no_array_holds_is_refused() -> None:
    text = json.dumps({"time_ms": [1.0, 2.0, 10**400]}).encode()
    with pytest.raises(SpikeTrainError, match="the time inf cannot be used"):
        s2p.read_spike_trains(text, filename="x.json")
