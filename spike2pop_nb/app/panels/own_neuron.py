"""Adding a neuron of one's own, where the server was told that pages may."""

from __future__ import annotations

from collections.abc import Callable

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.files import Upload
from spike2pop_nb.app.layout import Fold, field, listed, said, text
from spike2pop_nb.app.local import is_shared, may_add_neurons
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.neurons import NeuronModel, own_neurons_folder

__all__ = ["OwnNeuronPanel"]

_MOST_BYTES = 2**20
_NOT_HERE = (
    "A declaration of a neuron is Python, which could reach the sessions and files of all who use this "
    "server, so pages do not run it here. Whoever looks after the server adds it with spike2pop models add "
    "FILE; on a computer of your own, spike2pop app --own-neurons lets the page do it."
)


class OwnNeuronPanel:
    """Takes a declaration, and says what the check of it found.

    ``on_added`` is called once another neuron can be chosen.
    """

    def __init__(self, actions: Actions, messages: Messages, on_added: Callable[[], None]) -> None:
        self._actions, self._on_added = actions, on_added
        self.upload = Upload(
            lambda data, name: messages.guard(actions.add_neuron)(data, name, self._added),
            messages.report,
            label="Run and add a declaration…",
            hint="A Python file that declares one neuron; it is run on this computer",
            accept=".py",
            limit_bytes=_MOST_BYTES,
        )
        self.says = text("", "s2p-says")
        warning = (
            "The file is Python and is run on this computer, with all that you may do there: choose only one "
            "that you trust. Then its neuron is checked and added to the list."
        )
        controls = [field("Declaration (.py)", self.upload, warning), self.says]
        self.widget = Fold("Add a neuron of your own", [text(said([_NOT_HERE]))] if is_shared() else controls)
        if not may_add_neurons() and not is_shared():
            self.widget.layout.display = "none"

    def enable(self, on: bool) -> None:
        """Let it be used, or not."""
        self.upload.disabled = not on or not may_add_neurons()

    def _added(self, answer: tuple[NeuronModel, list[str]]) -> None:
        neuron, found = answer
        self._on_added()
        where = f"It is kept in {own_neurons_folder()}; spike2pop models remove {neuron.name} undoes that."
        self.says.value = (
            said([f"{neuron.title} can be chosen above. {where}"])
            + f"<details><summary>What the check found</summary>{listed(found)}</details>"
        )
