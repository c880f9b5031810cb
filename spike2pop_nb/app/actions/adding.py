"""A neuron of the user's own, from a file that declares it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from spike2pop_nb.app.actions.predicting import Predicting
from spike2pop_nb.app.local import may_add_neurons
from spike2pop_nb.app.runner import Task
from spike2pop_nb.errors import Cancelled, NeuronModelError
from spike2pop_nb.neurons import NeuronModel, add_neuron, load_neuron

__all__ = ["Adding"]


class Adding(Predicting):
    """The actions that make a neuron known by its name, and how it fires."""

    def make_atlas(self, progress: Callable[[float, str], None], done: Callable[[], None]) -> Task:
        """Make the atlas of the chosen neuron; cancelling the task leaves nothing.

        Parameters
        ----------
        progress
            Called with a fraction from 0 to 1 and words.
        done
            Called at the end, however it ends.
        """
        self.messages.clear()
        neuron = self.session.neuron

        def work(task: Task) -> None:
            from spike2pop_nb.training.atlas import make_atlas

            with suppress(Cancelled):
                make_atlas(neuron, progress=task.progress, cancel=task.cancelled)

        def over(_answer: Any = None) -> None:
            done()
            if self.session.neuron.name == neuron.name:
                self.predict()
                self.survey()

        words = f"Making the atlas of the {neuron.title}…"
        return self._run("atlas", words, work, over, done, progress=progress, lane="atlas")

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
            If the server was not told to run declarations, or the file is not Python.
        """
        if not may_add_neurons():
            raise NeuronModelError(
                "This page runs no Python. Open it with spike2pop app --own-neurons, or add the file with "
                "spike2pop models add."
            )
        if PurePath(name).suffix.lower() != ".py":
            raise NeuronModelError(f"{name} is no Python file; choose the .py file that declares the neuron.")
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
