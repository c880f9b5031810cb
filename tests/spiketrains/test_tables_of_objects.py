"""Spike times that are held in memory as tables."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq
from table_files import values

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers.objects import table_from_object
from spike2pop_nb.spiketrains.table import Table


def made(given: object) -> Table:
    found = table_from_object(given)
    assert found is not None
    return found


def unit(found: Table) -> str:
    return found.columns[0].unit


def neo_train(times: Any, name: str | None = None) -> neo.SpikeTrain:
    return neo.SpikeTrain(times * pq.ms, t_start=-5 * pq.ms, t_stop=40 * pq.ms, name=name)


def test_neo() -> None:
    found = made(neo_train([1.0, 20], "PD"))
    assert values(found) == {"spike trains": [[1, 20]], "id": ["PD"], "window": [[-5, 40]]}
    assert (unit(found), found.roles) == ("ms", {"time": "spike trains", "id": "id", "window": "window"})
    unnamed = [neo_train([1.0]), neo_train([2.0])]
    assert values(made(unnamed))["id"] == ["1", "2"]
    assert values(made({"a": unnamed[0], "b": unnamed[1]}))["id"] == ["a", "b"]
    seconds = neo.SpikeTrain([1.0] * pq.s, t_stop=2 * pq.s)
    mixed = made([neo_train([20.0]), seconds])
    assert unit(mixed) == "s"
    assert values(mixed)["spike trains"] == [[0.02], [1.0]]
    block = neo.Block()
    for k in range(2):
        segment = neo.Segment()
        segment.spiketrains.append(neo_train([1.0 + k], "PD"))
        block.segments.append(segment)
    assert values(made(block))["segment"] == [1, 2]
    assert values(made(segment))["spike trains"] == [[2]]
    assert values(made(segment.spiketrains))["spike trains"] == [[2]]
    with pytest.raises(SpikeTrainError, match="Segment of neo holds no spike trains"):
        made(neo.Segment())


def test_quantities() -> None:
    found = made([1.0, 20] * pq.us)
    assert (values(found), unit(found)) == ({"": [1, 20]}, "us")
    samples = made([30_000.0, 60_000] * pq.CompoundUnit("1/(30000*Hz)"))
    assert unit(samples) == "s"
    assert values(samples)[""] == pytest.approx([1, 2])
    assert unit(made([[1.0, 2] * pq.ms, [3.0] * pq.ms])) == "ms"
    with pytest.raises(SpikeTrainError, match="quantity in mV"):
        made([1.0] * pq.mV)
    with pytest.raises(SpikeTrainError, match=r"different units \(ms, s\)"):
        made([[1.0] * pq.ms, [3.0] * pq.s])


def test_pynapple() -> None:
    nap = pytest.importorskip("pynapple")
    group = nap.TsGroup(
        {3: nap.Ts(np.array([0.1, 0.2])), 7: nap.Ts(np.array([0.5]))}, time_support=nap.IntervalSet(0, 1)
    )
    found = made(group)
    assert values(found) == {"t": [[0.1, 0.2], [0.5]], "id": ["3", "7"], "support": [[0, 1], [0, 1]]}
    assert unit(found) == "s"
    assert values(made(group[3]))["t"] == [[0.1, 0.2]]
    with pytest.raises(SpikeTrainError, match="IntervalSet holds no spike times"):
        made(nap.IntervalSet(0, 1))


def test_brian() -> None:
    brian2 = pytest.importorskip("brian2")
    found = made({0: np.array([1.0, 20]) * brian2.ms})
    assert (unit(found), values(found)["id"]) == ("s", ["0"])
    assert values(found)["spike trains"][0] == pytest.approx([0.001, 0.02])


def test_pandas() -> None:
    assert values(made(pd.Series([1.0, 2], name="t_ms"))) == {"t_ms": [1, 2]}
    assert not made(pd.Series([1.0, 2])).named
    frame = pd.DataFrame(
        {"unit": ["a", "b"], "t": [1, 2], "ok": [True, False], "kind": pd.Categorical(["x", "y"])}
    )
    found = made(frame)
    assert values(found) == {"unit": ["a", "b"], "t": [1, 2], "kind": ["x", "y"]}
    assert found.skipped == ["'ok', which holds no real numbers"]
    assert values(made(frame.set_index("unit")[["t"]])) == {"unit": ["a", "b"], "t": [1, 2]}
    assert "'index'" in made(frame[["t"]].set_axis(["x", "y"])).skipped[0]
    assert values(made(pd.DataFrame({"times": [[1, 2], [3]]}))) == {"times": [[1, 2], [3]]}
    np.testing.assert_array_equal(made(pd.Series([1, None], dtype="Int64")).columns[0].values, [1, np.nan])
    assert unit(made(pd.Series(np.array([1, 20], dtype="m8[ms]")))) == "ms"


class Sorting:
    """As SpikeInterface has it."""

    unit_ids = ("a", "b")

    def get_sampling_frequency(self) -> float:
        return 30_000.0

    def get_num_segments(self) -> int:
        return 2

    def get_unit_spike_train(self, unit_id: str, segment_index: int) -> Any:
        return np.array([100, 200 + segment_index]) if unit_id == "a" else np.array([], dtype=int)


def test_spikeinterface() -> None:
    found = made(Sorting())
    assert values(found) == {
        "spike trains": [[100, 200], [], [100, 201], []],
        "id": ["a", "b", "a", "b"],
        "segment": [0, 0, 1, 1],
    }
    assert (unit(found), found.facts) == ("samples", {"sampling_rate_hz": 30_000})


def test_numpy() -> None:
    assert values(made(np.array([1.0, 20]))) == {"": [1, 20]}
    assert made(np.eye(3)).columns[0].kind == "matrix"
    ragged = np.array([np.array([1.0]), np.array([2.0, 3])], dtype=object)
    assert values(made(ragged))["spike trains"] == [[1], [2, 3]]
    masked = made(np.ma.masked_array([1.0, 2, 3], [False, True, False]))
    assert values(masked) == {"": [1, 3]}
    assert masked.skipped == ["1 masked value"]
    table = made(np.ma.masked_array([[1, 2], [3, 4]], [[False, True], [False, False]]))
    np.testing.assert_array_equal(table.columns[0].values, [[1, np.nan], [3, 4]])
    with pytest.raises(SpikeTrainError, match=r"shape \(2, 2, 2\)"):
        made(np.zeros((2, 2, 2)))
    with pytest.raises(SpikeTrainError, match="type complex128"):
        made(np.array([1j]))


def test_lists_and_dicts() -> None:
    assert values(made([1, 20, 30.5])) == {"": [1, 20, 30.5]}
    assert values(made([])) == {"": []}
    assert values(made([[1.0, 2], np.array([3.0]), []])) == {
        "spike trains": [[1, 2], [3], []],
        "id": ["1", "2", "3"],
    }
    assert values(made({4: [1.0, 2], 9: []})) == {"spike trains": [[1, 2], []], "id": ["4", "9"]}
    named = made({"times": [1.0, 2], "unit": ["a", "b"], "fs": 30_000, "note": "x", "rows": [[1], [2, 3]]})
    assert values(named) == {"times": [1, 2], "unit": ["a", "b"], "rows": [[1], [2, 3]]}
    assert named.facts == {"fs": 30_000, "note": "x"}
    with pytest.raises(SpikeTrainError, match="Entry 2 of the 2"):
        made([[1.0], [[2.0, 3], [4, 5]]])


@pytest.mark.parametrize("given", [None, "a.csv", b"1", 3, ["a", "b"], {}, object(), {1, 2}])
def test_other_things(given: object) -> None:
    assert table_from_object(given) is None


def test_nothing_is_imported() -> None:
    code = (
        "import sys; from spike2pop_nb.spiketrains.readers.objects import table_from_object as t; t([1, 2]);"
        "print(*{'neo', 'quantities', 'pynapple', 'brian2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
