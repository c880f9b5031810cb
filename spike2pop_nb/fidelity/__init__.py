"""Does a member fire like the recording? Scores, a pass rule, and the search for members that pass."""

from spike2pop_nb.fidelity.scores import PassRule, Verdict, van_rossum_ratio, verify
from spike2pop_nb.fidelity.search import MAX_SEARCH_SIZE, Result, default_budget, find_population

__all__ = [
    "MAX_SEARCH_SIZE",
    "PassRule",
    "Result",
    "Verdict",
    "default_budget",
    "find_population",
    "van_rossum_ratio",
    "verify",
]
