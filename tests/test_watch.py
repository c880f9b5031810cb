"""The watch over speed: a loss of 15 % is found, noise is not, and what was lost is not kept."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FILE = Path(__file__).parent / "benchmarks" / "watch.py"


@pytest.fixture(scope="module")
def watch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("watch", FILE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def record(kernel: float, **others: Any) -> dict[str, Any]:
    ratios = {"kernel": [kernel, 0.02, 25], "search": [2.0, 0.02, 15]}
    return {"machine": "one", "reference": 1, "ratios": ratios, **others}


def lost(watch: ModuleType, now: dict[str, Any], history: list[dict[str, Any]]) -> list[str]:
    return [change.name for change in watch.compare(now, history) if change.lost]


def test_a_kernel_slower_by_a_fifth_is_found_and_noise_is_not(watch: ModuleType) -> None:
    rng = np.random.default_rng(0)
    history = [record(1.24 * factor) for factor in np.exp(0.04 * rng.standard_normal(30))]
    for factor in np.exp(0.04 * rng.standard_normal(200)):
        assert not lost(watch, record(1.24 * factor), history)
    assert lost(watch, record(1.2 * 1.24), history) == ["kernel"]
    assert lost(watch, record(1.2 * 1.24), history[:1]) == ["kernel"]
    assert not lost(watch, record(0.5 * 1.24), history)
    assert not watch.compare(record(1.0), [])


def test_many_small_losses_are_found_together(watch: ModuleType) -> None:
    history = [record(1.0)] * 12 + [record(1.0 + 0.01 * k) for k in range(15)]
    assert lost(watch, record(1.16), history) == ["kernel"]
    assert not lost(watch, record(1.14), history)


def test_what_was_gained_may_not_be_lost_again(watch: ModuleType) -> None:
    history = [record(1.0)] * 12 + [record(0.7)] * 12
    assert lost(watch, record(0.85), history) == ["kernel"]


def test_other_machines_workloads_and_times_do_not_count(watch: ModuleType) -> None:
    history = [record(0.5, machine="other"), record(0.5, reference=0)]
    assert not watch.compare(record(1.0), history)
    history = [record(1.0)] * 12 + [record(1.5, accepted=True), record(1.5)]
    assert not lost(watch, record(1.6), history)


def test_ratios_of_neighbours_cancel_what_slows_both(watch: ModuleType) -> None:
    now, rng = 0.0, np.random.default_rng(1)
    pace = [np.exp(0.8 * np.sin(0.05 * k) + 0.05 * rng.standard_normal()) for k in range(1000)]
    steps = iter(pace)

    def work_of(length: float) -> Any:
        def work() -> None:
            nonlocal now
            now += length * next(steps)

        return work

    found = watch.paired(work_of(3.0), work_of(2.0), 101, clock=lambda: now)
    assert found.ratio == pytest.approx(1.5, rel=0.03)
    assert found.spread < 0.1
    assert watch.middle([2.0]).ratio == 2.0


def test_the_command_keeps_what_is_right_and_ends_at_a_loss(
    watch: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    history, out = tmp_path / "history.jsonl", tmp_path / "now.json"
    taken = iter([1.0, 1.02, 1.2, 1.2, 1.21])
    watched = {"kernel": lambda: watch.Ratio(next(taken), 0.01, 25), "paint": lambda: None}
    monkeypatch.setattr(watch, "WATCHED", watched)

    def run(*more: str) -> int:
        arguments = ["--history", str(history), "--out", str(out), "--only", "kernel,paint", *more]
        monkeypatch.setattr(sys, "argv", ["watch.py", *arguments])
        status: int = watch.main()
        return status

    assert [run(), run(), run()] == [0, 0, 1]
    told = capsys.readouterr().out
    assert "LOSS  kernel: 1.200 times its reference, 18.8 % slower than in 2 before" in told
    assert "paint: not measured" in told
    assert len(history.read_text(encoding="utf-8").splitlines()) == 2
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert kept["ratios"]["kernel"][0] == 1.2
    assert {"commit", "date", "machine", "versions", "load"} <= kept.keys()
    assert [run("--accept"), run()] == [0, 0]
    assert len(history.read_text(encoding="utf-8").splitlines()) == 4
