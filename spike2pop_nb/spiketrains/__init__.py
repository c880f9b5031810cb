"""Spike trains: reading, checking, describing, comparing and writing them."""

import lazy_loader

from . import given as _given  # noqa: F401  (by which a train takes times of other libraries)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
