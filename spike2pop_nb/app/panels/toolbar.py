"""The head of the page: undo, settings to keep and to restore, colours, the guide."""

from __future__ import annotations

import time
from collections.abc import Callable

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import open_while_usable
from spike2pop_nb.app.browser import Browser, Download, Upload, static
from spike2pop_nb.app.layout import button, classed, row, shown_if, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import PARTS, Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.export.archive import is_session

__all__ = ["History", "Toolbar"]

_AT_ONCE_S, _AGAIN_S = 0.1, 1.0
_MOST = 100


def _names(settings: Settings, before: Settings) -> set[str]:
    """Names of what differs."""
    found = {name for name in Settings.model_fields if getattr(settings, name) != getattr(before, name)}
    for part in found & set(PARTS):
        now, then = getattr(settings, part), getattr(before, part)
        found |= {f"{part}.{name}" for name, value in now if value != getattr(then, name)}
    return found


class History:
    """Remembers settings; what changes within a tenth of a second is one change, since one choice of the user
    can bring others with it. So is what changes again within a second, as a point that is dragged does.

    ``now`` gives the settings as they are, ``restore`` makes them what they were, and ``on_change`` is called
    when what can be undone changes.
    """

    def __init__(
        self, now: Callable[[], Settings], restore: Callable[[Settings], None], on_change: Callable[[], None]
    ) -> None:
        self._now, self._restore, self._on_change = now, restore, on_change
        self._current = now()
        self._before: list[Settings] = []
        self._when = -1.0
        self._what: set[str] = set()
        self._held = False

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._before)

    def note(self) -> None:
        """Take note that a setting may have changed."""
        settings = self._now()
        if self._held or settings == self._current:
            return
        now, what = time.monotonic(), _names(settings, self._current)
        if now - self._when > (_AGAIN_S if what == self._what else _AT_ONCE_S):
            self._before = [*self._before[1 - _MOST :], self._current]
            self._what = set()
        self._current, self._when = settings, now
        self._what |= what
        self._on_change()

    def undo(self) -> None:
        """Go back by one change."""
        if not self._before:
            return
        self._held = True
        try:
            self._restore(self._before.pop())
        finally:
            self._held = False
            self._current, self._when, self._what = self._now(), -1.0, set()
            self._on_change()


class Toolbar:
    """Buttons over the whole page."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, browser: Browser) -> None:
        self.session, self.actions, self.browser = session, actions, browser
        guard, after = messages.guard, messages.after
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
        self.guide = classed(w.VBox([text(static("guide.html")), self.hide]), "s2p-card", "s2p-guide")
        controls = [self.undo, self.keep, self.save, self.load, self.theme, self.help]
        self.widget = row(*controls, kind="s2p-toolbar")
        self.undo.on_click(after(self.history.undo))
        self.help.on_click(after(lambda: browser.set_trait("guide", not browser.guide)))
        self.hide.on_click(after(lambda: browser.set_trait("guide", False)))
        self.theme.observe(after(lambda: browser.set_trait("theme", self.theme.value)), "value")
        open_while_usable(session, self.load)
        browser.observe(after(self._show_browser), ["theme", "dark", "guide"])
        session.observe(after(self._changed), "settings")
        session.observe(after(self._show_usable), ["source", "usable"])
        self._show_browser()
        self._show_usable()

    def start(self, fragment: str) -> None:
        """Restore what the address says, if it says anything."""
        if fragment:
            self.actions.apply(Settings.from_fragment(fragment))

    def _changed(self) -> None:
        self.history.note()
        self.browser.fragment = self.session.settings.to_fragment()

    def _show_browser(self) -> None:
        self.theme.value = self.browser.theme
        shown_if(self.browser.guide, self.guide)
        self.session.dark = self.browser.dark

    def _show_usable(self) -> None:
        usable = self.session.usable
        self.undo.disabled = not (usable and self.history.can_undo)
        self.keep.disabled = not usable or self.session.source is None

    def _save(self) -> None:
        made = self.session.settings.to_json().encode()
        self.save.give(made, "spike2pop_settings.json", "application/json")

    def _load(self, data: bytes, name: str) -> None:
        if is_session(data):
            self.actions.reopen(data, name)
        else:
            self.actions.apply(Settings.from_json(data))
