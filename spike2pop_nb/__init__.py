"""From the spike times of one neuron to a verified, degenerate population of conductance-based models.

Names are loaded on first use, so that ``import spike2pop_nb`` stays quick and PyTorch is imported only by
those who predict. The stub beside this file is the one list of them.
"""

import os

import lazy_loader

__version__ = "0.1.0"

if os.name == "posix" and not os.path.isabs(os.path.expanduser("~")):
    # A user without a home: libraries that look for one as they are imported find a place that holds nothing.
    os.environ["HOME"] = os.devnull

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
