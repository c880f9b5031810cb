"""What a population answers: currents, blocks, potassium, warmth, and who keeps the rhythm."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
