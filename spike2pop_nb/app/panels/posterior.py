"""A posterior of the recording that is looked at: members as probable as each is, beside the population."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.browser import Download
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.layout import Fold, Going, button, said, shown_if, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import three_digits

if TYPE_CHECKING:
    from spike2pop_nb.fidelity import DrawnPosterior

__all__ = ["PosteriorPanel"]

_PX_A_VALUE = 72
_DIFFERS = (
    "The members above show how different neurons can be that fire alike: they are spread out, and how often "
    "a conductance comes up among them means nothing. Members of a posterior come up as often as they are "
    "probable, given the recording and a prior, so that intervals and correlations have a meaning. They take "
    "about a minute, and longer for slow rhythms."
)


class PosteriorPanel:
    """A part of the population's card, built when it is first opened."""

    def __init__(self, session: Session, actions: Actions) -> None:
        self.session, self._actions = session, actions
        self.messages = Messages()
        self.figure: FigureView | None = None
        self.found: DrawnPosterior | None = None
        self._asked: tuple[Any, ...] | None = None  # for which population it draws
        after = self.messages.after
        self.widget = Fold("Draw a posterior: conductances, current and noise", build=after(self._build))
        session.observe(after(self._look_again), ["result", "train", "posteriors"])

    def _build(self) -> None:
        after = self.messages.after
        self.run = button("Draw a posterior", "Simulate thousands of members, and weight them", "primary")
        self.save = Download(after(self._give), label="Posterior (zip)", hint="Members, intervals, a figure")
        tip, over = "Stop drawing members", "Cancelled; nothing was drawn."
        self._going = Going(self.run, tip, self._actions, "posterior", self.messages, [self.save], over)
        self.stop, self.says = self._going.stop, self._going.says
        self.answer, self.table = text("", "s2p-says"), text()
        self.figure = FigureView(
            "The posterior appears here",
            _PX_A_VALUE * 10,
            self.session,
            "Each conductance, the current and the noise under the posterior, and each pair of them",
        )
        self._results = w.VBox([self.answer, self.table, self.figure.widget])
        self.widget.body.children = [
            self.messages.widget,
            text(said([_DIFFERS]), "s2p-help"),
            *self._going.widgets,
            self._results,
        ]
        self.run.on_click(after(self._draw))
        self.session.observe(after(self._show_going), "sampling")
        self._look_again()

    def _look_again(self) -> None:
        """Show what was drawn for the population that is looked at; what is being drawn for another ends."""
        key = self._key
        if key != self._asked:
            self._actions.drop("posterior")
        if self.figure is not None:
            self._show(None if key is None else self.session.posteriors.get(key))

    @property
    def _key(self) -> tuple[Any, ...] | None:
        """Under what the population that is looked at is kept."""
        session = self.session
        return None if session.result is None or session.train is None else session.key(session.train)

    def _draw(self) -> None:
        result = self.session.result
        if result is None or self.session.sampling:
            return
        train, neuron, settings = result.recording, result.neuron, self.session.settings
        self._asked = self._key
        budget: dict[str, Any] = {"budget": settings.budget} if settings.budget else {}

        def work(task: Task) -> DrawnPosterior:
            from spike2pop_nb.fidelity import sample_posterior

            return sample_posterior(
                train,
                neuron,
                seed=settings.seed,
                inhibition=settings.inhibited,
                current=settings.current,
                **budget,
                progress=task.progress,
                cancel=task.cancelled,
            )

        def done(found: DrawnPosterior) -> None:
            self.session.posteriors = {**self.session.posteriors, self._asked: found}
            self._actions.not_taken(self.session.result)

        self.messages.clear()
        words, own = "Drawing a posterior…", self.messages
        self._actions.run("posterior", words, work, done, lane="posterior", during="sampling", messages=own)

    def _give(self) -> None:
        """Make the files to take away."""
        found = self.found
        if found is None:
            self.save.refuse()
            return

        def work(_task: Task) -> bytes:
            from spike2pop_nb.export.archive import packed
            from spike2pop_nb.export.posteriors import posterior_files

            return packed(posterior_files(found, options=dict(found.population.made_by)))

        def give(content: bytes) -> None:
            self.save.give(content, "spike2pop_posterior.zip", "application/zip")

        refuse, own = self.save.refuse, self.messages
        self._actions.run("posterior files", "", work, give, refuse, lane="posterior", messages=own)

    def _show_going(self) -> None:
        going, result = self.session.sampling, self.session.result
        self.run.disabled = going or result is None
        self._going.show(going)
        self.save.disabled = self.found is None or going
        if not going and result is None:
            self.says.value = said(["Generate a population for this recording first."])

    def _show(self, found: DrawnPosterior | None) -> None:
        self.found = found
        shown_if(found is not None, self._results)
        self._show_going()
        if found is None or self.figure is None:
            return
        self.says.value = ""
        first, rest = found.describe().split(". ", 1)
        self.answer.value = f"<p class='s2p-big'>{escape(first)}.</p>{said([rest])}"
        self.table.value = _as_html(found)
        self.figure.show(plots.posterior_pairs(found, height=_PX_A_VALUE * len(found.prior.names) + 90))


def _as_html(found: DrawnPosterior) -> str:
    """A table of medians and intervals."""
    head = "".join(f"<th>{name}</th>" for name in ("", "median", "50 %", "80 %", "95 %", "unit"))
    rows = []
    for row in found.to_frame().to_dict("records"):
        ends = (f"{_short(row[f'low_{level}'])} to {_short(row[f'high_{level}'])}" for level in (50, 80, 95))
        cells = (row["value"], _short(row["median"]), *ends, row["unit"])
        rows.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>")
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="s2p-wide-table"><table class="s2p-ranking">{body}</table></div>'


def _short(value: Any) -> str:
    return three_digits(value).replace("-", "−")
