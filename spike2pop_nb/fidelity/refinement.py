"""Refinement: change members, each as little as it takes, until they fire like the recording.

Members that share the recording's DICs differ from it by several per cent in rate, as its true siblings do.
Here the loop is closed by simulation. Each member starts from its own draw and is brought to the recording's
summary statistics, so that members stay as different as they were: this is randomised maximum likelihood
(Oliver, He & Reynolds 1996; Chen & Oliver 2013, doi:10.1007/s10596-013-9351-5) without observation noise.

1. The population itself says how conductances go with the summaries: with θ = ln ḡ and y the summaries,
   K = cov(θ, y) cov(y)⁻¹. One step θ + K (y* − y) brings all members near the recording. What of θ the
   summaries do not explain is spread a little at the same time, to make up for the variance that the step
   takes away (covariance inflation, Anderson & Anderson 1999).
2. Activity jumps where a burst gains or loses a spike, so where they are few, spikes per burst are held:
   members with another number, and, where those are most, members of another firing pattern, are first moved
   half of the way, or three quarters, towards the nearest that has it.
3. Each member goes on alone within the columns of K, by Broyden's method from the identity: no derivative is
   simulated, and a member that fires otherwise after a step goes back and takes a shorter one.
4. If too few arrive, up to half of the next starts are crosses of three members that already fire as the
   recording does, a + γ (b − c) in ln ḡ (differential evolution, ter Braak 2006,
   doi:10.1007/s11222-006-8769-1).
5. All of this is seen through simulations that are cheaper than those by which members are judged
   (`screening`). Those that could pass are looked at again as they will be judged, and go on from there
   where the two differ.
6. The members to keep are chosen, and moved apart, so that conductances stay spread (`spreading`).

Nothing is resampled, and a member that is too like another does not count (`distinct`). Members from draws
of their own are independent of each other until the last step; crosses, and members moved towards another,
are not independent of those.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.fidelity.proposals import Moving, enough_to_refine, log_g
from spike2pop_nb.fidelity.summaries import Spikes, Summaries

__all__ = ["Refined", "Summaries", "cross_members", "enough_to_refine", "refine_members"]

FloatArray = npt.NDArray[np.float64]

_CROSSING = 0.7  # γ
_SPARE = 1.5  # members to refine for one that should arrive
_ALIKE = 0.4  # a smaller share of starts with the recording's firing pattern is helped to it


@dataclass(frozen=True, eq=False)
class Refined:
    """Members after refinement.

    Attributes
    ----------
    g : (n, n_channels)
        Conductances in mS/cm².
    spike_times_ms
        Spikes of each.
    y : (n, q)
        Summaries of those.
    origin : (n,) int
        Row that each started from.
    crossed : (n,) bool
        Whether it was brought to the recording's firing pattern by moving it towards another member.
    arrived : (n,) bool
        Whether it came within the aim.
    final : (n,) bool
        Whether its spikes are those by which it is judged.
    n_simulated : int
        Simulations of one member that this took.
    gain : (n_channels, q)
        K, along which members were moved; None if nothing was changed.
    off : (q,)
        By how much the summaries by which members are judged differ from those that they were moved by.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import REFINED_RULE, Summaries, refine_members
    >>> def fire(g):
    ...     return s2p.simulate(g, "stg", record="spikes").spike_times_ms
    ...
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> g = s2p.generate_population("stg", posterior, size=16, seed=1).g
    >>> refined = refine_members(g, fire(g), Summaries.of(train, REFINED_RULE), fire, enough=4)
    >>> bool(refined.arrived.sum() >= 4)
    True
    """

    g: FloatArray
    spike_times_ms: list[FloatArray]
    y: FloatArray
    origin: npt.NDArray[np.int64]
    crossed: npt.NDArray[np.bool_]
    arrived: npt.NDArray[np.bool_]
    final: npt.NDArray[np.bool_]
    n_simulated: int
    gain: FloatArray | None = None
    off: FloatArray | None = None


def cross_members(g: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Return n crosses (n, n_channels), each of three different members of g; none if those are too few."""
    if len(g) < 3 or not n:
        return np.zeros((0, g.shape[1]))
    a, b, c = rng.permuted(np.tile(np.arange(len(g)), (n, 1)), axis=1)[:, :3].T
    # an absent channel stays absent: 0 · (0/0) is no difference
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(g[b] / g[c], nan=1.0, posinf=1.0)
    ratio[ratio == 0] = 1.0
    return np.asarray(g[a] * ratio**_CROSSING)


def refine_members(
    g: FloatArray,
    spikes: Spikes,
    summaries: Summaries,
    simulate: Callable[[FloatArray], Spikes],
    *,
    finally_simulate: Callable[[FloatArray], Spikes] | None = None,
    off: FloatArray | None = None,
    y: FloatArray | None = None,
    anchors: FloatArray | None = None,
    enough: int | None = None,
    most_simulations: int | None = None,
) -> Refined:
    """Bring members to the recording's summaries.

    Parameters
    ----------
    g : (n, n_channels)
        Members to start from, in mS/cm², none negative.
    spikes
        Spike times in ms of each.
    summaries
        What must match.
    simulate
        Gives the spikes of members, as ``spikes`` were obtained.
    finally_simulate
        Gives the spikes by which members are judged, if they are others; what it does is not counted.
    off : (q,)
        By how much the summaries of those differ from those of ``spikes``, if that is known.
    y : (n, q)
        Summaries of ``spikes``, if they were measured.
    anchors : (m, n_channels)
        Other members that fire as the recording does.
    enough
        Stop when as many have arrived; all by default.
    most_simulations
        Start no round that could exceed this.

    Returns
    -------
    Refined
        One row for each start with the recording's firing pattern or brought to it, in their order; the
        others cannot be refined, and have none. Without enough of them (see `enough_to_refine`) no more is
        changed, and ``gain`` is None.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import REFINED_RULE, Summaries, refine_members
    >>> def fire(g):
    ...     return s2p.simulate(g, "stg", record="spikes").spike_times_ms
    ...
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> g = s2p.generate_population("stg", posterior, size=16, seed=1).g
    >>> refined = refine_members(g, fire(g), Summaries.of(train, REFINED_RULE), fire, enough=4)
    >>> refined.g.shape[1] == g.shape[1]
    True
    """
    enough = len(g) if enough is None else enough
    limit = np.inf if most_simulations is None else most_simulations
    members = Moving(g, spikes, summaries, simulate, limit, y, off)
    members.y += members.off
    final = np.full(len(g), finally_simulate is None)
    others = np.zeros((0, g.shape[1])) if anchors is None else log_g(anchors)
    wanted, crossed, gain = math.ceil(_SPARE * enough), np.zeros(len(g), dtype=bool), None
    if members.alike().mean() < _ALIKE:
        crossed |= members.bring_in(summaries.alike, others, wanted)
    if enough_to_refine(int(members.alike().sum()), summaries):
        gain = members.gain()
        members.step_together(gain)
        if summaries.held.any():
            crossed |= members.bring_in(summaries.within, others, wanted)
        if finally_simulate is None:
            members.approach(gain, enough)
        else:
            final = members.settle_for(finally_simulate, gain, enough)
    origin = np.flatnonzero(members.alike())
    return Refined(
        members.g[origin],
        [members.spikes[row] for row in origin],
        members.y[origin],
        origin,
        crossed[origin],
        members.arrived()[origin],
        final[origin],
        members.n_simulated,
        gain,
        np.median(members.off[final], axis=0) if final.any() else off,
    )
