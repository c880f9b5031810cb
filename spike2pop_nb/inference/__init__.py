"""From a recording to a distribution over its dynamic input conductances.

PyTorch is imported when a predictor is first loaded, not before.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
