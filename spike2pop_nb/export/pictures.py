"""The figures of a report and what is said of them."""

from __future__ import annotations

import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.conductances import Population
from spike2pop_nb.experiments import CONTROL, Experiment, most_split
from spike2pop_nb.export.figures import best_currents
from spike2pop_nb.export.formatting import count
from spike2pop_nb.export.html import Picture
from spike2pop_nb.fidelity import Result, Verdict
from spike2pop_nb.simulation import Simulated

__all__ = ["pictures", "pictures_of_experiment"]

_MOST_TRACES, _TRACE_POINTS = 6, 1500


def pictures(result: Result) -> list[Picture]:
    """All that can be drawn of a result."""
    train = result.recording
    found: list[Picture] = []
    if train.n_spikes:
        words = "The recording: its spikes, and each interval at the time of the spike that ends it."
        found.append(Picture("recording", False, words, plots.recording(train, 320)))
    if getattr(result.posterior, "usable", False) and hasattr(result.posterior, "log_prob"):
        words = (
            "What the spike times say about the slow and the ultraslow DIC: regions that hold 50 % and 95 % "
            "of the posterior, its mean with one standard deviation, and the DICs of the members (green)."
        )
        plane = plots.dic_plane(result.neuron, result.posterior, population=result.population, height=320)
        found.append(Picture("plane", False, words, plane))
    if result.population is not None and result.simulated is not None and result.verdict is not None:
        found += _of_members(result, result.population, result.simulated, result.verdict)
    return found


def _of_members(
    result: Result, population: Population, simulated: Simulated, verdict: Verdict
) -> list[Picture]:
    train, n, passed = result.recording, len(population), verdict.passed
    order = np.lexsort((-verdict.table["score"].to_numpy(float), ~passed))
    rows = [int(row) for row in order[:_MOST_TRACES]]
    some = "M" if n <= len(rows) else f"The {len(rows)} with the best scores of {n} m"
    found = [
        Picture(
            "traces",
            True,
            f"{some}embers: simulated voltage, under the spikes of the recording.",
            plots.traces(simulated, train, rows=rows, most_points=_TRACE_POINTS),
        ),
        Picture(
            "raster",
            True,
            f"Spikes of the recording and of {_first(n, 64)}.",
            plots.members(simulated, train, height=min(560, 150 + 9 * min(n, 64))),
        ),
        Picture(
            "conductances",
            True,
            "Maximal conductances of the members, each relative to its median, which stands below its name "
            "in mS/cm².",
            plots.conductances(population, passed),
        ),
        Picture(
            "pairs",
            True,
            "Each pair of conductances, and opposite each its correlations: Spearman's large, Pearson's "
            "small; coloured where Spearman's is significant (p < 0.05, Bonferroni over all pairs). All "
            "conductances of a member scale with its leak as they are drawn, which alone correlates them.",
            plots.conductance_pairs(population, verdict),
        ),
        Picture(
            "pairs-by-leak",
            True,
            "The same for conductances divided by the leak of their member, without that scaling.",
            plots.conductance_pairs(population, verdict, by_leak=True),
        ),
    ]
    best = best_currents(result)
    if best is not None:
        words = (
            f"Currentscape of member {best.label[1]}, the one with the best score: voltage, the sum of all "
            "outward currents, what each channel carries of it and of the inward current, and the sum of all "
            "inward currents (Alonso & Marder 2019, doi:10.7554/eLife.42722)."
        )
        found.append(Picture("currents", True, words, plots.currentscape(best)))
    found += [
        Picture(
            "dic-curves",
            True,
            f"Fast, slow, ultraslow and total DIC of {_some(n, 48)} over voltage. Dashed: the threshold "
            "voltage at which the DICs of the population are set; diamonds: where the total of each member "
            "falls through zero. The scale is linear around zero and logarithmic beyond.",
            plots.dic_curves(population, passed, height=440),
        ),
        Picture(
            "scores",
            False,
            "Score of each member: 1 fires like the recording, 0.5 is at the tolerances.",
            plots.scores(verdict, 320),
        ),
        Picture(
            "intervals",
            False,
            f"Cumulative distributions of the intervals of the recording (orange) and of {_first(n, 64)}.",
            plots.intervals(simulated, train, height=320),
        ),
        Picture(
            "return-map",
            False,
            f"Each interval against the next, of the recording (crosses) and of {_some(n, 64)}.",
            plots.return_map(simulated, train, height=320),
        ),
    ]
    return found


def pictures_of_experiment(experiment: Experiment, name: str) -> list[Picture]:
    """All that can be drawn of an experiment, under names that begin with this one."""
    condition = most_split(experiment)
    label = experiment.protocols[condition].label
    n = len(experiment)
    found = []
    if experiment.doses is not None:
        words = (
            "Share of members that keep the rhythm that they have in the control, and of firing patterns, "
            "over the doses; dashed: the dose at which half have lost it."
        )
        found.append(Picture(f"{name}-doses", False, words, plots.dose_response(experiment)))
    words = f"Which conductance tells who loses the rhythm at {label}: the area under the ROC curve of each."
    found.append(Picture(f"{name}-who", False, words, plots.who_crashes(experiment, condition)))
    currents = plots.f_I_curves(experiment)
    if currents.data:
        words = f"Firing rate of {_first(n, n)} over the injected current, with their median."
        found.append(Picture(f"{name}-f-I", False, words, currents))
    if condition != CONTROL:
        words = f"Voltages of {_first(n, _MOST_TRACES)} in the control (left) and at {label} (right)."
        rows = range(min(n, _MOST_TRACES))
        traces = plots.before_and_after(
            experiment, condition, rows=rows, until_ms=2000.0, most_points=_TRACE_POINTS
        )
        found.append(Picture(f"{name}-traces", True, words, traces))
    words = (
        f"Spikes of {_some(n, 16)} under each condition: a block of rows for each, the control at the top."
    )
    found.append(Picture(f"{name}-raster", True, words, plots.experiment_raster(experiment, most=16)))
    words = f"Maximal conductances of the members by who keeps the rhythm at {label}."
    kept = experiment.kept(condition)
    swarm = plots.conductances(experiment.population, kept, words=plots.KEPT_OR_LOST)
    return [*found, Picture(f"{name}-conductances", True, words, swarm)]


def _first(n: int, most: int) -> str:
    return f"all {count(n, 'member')}" if n <= most else f"the first {most} of {n} members"


def _some(n: int, most: int) -> str:
    return f"all {count(n, 'member')}" if n <= most else f"{most} of {n} members, evenly chosen"
