"""Does a member fire like the recording? Scores, a pass rule, refinement, the search for those that pass.

Also how members fire anywhere in the plane: the atlas of firing patterns.
"""

from spike2pop_nb.fidelity.differences import Diversity, diversity
from spike2pop_nb.fidelity.distinct import LEAST_DISTANCE, least_distance
from spike2pop_nb.fidelity.firing_maps import PATTERNS, PatternMap, pattern_map
from spike2pop_nb.fidelity.refinement import Refined, refine_members
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.fidelity.scores import REFINED_RULE, PassRule, Verdict, pass_rule, van_rossum_ratio, verify
from spike2pop_nb.fidelity.search import (
    MAX_SEARCH_SIZE,
    attempt_population,
    default_budget,
    find_population,
)
from spike2pop_nb.fidelity.summaries import Summaries

__all__ = [
    "LEAST_DISTANCE",
    "MAX_SEARCH_SIZE",
    "PATTERNS",
    "REFINED_RULE",
    "Diversity",
    "PassRule",
    "PatternMap",
    "Refined",
    "Result",
    "Summaries",
    "Verdict",
    "attempt_population",
    "default_budget",
    "diversity",
    "find_population",
    "least_distance",
    "pass_rule",
    "pattern_map",
    "refine_members",
    "van_rossum_ratio",
    "verify",
]
