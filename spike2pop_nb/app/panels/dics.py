"""The neuron, and what its network says about the recording."""

from __future__ import annotations

from html import escape

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import bind, open_while_usable
from spike2pop_nb.app.figures import DrawingQueue, FigureView
from spike2pop_nb.app.layout import button, card, classed, field, jump, listed, said, shown_if, text
from spike2pop_nb.app.messages import LABELS, Messages
from spike2pop_nb.app.panels.neurons import AtlasPanel, OwnNeuronPanel
from spike2pop_nb.app.state import Session
from spike2pop_nb.inference import list_predictors, network_words
from spike2pop_nb.neurons import broken_neurons, card_lines, get_neuron, list_neurons
from spike2pop_nb.neurons.registry import look_again
from spike2pop_nb.spiketrains import describe_pattern

__all__ = ["DICPanel"]

_TELL = (
    "If you know which current the cell received, or that it received none, say so under “Known current”: "
    "that tells more of its DICs."
)
_TO_STRETCH = said(["Drag over a steady stretch in the figure of the recording to use that alone."]) + jump(
    "Choose a stretch", "s2p-recording"
)


class DICPanel:
    """Step 2: the neuron model, and the predicted slow and ultraslow DICs with their uncertainty."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session = session
        after = messages.after
        self.neuron = w.Dropdown(options=_neurons())
        self.own = OwnNeuronPanel(session, actions, messages, self._list_neurons)
        self.prior = w.Dropdown(
            options=[
                ("compensated: as in the populations generated here", "compensated"),
                ("drawn: anywhere in their ranges", "drawn"),
                ("both, weighted by how well the recording fits", "both"),
            ],
        )
        self.card = text()
        self.atlas = AtlasPanel(session, actions, messages, self._known)
        self.says = text("", "s2p-says")
        self.warning = text("", "s2p-warning")
        tip = "The recording looks like one of this neuron: read it as such"
        self.other = classed(button("", tip, "primary"), "s2p-wraps")
        self.notes = text()
        self.further = text()
        self.figure = FigureView(
            "The predicted DICs appear here",
            330,
            session,
            "The plane of slow and ultraslow DICs: the posterior of the recording, what the compensated "
            "conductances reach, and the members",
        )
        broken = [f"{name} cannot be used: {why}" for name, why in broken_neurons().items()]
        self.widget = card(
            "2",
            "Dynamic input conductances",
            [
                field(LABELS["neuron"], self.neuron, "The kind of neuron that was recorded."),
                self.card,
                self.atlas.widget,
                *map(text, filter(None, [listed(broken)])),
                self.own.widget,
                field(
                    "Prior: conductances before any recording",
                    self.prior,
                    "The search below needs the first; the others show how much depends on it.",
                ),
                self.says,
                self.warning,
                self.other,
                self.figure.widget,
                self.further,
                self.notes,
            ],
        )
        self._neuron = bind(session, self.neuron, "neuron", messages)
        bind(session, self.prior, "prior", messages)
        open_while_usable(session, self.neuron, self.prior, self.other)
        session.follow(after(self._show_figure), "neuron")
        session.follow(after(self._show_card), "neuron")
        session.observe(after(self._show_figure), ["posterior", "reach"])
        session.observe(after(lambda: drawing.add("plane", self._show_figure)), "result")
        session.observe(after(self._show_words), ["posterior", "train", "busy"])
        session.observe(after(self._show_further), ["drive", "fit", "posterior"])
        session.follow(after(self._show_words), "neuron")
        session.observe(after(self._show_other), "fits_better")
        self.other.on_click(after(lambda: session.choose(neuron=session.fits_better)))
        self._show_other()
        self._show_figure()
        self._show_card()

    def look_again(self) -> None:
        """List the neurons anew: the page may have been made long before it is opened."""
        look_again()
        self._list_neurons()

    def _list_neurons(self) -> None:
        self._neuron.show(self.session.settings.neuron, options=_neurons())

    def _known(self) -> None:
        """The neuron that is chosen has an atlas now."""
        self._show_card()
        self._show_words()

    def _show_card(self) -> None:
        name = self.session.settings.neuron
        lines = (*card_lines(get_neuron(name)), network_words(name))
        self.card.value = f'<div class="s2p-help">{said(lines)}</div>'

    def _show_figure(self) -> None:
        session = self.session
        population = session.result.population if session.result is not None else None
        self.figure.show(plots.dic_plane(session.neuron, session.posterior, session.reach, population, 330))

    def _show_other(self) -> None:
        name = self.session.fits_better
        shown_if(name is not None, self.other)
        if name is not None:
            self.other.description = f"Try the {get_neuron(name).title}"

    def _show_further(self) -> None:
        drive, fit = self.session.drive, self.session.fit
        needs = "" if drive is None else drive.describe()
        if needs and self._strange():
            needs += " That is as doubtful as its DICs."
        tell = _TELL if drive is not None and needs and drive.known is None else ""
        told = [needs, tell, "" if fit is None else fit.describe(_short_title)]
        self.further.value = said([sentence for sentence in told if sentence])

    def _strange(self) -> bool:
        """Whether the recording is flagged as unlike what the network knows."""
        posterior = self.session.posterior
        return posterior is not None and posterior.domain is not None and not posterior.domain.inside

    def _show_words(self) -> None:
        posterior = self.session.posterior
        if posterior is None:
            train, name = self.session.train, self.session.neuron.name
            words = "Predicting…" if train is not None and self.session.busy else "Choose a recording first."
            if train is not None and name not in list_predictors():
                words = "DICs are not predicted for this neuron; Generate seeks members all the same."
            self.says.value = said([words])
            self.notes.value = self.warning.value = ""
            return
        strange = self._strange()
        self.warning.value = said(posterior.notes[:1]) if strange else ""
        drifts = posterior.course is not None and posterior.course.drifts
        self.notes.value = said(posterior.notes[strange:]) + (_TO_STRETCH if drifts else "")
        if not posterior.usable:
            self.says.value = said(["This recording is silent, so its DICs cannot be predicted."])
            return
        (s, u), (ds, du) = posterior.mean, posterior.std
        train = self.session.train
        differs = posterior.against(str(describe_pattern(train).kind)) if train is not None else ""
        shares = sorted(posterior.pattern.items(), key=lambda item: -item[1])
        words = ", ".join(f"{escape(name)} {100 * share:.0f} %" for name, share in shares)
        self.says.value = (
            f"<p class='s2p-big'>g<sub>s</sub> = {s:.2f} ± {ds:.2f} &ensp; "
            f"g<sub>u</sub> = {u:.2f} ± {du:.2f}</p>"
            f"<p>Mean ± 1 s.d., in units of g<sub>leak</sub>. Firing pattern, by the network: {words}.</p>"
            + said([differs] if differs else [])
        )


def _short_title(name: str) -> str:
    """A neuron as the list of neurons has it, without what stands in parentheses there."""
    return get_neuron(name).title.partition(" (")[0]


def _neurons() -> tuple[tuple[str, str], ...]:
    """Those that can be chosen, as a list shows them."""
    return tuple((get_neuron(name).title, name) for name in list_neurons())
