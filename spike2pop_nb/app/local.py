"""Whether the page is served to this machine alone, so that whoever uses it may run Python on it."""

from __future__ import annotations

import ipaddress
import os
from contextlib import suppress

__all__ = ["LOCAL", "is_local", "is_loopback"]

LOCAL = "SPIKE2POP_LOCAL"
"""Set by `spike2pop_nb.app.serve` for the sessions that it starts."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def is_local() -> bool:
    """Return whether this session was started by a server that listens to this machine alone."""
    return os.environ.get(LOCAL) == "1"
