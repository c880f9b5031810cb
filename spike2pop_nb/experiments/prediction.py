"""What a cell will do that was not done yet: for each measure a band over members, as wide as it must be.

Members that fire like a cell do not spread as far as cells that fire alike: the raw band over members holds
the cell too seldom, or too often. By how much wider it must be is learnt on simulated cells that members know
only by their own recording (conformal prediction: Vovk, Gammerman & Shafer 2005; Lei et al. 2018,
doi:10.1080/01621459.2017.1307116), for each measure: a factor says how far from the median each end of the
middle 80 % of members comes to lie. Learnt by ``tests/benchmarks/bench_next.py learn`` from 68 simulated STG
cells, each with all of its feasible experiments; for other neurons the factors are taken to be the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.conductances.member_table import DRIVE_COLUMNS
from spike2pop_nb.errors import ExperimentError, Spike2PopError, three_digits
from spike2pop_nb.experiments.experiment import Experiment
from spike2pop_nb.experiments.observed import (
    FAILED,
    KINDS_OF_FIRING,
    MEASURES,
    Answers,
    FloatArray,
    in_units,
    observe,
)
from spike2pop_nb.experiments.protocol import Doses, Protocol
from spike2pop_nb.experiments.running import run_experiment
from spike2pop_nb.seeds import generator
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["LEVELS", "MEMBERS", "Prediction", "predict_answer", "predicted", "reference_populations"]

MEMBERS = "members"
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""How probably a band holds the cell."""
_FACTORS = {
    "rate_Hz": (0.26, 0.38, 0.57, 0.82, 1.00, 1.19),
    "cv": (0.06, 0.15, 0.30, 0.57, 0.93, 1.08),
    "burst_period_ms": (0.33, 0.39, 0.57, 0.84, 0.96, 1.23),
    "burst_duration_ms": (0.31, 0.47, 0.67, 0.86, 1.03, 1.25),
    "spikes_per_burst": (0.00, 0.06, 0.79, 1.00, 1.00, 1.00),
    "intra_burst_Hz": (0.28, 0.37, 0.54, 0.77, 0.99, 1.26),
}
_INNER = 0.8  # of the members, of which the ends are moved
_FEWEST = 4
_LEAST = np.array([measure.least for measure in MEASURES.values()])
_NORMAL_80 = 1.2816


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a cell will do, from members that fire like it.

    Attributes
    ----------
    experiment
        What the members did.
    references
        What other populations did under the same, by name.
    band
        How probably a band holds the cell.
    table
        What `to_frame` returns.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, predict_answer
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> found = predict_answer(population, block("H", 0.5), duration_ms=2000)
    >>> print(found.describe().splitlines()[0])
    Expected of the cell, from 8 members; bands hold it in 80 %.
    """

    experiment: Experiment
    references: Mapping[str, Experiment]
    band: float
    table: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each condition, population and measure.

        ``condition``, ``dose``, ``population``, ``measure``, ``unit``, ``median``, ``low``, ``high`` (the
        band) and ``share`` of members that have the measure. Measures are those of the recording, and
        ``share_silent``, ``share_tonic`` and ``share_bursting``: how probable each pattern is, with the
        uncertainty that comes from the number of members.
        """
        return self.table

    def describe(self) -> str:
        """Say for each condition what is expected, a sentence a line."""
        level = f"{100 * self.band:.0f} %"
        lines = [f"Expected of the cell, from {len(self.experiment)} members; bands hold it in {level}."]
        own = self.table[self.table["population"] == MEMBERS]
        for condition in self.experiment.conditions:
            rows = own[own["condition"] == condition].set_index("measure")
            shares = rows.filter(regex="^share_", axis=0)["median"].sort_values(
                ascending=False, kind="stable"
            )
            said = ", ".join(
                f"{str(name).removeprefix('share_')} ({100 * share:.0f} %)"
                for name, share in shares.items()
                if share >= 0.1 or name == shares.index[0]
            )
            bursts = shares.index[0] == "share_bursting"
            for name, measure in MEASURES.items():
                if name not in rows.index or (name != "rate_Hz" and not (bursts and measure.bursts)):
                    continue
                ends = rows[["median", "low", "high"]].loc[name].to_numpy(float)
                median, low, high = map(three_digits, ends)
                said += (
                    f"; {measure.title} {median}{f' {measure.unit}' if measure.unit else ''} "
                    f"({level}: {low} to {high})"
                )
            lines.append(f"{condition}: {said}.")
        for name in self.references:
            lines.append(f"Beside them in the table: {name}, {len(self.references[name])} members.")
        return "\n".join(lines)

    def methods(self) -> str:
        """Say how it was done, for the methods of a paper."""
        return (
            f"Predicted is the median over members; bands are meant to hold the cell in {self.band:.0%} of "
            "cases: the ends of the middle 80 % of members were moved away from the median by a factor for "
            "each measure, learnt on simulated STG cells of which only the recording was known (conformal "
            "prediction). Patterns have the share of members, with half a member more for each."
            + (f" Beside them: {', '.join(self.references)}." if self.references else "")
        )


def predict_answer(
    population: Population,
    protocol: Protocol | Mapping[str, Protocol] | Doses,
    *,
    band: float = 0.8,
    references: Mapping[str, Population] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Prediction:
    """Predict what a cell will do that was not done yet.

    Parameters
    ----------
    population
        Members that fire like the cell; they count by their weights, if they have such.
    protocol
        What will be done; as in `run_experiment`.
    band
        How probably a band shall hold the cell, from 0.5 to 0.95.
    references
        Populations to show beside it, by name; see `reference_populations`.
    progress
        As in `run_experiment`.
    options
        Others of `run_experiment`, such as ``duration_ms`` and ``seed``.

    Raises
    ------
    ExperimentError
        If the band cannot be, or the protocol cannot be done.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, predict_answer
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> found = predict_answer(population, constant_current(2), duration_ms=2000).to_frame()
    >>> found.loc[found["measure"] == "rate_Hz", ["condition", "median"]].round(0).values.tolist()
    [['control', 13.0], ['2 µA/cm²', 15.0]]
    """
    groups = {MEMBERS: population, **(references or {})}
    _check(band)
    if MEMBERS in (references or {}):
        raise ExperimentError(f"A reference cannot be called {MEMBERS!r}, as the members themselves are.")
    found: dict[str, Experiment] = {}
    for place, (name, group) in enumerate(groups.items()):

        def part(done: int, total: int, place: int = place) -> None:
            if progress is not None:
                progress(int(1000 * (place + done / max(total, 1)) / len(groups)), 1000)

        found[name] = run_experiment(group, protocol, progress=part, **{"record": "spikes", **options})
    return predicted(found.pop(MEMBERS), band, found)


def predicted(
    experiment: Experiment, band: float = 0.8, references: Mapping[str, Experiment] | None = None
) -> Prediction:
    """Return the prediction that an experiment on members makes, which was run before.

    Raises
    ------
    ExperimentError
        As `predict_answer`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, predicted
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=1000)
    >>> predicted(found, band=0.5).band
    0.5
    """
    _check(band)
    found = {MEMBERS: experiment, **(references or {})}
    return Prediction(experiment, dict(references or {}), band, _table(found, band))


def _check(band: float) -> None:
    if not LEVELS[0] <= band <= LEVELS[-1]:
        raise ExperimentError(
            f"A band holds the cell in {LEVELS[0]:.0%} to {LEVELS[-1]:.0%} of cases, not in {band:.0%}."
        )


def reference_populations(
    population: Population,
    recording: SpikeTrain | None = None,
    *,
    size: int | None = None,
    seed: int = 0,
) -> dict[str, Population]:
    """Make populations to compare predictions with; a warning says which cannot be had.

    ``unrefined`` are members that have the DICs of the population, but were only generated by compensation:
    what sharing DICs alone predicts. ``shuffled`` are such members of the recording with its intervals in
    random order, as the neuron's network reads it: what rate and CV alone predict.

    Parameters
    ----------
    population
        Members that fire like a cell.
    recording
        Of the cell; without one, there is no ``shuffled``.
    size
        Members of each; as many as the population has by default.
    seed
        Of both.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import reference_populations
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> {name: len(one) for name, one in reference_populations(population, train).items()}
    {'unrefined': 4, 'shuffled': 4}
    """
    from spike2pop_nb.inference import find_network, load_predictor

    n = len(population) if size is None else size
    samplers: dict[str, Any] = {"unrefined": _Drawn(population)}
    name = population.neuron.name
    if recording is not None and find_network(name) is not None:
        train = as_train(recording)
        isi = generator(seed, 3, error=ExperimentError).permutation(np.diff(train.times_ms))
        times = train.times_ms[:1].sum() + np.concatenate([[0.0], np.cumsum(isi)])
        samplers["shuffled"] = load_predictor(name).predict([SpikeTrain("shuffled", times)])[0]
    found = {}
    for which, sampler in samplers.items():
        try:
            made = generate_population(population.neuron, sampler, size=n, seed=seed)
        except Spike2PopError as error:
            warnings.warn(f"There is no population {which!r} to compare with: {error}", stacklevel=2)
            continue
        rows = np.arange(len(made)) % len(population)
        driven = [name for name in DRIVE_COLUMNS if name in population.table]
        drive = {name: population.table[name].to_numpy()[rows] for name in driven}
        found[which] = Population(made.neuron, made.table.assign(id=which, **drive), made.made_by)
    return found


@dataclass(frozen=True)
class _Drawn:
    """Draws the DICs of members, by their weights."""

    population: Population

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> FloatArray:
        """Draw (n, 2)."""
        rows = generator(seed, error=ExperimentError).choice(
            len(self.population), n, p=self.population.weights
        )
        return np.asarray(self.population.table[["g_s", "g_u"]].to_numpy(float)[rows])


def _table(found: Mapping[str, Experiment], band: float) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    answers = {name: observe(experiment) for name, experiment in found.items()}
    first = found[MEMBERS]
    for at, condition in enumerate(first.conditions):
        for name, experiment in found.items():
            about = {
                "condition": condition,
                "dose": float(first.data["dose"].values[at]),
                "population": name,
            }
            rows += [about | row for row in _rows(answers[name], experiment.population.weights, at, band)]
    return pd.DataFrame(rows)


def _rows(answers: Answers, weights: FloatArray, at: int, band: float) -> list[dict[str, Any]]:
    """Return what is expected under one condition, a row for each measure."""
    from scipy.stats import beta

    kinds, values = answers.at(at)
    judged = kinds != FAILED
    weights = np.where(judged, weights, 0.0)
    total = float(weights.sum())
    if not total > 0:
        return []
    weights = weights / total
    n_effective = 1.0 / float((weights**2).sum())
    rows = []
    for kind, label in enumerate(KINDS_OF_FIRING[:FAILED]):
        share = float(weights[kinds == kind].sum())
        a, b = n_effective * share + 0.5, n_effective * (1.0 - share) + 0.5
        low, high = beta.ppf([0.5 - 0.5 * band, 0.5 + 0.5 * band], a, b)
        middle = (n_effective * share + 0.5) / (n_effective + 1.5)
        rows.append(_row(f"share_{label}", "", (middle, min(low, middle), max(high, middle)), 1.0))
    for place, (name, measure) in enumerate(MEASURES.items()):
        has = judged & np.isfinite(values[:, place])
        if has.sum() < min(_FEWEST, len(kinds)):
            continue
        ends = np.full((3, len(MEASURES)), np.nan)
        ends[:, place] = band_of(values[has, place], weights[has], place, band)
        low, middle, high = in_units(ends)[:, place]
        rows.append(_row(name, measure.unit, (middle, max(low, 0.0), high), float(weights[has].sum())))
    return rows


def _row(measure: str, unit: str, ends: tuple[float, float, float], share: float) -> dict[str, Any]:
    middle, low, high = (float(end) for end in ends)
    return {"measure": measure, "unit": unit, "median": middle, "low": low, "high": high, "share": share}


def band_of(values: FloatArray, weights: FloatArray, measure: int, band: float) -> tuple[float, float, float]:
    """Return low, median, high of a measure as it is compared, widened as simulated cells say."""
    low, middle, high = spread_of(values, weights, measure)
    wider = widening(tuple(MEASURES)[measure], band)
    return middle - wider * (middle - low), middle, middle + wider * (high - middle)


def widening(measure: str, band: float) -> float:
    """Return the factor of a measure for a band, linear between `LEVELS`."""
    return float(np.interp(band, LEVELS, _FACTORS[measure]))


def spread_of(values: FloatArray, weights: FloatArray, measure: int) -> tuple[float, float, float]:
    """Return the ends of the middle 80 % of members and their median, no nearer than a recording tells."""
    ends = (0.5 - 0.5 * _INNER, 0.5, 0.5 + 0.5 * _INNER)
    if not weights.sum() > 0:
        weights = np.ones(len(values))
    low, middle, high = np.quantile(values, ends, weights=weights, method="inverted_cdf")
    least = _NORMAL_80 * _LEAST[measure]
    return float(min(low, middle - least)), float(middle), float(max(high, middle + least))
