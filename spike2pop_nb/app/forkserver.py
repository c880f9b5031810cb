"""A process that has imported what every session needs, and forks into a kernel on request.

What nobody writes to is then held in memory once for all sessions, and a session starts in a fraction of a
second. The server asks over a socket that this process inherits, so nobody else can. Each request brings a
socket of its own, which stays open for as long as server and kernel live, so that each notices when the other
has gone.

A process with threads must not be forked, so libraries are told to start none here. Nothing of a user ever
runs here, not even the neurons and networks that are the user's own.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

__all__ = ["ENVIRONMENT", "MOST_BYTES", "STEPS", "NotYet", "Step", "main", "serve"]

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",  # which pandas imports where it is installed
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MALLOC_ARENA_MAX": "1",  # what is freed goes back to the system, and each thread keeps none for itself
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "SPIKE2POP_NB_NEURONS": os.devnull,
    "SPIKE2POP_NB_WEIGHTS": os.devnull,
}
"""Keeps libraries from starting threads or talking as they are imported, and the user's own files unread."""
MOST_BYTES = 2**20
"""No message is longer."""
_NEURON, _EXAMPLE = "stg", "stg_set.csv"
_LATE = (
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "scipy.signal",
    "sqlite3",
    "zmq.utils.garbage",
)
"""What a kernel imports only as it starts or later; the last, by then, too late to stop after the sockets."""

Step = Callable[[], Callable[[], None] | None]
"""Prepares something; what it returns is called in each kernel to make it that kernel's own."""
_AGAIN_S = 0.5


class NotYet(Exception):
    """What a step needs is not there yet; it is tried again."""


def _page() -> Callable[[], None]:
    import ipykernel.kernelapp  # noqa: F401
    import ipywidgets

    from spike2pop_nb.app import compiling
    from spike2pop_nb.app.dashboard import Dashboard
    from spike2pop_nb.neurons.registry import look_again

    compiling.begin()
    # Built and dropped, for all that comes with the first widget and the first figure.
    Dashboard(dispatch=lambda _act: None)
    ipywidgets.Widget.close_all()
    # ipywidgets does this itself only where it is imported in a kernel.
    ipywidgets.register_comm_target()
    for name in _LATE:
        with suppress(ImportError):
            import_module(name)
    return look_again


def _work() -> Callable[[], None]:
    import numpy as np
    import torch

    from spike2pop_nb.conductances import reachability
    from spike2pop_nb.data import example_path
    from spike2pop_nb.inference import load_predictor
    from spike2pop_nb.neurons import get_neuron
    from spike2pop_nb.plots import dic_plane
    from spike2pop_nb.spiketrains import read_spike_trains

    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def own() -> None:
        torch.set_num_threads(threads)
        torch.seed()
        np.random.seed()  # noqa: NPY002

    # An example is gone through as in a session, for all that is loaded on the way. Threads that this starts
    # have ended when it is done.
    recordings = read_spike_trains(example_path(_EXAMPLE))
    recordings.to_frame()
    neuron = get_neuron(_NEURON)
    posterior = load_predictor(neuron).predict(recordings[:1])[0]
    dic_plane(neuron, posterior, reachability(neuron, neuron.recommend(posterior.g_s, posterior.g_u)))
    return own


def _population() -> None:
    import ipywidgets

    from spike2pop_nb.app import compiling
    from spike2pop_nb.app.dashboard import Dashboard
    from spike2pop_nb.data import example_path
    from spike2pop_nb.fidelity import find_population
    from spike2pop_nb.inference import load_predictor
    from spike2pop_nb.neurons import get_neuron
    from spike2pop_nb.simulation import keeps_compiled, needs_compiling
    from spike2pop_nb.spiketrains import read_spike_trains

    if compiling.going():
        raise NotYet
    # What cannot be kept on disk is compiled here, and all kernels have it.
    if needs_compiling() and keeps_compiled():
        return
    train = read_spike_trains(example_path(_EXAMPLE))[0]
    neuron = get_neuron(_NEURON)
    posterior = load_predictor(neuron).predict([train])[0]
    acts: list[Callable[[], None]] = []
    dashboard = Dashboard(dispatch=acts.append)
    dashboard.session.result = find_population(train, neuron, posterior, size=2, budget=8, seed=0)
    while acts:
        acts.pop(0)()
    ipywidgets.Widget.close_all()


STEPS: tuple[Step, ...] = (_page, _work, _population)
"""The first is done before any kernel starts, the others while no kernel is asked for."""


def serve(
    control: socket.socket, steps: Sequence[Step], run: Callable[[list[str]], None], leaves: str | None = None
) -> None:
    """Fork for each request, until the other end of a socket is closed.

    Parameters
    ----------
    control
        Brings, for each kernel, its arguments, environment and folder as JSON, and a socket for the answers:
        from the kernel ``{"pid": ...}``, and at its end, from here, ``{"exit": ...}``.
    steps
        See `STEPS`.
    run
        Called with the arguments in the kernel; when it returns, so does this function there.
    leaves
        Folder that the server leaves behind if it is killed, and that is removed here then.
    """
    gc.disable()  # a collection writes to all that could be shared
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    left = list(steps)
    owned: list[Callable[[], None]] = []
    kernels: dict[int, socket.socket] = {}
    if left:
        _prepare(left, owned)
    pause = 0.0
    while True:
        ready, _, _ = select.select([control, woken], [], [], pause if left else None)
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(4096)
            _report_exits(kernels)
        elif control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, 1)
            if not message:
                _hear_no_exits()
                if leaves is not None:
                    shutil.rmtree(leaves, ignore_errors=True)
                return
            channel = socket.socket(fileno=descriptors[0])
            gc.collect()
            gc.freeze()
            try:
                pid = os.fork()
            except OSError as error:
                _send(channel, {"error": str(error)})
                channel.close()
                continue
            if pid:
                kernels[pid] = channel
                continue
            _hear_no_exits()
            for other in (control, woken, wake, *kernels.values()):
                other.close()
            arguments = _settle(json.loads(message), channel, owned)
            run(arguments)
            return
        elif left:
            pause = 0.0 if _prepare(left, owned) else _AGAIN_S


def _hear_no_exits() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _prepare(left: list[Step], owned: list[Callable[[], None]]) -> bool:
    """Do the first of the steps that are left; False if it has to wait."""
    # What fails here fails again in a session, which can say so.
    with suppress(Exception):
        try:
            own = left[0]()
        except NotYet:
            return False
        if own is not None:
            owned.append(own)
    del left[0]
    return True


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    with suppress(OSError):  # nobody may be there to hear it any more
        channel.send(json.dumps(message).encode())


def _report_exits(kernels: dict[int, socket.socket]) -> None:
    for pid in list(kernels):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            channel = kernels.pop(pid)
            _send(channel, {"exit": os.waitstatus_to_exitcode(status)})
            channel.close()


def _settle(
    request: dict[str, Any], channel: socket.socket, owned: Sequence[Callable[[], None]]
) -> list[str]:
    """Make of a forked process what a process of its own would be; return its arguments."""
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    if request["cwd"]:
        os.chdir(request["cwd"])
    for own in owned:
        own()
    gc.enable()

    def end_with_the_server() -> None:
        with suppress(OSError):
            channel.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_the_server, name="spike2pop-server", daemon=True).start()
    _send(channel, {"pid": os.getpid()})
    return list(request["args"])


def _kernel(arguments: list[str]) -> None:
    from ipykernel.kernelapp import IPKernelApp

    # As parent stands the process that never ends; the end of the real one is heard over the channel.
    sys.argv = ["ipykernel_launcher", *arguments, "--IPKernelApp.parent_handle=1"]
    IPKernelApp.launch_instance()


def main() -> None:
    """Serve over the socket whose number is the first argument; the second is the folder that it leaves."""
    serve(socket.socket(fileno=int(sys.argv[1])), STEPS, _kernel, *sys.argv[2:3])


if __name__ == "__main__":
    main()
