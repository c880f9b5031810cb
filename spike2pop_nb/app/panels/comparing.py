"""Before and after: two recordings of one cell, and what changed between them."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding
from spike2pop_nb.app.browser import Download
from spike2pop_nb.app.figures import FigureView, Picking
from spike2pop_nb.app.layout import Fold, Going, button, card, field, halves, row, said, shown_if, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.parts import Compared
from spike2pop_nb.app.runner import Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.experiments import Protocol, block

if TYPE_CHECKING:
    from spike2pop_nb.experiments import Comparison
    from spike2pop_nb.simulation import Simulated

__all__ = ["ComparisonPanel"]

_BARS_PX, _PLANE_PX, _TRACES_PX = 330, 330, 440
_SHOWN = 4
_NOTHING = ""
_BARS = (
    "Bars: how probable it is that each changed, and by how much if it did. Orange is less than before, blue "
    "more; grey does not belong to the explanations that hold the true one in 80 % of cases."
)


class _Members(Picking):
    """Those before and after their change."""

    group = "compare"


class ComparisonPanel:
    """Step 7: two recordings compared, built when it is first opened."""

    def __init__(self, session: Session, actions: Actions) -> None:
        self.session, self._actions = session, actions
        self.messages = Messages()
        self.members = _Members()
        self.found: Comparison | None = None
        self._options: dict[str, Any] = {}  # what the comparison that is shown was started with
        title = "What did the drug change? Two recordings of one cell, and which conductance differs"
        self.fold = Fold(title, build=self.messages.after(self._build))
        self.widget = card("7", "Before and after", [self.fold], "s2p-compare")

    def _build(self) -> None:
        after, session = self.messages.after, self.session
        self.before, self.after, self.known = w.Dropdown(), w.Dropdown(), w.Dropdown()
        self.share = w.FloatSlider(min=0.05, max=1.0, step=0.05, continuous_update=False)
        self.size = w.IntSlider(min=0, max=48, step=4, continuous_update=False)
        self.run = button("Compare", "Tell what changed, and find members before and after", "primary")
        over = "Cancelled; nothing was found."
        self._going = Going(
            self.run, "Stop this comparison", self._actions, "compare", self.messages, cancelled=over
        )
        self.stop, self.says, self.answer = self._going.stop, self._going.says, text("", "s2p-says")
        tip = "Probabilities, members before and after, a methods paragraph, options and versions"
        self.download = Download(after(self._give), label="Comparison (zip)", hint=tip)
        figures = (
            ("What changed appears here", _BARS_PX, "Probability that each changed"),
            (
                "Ways through the DIC plane appear here",
                _PLANE_PX,
                "Members before and after in the DIC plane",
            ),
            ("Members before and after appear here", _TRACES_PX, "Voltages of members before and after"),
        )
        self.bars, self.plane, self.traces = (
            FigureView(empty, height, session, says, members=self.members) for empty, height, says in figures
        )
        self.fold.body.children = self._compose()
        self.run.on_click(after(self._ask))
        controls = {name: getattr(self, name) for name in Compared.model_fields}
        self._tied = {
            name: Binding(control, partial(self._choose, name), self.messages, self._show_chosen)
            for name, control in controls.items()
        }
        session.follow(after(self._show_chosen), "compare")
        session.observe(after(self._show_going), "comparing")
        session.observe(after(self._show_choices), "recordings")
        session.follow(after(self._show_choices), "neuron")
        self._show_choices()

    def _compose(self) -> list[w.Widget]:
        which = row(
            field("Before", self.before, "Recording without the drug."),
            field("After", self.after, "Recording of the same cell with it; it may be silent."),
        )
        self._of_block = field("Share of it that is blocked", self.share, "It is done to all members first.")
        known = row(
            field("Known to be blocked after", self.known, "What you know is not asked again."),
            self._of_block,
        )
        size = field("Members before and after", self.size, "0 for the answer alone, which comes at once.")
        legend = text(said([_BARS]), "s2p-help")
        figures = halves([self.bars.widget], [self.plane.widget], "s2p-columns")
        self._results = w.VBox([self.answer, self.download, legend, figures, self.traces.widget])
        asked = halves([which, known], [size, *self._going.widgets])
        return [self.messages.widget, asked, self._results]

    # what is asked

    def _show_choices(self) -> None:
        """Offer the recordings and channels there are; what was found of others is put away."""
        self._actions.drop("compare")
        self._show_chosen()
        self._show(None)

    def _choose(self, name: str, value: Any) -> None:
        self.session.choose_of("compare", **{name: None if value == _NOTHING else value})

    def _show_chosen(self) -> None:
        chosen, recordings = self.session.settings.compare, self.session.recordings
        names = () if recordings is None else recordings.ids
        for name, usual in (("before", names[:1]), ("after", names[:2][-1:])):
            wanted = getattr(chosen, name)
            shown = wanted if wanted in names else next(iter(usual), None)
            self._tied[name].show(shown, options=names)
        channels = self.session.neuron.channel_names
        options = (("nothing", _NOTHING), *((name, name) for name in channels))
        self._tied["known"].show(chosen.known or _NOTHING, options=options)
        self._tied["share"].show(chosen.share)
        self._tied["size"].show(chosen.size)
        shown_if(bool(chosen.known), self._of_block)
        self._show_going()

    def _show_going(self) -> None:
        going = self.session.comparing
        enough = bool(self.before.value and self.after.value and self.before.value != self.after.value)
        self.run.disabled = going or not enough
        changed = self._going.show(going)
        if not (going or changed):
            short = "Load recordings of one cell in two conditions, and choose which is which."
            self.says.value = "" if enough else said([short])

    def _ask(self) -> None:
        """Compare the recordings that are chosen, in the background."""
        recordings = self.session.recordings
        if recordings is None or self.session.comparing:
            return
        before, after = (recordings.by_id(str(control.value)) for control in (self.before, self.after))
        known = block(self.known.value, self.share.value) if self.known.value else Protocol()
        neuron, size, seed = self.session.neuron, int(self.size.value), int(self.session.settings.seed)
        chosen = self.session.settings.compare.model_copy(update={"before": before.id, "after": after.id})
        options = {**chosen.model_dump(), "seed": seed}

        def work(task: Task) -> tuple[Comparison, tuple[Simulated, Simulated] | None]:
            from spike2pop_nb.experiments import compare_recordings

            found = compare_recordings(
                before,
                after,
                neuron,
                known=known,
                size=size,
                seed=seed,
                progress=task.progress,
                cancel=task.cancelled,
            )
            return found, None if found.pairs is None else found.simulated(range(_SHOWN))

        def done(answer: tuple[Comparison, tuple[Simulated, Simulated] | None]) -> None:
            self._options = options
            self._show(*answer)

        self.messages.clear()
        words, own = "Comparing two recordings…", self.messages
        self._actions.run("compare", words, work, done, lane="compare", during="comparing", messages=own)

    # what came of it

    def _show(self, found: Comparison | None, simulated: tuple[Simulated, Simulated] | None = None) -> None:
        self.found = self.session.comparison = found
        self.download.disabled = found is None
        shown_if(found is not None, self._results)
        self._show_going()
        if found is None:
            return
        first, *others = found.describe().splitlines()
        self.answer.value = f"<p class='s2p-big'>{escape(first)}</p>{said(others)}"
        self.bars.show(plots.changes(found, _BARS_PX))
        self.plane.show(plots.changes_plane(found, _PLANE_PX))
        self.traces.show(plots.pair_traces(found, simulated, height=_TRACES_PX))

    def _give(self) -> None:
        """Hand over what was found as files."""
        from spike2pop_nb.export import comparison_files
        from spike2pop_nb.export.archive import packed

        found = self.found
        assert found is not None  # else the button is off
        files = comparison_files(found, self._options)
        self.download.give(packed(files), "spike2pop_comparison.zip", "application/zip")
