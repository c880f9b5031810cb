"""A search from a seed, found twice, written and read back."""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from spike2pop_nb.checking.check import Found
from spike2pop_nb.conductances import Population, dics
from spike2pop_nb.data import example_path
from spike2pop_nb.export import open_session, results_frames, save_session, table_csv, table_parquet
from spike2pop_nb.fidelity import REFINED_RULE, Result, find_population, verify
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.inference.published import published_files
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains, write_spike_times

__all__ = ["check_found", "check_same", "check_written", "members_note"]

_SIZE, _SEED = 16, 1
_PLACE = 2  # of the recording in stg_set.csv
_MEMBERS = "9e2de1ed85d6"


def _recording() -> SpikeTrain:
    return read_spike_trains(example_path("stg_set"))[_PLACE]


def _searched() -> Result:
    network = next(path for path in published_files() if path.match("weights/stg.safetensors"))
    train = _recording()
    posterior = load_predictor("stg", network).predict([train])[0]
    return find_population(train, "stg", posterior, size=_SIZE, seed=_SEED)


@lru_cache(maxsize=1)
def _first() -> Result:
    return _searched()


def _digest(result: Result) -> str:
    assert result.population is not None
    return hashlib.sha256(np.ascontiguousarray(result.population.g).tobytes()).hexdigest()[:12]


def check_found() -> Found:
    """Search members for an example recording."""
    result = _first()
    expected = f"{_SIZE} different members that fire like recording 3 of stg_set.csv, to 1 % of its rate"
    if result.population is None or result.simulated is None:
        return Found(expected, result.outcome, False)
    # simulated and judged anew: what was found must not hold only where it was found
    start, stop = result.simulated.transient_ms, result.simulated.duration_ms
    run = simulate(result.population, record="spikes", transient_ms=start, duration_ms=stop)
    again = verify(_recording(), run, REFINED_RULE)
    passed = int(again.passed.sum())
    different = len(np.unique(result.population.g, axis=0))
    told = result.population.table[["g_s", "g_u"]].to_numpy(float)
    theirs = float(np.abs(dics("stg", result.population.g)[:, 1:] - told).max())
    return Found(
        expected,
        f"{passed} that pass, {different} different, DICs off by {theirs:.1e}",
        passed == different == _SIZE and theirs < 1e-6,
    )


def check_same() -> Found:
    """Search once more with the same seed."""
    one, other = _first(), _searched()
    if one.population is None or other.population is None:
        return Found("the same members to the last bit", "no members", False)
    same = np.array_equal(one.population.g, other.population.g)
    return Found("the same members to the last bit", "the same" if same else "others", same)


def members_note() -> Found:
    """Say whether the members are those of the machine on which this was written."""
    same = _first().population is not None and _digest(_first()) == _MEMBERS
    return Found(
        "",
        "those of the machine of the documentation, to the last bit"
        if same
        else "as good as those of the machine of the documentation, but others: another processor or "
        "library rounds otherwise",
        None,
    )


def check_written() -> Found:
    """Write a population and its spikes, and read them back."""
    result = _first()
    expected = "the same numbers to the last bit from CSV, Parquet and a session"
    if result.population is None or result.simulated is None:
        return Found(expected, "no members", False)
    g, spikes = result.population.g, result.simulated.spike_times_ms
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = results_frames([result])
        (folder / "p.csv").write_text(table_csv(frames["population"]), encoding="utf-8", newline="")
        (folder / "p.parquet").write_bytes(table_parquet(frames["population"]))
        (folder / "s.csv").write_text(table_csv(frames["spike_times"]), encoding="utf-8", newline="")
        write_spike_times([_recording()], folder / "r.csv")
        save_session(folder / "session.zip", [result])
        if not np.array_equal(Population.from_csv(folder / "p.csv").g, g):
            wrong.append("conductances in CSV")
        if not np.array_equal(Population.from_parquet(folder / "p.parquet").g, g):
            wrong.append("conductances in Parquet")
        read = pd.read_csv(folder / "s.csv", dtype=str)["time_ms"].map(float).to_numpy()
        if not np.array_equal(read, np.concatenate(spikes)):
            wrong.append("spike times in CSV")
        if not np.array_equal(read_spike_trains(folder / "r.csv")[0].times_ms, _recording().times_ms):
            wrong.append("the recording in CSV")
        (opened,) = open_session(folder / "session.zip", predict=lambda *_asked: None).results
        if opened.population is None or not np.array_equal(opened.population.g, g):
            wrong.append("the session")
    return Found(expected, f"others in {', '.join(wrong)}" if wrong else "the same", not wrong)
