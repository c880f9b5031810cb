"""Pieces of work in this process, in others, and on a cluster: all are answered, whatever dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.workers import Lost, cores, worked


def square(x: int) -> int:
    return x * x


def threads(_x: int) -> int:
    return cores()


def dies(x: int, at: int, mark: str = "") -> int:
    """End the process at one piece: always, or if a file is given the first time."""
    if x == at:
        if not mark:
            os._exit(1)
        if not Path(mark).exists():
            Path(mark).touch()
            os._exit(1)
    return x


def fails(x: int) -> int:
    if x == 3:
        raise Spike2PopError("not 3")
    return x


def fails_to_load(why: str) -> None:
    raise Spike2PopError(why)


def answers(function, n: int = 12, **options):  # type: ignore[no-untyped-def]
    return {piece: answer for some in worked(function, range(n), **options) for piece, answer in some}


@pytest.mark.parametrize("workers", [1, 3])
def test_every_piece_is_answered(workers: int) -> None:
    assert answers(square, workers=workers) == {x: x * x for x in range(12)}
    assert answers(square, 0, workers=workers) == {}
    assert answers(square, 1, workers=workers) == {0: 0}


def test_each_process_uses_one_thread_and_this_one_what_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(answers(threads, 3, workers=2).values()) == {1}
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert answers(threads, 2) == {0: 5, 1: 5}
    for nothing in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", nothing)
        assert 1 <= cores() <= (os.cpu_count() or 1)


def test_a_piece_whose_process_dies_is_tried_again_and_then_lost(tmp_path: Path) -> None:
    assert answers(partial(dies, at=5, mark=str(tmp_path / "died")), workers=2) == {x: x for x in range(12)}
    found = answers(partial(dies, at=5), workers=2)
    assert isinstance(found.pop(5), Lost)
    assert found == {x: x for x in range(12) if x != 5}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_ends_everything(workers: int) -> None:
    with pytest.raises(Spike2PopError, match="not 3"):
        answers(fails, workers=workers)


def test_pieces_are_taken_as_they_are_needed_and_processes_end_with_who_asks() -> None:
    taken = []

    def pieces() -> Iterator[int]:
        for x in range(1000):
            taken.append(x)
            yield x

    asked = worked(square, pieces(), workers=2)
    next(asked)
    asked.close()  # type: ignore[attr-defined]
    assert len(taken) < 10


def test_a_cluster_answers_all_and_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        assert answers(square, 40, scheduler=address) == {x: x * x for x in range(40)}
        with pytest.raises(Spike2PopError, match="not 3"):
            answers(fails, scheduler=address)
        versions = iter(["0.0.1", "0.1.0"])  # the cluster is asked first
        monkeypatch.setattr("spike2pop_nb.workers._version", lambda: next(versions))
        with pytest.raises(Spike2PopError, match=r"have spike2pop_nb .*, and here it is"):
            answers(square, scheduler=address)


def test_a_scheduler_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")

    def refuse(address: str, **_options: object) -> None:
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(Spike2PopError, match=r"No Dask scheduler answers at tcp:.*8786: timed out"):
        answers(square, scheduler="tcp://10.0.0.1:8786")


def test_a_script_needs_no_guard_and_its_own_functions_are_sent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from spike2pop_nb.workers import worked\n"
        "print('begun')\n"
        "def tripled(x): return 3 * x\n"
        "print(sorted(answer for some in worked(tripled, range(4), workers=2) for _, answer in some))\n"
        "print(__file__, __spec__)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["begun", "[0, 3, 6, 9]", f"{script} None"]
    assert done.stderr == ""


def test_what_a_process_cannot_load_is_said() -> None:
    class Elsewhere:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return fails_to_load, ("a neuron that is not known here",)

    with pytest.raises(Spike2PopError, match="a neuron that is not known here"):
        list(worked(square, [Elsewhere()], workers=2))  # type: ignore[list-item]
