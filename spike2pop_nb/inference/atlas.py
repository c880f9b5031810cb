"""An atlas: simulated members of a neuron, how each fires, and two small networks that learned from it.

It lists members with DICs, currents and noise of every kind (see `spike2pop_nb.training.atlas`, which makes
it). One network tells the DICs of a recording, as `load_predictor` gives it for neurons without a larger one;
the other tells which constant current and noise a neuron of this kind needs to fire so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference.drive import Drive, check_current
from spike2pop_nb.inference.posterior import attempt_predictions
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.statistics import STATISTICS, interval_statistics
from spike2pop_nb.inference.tokens import MAX_INTERVALS, MIN_SPIKES, TokenScale, pad_intervals
from spike2pop_nb.inference.weight_files import find_atlas
from spike2pop_nb.inference.weights import load_network, read_tensors, write_tensors
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains.given import as_trains

__all__ = [
    "WINDOW_MS",
    "Atlas",
    "Members",
    "Seen",
    "drives_of",
    "load_atlas",
    "save_atlas",
    "statistics_of_recording",
]

Floats = NDArray[np.floating]
WINDOW_MS = 15_000.0
"""For so long its members fired."""


class Members(NamedTuple):
    """The members of an atlas that fire; arrays over members."""

    g: Floats
    """(n, n_channels), mS/cm²."""
    current: Floats
    """(n,), µA/cm²."""
    noise_sigma: Floats
    """(n,), µA/cm²."""
    dics: Floats
    """(n, 2): g_s and g_u."""
    statistics: Floats
    """(n, 55): `STATISTICS` of how they fire."""


class Seen(NamedTuple):
    """`STATISTICS` (n, 55) that tell neurons from each other; see `which`."""

    recorded: Floats
    """Of members as they would be recorded: cut, in times of few decimals, with spikes missing or false."""
    strange: Floats
    """Of trains that no neuron fires, made from those of members."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Members of one neuron and what was learned from them; see the module.

    Attributes
    ----------
    neuron : str
        Its name.
    members : Members
        Those that fire.
    seen : Seen
        What tells this neuron from others.
    about : dict
        How it was made, and its scores on members that it did not learn from.
    scale : TokenScale
        What standardises statistics.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> atlas = s2p.inference.load_atlas("stg")
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> rows = atlas.nearest(train.times_ms, 3)
    >>> atlas.members.g[rows].shape
    (3, 8)
    """

    neuron: str
    members: Members
    seen: Seen
    about: Mapping[str, Any]
    path: Path
    scale: TokenScale

    def drive(self, trains: Iterable[Any | ArrayLike], current: float | None = None) -> list[Drive]:
        """Tell the current and noise of each recording; nothing of one that fails.

        Parameters
        ----------
        trains : iterable of SpikeTrain or array (n_spikes,)
            As `Predictor.predict` takes them.
        current : float, optional
            That of all of them in µA/cm², where it is known.
        """
        check_current(current)
        found = attempt_predictions(self._drive, list(as_trains(trains)))
        return [Drive(p.id, self.neuron, p.mixture, current) for p in found]

    @cached_property
    def _drive(self) -> Predictor:
        return Predictor(load_network(self.path, neuron=self.neuron, part="drive"))

    @cached_property
    def _places(self) -> Floats:
        return self._place(self.members.statistics)

    def _place(self, statistics: Floats) -> Floats:
        """Normal scores (n, 55), in which members are near each other or far."""
        return self.scale.standardise(statistics)[:, len(STATISTICS) :]

    def distances(self, times_ms: Floats) -> Floats:
        """Return how differently each member fires from spike times in ms: (n,), in standard deviations.

        Raises
        ------
        PredictorError
            If there are under 3 spikes.
        """
        own = self._place(statistics_of_recording(times_ms))
        return np.sqrt(((self._places - own) ** 2).mean(axis=1))

    def nearest(self, times_ms: Floats, n: int) -> NDArray[np.int64]:
        """Return the rows of the n members that fire most like spike times in ms."""
        far = self.distances(times_ms)
        return np.argsort(far, kind="stable")[:n]


def statistics_of_recording(times_ms: Floats) -> Floats:
    """`STATISTICS` (1, 55) of the middle of a recording, as long as members of an atlas fired."""
    times = np.asarray(times_ms, dtype=np.float64)
    if len(times) < MIN_SPIKES:
        raise PredictorError(f"A recording of {len(times)} spikes has no intervals to compare.")
    begin = max(times[0], 0.5 * (times[0] + times[-1] - WINDOW_MS))
    within = times[(times >= begin) & (times <= begin + WINDOW_MS)][: MAX_INTERVALS + 1]
    chosen = within if len(within) >= MIN_SPIKES else times[: MAX_INTERVALS + 1]
    return interval_statistics(*pad_intervals([np.diff(chosen)]))


def load_atlas(neuron: str | NeuronModel) -> Atlas:
    """Load the atlas of a neuron: one that was made here, or is shipped.

    Raises
    ------
    PredictorError
        If there is none of this declaration, or its file is damaged.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.inference.load_atlas("stg").neuron
    'stg'
    """
    model = get_neuron(neuron)
    path = find_atlas(model)
    if path is None:
        raise PredictorError(
            f"There is no atlas of the neuron {model.name!r} as it is declared; "
            f"`spike2pop atlas --neuron {model.name}` makes one in minutes."
        )
    return _read(path, path.stat().st_mtime_ns, model.name, model.n_channels)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, neuron: str, n_channels: int) -> Atlas:
    """Read an atlas, once for each file: networks take a while to be made ready."""
    tensors, metadata = read_tensors(path)
    try:
        # floats of 32 bits: what is computed from them must not depend on how they are stored
        members = Members(*(tensors[f"members.{name}"].float().numpy() for name in Members._fields))
        seen = Seen(*(tensors[f"seen.{name}"].float().numpy() for name in Seen._fields))
        scale = TokenScale.from_arrays(tensors)
        about = dict(metadata["atlas"])
        if members.statistics.shape != (len(members.g), len(STATISTICS)):
            raise ValueError("it knows other interval statistics")
        if members.g.shape[1:] != (n_channels,) or not all(np.isfinite(table).all() for table in members):
            raise ValueError("its members are not of this neuron")
    except (KeyError, TypeError, ValueError) as error:
        raise PredictorError(f"{path.name} is no atlas that this version can read: {error}.") from None
    return Atlas(neuron, members, seen, about, path, scale)


def drives_of(
    neuron: str | NeuronModel, trains: Iterable[Any | ArrayLike], current: float | None = None
) -> list[Drive]:
    """Tell the current and noise of each recording, if the neuron has an atlas; else nothing of any.

    See `Atlas.drive`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.inference import drives_of
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> drives_of("stg", trains)[2].noise_sigma < 1.0
    True
    """
    trains = list(as_trains(trains))
    if find_atlas(neuron) is not None:
        return load_atlas(neuron).drive(trains, current)
    name = get_neuron(neuron).name
    return [Drive(str(getattr(train, "id", place)), name, None) for place, train in enumerate(trains)]


def save_atlas(
    path: Path, dics: Path, drive: Path, members: Members, seen: Seen, about: Mapping[str, Any]
) -> Path:
    """Write an atlas: both networks, as they were saved, and the members, whole or not at all.

    Weights and members take 16 bits a number, which is finer than what was learned of them.
    """
    tensors, metadata = read_tensors(dics)
    other, of_other = read_tensors(drive)
    for said in (metadata, of_other):  # the same atlas is the same file, however long it took
        said.get("training", {}).pop("minutes", None)
    # the scale is that of the same trains, and so is the test for strange ones, which is needed once
    tensors |= {f"drive.{name}": value for name, value in other.items() if not name.startswith("domain.")}
    tensors = {name: value.half() if "network." in name else value.clone() for name, value in tensors.items()}
    for part, table in (("members", members), ("seen", seen)):
        for name, values in table._asdict().items():
            tensors[f"{part}.{name}"] = torch.from_numpy(np.ascontiguousarray(values, np.float16))
    return write_tensors(path, tensors, metadata | {"drive": of_other, "atlas": dict(about)})
