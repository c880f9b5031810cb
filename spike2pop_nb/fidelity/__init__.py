"""Does a member fire like the recording? Scores, a pass rule, and the search for members that pass.

Also how members fire anywhere in the plane: the atlas of firing patterns.
"""

from spike2pop_nb.fidelity.atlas import PATTERNS, PatternMap, pattern_map, pattern_maps
from spike2pop_nb.fidelity.scores import PassRule, Verdict, van_rossum_ratio, verify
from spike2pop_nb.fidelity.search import MAX_SEARCH_SIZE, Result, default_budget, find_population

__all__ = [
    "MAX_SEARCH_SIZE",
    "PATTERNS",
    "PassRule",
    "PatternMap",
    "Result",
    "Verdict",
    "default_budget",
    "find_population",
    "pattern_map",
    "pattern_maps",
    "van_rossum_ratio",
    "verify",
]
