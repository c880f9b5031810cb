"""Which two conductances to compensate: every solvable choice, ranked for one recording's DICs.

Three things make a choice good, and all are known before anything is simulated: it brings many members to the
wanted DICs with conductances that this neuron can have, it moves them little from where they were drawn, and
the system that is solved is well conditioned. How well that foretells which members fire like the recording
is measured in tests/benchmarks; merely reaching the DICs with no negative conductance foretells much less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances.compensation import compensate
from spike2pop_nb.conductances.generation import baseline_population
from spike2pop_nb.conductances.input_conductances import sensitivity
from spike2pop_nb.conductances.population import DICSampler
from spike2pop_nb.conductances.reach import solvable_pairs
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.seeds import generator

__all__ = ["Choice", "Ranking", "rank_choices"]

FloatArray = npt.NDArray[np.float64]
_BATCHES = 8  # of draws, whose scatter says how sure a score is


@dataclass(frozen=True)
class Choice:
    """One pair of compensated conductances, judged for one recording.

    Attributes
    ----------
    compensate
        The two conductances.
    reached
        Share of members that get to their target with no negative conductance.
    within
        Share of members that do so with solved conductances within the neuron's declared ranges.
    moved
        Median change of the solved conductances, as a multiple of their median in the baseline; over the
        members that reach their target. NaN if none does.
    condition
        Median condition number of the solved system, columns scaled to length one; over the same members.
    score
        ``within / ((1 + moved) · √condition)``, from 0 to 1.
    published
        Whether the published heuristic picks this pair for the target (for the mean of a posterior).
    tied
        Whether its score does not differ from the first one's by more than the noise of the draws.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> best = s2p.rank_choices("stg", (4.0, 5.0), n=64).best
    >>> best.name, best.published
    ('Kd and H', False)
    """

    compensate: tuple[str, str]
    reached: float
    within: float
    moved: float
    condition: float
    score: float
    published: bool
    tied: bool

    @property
    def name(self) -> str:
        """The two conductances in words."""
        return " and ".join(self.compensate)


@dataclass(frozen=True, eq=False)
class Ranking:
    """All solvable choices, best first.

    Attributes
    ----------
    neuron
        The declaration, or its variation, that the choices were tried with.
    choices
        Best first; among those tied with the best, the published one comes first.
    n_draws
        Members with which each choice was tried, each with its own draw of the target.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> ranking = s2p.rank_choices("stg", (4.0, 5.0), n=64)
    >>> print(ranking.describe())
    Kd and H comes first: it brings 100 % of members to these DICs with conductances within this neuron's
    ranges and changes the two by under 1 % of their baseline (median). The condition number of the solve is
    1.0; at 1, the two set g_s and g_u independently of each other. The published heuristic takes A and H,
    which stands at place 4 (score 0.93 against 1.00) because it is worse conditioned (1.1).
    """

    neuron: NeuronModel
    choices: tuple[Choice, ...]
    n_draws: int

    def __len__(self) -> int:
        return len(self.choices)

    def __getitem__(self, place: int) -> Choice:
        return self.choices[place]

    @property
    def best(self) -> Choice:
        """The first."""
        return self.choices[0]

    @property
    def published(self) -> Choice | None:
        """The choice of the published heuristic; None if it cannot be solved here."""
        return next((choice for choice in self.choices if choice.published), None)

    def describe(self) -> str:
        """Say in a few sentences why the first is first."""
        best, published = self.best, self.published
        if best.score == 0:
            return (
                "No choice brings members to these DICs with conductances within this neuron's ranges; the "
                f"first, {best.name}, gets {_percent(best.reached)} there with larger ones."
            )
        text = (
            f"{best.name} comes first: it brings {_percent(best.within)} of members to these DICs with "
            f"conductances within this neuron's ranges and changes the two by {_percent(best.moved)} of "
            f"their baseline (median). The condition number of the solve is {best.condition:.1f}; at 1, the "
            "two set g_s and g_u independently of each other."
        )
        tied = [choice.name for choice in self.choices[1:] if choice.tied]
        if tied:
            text += f" Not worse within the noise of {self.n_draws} draws: {'; '.join(tied)}."
        if published is None:
            return text
        if published is best:
            return text + " It is also the choice of the published heuristic."
        place = self.choices.index(published) + 1
        return text + (
            f" The published heuristic takes {published.name}, which stands at place {place} "
            f"(score {published.score:.2f} against {best.score:.2f}) because it {_worse(published, best)}."
        )

    def why(self, choice: Choice) -> str:
        """Say in a few words what keeps a choice from being the first."""
        if choice is self.best:
            return "recommended"
        words = "as good as the first" if choice.tied else _worse(choice, self.best)
        return words + (" (published heuristic)" if choice.published else "")

    def to_frame(self) -> pd.DataFrame:
        """Return a table, one row per choice, best first."""
        return pd.DataFrame(
            {
                "compensate": [choice.name for choice in self.choices],
                "score": [choice.score for choice in self.choices],
                "reached": [choice.reached for choice in self.choices],
                "within_ranges": [choice.within for choice in self.choices],
                "moved": [choice.moved for choice in self.choices],
                "condition": [choice.condition for choice in self.choices],
                "published": [choice.published for choice in self.choices],
                "tied_with_first": [choice.tied for choice in self.choices],
                "why": [self.why(choice) for choice in self.choices],
            }
        )


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _worse(choice: Choice, best: Choice) -> str:
    """What costs a choice most against another."""
    if choice.reached == 0:
        return "reaches these DICs with no member"
    if choice.within == 0:
        return "needs conductances beyond this neuron's ranges"
    losses = {
        f"brings fewer members there within the ranges ({_percent(choice.within)})": best.within
        / choice.within,
        f"moves the conductances further (by {_percent(choice.moved)})": (1 + choice.moved)
        / (1 + best.moved),
        f"is worse conditioned ({choice.condition:.1f})": np.sqrt(choice.condition / best.condition),
    }
    return max(losses, key=losses.__getitem__)


def rank_choices(
    neuron: str | NeuronModel,
    target: DICSampler | Sequence[float] | npt.ArrayLike,
    *,
    n: int = 512,
    seed: int | np.random.Generator = 0,
) -> Ranking:
    """Rank every solvable pair of conductances for the DICs of one recording.

    Each choice compensates the same ``n`` baseline members to the same ``n`` draws of the target. Two scores
    count as equal if they differ by less than twice the standard error of their difference.

    Parameters
    ----------
    neuron
        A neuron, or its name; also a variation with another V_th or other baseline ranges.
    target
        A posterior, one pair ``(g_s, g_u)``, or points ``(m, 2)`` that are drawn from.
    n
        Members, 64 or more.
    seed
        The same seed gives the same ranking.

    Raises
    ------
    CompensationError
        If the target is not finite, there are too few members, or no pair can be solved.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> ranking = s2p.rank_choices("stg", (4.0, 5.0), n=64)
    >>> ranking.to_frame()[["compensate", "score"]].head(2).round(2)
      compensate  score
    0   Kd and H   1.00
    1  CaT and H   0.98
    """
    neuron = get_neuron(neuron)
    if n < 64:
        raise CompensationError(f"A ranking needs at least 64 members, not {n}.")
    rng = generator(seed, error=CompensationError)
    draws = _draws(target, n, rng)
    pairs = solvable_pairs(neuron)
    if not pairs:
        raise CompensationError(f"No two conductances of the {neuron.name} neuron can set g_s and g_u.")
    base, _ = baseline_population(neuron, n, rng)
    middle = getattr(target, "mean", None) if isinstance(target, DICSampler) else None
    published = set(neuron.recommend(*(draws.mean(axis=0) if middle is None else np.asarray(middle))))
    judged = [_judge(neuron, base, draws, pair) for pair in pairs]
    batches = np.array([scores for _whole, scores in judged])
    totals = np.array([whole[-1] for whole, _scores in judged])
    is_published = np.array([set(pair) == published for pair in pairs])
    first = int(np.argmax(totals))
    error = (batches[first] - batches).std(axis=1, ddof=1) / np.sqrt(_BATCHES)
    tied = (totals > 0) & (totals[first] - totals <= 2 * error)
    reached = np.array([whole[0] for whole, _scores in judged])
    order = np.lexsort((-reached, -totals, ~(is_published & tied)))
    choices = []
    for i in order:
        reach, within, moved, condition, score = judged[i][0]
        told = {"published": bool(is_published[i]), "tied": bool(tied[i])}
        choices.append(Choice(pairs[i], reach, within, moved, condition, score, **told))
    return Ranking(neuron, tuple(choices), n)


def _draws(target: object, n: int, rng: np.random.Generator) -> FloatArray:
    if isinstance(target, DICSampler):
        draws = np.asarray(target.sample(n, rng), dtype=float)
    else:
        points = np.atleast_2d(np.asarray(target, dtype=float))
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise CompensationError("The target must be one pair (g_s, g_u), or rows of two.")
        draws = points[rng.integers(len(points), size=n)] if len(points) > 1 else np.tile(points, (n, 1))
    if not np.all(np.isfinite(draws)):
        raise CompensationError("The target holds a g_s or g_u that is not a finite number.")
    return draws


def _judge(
    neuron: NeuronModel, base: FloatArray, draws: FloatArray, pair: tuple[str, str]
) -> tuple[tuple[float, float, float, float, float], FloatArray]:
    """Return reached, within, moved, condition and score of a pair, and its score by batches of draws."""
    solved = compensate(neuron, base, pair, {"g_s": draws[:, 0], "g_u": draws[:, 1]})
    index = [neuron.index(name) for name in pair]
    top = np.array([neuron.conductance_range.get(name, (0.0, np.inf))[1] for name in pair])
    valid = solved.valid
    new = solved.g[:, index]
    within = valid & np.all(new <= top, axis=1)
    middle = np.median(base[:, index], axis=0)
    change = np.abs(new - base[:, index])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(change == 0, 0.0, change / middle).mean(axis=1)
    condition = np.full(len(base), np.inf)
    if valid.any():
        S = sensitivity(neuron, solved.g[valid])[:, 1:, index]
        condition[valid] = np.linalg.cond(S / np.linalg.norm(S, axis=1, keepdims=True))

    def judge(rows: npt.NDArray[np.bool_]) -> tuple[float, float, float, float, float]:
        good = rows & valid
        if not good.any():
            return 0.0, 0.0, float("nan"), float("nan"), 0.0
        share = float(within[rows].mean())
        far, kappa = float(np.median(moved[good])), float(np.median(condition[good]))
        return float(valid[rows].mean()), share, far, kappa, share / ((1 + far) * np.sqrt(kappa))

    batch = np.arange(len(base)) % _BATCHES
    return judge(np.ones(len(base), bool)), np.array([judge(batch == b)[-1] for b in range(_BATCHES)])
