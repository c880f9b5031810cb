"""The background runner: order, replacement, progress, cancel, errors."""

from __future__ import annotations

import asyncio
import threading

from spike2pop_nb.app.runner import Runner, on_this_loop


def test_answers_come_back_through_the_dispatcher(loop):
    runner, got = Runner(loop), []
    runner.submit("a", lambda _task: threading.current_thread().name, got.append, got.append)
    loop.until(lambda: got)
    assert got == ["spike2pop-runner"]


def test_the_latest_of_a_kind_replaces_the_others(loop):
    runner, got, gate = Runner(loop), [], threading.Event()
    runner.submit("a", lambda _task: gate.wait(5) and 1, got.append, got.append)
    waiting = runner.submit("b", lambda _task: 2, got.append, got.append)
    runner.submit("b", lambda _task: 3, got.append, got.append)
    gate.set()
    loop.until(lambda: len(got) == 2)
    assert got == [True, 3] or got == [1, 3]
    assert waiting.dropped


def test_a_running_task_that_is_replaced_is_told_to_stop_and_not_heard(loop):
    runner, got, begun = Runner(loop), [], threading.Event()

    def stubborn(task):
        begun.set()
        while not task.cancelled():
            pass
        return "old"

    runner.submit("a", stubborn, got.append, got.append)
    assert begun.wait(5)
    runner.submit("a", lambda _task: "new", got.append, got.append)
    loop.until(lambda: got)
    assert got == ["new"]


def test_work_in_other_lanes_goes_on_beside(loop):
    runner, got, gate = Runner(loop), [], threading.Event()
    runner.submit("slow", lambda _task: gate.wait(5), got.append, got.append)
    runner.submit("quick", lambda _task: "quick", got.append, got.append, lane="other")
    loop.until(lambda: got == ["quick"])
    gate.set()
    loop.until(lambda: got == ["quick", True])


def test_cancel_lets_the_answer_through(loop):
    runner, got = Runner(loop), []

    def work(task):
        while not task.cancelled():
            pass
        return "partly"

    runner.submit("a", work, got.append, got.append).cancel()
    loop.until(lambda: got)
    assert got == ["partly"]


def test_errors_are_answered_and_the_thread_lives_on(loop):
    runner, got = Runner(loop), []
    runner.submit("a", lambda _task: 1 / 0, got.append, got.append)
    runner.submit("b", lambda _task: "fine", got.append, got.append)
    loop.until(lambda: len(got) == 2)
    assert isinstance(got[0], ZeroDivisionError)
    assert got[1] == "fine"


def test_progress_is_thinned_but_its_end_is_not(loop):
    runner, got, said = Runner(loop), [], []

    def work(task):
        for i in range(1001):
            task.progress(i, 1000, f"{i}")

    runner.submit("a", work, got.append, got.append, progress=lambda f, t: said.append((f, t)))
    loop.until(lambda: got)
    assert len(said) < 100
    assert said[-1] == (1.0, "1000")


def test_on_a_running_loop_acts_are_done_there():
    async def main():
        dispatch, done = on_this_loop(), asyncio.Event()
        where = []

        def act():
            where.append(threading.current_thread())
            done.set()

        threading.Thread(target=lambda: dispatch(act)).start()
        await asyncio.wait_for(done.wait(), 5)
        assert where == [threading.main_thread()]

    asyncio.run(main())


def test_without_a_loop_acts_are_done_at_once():
    done = []
    on_this_loop()(lambda: done.append(1))
    assert done == [1]
