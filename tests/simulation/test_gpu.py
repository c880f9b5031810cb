"""Members simulated on a GPU fire like those on the CPU: in Python, in numba-cuda's simulator, and on one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command_line import spike2pop
from rich_neuron import RICH

from spike2pop_nb.conductances import Inhibition, baseline_population, generate_population
from spike2pop_nb.errors import Cancelled, SimulationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import Course, gpu, simulate, single
from spike2pop_nb.simulation.course import Schedule, Waves
from spike2pop_nb.simulation.plan import Plan, make_plan
from spike2pop_nb.simulation.simulated import Simulated

NUMBA_CUDA = find_spec("numba_cuda") is not None
NEURONS = {"stg": 120.0, "da": 60.0, "pyloric": 60.0, "lts": 60.0, "rich": 60.0}
HERE = Path(__file__).parent


def neuron_of(name: str) -> NeuronModel:
    return RICH if name == "rich" else get_neuron(name)


class There(np.ndarray):
    """An array of a GPU that is none."""

    def copy_to_host(self) -> np.ndarray:
        return np.array(self)


def stand_in() -> SimpleNamespace:
    """Return what does in Python, one thread after the other, what `numba.cuda` would do."""
    thread = SimpleNamespace(place=0)

    class Kernel:
        def __init__(self, function: Any) -> None:
            self.function = function

        def __getitem__(self, shape: tuple[int, int]) -> Any:
            return lambda *given: self.launch(shape[0] * shape[1], given)

        def launch(self, threads: int, given: tuple[Any, ...]) -> None:
            with np.errstate(over="ignore"):  # whole numbers of 64 bits turn over
                for thread.place in range(threads):
                    self.function(*given)

    def jit(function: Any = None, **_options: Any) -> Any:
        return Kernel(function) if function is not None else lambda inner: inner

    jit.__module__ = "simulator"
    memory = SimpleNamespace(free=1e9)
    return SimpleNamespace(
        jit=jit,
        grid=lambda _dimensions: thread.place,
        local=SimpleNamespace(array=lambda shape, kind: np.full(shape, np.nan, dtype=kind)),
        to_device=lambda array: np.array(array, order="C").view(There),
        device_array=lambda shape, dtype, order: np.zeros(shape, dtype, order=order).view(There),
        current_context=lambda: SimpleNamespace(get_memory_info=lambda: memory),
    )


@pytest.fixture
def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a GPU are run in Python."""
    monkeypatch.setattr(gpu, "check_gpu", lambda: None)
    monkeypatch.setattr(gpu, "cuda", stand_in())
    monkeypatch.setattr(gpu, "_KERNELS", {})


def compared(found: Simulated, known: Simulated, V_mV: float = 0.02) -> None:
    assert len(found) == len(known)
    assert found.reasons == known.reasons
    for ours, theirs in zip(found.spike_times_ms, known.spike_times_ms, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert found.V_mV.shape == known.V_mV.shape
    np.testing.assert_allclose(found.V_mV, known.V_mV, rtol=0, atol=V_mV)


def options(name: str, **more: Any) -> dict[str, Any]:
    return {"transient_ms": 0.0, "duration_ms": NEURONS[name], "accuracy": "screening", **more}


@pytest.mark.usefixtures("in_python")
@pytest.mark.parametrize("name", NEURONS)
def test_every_neuron_fires_as_on_the_cpu(name: str) -> None:
    neuron = neuron_of(name)
    g = baseline_population(neuron, 2, np.random.default_rng(1))[0]
    driven = options(name, current=[3.0, 1.0], noise_sigma=[0.0, 2.0], seed=4)
    known = simulate(g, neuron, **driven)
    compared(simulate(g, neuron, device="cuda", **driven), known)
    assert sum(map(len, known.spike_times_ms)) > 0


@pytest.mark.usefixtures("in_python")
def test_a_member_does_not_depend_on_the_others() -> None:
    g = baseline_population(get_neuron("stg"), 3, np.random.default_rng(1))[0]
    g[1, 0] = -1.0
    seeds = np.arange(3, dtype=np.uint64)
    driven = options("stg", duration_ms=20.0, noise_sigma=1.0, device="cuda")
    all_of_them = simulate(g, "stg", seed=seeds, **driven)
    alone = simulate(g[2:], "stg", seed=seeds[2:], **driven)
    np.testing.assert_array_equal(all_of_them.V_mV[2:], alone.V_mV)
    np.testing.assert_array_equal(all_of_them.spike_times_ms[2], alone.spike_times_ms[0])
    assert list(all_of_them.reasons) == [1]


class Pulses(Schedule):
    """A current and a conductance, different in every step, of which members get one of two."""

    def select(self, rows: np.ndarray) -> Pulses:
        return self

    def waves(self, ms: np.ndarray) -> Waves:
        g = 0.2 + 0.2 * np.sin(ms / np.array([[3.0], [4.0]]))
        return Waves(np.array([1, 0, 1]), np.cos(ms[None]) + g * -70.0, g)


class Warmed(Schedule):
    """The temperature rises."""

    def jumps_ms(self) -> tuple[float, ...]:
        return (8.0,)

    def plan(self, neuron: NeuronModel, dt_ms: float, ms: float) -> Plan:
        return make_plan(neuron, dt_ms, 21.0 if ms > 8.0 else None)


@pytest.mark.usefixtures("in_python")
def test_another_temperature_is_the_same_kernel() -> None:
    neuron = get_neuron("pyloric")
    g = baseline_population(neuron, 1, np.random.default_rng(1))[0]
    given = options("pyloric", duration_ms=20.0)
    warm = simulate(g, neuron, course=Warmed(), device="cuda", **given)
    compared(warm, simulate(g, neuron, course=Warmed(), **given))
    assert np.abs(warm.V_mV - simulate(g, neuron, **given).V_mV).max() > 0.1
    assert len(gpu._KERNELS) == 1


@pytest.mark.usefixtures("in_python")
@pytest.mark.parametrize("kind", ["waves", "inhibition", "course"])
def test_what_is_done_to_members(kind: str) -> None:
    g = baseline_population(get_neuron("stg"), 3, np.random.default_rng(1))[0]
    done: dict[str, Any] = {
        "waves": {"course": Pulses()},
        "inhibition": {"inhibition": Inhibition(*np.full((3, 3), [[0.1], [40.0], [0.2]]))},
        "course": {"course": Course(np.array([3.0, 18.0]), np.stack([g, 1.5 * g], axis=1))},
    }[kind]
    given = options("stg", duration_ms=25.0, **done)
    compared(simulate(g, "stg", device="cuda", **given), simulate(g, "stg", **given))


@pytest.mark.usefixtures("in_python")
def test_it_can_be_stopped() -> None:
    told: list[tuple[int, int]] = []
    g = baseline_population(get_neuron("stg"), 1, np.random.default_rng(1))[0]
    given = {"device": "cuda", "duration_ms": 1e5, "transient_ms": 0.0, "accuracy": "screening"}
    with pytest.raises(Cancelled):
        simulate(g, "stg", cancel=lambda: True, progress=lambda *done: told.append(done), **given)


def test_neurons_of_one_kind_share_a_kernel() -> None:
    """Temperature and accuracy change numbers; another neuron is another kernel."""
    neuron = get_neuron("pyloric")
    warm = [make_plan(neuron, dt, C) for dt, C in ((0.02, None), (0.01, None), (0.02, 21.0))]
    kinds = {single.structure_of(plan) for plan in (*warm, make_plan(get_neuron("stg"), 0.02))}
    assert len(kinds) == 2


def test_a_device_that_is_none() -> None:
    with pytest.raises(SimulationError, match="device must be one of cpu, cuda, not 'gpu'"):
        simulate(np.ones((1, 8)), "stg", device="gpu")


def test_without_numba_cuda_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "find_spec", lambda _name: None)
    with pytest.raises(SimulationError, match=r"pip install 'spike2pop-nb\[cuda\]'"):
        simulate(np.ones((1, 8)), "stg", device="cuda")


@pytest.mark.parametrize("command", ["simulate", "dataset", "atlas"])
def test_commands_name_it_and_write_nothing(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "find_spec", lambda _name: None)
    members, out = tmp_path / "population.csv", tmp_path / "out.csv"
    generate_population("stg", (5.0, 5.0), size=1, seed=1).to_csv(members)
    given = {"simulate": [members], "dataset": ["--trains", 4], "atlas": ["--neuron", "stg", "--size", 64]}
    status, _said, error = spike2pop(capsys, command, *given[command], "--device", "cuda", "--out", out)
    assert status
    assert "A simulation on a GPU needs numba-cuda: pip install 'spike2pop-nb[cuda]'." in error
    assert not out.exists()


def in_another_process(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        cwd=HERE.parent,
    )


def has_gpu() -> bool:
    if not NUMBA_CUDA:
        return False
    from numba import cuda

    return bool(cuda.is_available())


@pytest.mark.skipif(not NUMBA_CUDA, reason="numba-cuda is not installed")
@pytest.mark.skipif(has_gpu(), reason="there is a GPU")
def test_without_a_gpu_it_is_said() -> None:
    with pytest.raises(SimulationError, match="no NVIDIA GPU"):
        simulate(np.ones((1, 8)), "stg", device="cuda")


SIMULATED = """
import numpy as np
from simulation import test_gpu as tests
for name in ("stg", "da"):
    neuron = tests.neuron_of(name)
    g = tests.baseline_population(neuron, 2, np.random.default_rng(1))[0]
    given = tests.options(name, duration_ms=15.0, current=[3.0, 1.0], noise_sigma=[0.0, 2.0], seed=4)
    tests.compared(tests.simulate(g, neuron, device="cuda", **given), tests.simulate(g, neuron, **given))
"""


@pytest.mark.skipif(not NUMBA_CUDA, reason="numba-cuda is not installed")
def test_in_the_simulator_of_numba_cuda() -> None:
    done = in_another_process("-c", SIMULATED, NUMBA_ENABLE_CUDASIM="1")
    assert done.returncode == 0, done.stderr


def has_compiler() -> bool:
    if not NUMBA_CUDA:
        return False
    from numba.cuda.cudadrv import nvvm

    try:
        return nvvm.NVVM() is not None
    except Exception:  # each version has its own
        return False


@pytest.mark.skipif(not has_compiler(), reason="no NVVM")
@pytest.mark.parametrize("name", ["da", "rich"])
def test_it_compiles_for_a_hopper_gpu(name: str, tmp_path: Path) -> None:
    """All numbers of a member are in registers, and eight columns are read by two loads of four each."""
    file = tmp_path / "kernel.ptx"
    done = in_another_process(str(HERE / "compile_for_gpu.py"), name, str(file))
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert ".target sm_90" in text
    assert "v4.f32" in text
    assert "st.local" not in text
    if assembler := shutil.which("ptxas", path=os.pathsep.join([*bundled_tools(), os.environ["PATH"]])):
        command = [assembler, "-v", "-arch=sm_90", str(file), "-o", str(tmp_path / "kernel.cubin")]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        assert "0 bytes stack frame, 0 bytes spill stores" in said


def bundled_tools() -> list[str]:
    """Folders of programs that came with packages of NVIDIA."""
    spec = find_spec("nvidia")
    places = [] if spec is None else spec.submodule_search_locations or []
    return [str(folder) for place in places for folder in Path(place).glob("*/bin")]


@pytest.mark.skipif(not has_gpu(), reason="no GPU")
@pytest.mark.parametrize("name", [*NEURONS, "tc"])
def test_on_a_gpu(name: str) -> None:
    neuron = neuron_of(name)
    g = baseline_population(neuron, 100, np.random.default_rng(1))[0]
    given = {"duration_ms": 1500.0, "transient_ms": 500.0, "seed": 4, "record": "spikes"}
    for noise in (0.0, 1.0):
        known = simulate(g, neuron, noise_sigma=noise, **given)
        found = simulate(g, neuron, noise_sigma=noise, device="cuda", **given)
        off = [
            np.abs(np.diff(ours) / np.diff(theirs) - 1.0).max(initial=0.0)
            for ours, theirs in zip(found.spike_times_ms, known.spike_times_ms, strict=True)
            if len(ours) == len(theirs)
        ]
        # a spike that only just happens may be there or not
        assert len(off) >= 98
        assert np.median(off) < 1e-6
