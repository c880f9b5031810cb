"""Dynamic input conductances, compensation, degenerate populations and what they can reach."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
