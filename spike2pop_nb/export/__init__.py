"""Results as files: tables, traces, figures and a methods paragraph, in a folder or one zip."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
