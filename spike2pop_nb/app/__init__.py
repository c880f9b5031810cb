"""The dashboard: panels of widgets over one observable session, served by Voilà."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spike2pop_nb.app.dashboard import Dashboard, page

__all__ = ["Dashboard", "page"]


def __getattr__(name: str) -> Any:
    # Serving needs no widgets, and widgets need no server: neither import pays for the other.
    if name in __all__:
        from spike2pop_nb.app import dashboard

        return getattr(dashboard, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
