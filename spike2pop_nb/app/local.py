"""What the server tells the sessions that it starts, and whether a page may run Python on this machine."""

from __future__ import annotations

import ipaddress
import os
from contextlib import suppress

__all__ = ["OWN_NEURONS", "PLOTLY_URL", "SHARED", "is_loopback", "is_shared", "may_add_neurons"]

OWN_NEURONS = "SPIKE2POP_OWN_NEURONS"
SHARED = "SPIKE2POP_SHARED"
"""Both set by `spike2pop_nb.app.serve` for the sessions that it starts."""
PLOTLY_URL = "SPIKE2POP_PLOTLY_URL"
"""Set by it, too: where it offers plotly's code for browsers, relative to its root."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def may_add_neurons() -> bool:
    """Return whether this session's server was told to run declarations that are given to its pages."""
    return os.environ.get(OWN_NEURONS) == "1"


def is_shared() -> bool:
    """Return whether this session's server is reached from other machines."""
    return os.environ.get(SHARED) == "1"
