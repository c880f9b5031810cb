"""How a population splits: who keeps the rhythm at which dose, and which conductance tells who does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.experiment import CONTROL, Experiment

__all__ = ["DoseResponse", "dose_response", "split", "who_crashes"]

FloatArray = npt.NDArray[np.float64]


def split(experiment: Experiment) -> pd.DataFrame:
    """Return how many members fire in which pattern under each condition, and how unlike they are.

    Returns
    -------
    DataFrame
        A row for each condition: ``condition``, ``dose``, a column for each pattern, ``kept`` (how many keep
        the rhythm that they have in the control) and ``entropy_bits``: of the patterns, 0 where all members
        fire alike and 1 where two halves do not.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, split
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=2000)
    >>> split(found)[["condition", "kept"]].values.tolist()[0]
    ['control', 4]
    """
    from scipy.stats import entropy

    patterns = experiment.data["pattern"].values
    kinds = [str(kind) for kind in np.unique(patterns)]
    counts = np.array([(patterns == kind).sum(axis=0) for kind in kinds]).T
    table = pd.DataFrame(
        {"condition": experiment.conditions, "dose": experiment.data["dose"].values}
        | {kind: counts[:, i] for i, kind in enumerate(kinds)}
    )
    table["kept"] = [int(experiment.kept(condition).sum()) for condition in experiment.conditions]
    table["entropy_bits"] = np.abs(entropy(counts, base=2, axis=1))  # no minus before zero
    return table


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """Who keeps the rhythm at which dose.

    Attributes
    ----------
    dose : (k,)
        The doses.
    what
        What they are.
    kept : (n, k) bool
        Which members keep at each dose the rhythm that they have in the control.
    half
        The dose at which half of the members have lost it: where the line between two doses first crosses a
        half. NaN if they never have, or have at the lowest dose.
    lost_at : (n,)
        The lowest dose at which each member has lost it; NaN if at none.
    entropy_bits : (k,)
        How unlike the members fire; see `split`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, dose_response, doses
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> series = doses(lambda share: block("A", share), [0.25, 0.75])
    >>> found = dose_response(s2p.run_experiment(population, series, duration_ms=2000))
    >>> found.share.tolist(), found.half
    ([1.0, 0.0], 0.5)
    """

    dose: FloatArray
    what: str
    kept: npt.NDArray[np.bool_]
    half: float
    lost_at: FloatArray
    entropy_bits: FloatArray

    @property
    def share(self) -> FloatArray:
        """Share of members that keep the rhythm, (k,)."""
        return np.asarray(self.kept.mean(axis=0))

    def to_frame(self) -> pd.DataFrame:
        """Return a table of doses: ``dose``, ``kept``, ``share``, ``entropy_bits``."""
        return pd.DataFrame(
            {
                "dose": self.dose,
                "kept": self.kept.sum(axis=0),
                "share": self.share,
                "entropy_bits": self.entropy_bits,
            }
        )

    def describe(self) -> str:
        """Say at which dose half have lost the rhythm, and at which they are most unlike."""
        if np.isfinite(self.half):
            said = f"Half of the members have lost their rhythm at {self.half:.3g} ({self.what})."
        elif self.kept.all():
            said = f"All keep their rhythm at all doses ({self.what})."
        elif self.share[0] < 0.5:
            said = (
                f"More than half have lost their rhythm at the lowest dose, {self.dose[0]:g} ({self.what})."
            )
        else:
            said = f"At least half keep their rhythm at all doses ({self.what})."
        most = int(np.argmax(self.entropy_bits))
        if self.entropy_bits[most] == 0:
            return f"{said} They all have the same pattern at each dose."
        return (
            f"{said} They are most unlike at {self.dose[most]:g}: {self.entropy_bits[most]:.2f} bits "
            "between their patterns."
        )


def dose_response(experiment: Experiment) -> DoseResponse:
    """Return who keeps the rhythm at which dose.

    Raises
    ------
    ExperimentError
        If the experiment was not a series of doses.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, dose_response, doses
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> series = doses(lambda share: block("H", share), [0.5])
    >>> print(dose_response(s2p.run_experiment(population, series, duration_ms=2000)).describe())
    All keep their rhythm at all doses (share of H blocked). They all have the same pattern at each dose.
    """
    if experiment.doses is None:
        raise ExperimentError("A dose–response needs a series of doses; run the experiment with doses(...).")
    dose = np.array(experiment.doses.values)
    kept = np.stack([experiment.kept(name) for name in experiment.conditions[1:]], axis=1)
    share = kept.mean(axis=0)
    below = np.flatnonzero(share < 0.5)
    half = np.nan
    if below.size and below[0] > 0:
        at = int(below[0])
        way = (share[at - 1] - 0.5) / (share[at - 1] - share[at])
        half = float(dose[at - 1] + way * (dose[at] - dose[at - 1]))
    lost_at = np.where(kept.all(axis=1), np.nan, dose[np.argmin(kept, axis=1)])
    return DoseResponse(
        dose, experiment.doses.what, kept, half, lost_at, split(experiment)["entropy_bits"].to_numpy()[1:]
    )


def who_crashes(experiment: Experiment, condition: str) -> pd.DataFrame:
    """Return which conductances tell who loses the rhythm, ranked.

    Parameters
    ----------
    experiment
        What was done.
    condition
        Under which condition.

    Returns
    -------
    DataFrame
        A row for each conductance, the most telling first: ``channel``; ``auroc``, how probable it is that a
        member that loses its rhythm has more of it than one that keeps it (0.5 says nothing, 0 and 1
        everything); ``telling``, the same whichever way, from 0.5 to 1; ``p`` (Mann–Whitney) and ``q`` (with
        false discoveries controlled over all conductances); ``crashed`` and ``kept``, median conductances in
        mS/cm².

    Raises
    ------
    ExperimentError
        If there is no such condition, or all or no members keep their rhythm under it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, who_crashes
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=16, seed=1)
    >>> found = s2p.run_experiment(population, {"half": block("A", 0.5)}, duration_ms=2000)
    >>> who_crashes(found, "half")["channel"].nunique()
    8
    """
    from scipy.stats import false_discovery_control, mannwhitneyu

    kept = experiment.kept(condition)
    if condition == CONTROL or kept.all() or not kept.any():
        which = "all" if kept.all() else "no"
        raise ExperimentError(
            f"Under {condition!r} {which} members keep their rhythm, so no conductance can tell who does."
        )
    g = experiment.population.g
    found = mannwhitneyu(g[~kept], g[kept], axis=0)
    auroc = found.statistic / (np.sum(~kept) * np.sum(kept))
    p = np.nan_to_num(found.pvalue, nan=1.0)  # a conductance that all members share tells nothing
    table = pd.DataFrame(
        {
            "channel": experiment.population.channel_names,
            "auroc": auroc,
            "telling": np.maximum(auroc, 1.0 - auroc),
            "p": p,
            "q": false_discovery_control(p),
            "crashed": np.median(g[~kept], axis=0),
            "kept": np.median(g[kept], axis=0),
        }
    )
    return table.sort_values("telling", ascending=False, ignore_index=True, kind="stable")
