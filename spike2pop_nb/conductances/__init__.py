"""Dynamic input conductances, compensation, degenerate populations and what they can reach."""

from spike2pop_nb.conductances.compensation import Compensated, compensate
from spike2pop_nb.conductances.correlations import pair_correlations
from spike2pop_nb.conductances.member_table import neuron_cells
from spike2pop_nb.conductances.modulation import (
    ModulationPath,
    modulation_path,
    widest_modulation,
)
from spike2pop_nb.conductances.plane import PlaneMap, plane_grid
from spike2pop_nb.conductances.population import (
    MAX_SIZE,
    DICSampler,
    Population,
    baseline_population,
    generate_population,
    modulate,
)
from spike2pop_nb.conductances.ranking import Choice, Ranking, rank_choices
from spike2pop_nb.conductances.reach import Reachability, reachability, solvable_pairs
from spike2pop_nb.conductances.sensitivity import DIC_NAMES, dic_curves, dics, find_threshold, sensitivity
from spike2pop_nb.conductances.threshold import Threshold, mean_threshold, threshold_sensitivity

__all__ = [
    "DIC_NAMES",
    "MAX_SIZE",
    "Choice",
    "Compensated",
    "DICSampler",
    "ModulationPath",
    "PlaneMap",
    "Population",
    "Ranking",
    "Reachability",
    "Threshold",
    "baseline_population",
    "compensate",
    "dic_curves",
    "dics",
    "find_threshold",
    "generate_population",
    "mean_threshold",
    "modulate",
    "modulation_path",
    "neuron_cells",
    "pair_correlations",
    "plane_grid",
    "rank_choices",
    "reachability",
    "sensitivity",
    "solvable_pairs",
    "threshold_sensitivity",
    "widest_modulation",
]
