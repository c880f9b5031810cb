"""A neuron of the user's own, from a file that declares it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.local import may_add_neurons
from spike2pop_nb.app.runner import Task
from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import NeuronModel, add_neuron, load_neuron

__all__ = ["Adding"]


class Adding(Acting):
    """The action that makes a neuron known by its name."""

    def add_neuron(
        self, data: bytes, name: str, done: Callable[[tuple[NeuronModel, list[str]]], None]
    ) -> None:
        """Run a Python file, check the neuron that it declares, and keep it among the user's own.

        Parameters
        ----------
        data, name
            Content and name of the file.
        done
            Called with the neuron and what the check says.

        Raises
        ------
        NeuronModelError
            If the server was not told to run declarations.
        """
        if not may_add_neurons():
            raise NeuronModelError(
                "This page runs no Python. Open it with spike2pop app --own-neurons, or add the file with "
                "spike2pop models add."
            )
        self.messages.clear()
        chosen = self.session.settings.neuron

        def work(_task: Task) -> tuple[NeuronModel, list[str]]:
            from spike2pop_nb.simulation.model_check import check_model

            with TemporaryDirectory(prefix="spike2pop-") as folder:
                path = Path(folder) / f"{PurePath(name).stem or 'neuron'}.py"
                path.write_bytes(data)
                neuron = load_neuron(path)
                if neuron.name == chosen:
                    raise NeuronModelError(
                        f"The neuron {neuron.name!r} is the one that is chosen; choose another before you "
                        "replace it."
                    )
                found = check_model(neuron)
                return add_neuron(path), found.describe().splitlines()

        self._run("add neuron", f"Running {name} and trying out its neuron…", work, done)
