"""`Posterior`: what one recording says about (g_s, g_u), with its width; and tables of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import PredictorError, failure_in_words
from spike2pop_nb.inference.domain import DomainVerdict
from spike2pop_nb.inference.drift import Drift
from spike2pop_nb.inference.mixture import Mixture
from spike2pop_nb.inference.region import CredibleRegion
from spike2pop_nb.seeds import generator

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FEATURES",
    "PATTERNS",
    "PRIORS",
    "Network",
    "Posterior",
    "Posteriors",
    "attempt_predictions",
]

Floats = NDArray[np.floating]

PATTERNS = ("silent", "spiking", "bursting")
FEATURES = ("rate_hz", "intra_burst_hz", "inter_burst_hz", "burst_duration_ms", "spikes_per_burst")
PRIORS = ("compensated", "drawn")
"""Priors over the conductances of the recorded neuron: those of compensated populations, as `conductances`
generates them, or conductances drawn anywhere in their declared ranges."""
_NAN2 = np.full(2, np.nan)


@dataclass(frozen=True)
class Network:
    """The file that a network was read from, and what it says about its training.

    Attributes
    ----------
    file : str
        Name of the file.
    sha256 : str
        SHA-256 of its content.
    n_trains : int or None
        Simulated spike trains that it was last trained on; None if that is not known.
    data : tuple of (str, str)
        Name and SHA-256 of each data set that the trains came from.
    base : str
        For adapters, the neuron whose network they adapt; else empty.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> s2p.load_predictor("stg").predict([train])[0].network.file
    'stg.safetensors'
    """

    file: str
    sha256: str
    n_trains: int | None = None
    data: tuple[tuple[str, str], ...] = ()
    base: str = ""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Distribution over (g_s, g_u), at V_th and in units of the leak, given one recording.

    Attributes
    ----------
    id : str
        Id of the recording.
    neuron : str
        Neuron model of the network.
    mixture : Mixture or None
        None where the recording is silent (under 3 spikes): then ``usable`` is False and moments are nan.
    pattern : dict
        Probability of each of "silent", "spiking", "bursting".
    features : dict
        Predicted rate_hz, intra_burst_hz, inter_burst_hz, burst_duration_ms, spikes_per_burst; those of
        bursts are nan unless the train most likely bursts.
    n_spikes, n_windows : int
        Length of the recording, and how many windows of it were read.
    remarks : tuple of str
        What else the reader should know; `notes` adds what ``domain``, ``course`` and ``rival`` say.
    prior : str
        The prior over the neuron's conductances: one of `PRIORS`, or "both".
    p_drawn : float
        Probability of the prior "drawn", given how often each occurred in training; nan if the network was
        trained under one prior alone.
    domain : DomainVerdict or None
        Whether the recording looks like one of this neuron; None if silent, or if the network has no test.
    course : Drift or None
        The DICs over the recording's time; None if it is too short (under 144 intervals).
    rival : Mixture or None
        The distribution under the other prior, if the recording fits that one better.
    network : Network or None
        The weights it was computed with; None if they came from no file.
    failure : str
        Why nothing could be predicted, if an error ended it; else empty.
    current : float or None
        Known constant current in µA/cm², given which it is; None if the network was told of none.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> print(posterior.describe())
    Recording 3: g_s = -3.2 ± 0.7, g_u = 5.9 ± 1.3; bursting (100 %).
    >>> posterior.sample(2, seed=0).shape
    (2, 2)
    """

    id: str
    neuron: str
    mixture: Mixture | None
    pattern: dict[str, float]
    features: dict[str, float]
    n_spikes: int
    n_windows: int = 1
    remarks: tuple[str, ...] = ()
    prior: str = PRIORS[0]
    p_drawn: float = math.nan
    domain: DomainVerdict | None = None
    course: Drift | None = None
    rival: Mixture | None = None
    network: Network | None = None
    failure: str = ""
    current: float | None = None

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know: whether the recording is unusual, whether it drifts, and so on."""
        strange = "" if self.domain is None else self.domain.describe(self.neuron)
        drifting = "" if self.course is None else self.course.describe()
        rival = "" if strange or self.rival is None else _rival_sentence(self.rival)
        failed = f"Nothing was predicted: {self.failure}" if self.failure else ""
        return tuple(text for text in (failed, strange, drifting, rival, *self.remarks) if text)

    def against(self, kind: str) -> str:
        """Say how the network's most likely pattern and that told by rules go together; empty if they agree.

        Parameters
        ----------
        kind
            Of `describe_pattern`, such as "irregular tonic".
        """
        if self.mixture is None or kind == (likely := self.most_likely_pattern):
            return ""
        if kind.endswith({"spiking": "tonic", "bursting": "bursting"}.get(likely, likely)):
            return ""
        return (
            f"By rules on its intervals the recording is {kind}; the network calls it {likely}, since it "
            "knows the published patterns only: spiking is a CV of intervals up to 0.15, bursting is what is "
            "less regular."
        )

    @property
    def likeness(self) -> str:
        """Whether it looks like this neuron as it was taken to be made, in a few words; `notes` say more."""
        if self.domain is not None and not self.domain.inside:
            return "no"
        return "yes" if self.rival is None else "yes, but made otherwise"

    @property
    def usable(self) -> bool:
        """Whether there is a distribution at all."""
        return self.mixture is not None

    @property
    def most_likely_pattern(self) -> str:
        """Name of the most probable firing pattern."""
        return max(self.pattern, key=self.pattern.__getitem__)

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        if self.mixture is None:
            return _NAN2, np.full((2, 2), np.nan)
        return self.mixture.moments()

    @property
    def mean(self) -> Floats:
        """Posterior mean (g_s, g_u), shape (2,)."""
        return self._moments[0]

    @property
    def cov(self) -> Floats:
        """Posterior covariance, shape (2, 2)."""
        return self._moments[1]

    @property
    def std(self) -> Floats:
        """Posterior standard deviations of g_s and g_u, shape (2,)."""
        return np.sqrt(np.diagonal(self.cov))

    @cached_property
    def median(self) -> Floats:
        """Marginal medians of g_s and g_u, shape (2,); the point with the least absolute error."""
        return self.quantile(0.5)

    @property
    def g_s(self) -> float:
        """Posterior mean of the slow DIC."""
        return float(self.mean[0])

    @property
    def g_u(self) -> float:
        """Posterior mean of the ultraslow DIC."""
        return float(self.mean[1])

    def quantile(self, q: float) -> Floats:
        """Marginal quantiles (2,) of g_s and g_u, for ``q`` strictly between 0 and 1."""
        if not 0 < q < 1:
            raise PredictorError(f"A quantile needs a number between 0 and 1, not {q!r}.")
        return _NAN2 if self.mixture is None else self.mixture.quantile(q)

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> Floats:
        """Draw ``n`` points (n, 2) of (g_s, g_u).

        Raises
        ------
        PredictorError
            If the recording is silent.
        """
        return self._needed().sample(n, generator(seed, error=PredictorError))

    def log_prob(self, x: Floats) -> Floats:
        """Log density (…) at points (…, 2), per squared DIC unit; -inf outside the neuron's DIC range.

        Raises
        ------
        PredictorError
            If the recording is silent.
        """
        return self._needed().log_prob(x)

    def credible_region(
        self, level: float = 0.95, n_grid: int = 161, n_samples: int = 4000
    ) -> CredibleRegion:
        """Highest-density region of probability ``level``; its border is found from ``n_samples`` draws."""
        if not 0 < level < 1:
            raise PredictorError(f"A credible region needs a level between 0 and 1, not {level!r}.")
        mixture = self._needed()
        drawn = mixture.log_prob(mixture.sample(n_samples, np.random.default_rng(0)))
        box = mixture.box
        g_s, g_u = (np.linspace(box.low[i], box.high[i], n_grid) for i in range(2))
        grid = np.stack(np.meshgrid(g_s, g_u), axis=-1)
        return CredibleRegion(
            level, float(np.quantile(drawn, 1 - level)), g_s, g_u, mixture.log_prob(grid), mixture
        )

    def describe(self) -> str:
        """Say in a few sentences what was predicted, and what to beware of."""
        if self.mixture is None:
            said = f"Recording {self.id}: no DICs."
        else:
            g_s, g_u = (f"{m:.1f} ± {s:.1f}" for m, s in zip(self.mean, self.std, strict=True))
            kind = self.most_likely_pattern
            sure = f"{100 * self.pattern[kind]:.0f} %"
            said = f"Recording {self.id}: g_s = {g_s}, g_u = {g_u}; {kind} ({sure})."
        return " ".join((said, *self.notes))

    def to_frame(self) -> pd.DataFrame:
        """Table of one row; see `Posteriors.to_frame`."""
        return Posteriors([self]).to_frame()

    def _needed(self) -> Mixture:
        if self.failure:
            raise PredictorError(f"Nothing was predicted for recording {self.id!r}: {self.failure}")
        if self.mixture is None:
            raise PredictorError(
                f"Recording {self.id!r} has {self.n_spikes} spikes; a distribution of DICs needs at least 3."
            )
        return self.mixture


class Posteriors(list[Posterior]):
    """The posteriors of several recordings, in their order.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> posteriors = s2p.load_predictor("stg").predict(trains)
    >>> posteriors.to_frame()[["id", "pattern", "in_domain"]].head(2)
      id   pattern  in_domain
    0  1   spiking       True
    1  2  bursting       True
    """

    def to_frame(self, *, course: bool = False) -> pd.DataFrame:
        """Table of one row per recording, or of its DICs over time.

        Parameters
        ----------
        course : bool, optional
            One row per window instead, with the columns id, time_s, g_s, g_u, g_s_std, g_u_std; recordings
            too short for a course have no rows.

        Returns
        -------
        DataFrame
            Columns id, g_s, g_u, g_s_std, g_u_std, correlation, pattern, p_silent, p_spiking, p_bursting, the
            five features, n_spikes, n_windows, usable, prior, p_drawn, in_domain, domain_p, drifts, notes.
            The verdicts are missing where none could be reached.
        """
        import pandas as pd

        if course:
            rows = [
                (p.id, float(t), *map(float, mean), *map(float, std))
                for p in self
                if p.course is not None
                for t, mean, std in zip(p.course.time_s, p.course.mean, p.course.std, strict=True)
            ]
            return pd.DataFrame(rows, columns=["id", "time_s", "g_s", "g_u", "g_s_std", "g_u_std"])
        columns = ["id", "g_s", "g_u", "g_s_std", "g_u_std", "correlation", "pattern"]
        columns += [f"p_{name}" for name in PATTERNS] + [*FEATURES, "n_spikes", "n_windows", "usable"]
        columns += ["prior", "p_drawn", "in_domain", "domain_p", "drifts", "notes"]
        return pd.DataFrame([_row(posterior) for posterior in self], columns=columns)


def _row(p: Posterior) -> dict[str, object]:
    return {
        "id": p.id,
        "g_s": p.g_s,
        "g_u": p.g_u,
        "g_s_std": float(p.std[0]),
        "g_u_std": float(p.std[1]),
        "correlation": float(p.cov[0, 1] / (p.std[0] * p.std[1])),
        "pattern": p.most_likely_pattern,
        **{f"p_{name}": p.pattern[name] for name in PATTERNS},
        **{name: p.features[name] for name in FEATURES},
        "n_spikes": p.n_spikes,
        "n_windows": p.n_windows,
        "usable": p.usable,
        "prior": p.prior,
        "p_drawn": p.p_drawn,
        "in_domain": None if p.domain is None else p.domain.inside,
        "domain_p": math.nan if p.domain is None else p.domain.p_value,
        "drifts": None if p.course is None else p.course.drifts,
        "notes": " ".join(p.notes),
    }


def _rival_sentence(rival: Mixture) -> str:
    mean, cov = rival.moments()
    std = np.sqrt(np.diagonal(cov))
    g_s, g_u = (f"{m:.1f} ± {s:.1f}" for m, s in zip(mean, std, strict=True))
    return (
        'It looks more like neurons with conductances anywhere in their ranges (prior "drawn") than like '
        f"compensated populations; under that prior, g_s = {g_s} and g_u = {g_u}."
    )


def attempt_predictions(predictor: Any, trains: Sequence[Any], *, prior: str = PRIORS[0]) -> Posteriors:
    """Predict as ``predictor.predict`` does; a recording that fails gives a `Posterior` that says why.

    Parameters
    ----------
    predictor : Predictor
    trains : sequence of SpikeTrain
    prior : str
        See `Predictor.predict`.

    Raises
    ------
    PredictorError
        If the network does not know the prior.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.inference import attempt_predictions
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = attempt_predictions(s2p.load_predictor("stg"), trains)
    >>> [posterior.failure for posterior in found]
    ['', '', '', '', '']
    """
    try:
        return Posteriors(predictor.predict(trains, prior=prior))
    except Exception:  # one of them: each alone, with the same answers
        predictor.predict([], prior=prior)
    found = Posteriors()
    for train in trains:
        try:
            found += predictor.predict([train], prior=prior)
        except Exception as error:
            found.append(
                Posterior(
                    train.id,
                    predictor.neuron,
                    None,
                    dict.fromkeys(PATTERNS, math.nan),
                    dict.fromkeys(FEATURES, math.nan),
                    train.n_spikes,
                    0,
                    prior=prior,
                    failure=failure_in_words(error),
                )
            )
    return found
