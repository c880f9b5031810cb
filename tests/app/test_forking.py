"""Kernels forked from a prepared process: what they are given, how they end, and what stands in for them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time

import psutil
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from spike2pop_nb.app import provisioner
from spike2pop_nb.app.provisioner import ForkError, ForkProvisioner, ForkServer, can_fork, metadata, register
from spike2pop_nb.app.serve import _ThisPython

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")

# A fork server without the libraries: each "kernel" says what it is in a file, and does as it is told.
SMALL = """
import gc, json, os, sys, time
from socket import socket
from spike2pop_nb.app.forkserver import NotYet, serve
done, begun = [], time.monotonic()
def first():
    done.append("first")
    return lambda: done.append("own")
def broken():
    raise RuntimeError("not here")
def last():
    if time.monotonic() < begun + 0.2:
        raise NotYet
    done.append("last")
def run(arguments):
    path, then = arguments
    said = dict(done=done, env=dict(os.environ), cwd=os.getcwd(), group=os.getpgid(0))
    said |= dict(collects=gc.isenabled(), open=sorted(os.listdir("/proc/self/fd")))
    with open(path + ".part", "w") as file:
        json.dump(said, file)
    os.rename(path + ".part", path)
    if then == "sleep":
        time.sleep(600)
    sys.exit(int(then))
serve(socket(fileno=int(sys.argv[1])), [first, broken, last], run, *sys.argv[2:3])
"""


@pytest.fixture
def small():
    server = ForkServer(["-c", SMALL])
    yield server
    server.close()


def fork(server, path, then, cwd=None, **env):
    return asyncio.run(server.fork([str(path), str(then)], {"PATH": os.environ["PATH"], **env}, cwd))


def until(condition, timeout_s=120.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "that did not happen in time"
        time.sleep(0.02)


def said(path):
    until(path.exists)
    return json.loads(path.read_text())


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_kernel_gets_its_own_environment_folder_and_group(small, tmp_path):
    kernel = fork(small, tmp_path / "a", "sleep", cwd=str(tmp_path), MARK="a\udc80 b")
    found = said(tmp_path / "a")
    assert found["env"] == {"PATH": os.environ["PATH"], "MARK": "a\udc80 b"}
    assert found["cwd"] == str(tmp_path)
    assert found["group"] == kernel.pid
    assert found["collects"]
    assert found["done"][0] == "first"
    assert found["done"][-1] == "own"
    assert psutil.Process(kernel.pid).ppid() == small.process.pid
    kernel.kill()
    assert kernel.wait(60) == -signal.SIGKILL


def test_kernels_hold_nothing_of_each_other_open(small, tmp_path):
    kernels = [fork(small, tmp_path / str(i), "sleep") for i in range(3)]
    counts = [len(said(tmp_path / str(i))["open"]) for i in range(3)]
    assert len(set(counts)) == 1
    for kernel in kernels:
        kernel.terminate()
        assert kernel.wait(60) == -signal.SIGTERM


def test_the_exit_code_is_told(small, tmp_path):
    kernel = fork(small, tmp_path / "a", 3)
    assert kernel.wait(60) == 3
    assert kernel.poll() == 3
    kernel.kill()  # of one that has ended nobody else is hit


def test_a_step_that_fails_stops_nothing_and_later_steps_wait_for_time(small, tmp_path):
    before = fork(small, tmp_path / "a", 0)
    time.sleep(1.5)
    after = fork(small, tmp_path / "b", 0)  # held, since a kernel ends when nobody holds its socket
    assert said(tmp_path / "b")["done"] == ["first", "last", "own"]
    assert before.wait(60) == after.wait(60) == 0


def test_a_kernel_ends_with_the_server(small, tmp_path):
    kernel = fork(small, tmp_path / "a", "sleep")
    said(tmp_path / "a")
    kernel._channel.close()  # as the system does when the server has gone
    until(lambda: not alive(kernel.pid))


def test_without_the_fork_server_kernels_live_on_and_no_new_ones_come(small, tmp_path):
    kernel = fork(small, tmp_path / "a", "sleep")
    said(tmp_path / "a")
    small.process.kill()
    small.process.wait(60)
    assert kernel.poll() is None
    with pytest.raises(ForkError):
        fork(small, tmp_path / "b", 0)
    kernel.kill()
    assert kernel.wait(60) == 1


def test_a_folder_that_is_missing_or_an_environment_that_is_too_large_is_an_error(small, tmp_path, capfd):
    with pytest.raises(ForkError):
        fork(small, tmp_path / "a", 0, cwd=str(tmp_path / "none"))
    with pytest.raises(ForkError):
        fork(small, tmp_path / "b", 0, HUGE="x" * 5_000_000)
    assert fork(small, tmp_path / "c", 0).wait(60) == 0


def test_the_folder_of_a_server_that_was_killed_goes_with_the_fork_server(tmp_path):
    folder = tmp_path / "connections"
    folder.mkdir()
    (folder / "kernel.json").write_text("{}")
    server = ForkServer(["-c", SMALL], leaves=folder)
    assert fork(server, tmp_path / "a", 0).wait(60) == 0
    assert folder.exists()
    kernel = fork(server, tmp_path / "b", "sleep")
    server._control.close()  # as the system does for a process that is killed
    server.process.wait(60)
    assert not folder.exists()
    kernel._channel.close()
    until(lambda: not alive(kernel.pid))


def test_closing_ends_the_fork_server(tmp_path):
    server = ForkServer(["-c", SMALL])
    assert fork(server, tmp_path / "a", 0).wait(60) == 0  # so it listens
    server.close()
    assert server.process.returncode == 0


def test_closing_waits_for_no_preparation():
    server = ForkServer(["-c", "import time; time.sleep(60)"])
    begun = time.monotonic()
    server.close()
    assert time.monotonic() - begun < 30
    assert server.process.poll() is not None


@pytest.fixture
def ordinary(monkeypatch):
    """Ordinary kernels, but for the process."""
    launched = []

    async def launch(self, cmd, **kwargs):
        launched.append(cmd)
        return {}

    monkeypatch.setattr(LocalProvisioner, "launch_kernel", launch)
    yield launched
    register(None)


COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "kernel.json"]


def test_where_nothing_can_be_forked_kernels_are_ordinary(ordinary, monkeypatch):
    register(None)
    assert metadata() == {}
    asyncio.run(ForkProvisioner().launch_kernel(COMMAND, env={}))
    assert ordinary == [COMMAND]
    for system, possible in (("linux", True), ("darwin", False), ("win32", False)):
        monkeypatch.setattr(provisioner.sys, "platform", system)
        assert can_fork() is possible


def test_when_the_fork_server_has_died_kernels_are_ordinary_and_the_log_says_so(ordinary, caplog):
    server = ForkServer(["-c", "raise SystemExit(1)"])
    register(server)
    assert metadata()["kernel_provisioner"]["provisioner_name"] == provisioner.PROVISIONER
    server.process.wait(60)
    for _ in range(2):
        asyncio.run(ForkProvisioner().launch_kernel(COMMAND, env={}))
    server.close()
    assert ordinary == [COMMAND, COMMAND]
    assert len([r for r in caplog.records if "could not be forked" in r.message]) == 1
    assert metadata() == {}


def test_a_real_kernel_runs_is_interrupted_restarts_and_ends(monkeypatch, tmp_path):
    neurons = tmp_path / "neurons"
    neurons.mkdir()
    run_by = tmp_path / "run_by"
    (neurons / "mine.py").write_text(
        f"import os\nopen({str(run_by)!r}, 'a').write(f'{{os.getpid()}} ')\nraise RuntimeError('no neuron')\n"
    )
    monkeypatch.setenv("SPIKE2POP_NB_NEURONS", str(neurons))
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)  # Dask's workers leave it behind
    server = ForkServer()
    register(server)
    look = (
        "import os, random, numpy, torch\n"
        "from spike2pop_nb.neurons import broken_neurons\n"
        "assert list(broken_neurons()) == ['mine']\n"
        "print([os.environ['SPIKE2POP_NB_NEURONS'], 'OPENBLAS_NUM_THREADS' in os.environ,"
        " random.random(), float(numpy.random.rand()), float(torch.rand(1)), os.getppid()])"
    )

    async def asked(client, code):
        heard = []

        def hear(message):
            if message["msg_type"] == "stream":
                heard.append(message["content"]["text"])

        reply = await client.execute_interactive(code, timeout=120, output_hook=hear)
        assert reply["content"]["status"] == "ok", reply["content"]
        return json.loads("".join(heard).replace("'", '"').replace("True", "true").replace("False", "false"))

    async def main():
        manager = AsyncKernelManager(kernel_spec_manager=_ThisPython(), kernel_name="python3")
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(120)
        first = await asked(client, look)
        assert first[:2] == [str(neurons), False]
        assert first[-1] == server.process.pid
        assert run_by.read_text().split() == [str(manager.provisioner.pid)]
        # None is left once an example has been gone through.
        until(lambda: psutil.Process(server.process.pid).num_threads() == 1)

        waiting = asyncio.ensure_future(
            client.execute_interactive("import time; time.sleep(600)", timeout=120)
        )
        await asyncio.sleep(1.0)
        await manager.interrupt_kernel()
        assert (await waiting)["content"]["ename"] == "KeyboardInterrupt"

        pid = manager.provisioner.pid
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(120)
        second = await asked(client, look)
        assert manager.provisioner.pid != pid
        assert all(a != b for a, b in zip(first[2:5], second[2:5], strict=True))

        os.kill(manager.provisioner.pid, signal.SIGKILL)
        for _ in range(600):
            if not await manager.is_alive():
                break
            await asyncio.sleep(0.1)
        assert not await manager.is_alive()
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(120)
        pid = manager.provisioner.pid
        client.stop_channels()
        await manager.shutdown_kernel()
        assert not alive(pid)

    try:
        asyncio.run(main())
    finally:
        register(None)
        server.close()
