"""All checks, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable

from spike2pop_nb.checking import answers, formulas, populations, simulator
from spike2pop_nb.checking.check import Check, Checks, Found
from spike2pop_nb.errors import failure_in_words
from spike2pop_nb.export import versions
from spike2pop_nb.inference import weights_version

__all__ = ["selfcheck"]

_QUICK: tuple[tuple[str, Callable[[], Found]], ...] = (
    ("checksums of networks and atlases", answers.check_files),
    ("gates of all neurons, beside numbers computed independently", formulas.check_gates),
    ("DICs, beside numbers computed independently", formulas.check_dics),
    ("compensation, beside numbers computed independently", formulas.check_compensation),
    ("spike times of known members of all neurons", simulator.check_spike_times),
    ("spike times of published members of the pyloric neuron", simulator.check_pyloric),
    ("DICs that the networks tell of the examples", answers.check_networks),
)
_SLOW: tuple[tuple[str, Callable[[], Found]], ...] = (
    ("DICs, current and noise that the atlases tell of the examples", answers.check_atlases),
    ("which neuron fires like the examples", answers.check_which),
    ("voltage, beside LSODA at a relative tolerance of 1e-8", simulator.check_voltage),
    ("a population found from seed 1", populations.check_found),
    ("the same search again", populations.check_same),
    ("its members", populations.members_note),
    ("a population written and read back", populations.check_written),
    ("speed of the simulator", simulator.kernel_rate),
)


def selfcheck(*, quick: bool = False, progress: Callable[[Check], None] | None = None) -> Checks:
    """Check whether this installation gives the published numbers, in two minutes or less.

    Formulas are compared with numbers computed independently, simulations with a general-purpose solver and
    with spike times made elsewhere, the networks' answers with those published, and files with their
    checksums; a population is searched, twice, written, and read back.

    Parameters
    ----------
    quick
        Leave out what searches and what takes a solver.
    progress
        Called with each check once it is done.

    Returns
    -------
    Checks
        A row per check; a check that fails for whatever reason is one that is not ok.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.selfcheck(quick=True).ok
    True
    """
    done = Checks(versions={**versions(), "weights": weights_version()})
    for what, check in _QUICK if quick else _QUICK + _SLOW:
        begin = time.perf_counter()
        try:
            found = check()
        except Exception as error:
            found = Found("an answer", failure_in_words(error), False)
        done.append(Check(what, *found, round(time.perf_counter() - begin, 3)))
        if progress is not None:
            progress(done[-1])
    return done
