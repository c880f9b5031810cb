"""What a neuron may lack: an atlas, and one of the user's own a place in the list."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.browser import Upload
from spike2pop_nb.app.layout import Fold, button, field, listed, said, shown_if, text
from spike2pop_nb.app.local import is_shared, may_add_neurons
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.inference import list_predictors
from spike2pop_nb.neurons import NeuronModel, own_neurons_folder

__all__ = ["AtlasPanel", "OwnNeuronPanel"]

_WHY = (
    "With an atlas, DICs, current and noise are predicted for this neuron, and searches begin near the "
    "recording. Thousands of members are simulated and learned from, which takes some minutes, once."
)
_MOST_BYTES = 2**20
_TRUSTED = (
    "The file is Python and is run on this computer, with all that you may do there: choose only one "
    "that you trust. Then its neuron is checked and added to the list."
)
_NOT_HERE = (
    "A declaration of a neuron is Python, which could reach the sessions and files of all who use this "
    "server, so pages do not run it here. Whoever looks after the server adds it with spike2pop models add "
    "FILE; on a computer of your own, spike2pop app --own-neurons lets the page do it."
)


class AtlasPanel:
    """A button, shown for a neuron without a network, that makes its atlas, and then stops that.

    ``on_made`` is called once it is there.
    """

    def __init__(
        self, session: Session, actions: Actions, messages: Messages, on_made: Callable[[], None]
    ) -> None:
        self.session, self._actions, self._on_made = session, actions, on_made
        self._going = self._stopping = False
        self.make = button("Make its atlas", _WHY, "primary")
        self.says = text()
        self.widget = w.VBox([self.make, self.says])
        self.make.on_click(messages.after(self._clicked))
        actions.on_progress["atlas"] = messages.guard(self._progress)
        session.follow(messages.after(self._show), "neuron")
        session.observe(messages.after(self._allow), "usable")
        self._allow()
        self._show()

    def _allow(self) -> None:
        self.make.disabled = not self.session.usable and not self._going

    def _clicked(self) -> None:
        if self._going:
            self._stopping = True
            self._actions.stop("atlas")
            self.says.value = said(["Stopping…"])
            return
        self._going, self._stopping = True, False
        self.make.description = "Stop"
        self._actions.make_atlas(self._over)

    def _progress(self, fraction: float, words: str) -> None:
        if self._going and not self._stopping:
            self.says.value = said([f"{words}: {100 * fraction:.0f} %."])

    def _over(self) -> None:
        self._going = False
        self.make.description = "Make its atlas"
        self._show()
        self._on_made()

    def _show(self) -> None:
        if not self._going:
            shown_if(self.session.settings.neuron not in list_predictors(), self.widget)
            self.says.value = said([_WHY])


class OwnNeuronPanel:
    """Takes a declaration where the server was told that pages may, and says what the check of it found.

    ``on_added`` is called once another neuron can be chosen.
    """

    def __init__(
        self, session: Session, actions: Actions, messages: Messages, on_added: Callable[[], None]
    ) -> None:
        self.session, self._on_added = session, on_added
        self.upload = Upload(
            lambda data, name: messages.guard(actions.add_neuron)(data, name, self._added),
            messages.report,
            label="Run and add a declaration…",
            hint="A Python file that declares one neuron; it is run on this computer",
            accept=".py",
            limit_bytes=_MOST_BYTES,
        )
        self.says = text("", "s2p-says")
        controls = [field("Declaration (.py)", self.upload, _TRUSTED), self.says]
        self.widget = Fold("Add a neuron of your own", [text(said([_NOT_HERE]))] if is_shared() else controls)
        shown_if(may_add_neurons() or is_shared(), self.widget)
        session.observe(messages.after(self._allow), "usable")
        self._allow()

    def _allow(self) -> None:
        self.upload.disabled = not self.session.usable or not may_add_neurons()

    def _added(self, answer: tuple[NeuronModel, list[str]]) -> None:
        neuron, found = answer
        self._on_added()
        where = f"It is kept in {own_neurons_folder()}; spike2pop models remove {neuron.name} undoes that."
        self.says.value = (
            said([f"{neuron.title} can be chosen above. {where}"])
            + f"<details><summary>What the check found</summary>{listed(found)}</details>"
        )
