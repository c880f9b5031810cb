"""How a search went, in one sentence or two for the user."""

from __future__ import annotations

from collections import Counter

from spike2pop_nb.fidelity.judged_patterns import judged_features
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["search_message"]

_ANOTHER_SEARCH = (
    "None of these members has a current or noise; judged by the recording's own variability "
    "(tolerance “own”), members have both, and a rhythmic inhibition where it takes one."
)


def search_message(
    train: SpikeTrain,
    *,
    n_tried: int,
    n_passed: int,
    n_asked: int,
    n_good: int,
    n_kept: int,
    n_late: int = 0,
    refined: bool,
    why_short: str,
    reasons: Counter[str],
    note: str = "",
) -> str:
    """Say how a search went.

    Parameters
    ----------
    train
        The recording.
    n_tried, n_passed, n_asked, n_good, n_kept, n_late
        Members tried, those of them that passed, those asked for, those kept that passed, all that are kept,
        and those of them that needed a longer transient.
    refined
        Whether members were refined.
    why_short
        Why the search ended before enough passed, if it did.
    reasons
        First reasons why members fell.
    note
        A sentence to add if fewer passed than asked.
    """
    share = 100 * n_passed / n_tried
    after = ", after refinement," if refined else ""
    text = f"{n_passed} of {n_tried} members tried{after} fire like the recording ({share:.0f} %)"
    late = f"{n_late} of them settle only after a longer transient, after which all are judged."
    if n_good >= n_asked:
        return " ".join([f"{text}; the {n_asked} asked for are kept.", *([late] if n_late else [])])
    others = ", with the nearest others" if n_kept > n_good else ""
    kept = f"the {n_good} that passed are kept{others}" if n_good else "the nearest are kept"
    marked = ", marked as not passed" if n_kept > n_good else ""
    text += f"; {n_asked} were asked for, but {why_short}: {kept}{marked}"
    text += f", most often for their {causes}." if (causes := _causes(reasons)) else "."
    notes = judged_features(train)(train).notes if n_good == 0 else ()
    fewer = f"Only {n_kept} are kept, since the others tried are too like them." if n_kept < n_asked else ""
    another = "" if n_passed or not refined or n_tried < n_asked else _ANOTHER_SEARCH
    said = (fewer if n_tried >= n_asked else "", late if n_late else "", another, note)
    return " ".join([text, *filter(None, said), *notes[:1]])


def _causes(reasons: Counter[str]) -> str:
    """Return the two most frequent reasons in words; firing patterns that differ from one wanted are one."""
    counts: Counter[str] = Counter()
    found: dict[str, list[str]] = {}
    for reason, n in reasons.most_common():
        other, _, wanted = reason.partition(" instead of ")
        cause = f" instead of {wanted}" if wanted else reason
        counts[cause] += n
        if wanted:
            found.setdefault(cause, []).append(other)
    words = [
        f"firing pattern ({' or '.join(found[cause])}{cause})" if cause in found else cause
        for cause, _n in counts.most_common(2)
    ]
    return " and ".join(words)
