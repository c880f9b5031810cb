"""The kernel on an NVIDIA GPU: one thread a member, written out for a neuron, with its state in registers.

All members of a block are one tile, whose lanes are threads. What they are stays on the GPU between chunks of
time; what goes back and forth is what a schedule changes, and the voltage of now.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import SimulationError
from spike2pop_nb.simulation.course import Levels, Waves
from spike2pop_nb.simulation.kernel import V_NOW, scratch_rows, state_rows
from spike2pop_nb.simulation.plan import Plan
from spike2pop_nb.simulation.single import four, single_member, structure_of
from spike2pop_nb.simulation.tiles import Block, Settings, Tiles
from spike2pop_nb.simulation.unrolled import written_out

__all__ = ["GpuTiles", "check_gpu", "thread_of"]

_THREADS = 64  # of a block of threads, all of which may have as many registers as there are
_MOST_BYTES, _MOST_MEMBERS = 8 << 30, 1 << 17
_F = np.float32
_KERNELS: dict[tuple[Any, ...], Any] = {}
_LOCK = threading.Lock()
cuda: Any = None  # numba.cuda, once it is needed


def check_gpu() -> None:
    """Refuse where there is nothing to run on.

    Raises
    ------
    SimulationError
        If numba-cuda is not installed, or finds no GPU.
    """
    global cuda
    if find_spec("numba_cuda") is None:
        raise SimulationError("A simulation on a GPU needs numba-cuda: pip install 'spike2pop-nb[cuda]'.")
    from numba import cuda as found
    from numba.cuda.core import config

    if not found.is_available():
        raise SimulationError(
            "There is no NVIDIA GPU here that CUDA can use (nvidia-smi shows those with a driver); "
            "choose the device 'cpu'."
        )
    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # few members are simulated there, too
    cuda = found


def _thread(  # type: ignore[no-untyped-def]
    run_block,
    n_state,
    n_x,
    n_channels,
    n_scratch,
    state,
    x,
    lost,
    g,
    E,
    table,
    pools,
    nernst,
    numbers,
    dt,
    step0,
    n_steps,
    start_ms,
    sigma,
    noise_every,
    sections,
    quantiles,
    filters,
    seeds,
    current,
    held,
    which,
    piece,
    injected,
    added,
    spikes,
    n_spikes,
    pending,
    sample_every,
    sample0,
    traces,
):
    i = cuda.grid(1)
    if i < state.shape[2]:
        own_state = cuda.local.array((1, n_state, 1), _F)
        own_x = cuda.local.array((1, n_x, 1), _F)
        own_lost = cuda.local.array((1, n_x, 1), _F)
        own_g = cuda.local.array((1, n_channels, 1), _F)
        own_E = cuda.local.array((1, n_channels, 1), _F)
        scratch = cuda.local.array((n_scratch, 1), _F)
        for k in range(n_state):
            own_state[0, k, 0] = state[0, k, i]
        for k in range(n_x):
            own_x[0, k, 0] = x[0, k, i]
            own_lost[0, k, 0] = lost[0, k, i]
        for k in range(n_channels):
            own_g[0, k, 0] = g[0, k, i]
            own_E[0, k, 0] = E[0, k, i]
        wave = which[i]
        run_block(
            own_state,
            own_x,
            own_lost,
            own_g,
            own_E,
            scratch,
            table,
            pools,
            nernst,
            numbers,
            dt,
            step0,
            n_steps,
            start_ms,
            sigma[:, i : i + 1],
            noise_every,
            sections,
            quantiles,
            filters[:, :, :, i : i + 1],
            seeds[:, i : i + 1],
            current[:, i : i + 1],
            held[:, i : i + 1],
            piece,
            injected[:, :, wave : wave + 1],
            added[:, :, wave : wave + 1],
            spikes[i : i + 1],
            n_spikes[i : i + 1],
            pending[i : i + 1],
            sample_every,
            sample0,
            traces[i : i + 1],
        )
        for k in range(n_state):
            state[0, k, i] = own_state[0, k, 0]
        for k in range(n_x):
            x[0, k, i] = own_x[0, k, 0]
            lost[0, k, i] = own_lost[0, k, 0]


def thread_of(plan: Plan) -> Any:
    """Return what a thread does for its member, written out for a plan."""
    simulated = "simulator" in cuda.jit.__module__  # of numba-cuda, in Python
    pools, channels = len(plan.pools), len(plan.order)
    device = (lambda function: function) if simulated else cuda.jit(device=True, forceinline=True)
    sizes = {
        "n_state": state_rows(pools),
        "n_x": len(plan.initial),
        "n_channels": channels,
        "n_scratch": scratch_rows(plan.n_columns, channels, pools),
    }
    advance = single_member(plan, device, four if simulated else _four())
    return written_out(_thread, sizes, {"run_block": advance, "cuda": cuda})


def _four() -> Any:
    """Return `four` as one load of 128 bits."""
    from llvmlite import ir
    from numba.cuda import types
    from numba.cuda.extending import intrinsic

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, place = arguments
        data = context.make_array(signature.args[0])(context, builder, table).data
        at = builder.bitcast(builder.gep(data, [place]), ir.VectorType(ir.FloatType(), 4).as_pointer())
        read = builder.load(at, align=16)
        each = [builder.extract_element(read, ir.Constant(ir.IntType(32), k)) for k in range(4)]
        return context.make_tuple(builder, signature.return_type, each)

    @intrinsic
    def read(_typing, table, place):  # type: ignore[no-untyped-def]
        return types.UniTuple(types.float32, 4)(table, types.int64), emit

    def four(table, place):  # type: ignore[no-untyped-def]
        return read(table, place)

    return four


def _kernel(plan: Plan) -> Any:
    """Return the kernel for a plan, which others of the same structure share."""
    key = structure_of(plan)
    with _LOCK:
        if key not in _KERNELS:
            _KERNELS[key] = cuda.jit(thread_of(plan))
        return _KERNELS[key]


class GpuTiles(Tiles):
    """The members of one block, on a GPU; see `Tiles`."""

    def __init__(
        self, plan: Plan, how: Settings, rows: npt.NDArray[np.int64], currents: bool = False
    ) -> None:
        if currents:
            raise SimulationError("Currents are recorded on the CPU only; choose the device 'cpu'.")
        super().__init__(plan, how, rows, lanes=len(rows))
        for name in (
            *("state", "x", "lost", "sigma", "seeds", "current", "biquads", "pending", "n_spikes"),
            *("filters", "quantiles"),
        ):
            setattr(self, name, cuda.to_device(getattr(self, name)))
        self.sent: dict[str, tuple[Any, Any]] = {}

    @staticmethod
    def shares(how: Settings, n: int, workers: int) -> tuple[int, int]:
        """Return one thread, and how many members fit into the memory of the GPU side by side."""
        free = min(cuda.current_context().get_memory_info().free / 2, _MOST_BYTES)
        each = 8 * how.capacity + 4 * how.n_samples + 4096
        return 1, int(max(1, min(free // each, _MOST_MEMBERS)))

    def room(self, rows: int, columns: int, kind: Any) -> Any:
        """Return room for what is kept, in which the members lie side by side."""
        # of two at least, so that nobody takes it for another order and compiles the kernel again
        return cuda.device_array((max(rows, 2), max(columns, 2)), dtype=kind, order="F")

    def there(self, name: str, given: Any, made: Any) -> Any:
        """Return on the GPU what is made of something given, sent again only if another is given."""
        if name not in self.sent or self.sent[name][0] is not given:
            self.sent[name] = given, cuda.to_device(made())
        return self.sent[name][1]

    def advance(self, plan: Plan, levels: Levels, waves: Waves | None, step0: int, count: int) -> None:
        """Advance all members by some steps."""
        _kernel(plan)[-(-self.n // _THREADS), _THREADS](
            self.state,
            self.x,
            self.lost,
            self.there("g", levels.g, lambda: self.tiled(levels.g[:, plan.order])),
            self.there("E", levels.E, lambda: self.tiled(levels.E[:, plan.order])),
            self.there("table", plan, lambda: plan.table),
            self.there("pools", plan, lambda: plan.pools.astype(_F)),
            self.there("nernst", plan, lambda: plan.nernst.astype(_F)),
            self.there("numbers", plan, lambda: plan.numbers),
            *self.drawn(step0, count),
            cuda.to_device(self.given(levels)),
            *self.waves(waves),
            *self.kept(),
        )
        self.check(self.state[0, V_NOW].copy_to_host())

    def waves(self, waves: Waves | None) -> tuple[Any, ...]:
        """Return which waveform each member gets, their pieces, currents and conductances, (1, k, W)."""
        none = np.zeros((1, 0, 1), dtype=_F)
        if waves is None:
            which, piece = np.zeros(self.n, dtype=np.int64), np.zeros(0, dtype=np.int64)
            current, conductance = none, none
        else:
            which = np.ascontiguousarray(waves.which, dtype=np.int64)
            piece, current, conductance = waves.pieces(), _side_by_side(waves.current), none
            if waves.conductance is not None:
                conductance = _side_by_side(waves.conductance)
        return tuple(map(cuda.to_device, (which, piece, current, conductance)))

    def block(self) -> Block:
        """Return what its members gave."""
        self.n_spikes = self.n_spikes.copy_to_host()
        self.spikes = self.spikes[:, : max(2, self.n_spikes.max())].copy_to_host()
        self.traces = self.traces.copy_to_host()[:, : self.how.n_samples]
        return super().block()


def _side_by_side(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(values.T[None], dtype=_F)
