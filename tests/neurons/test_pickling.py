"""A neuron goes through pickle and to other processes as itself, or is refused in one sentence."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import (
    Gate,
    NeuronModel,
    Range,
    get_neuron,
    load_neuron,
    register_neuron,
    registry,
    same_neuron,
    sigmoid,
    vary_neuron,
)

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "my_neuron.py"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, NeuronModel]:
    """A registry that may be changed."""
    get_neuron("stg")
    copied = dict(registry._registered)
    monkeypatch.setattr(registry, "_registered", copied)
    monkeypatch.setattr(registry, "_of_session", set(registry._of_session))
    return copied


def with_half(neuron: NeuronModel, half_mV: float) -> NeuronModel:
    """The neuron with another activation of its H channel."""
    gate = Gate("m", sigmoid(0, 1, 6, half_mV), neuron.tau_ultraslow)
    channels = [dataclasses.replace(c, gates=(gate,)) if c.name == "H" else c for c in neuron.channels]
    return dataclasses.replace(neuron, channels=tuple(channels))


def again(neuron: NeuronModel) -> NeuronModel:
    found = pickle.loads(pickle.dumps(neuron))
    assert isinstance(found, NeuronModel)
    return found


def in_a_fresh_process(neuron: NeuronModel, tmp_path: Path, what: str) -> str:
    """Return what a fresh process prints of a neuron that it unpickles, or the last line of its error."""
    file = tmp_path / "neuron.pickle"
    file.write_bytes(pickle.dumps(neuron))
    code = f"import pickle; n = pickle.loads(open({str(file)!r}, 'rb').read()); print(({what}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_a_registered_neuron_is_itself(neuron: NeuronModel) -> None:
    assert again(neuron) is neuron
    assert len(pickle.dumps(neuron)) < 200
    assert pickle.loads(cloudpickle.dumps(neuron)) is neuron


def test_a_variation_stays_one(neuron: NeuronModel, tmp_path: Path) -> None:
    leak = neuron.baseline.free["leak"]
    assert isinstance(leak, Range)
    other = next(name for name in neuron.baseline.free if name != "leak")
    ranges = {"leak": (leak.low, 2 * leak.high), other: (7.0, 7.0)}
    varied = vary_neuron(neuron, V_th_mV=-49, baseline=ranges)
    assert again(varied) is varied
    assert copy.copy(varied) is copy.deepcopy([varied])[0] is varied
    free = f"n.baseline.free['leak'], n.baseline.free['{other}']"
    told = in_a_fresh_process(varied, tmp_path, f"n.V_th_mV, {free}")
    assert told == str((-49.0, varied.baseline.free["leak"], 7.0))


def test_an_unregistered_neuron_goes_by_value(neuron: NeuronModel, tmp_path: Path) -> None:
    mine = with_half(get_neuron("stg"), 80) if neuron.name == "stg" else neuron
    mine = dataclasses.replace(mine, name="mine", V_th_mV=-52.5)
    assert again(mine) is mine
    assert pickle.loads(cloudpickle.dumps(mine)) is mine
    told = in_a_fresh_process(mine, tmp_path, "n.name, n.V_th_mV, n.declaration")
    assert told == str(("mine", -52.5, mine.declaration))


def test_another_neuron_of_a_registered_name_stays_another(tmp_path: Path) -> None:
    other = with_half(get_neuron("stg"), 80)
    assert again(other) is other
    assert in_a_fresh_process(other, tmp_path, "n.declaration") == other.declaration
    assert not same_neuron(other, get_neuron("stg"))


def test_a_neuron_of_a_file_goes_by_value_if_it_is_made_of_blocks(tmp_path: Path) -> None:
    mine = load_neuron(EXAMPLE)
    assert in_a_fresh_process(mine, tmp_path, "n.declaration") == mine.declaration


def test_a_local_function_is_refused_by_its_place(registered: dict[str, NeuronModel]) -> None:
    stg = get_neuron("stg")
    mine = dataclasses.replace(stg, name="mine", tau_slow=lambda V: stg.tau_slow(V))
    for dumps in (pickle.dumps, cloudpickle.dumps):
        with pytest.raises(
            NeuronModelError, match=r"'mine' cannot be pickled .* 'tau_slow' .* register"
        ) as caught:
            dumps(mine)
        assert "\n" not in str(caught.value)
    # that a name is known here is enough here
    register_neuron(mine)
    assert again(mine) is mine


def test_what_is_registered_in_one_process_alone_goes_by_value(
    registered: dict[str, NeuronModel], tmp_path: Path
) -> None:
    mine = register_neuron(dataclasses.replace(get_neuron("stg"), name="mine"))
    assert again(mine) is mine
    assert in_a_fresh_process(vary_neuron("mine", V_th_mV=-48), tmp_path, "n") == repr(
        vary_neuron(mine, V_th_mV=-48)
    )


def test_a_name_that_is_unknown_or_of_another_declaration_is_refused_on_loading(
    registered: dict[str, NeuronModel], tmp_path: Path
) -> None:
    stg = get_neuron("stg")
    mine = register_neuron(dataclasses.replace(stg, name="mine", tau_slow=lambda V: stg.tau_slow(V)))
    content = pickle.dumps(mine)
    told = in_a_fresh_process(mine, tmp_path, "n")
    assert "of the neuron 'mine', which must be registered before that is loaded" in told
    registered["mine"] = dataclasses.replace(mine, capacitance_uF=1.5)
    with pytest.raises(NeuronModelError, match="of another declaration of the neuron 'mine' than the one"):
        pickle.loads(content)


def test_workers_get_the_variation() -> None:
    varied = vary_neuron("stg", V_th_mV=-49)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(repr, [varied]) == [repr(varied)]


def test_a_declaration_is_told_by_what_it_does() -> None:
    stg = get_neuron("stg")
    assert stg.declaration.startswith("stg-")
    same = [
        dataclasses.replace(stg, title="another", references=()),
        vary_neuron(stg, V_th_mV=-40, baseline={"Kd": (1, 2)}),
        with_half(stg, 70.0),
    ]
    assert {neuron.declaration for neuron in same} == {stg.declaration}
    modulation = (dataclasses.replace(stg.modulation[0], where=np.less), *stg.modulation[1:])
    others = [
        dataclasses.replace(stg, capacitance_uF=1.001),
        with_half(stg, 70.01),
        dataclasses.replace(stg, modulation=modulation),
        dataclasses.replace(stg, conductance_range=stg.conductance_range | {"Na": (0, 8001)}),
    ]
    assert len({neuron.declaration for neuron in [stg, *others]}) == 5
    assert repr(stg) == "NeuronModel('stg', V_th_mV=-51, 8 channels)"
