"""The head of the page: undo, settings to keep and to restore, colours, the guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.browser import Browser
from spike2pop_nb.app.files import Download, Upload
from spike2pop_nb.app.history import History
from spike2pop_nb.app.layout import button, classed, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.export.archive import is_session

__all__ = ["Toolbar"]

_GUIDE = Path(__file__).parents[1] / "static" / "guide.html"


class Toolbar:
    """Buttons over the whole page."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, browser: Browser) -> None:
        self.session, self.actions, self.browser = session, actions, browser
        self._usable = False
        guard = messages.guard
        self.history = History(lambda: session.settings, actions.apply, guard(self._show_usable))
        self.undo = button("Undo", "Take back the last change of a setting")
        self.save = Download(
            self._save, label="Save settings", hint="A small file that restores these choices", disabled=False
        )
        self.keep = Download(
            guard(lambda: actions.save(self.keep)),
            label="Save this session",
            hint="One file of the recordings, settings, populations, spikes and experiments; choose it as a "
            "file to go on",
        )
        self.load = Upload(
            self._load,
            messages.report,
            label="Restore settings…",
            hint="A file that Save settings made",
            accept=".json",
        )
        self.theme = w.ToggleButtons(
            options=[("Auto", "auto"), ("Light", "light"), ("Dark", "dark")],
            tooltips=["As this computer has it", "Light page", "Dark page"],
            value="auto",
        )
        self.theme.style.button_width = "auto"
        self.help = button("Guide", "What to do, step by step")
        self.hide = button("Close the guide", "It opens again with the button Guide")
        guide = text(_GUIDE.read_text(encoding="utf-8"))
        self.guide = classed(w.VBox([guide, self.hide]), "s2p-card", "s2p-guide")
        controls = [self.undo, self.keep, self.save, self.load, self.theme, self.help]
        self.widget = classed(w.HBox(controls), "s2p-toolbar")
        self.undo.on_click(guard(lambda _button: self.history.undo()))
        self.help.on_click(guard(lambda _button: self._open(not browser.guide)))
        self.hide.on_click(guard(lambda _button: self._open(False)))
        self.theme.observe(guard(lambda change: browser.set_trait("theme", change["new"])), "value")
        browser.observe(guard(self._show_browser), ["theme", "dark", "guide"])
        session.observe(guard(self._changed), "settings")
        session.observe(guard(lambda _change: self._show_usable()), "source")
        self._show_browser(None)
        self._show_usable()

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        self.load.disabled = not on
        self._usable = on
        self._show_usable()

    def start(self, fragment: str) -> None:
        """Restore what the address says, if it says anything."""
        if fragment:
            self.actions.apply(Settings.from_fragment(fragment))

    def _changed(self, _change: Any) -> None:
        self.history.note()
        self.browser.fragment = self.session.settings.to_fragment()

    def _open(self, on: bool) -> None:
        self.browser.guide = on

    def _show_browser(self, _change: Any) -> None:
        self.theme.value = self.browser.theme
        self.guide.layout.display = "" if self.browser.guide else "none"
        self.session.dark = self.browser.dark

    def _show_usable(self) -> None:
        self.undo.disabled = not (self._usable and self.history.can_undo)
        self.keep.disabled = not self._usable or self.session.source is None

    def _save(self) -> None:
        self.save.give(
            self.session.settings.to_json().encode(), "spike2pop_settings.json", "application/json"
        )

    def _load(self, data: bytes, name: str) -> None:
        if is_session(data):
            self.actions.reopen(data, name)
        else:
            self.actions.apply(Settings.from_json(data))
