"""One piece of work after another, in this process, in several on this machine, or on a Dask cluster.

Pieces are answered in the order in which they are done. A process that dies takes one piece with it: that is
tried once more, and said to be `Lost` if it ends a second one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import cloudpickle

from spike2pop_nb.errors import Spike2PopError

__all__ = ["Lost", "cores", "worked"]

Piece = TypeVar("Piece")
_THREADS = "OMP_NUM_THREADS"
# A script has its work at the top as often as not: another process that ran it would start that work again.
_NO_SCRIPT = {"__file__": None, "__spec__": None}
_LEAST_AHEAD = 8


class Lost:
    """The answer to a piece whose process died over it, twice."""

    why = "the process that worked on it was ended by the system, most likely for want of memory"


def cores() -> int:
    """Return how many threads to use: what OMP_NUM_THREADS says, or all cores that this process may use.

    Examples
    --------
    >>> from spike2pop_nb.workers import cores
    >>> cores() >= 1
    True
    """
    said = os.environ.get(_THREADS, "").partition(",")[0].strip()
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def worked(
    function: Callable[[Piece], Any],
    pieces: Iterable[Piece],
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> Iterator[list[tuple[Piece, Any]]]:
    """Call a function with each of many pieces; give (piece, answer) of those that are done meanwhile.

    Pieces are taken as they are needed, so that many take no more memory than a few.

    Parameters
    ----------
    function
        What it raises ends everything.
    pieces
        What it is called with; of several processes, what cloudpickle takes.
    workers
        Processes on this machine, each with one thread; with 1 the work is done in this one.
    scheduler
        Address of a Dask scheduler, whose workers are used instead.

    Raises
    ------
    Spike2PopError
        If the scheduler does not answer, Dask is not installed, or its workers have another version.

    Examples
    --------
    >>> from spike2pop_nb.workers import worked
    >>> list(worked(abs, [-1, 2]))
    [[(-1, 1)], [(2, 2)]]
    """
    if scheduler is not None:
        return _on_cluster(function, pieces, scheduler)
    if workers > 1:
        return _in_processes(function, pieces, workers)
    return ([(piece, function(piece))] for piece in pieces)


class _Worker:
    """A process that waits for pieces; it ends when nobody can ask it any more."""

    def __init__(self, function: bytes) -> None:
        context = multiprocessing.get_context("spawn")  # the same on every system, and safe beside threads
        self.ours, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _changed(os.environ, {_THREADS: "1"}), _changed(vars(sys.modules["__main__"]), _NO_SCRIPT):
            self.process.start()
        theirs.close()
        self.piece: Any = None
        self.send(function)

    def ask(self, piece: Any) -> None:
        self.piece = piece
        self.send(cloudpickle.dumps(piece))

    def send(self, content: bytes) -> None:
        with suppress(OSError):  # it died meanwhile, which is seen when an answer is waited for
            self.ours.send_bytes(content)

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.ours.close()


@contextmanager
def _changed(values: MutableMapping[str, Any], to: Mapping[str, Any]) -> Iterator[None]:
    """Change some values for a moment."""
    before = {name: values[name] for name in to if name in values}
    values.update(to)
    try:
        yield
    finally:
        for name in to:
            del values[name]
        values.update(before)


def _serve(connection: Connection) -> None:
    """Be told a function, and answer the pieces that come until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    with suppress(EOFError, OSError):
        told = connection.recv_bytes()
        function: Callable[[Any], Any] | None = None
        while True:
            content = connection.recv_bytes()
            try:
                function = function or cloudpickle.loads(told)
                answer = (True, function(cloudpickle.loads(content)))
            except Exception as error:
                answer = (False, error)
            connection.send_bytes(cloudpickle.dumps(answer))


def _in_processes(
    function: Callable[[Piece], Any], pieces: Iterable[Piece], workers: int
) -> Iterator[list[tuple[Piece, Any]]]:
    # by value where the user's own script defines it, which other processes do not know
    told = cloudpickle.dumps(function)
    left, again = iter(pieces), deque[Piece]()
    busy: dict[Connection, _Worker] = {}
    tried: list[Piece] = []  # by identity: pieces need not be comparable

    def ask(worker: _Worker | None) -> None:
        """Give a worker the next piece, or a new one if there is none; end it if nothing is left."""
        try:
            piece = next(left)
        except StopIteration:
            if not again:
                if worker is not None:
                    worker.end()
                return
            piece = again.popleft()
        worker = worker or _Worker(told)
        busy[worker.ours] = worker
        worker.ask(piece)

    try:
        for _ in range(workers):
            ask(None)
        while busy:
            done: list[tuple[Piece, Any]] = []
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                worker = busy.pop(ready)
                try:
                    good, answer = cloudpickle.loads(ready.recv_bytes())
                except (EOFError, OSError):
                    worker.end()
                    if any(worker.piece is piece for piece in tried):
                        done.append((worker.piece, Lost()))
                    else:
                        tried.append(worker.piece)
                        again.append(worker.piece)
                    ask(None)
                    continue
                if not good:
                    worker.end()
                    raise answer
                done.append((worker.piece, answer))
                ask(worker)
            if done:
                yield done
    finally:
        for worker in busy.values():
            worker.end()


def _on_cluster(
    function: Callable[[Piece], Any], pieces: Iterable[Piece], scheduler: str
) -> Iterator[list[tuple[Piece, Any]]]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise Spike2PopError(
            "A cluster needs Dask: pip install 'spike2pop-nb[train]', here and where the workers run."
        ) from None
    try:
        client = Client(scheduler, timeout="30s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise Spike2PopError(f"No Dask scheduler answers at {scheduler}: {error}.") from None
    left = iter(pieces)
    asked: dict[Any, Piece] = {}
    with client:
        _check_versions(client)
        running: Any = as_completed(loop=client.loop)

        def fill() -> None:
            # Enough for no worker to wait; workers may join and leave
            ahead = max(_LEAST_AHEAD, 2 * sum(client.nthreads().values()))
            while len(asked) < ahead:
                try:
                    piece = next(left)
                except StopIteration:
                    return
                future = client.submit(function, piece, pure=False)
                asked[future.key] = piece
                running.add(future)

        fill()
        while asked:
            done: list[tuple[Piece, Any]] = []
            for future in running.next_batch():
                piece = asked.pop(future.key)
                try:
                    done.append((piece, future.result()))
                except KilledWorker:
                    done.append((piece, Lost()))
            yield done
            fill()


def _check_versions(client: Any) -> None:
    """Refuse workers that would not do the same."""
    here = _version()
    there = set(client.run(_version).values()) - {here}
    if there:
        raise Spike2PopError(
            f"The workers of the cluster have spike2pop_nb {', '.join(sorted(there))}, and here it is "
            f"{here}; install the same version in both places."
        )


def _version() -> str:
    from spike2pop_nb import __version__

    return __version__
