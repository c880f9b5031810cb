"""All recordings of the file in one table: sort them, look at one, choose several to run together."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pandas as pd
from itables.widget import ITable
from traitlets import dlink

from spike2pop_nb.app.binding import Binding
from spike2pop_nb.app.browser import Download
from spike2pop_nb.app.figures import DrawingQueue
from spike2pop_nb.app.layout import Fold, button, classed, row, said, shown_if, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session

__all__ = ["COLUMNS", "TablePanel"]

COLUMNS = {
    "id": "recording",
    "n_spikes": "spikes",
    "duration_s": "duration (s)",
    "rate_hz": "rate (Hz)",
    "cv": "CV",
    "cv2": "CV2",
    "pattern": "firing pattern",
    "g_s": "g_s",
    "g_u": "g_u",
    "likeness": "like this neuron",
    "found": "population",
}
_DIGITS = {"duration_s": 3, "rate_hz": 2, "cv": 2, "cv2": 2, "g_s": 2, "g_u": 2}
_MOST_ROWS = 2000


class TablePanel:
    """The table, under the steps; folded until there is more than one recording.

    Its own button does what ``generate`` does, and looks the same.
    """

    def __init__(
        self, session: Session, messages: Messages, drawing: DrawingQueue, generate: w.Button
    ) -> None:
        self.session = session
        after = messages.after
        self.says = text("", "s2p-says")
        self.table: ITable | None = None
        self.generate = button("Generate", "Search populations for the recordings chosen here", "primary")
        self.save = Download(
            self._save, label="This table (CSV)", hint="Measures and predicted DICs of every recording"
        )
        self.bar = row(self.generate, self.save, kind="s2p-bar")
        self.body = w.VBox([self.says, self.bar])
        self.fold = Fold("All recordings of the file", [self.body])
        self.widget = classed(w.VBox([self.fold]), "s2p-card", "s2p-table")
        shown_if(False, self.widget)
        self._messages = messages
        self._choosing = False
        for trait in ("description", "disabled"):
            dlink((generate, trait), (self.generate, trait))
        self.generate.on_click(after(generate.click))
        dlink((session, "survey"), (self.save, "disabled"), lambda survey: survey is None)
        session.observe(after(self._show), ["survey", "recordings"])
        session.observe(after(lambda: drawing.add("table", self._show)), "results")
        session.observe(after(self._follow), "train")
        session.observe(after(self._say), ["chosen", "survey", "generating"])

    def _save(self) -> None:
        from spike2pop_nb.export import table_csv

        made = table_csv(self.session.survey).encode()
        self.save.give(made, "recordings_dics.csv", "text/csv;charset=utf-8")

    def _show(self) -> None:
        session = self.session
        recordings, survey = session.recordings, session.survey
        several = recordings is not None and len(recordings) > 1
        shown_if(several, self.widget)
        if not several or survey is None:
            return
        assert recordings is not None
        shown = survey.head(_MOST_ROWS).round(_DIGITS)
        shown["found"] = [self._found(train) for train in recordings[:_MOST_ROWS]]
        table = shown[list(COLUMNS)].rename(columns=COLUMNS)
        selected = [recordings.ids.index(name) for name in session.chosen]
        if self.table is None:  # its code is half a megabyte that most first looks at the page do without
            self.table = self._made(table)
            self.body.children = [self.says, self.bar, self.table]
        else:
            with self._tied.showing():
                self.table.update(df=table, selected_rows=selected)

    def _follow(self) -> None:
        """A recording that was chosen elsewhere is chosen alone."""
        session = self.session
        recordings, train = session.recordings, session.train
        if self._choosing or recordings is None or train is None or train.id not in recordings.ids:
            return
        session.chosen = (train.id,)
        if self.table is not None:
            self._tied.show([recordings.ids.index(train.id)])

    def _made(self, table: pd.DataFrame) -> ITable:
        made = ITable(
            table,
            select=True,
            scrollY="260px",
            scrollCollapse=True,
            paging=False,
            layout={"topStart": None, "topEnd": "search", "bottomStart": "info", "bottomEnd": None},
            style="width:100%;margin:0",
            classes="compact stripe",
            allow_html=False,
            showIndex=False,
            columnDefs=[{"className": "dt-left", "targets": "_all"}],
        )
        self._tied = Binding(made, self._select, self._messages, trait="selected_rows")
        return made

    def _found(self, train: Any) -> str:
        result = self.session.results.get(self.session.key(train))
        if result is None:
            return ""
        return f"{result.n_kept_passed} of {result.n_asked}" if result.usable else "none"

    def _select(self, selected: list[int]) -> None:
        recordings = self.session.recordings
        if recordings is None:
            return
        rows = [place for place in selected if 0 <= place < len(recordings)]
        self.session.chosen = tuple(recordings[place].id for place in rows)
        if rows and not self.session.generating:
            self._choosing = True
            try:
                self.session.choose(recording=recordings[rows[-1]].id)
            finally:
                self._choosing = False

    def _say(self) -> None:
        session = self.session
        if session.recordings is None:
            return
        n, chosen = len(session.recordings), len(session.chosen)
        words = [
            "Click a row to look at it; with Ctrl or Shift choose several (by keyboard: Enter, and Space for "
            f"several), which Generate then runs together. {chosen} of {n} are chosen."
        ]
        if session.survey is None:
            words = ["Being measured…"]
        elif n > _MOST_ROWS:
            words.append(
                f"The first {_MOST_ROWS} of {n} are listed; the command spike2pop run takes them all."
            )
        self.says.value = said(words)
