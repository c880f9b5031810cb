"""Neuron declarations: channels, gates, kinetics, reversal potentials, calcium. Nothing else knows them."""

import lazy_loader

from . import pickling as _pickling  # noqa: F401  (teaches pickle how a neuron goes to another process)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
