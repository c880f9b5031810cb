"""Does a member fire like the recording? Scores, a pass rule, refinement, the search for those that pass.

Also how members fire anywhere in the plane: the atlas of firing patterns.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
