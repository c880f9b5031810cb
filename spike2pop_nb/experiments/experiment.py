"""What an experiment gave: labelled numbers of every member under every condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.action import said as said_amount
from spike2pop_nb.experiments.crashes import BLOCKED, PAUSES, SILENT, Crash, crash_of, ran_away
from spike2pop_nb.experiments.protocol import Doses, Protocol
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain, describe_pattern

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CONTROL", "Experiment"]

FloatArray = npt.NDArray[np.float64]
CONTROL = "control"


@dataclass(frozen=True, eq=False)
class Experiment:
    """What members did under each condition, the control first.

    Attributes
    ----------
    population
        The members.
    protocols
        What was done, by the names of the conditions.
    doses
        The series of doses, if it was one; its conditions follow the control in this order.
    data : xarray.Dataset
        With the dimensions member (in the order of the population), condition and time: ``rate_Hz``,
        ``n_spikes``, ``pattern``, ``crash`` (how a member lost its rhythm; empty where it did not) and
        ``crash_ms`` (when), ``failed``, and ``V_mV`` if voltages were kept. Coordinates carry the
        conductances of each member, and of each condition its dose and the stretch (``from_ms`` to ``to_ms``)
        in which it was in full effect: rate, pattern and crash are of that stretch; who falls silent in it is
        silent. Times count from the beginning of the recording.
    spike_times_ms
        ``{condition: [spike times of each member]}``, from the beginning of the recording.
    made_by
        How it was run.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=2000)
    >>> found.conditions, dict(found.data.sizes)
    (('control', 'A −50 %'), {'member': 4, 'condition': 2, 'time': 4000})
    >>> found.data["rate_Hz"].attrs["units"]
    'Hz'
    """

    population: Population
    protocols: Mapping[str, Protocol]
    doses: Doses | None
    data: xr.Dataset
    spike_times_ms: Mapping[str, list[FloatArray]]
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.population)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, the control first."""
        return tuple(self.protocols)

    @property
    def duration_ms(self) -> float:
        """Length of the recording."""
        return float(self.made_by["duration_ms"])

    @property
    def members(self) -> npt.NDArray[np.int64]:
        """Numbers of the members, (n,), by which tables and figures name them."""
        return np.array([member for _id, member in self.population.labels], dtype=np.int64)

    def place(self, condition: str) -> int:
        """Return the place of a condition.

        Raises
        ------
        ExperimentError
            If there is no such condition.
        """
        if condition not in self.protocols:
            raise ExperimentError(
                f"There is no condition {condition!r}; there are {', '.join(self.conditions)}."
            )
        return self.conditions.index(condition)

    def train(self, condition: str, member: int) -> SpikeTrain:
        """Return the spikes of a member under a condition, over the whole recording."""
        self.place(condition)
        return SpikeTrain(
            f"{condition}/{member}", self.spike_times_ms[condition][member], (0.0, self.duration_ms)
        )

    def trains(self, condition: str) -> list[SpikeTrain]:
        """Return the spikes of all members under a condition."""
        return [self.train(condition, member) for member in range(len(self))]

    def rates(self, bin_ms: float = 100.0) -> xr.DataArray:
        """Return the firing rate over time in Hz, (member, condition, time)."""
        import xarray as xr

        edges = np.arange(0.0, self.duration_ms + 0.5 * bin_ms, bin_ms)
        if not (bin_ms > 0 and len(edges) > 1):
            raise ExperimentError(
                f"Bins must be longer than 0 and fit the recording, not {bin_ms:g} ms long."
            )
        counts = [
            [np.histogram(times, edges)[0] for times in self.spike_times_ms[condition]]
            for condition in self.conditions
        ]
        return xr.DataArray(
            np.swapaxes(counts, 0, 1) * (1000.0 / bin_ms),
            dims=("member", "condition", "time"),
            coords={
                "member": self.data["member"],
                "condition": list(self.conditions),
                "time": ("time", 0.5 * (edges[1:] + edges[:-1]), {"units": "ms"}),
            },
            name="rate_Hz",
            attrs={"units": "Hz", "long_name": "firing rate"},
        )

    def kept(self, condition: str) -> npt.NDArray[np.bool_]:
        """Return which members kept their rhythm under a condition, (n,)."""
        return np.asarray(self.data["crash"].values[:, self.place(condition)] == "")

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row for each member under each condition."""
        names = ["rate_Hz", "n_spikes", "pattern", "crash", "crash_ms", "failed"]
        rows = self.data[names].to_dataframe().reset_index()
        at = rows["member"].to_numpy()
        rows["id"] = np.array([name for name, _member in self.population.labels], dtype=object)[at]
        rows["member"] = self.members[at]
        first = ["member", "id", "condition", "dose", "from_ms", "to_ms"]
        return rows[[*first, *names]]

    def describe(self) -> str:
        """Say what was done and what the members did, one sentence a line."""
        n, neuron = len(self), self.population.neuron
        said = [
            f"{n} members of {neuron.title} under {len(self.conditions) - 1} conditions beside the control, "
            f"{self.duration_ms / 1000:g} s each."
        ]
        for condition, protocol in self.protocols.items():
            at = self.place(condition)
            patterns, counts = np.unique(self.data["pattern"].values[:, at], return_counts=True)
            order = np.argsort(-counts, kind="stable")
            said.append(
                f"{condition}: {protocol.describe()[:-1]}: "
                + ", ".join(f"{counts[i]} {patterns[i]}" for i in order)
                + (
                    "."
                    if condition == CONTROL
                    else f"; {int(self.kept(condition).sum())} of {n} keep their rhythm."
                )
            )
        return "\n".join(said)

    def methods(self) -> str:
        """Say how it was done, as a paragraph for the methods of a paper."""
        made, n = self.made_by, len(self)
        noise = ""
        if made["noise_sigma"]:
            sigma = said_amount(made["noise_sigma"], "µA/cm²")
            noise = f" Background noise of {sigma} was the same in all conditions (seed {made['seed']})."
        done = [f"{name} ({protocol.describe()[:-1]})" for name, protocol in self.protocols.items()][1:]
        if self.doses is not None:
            first = self.doses.protocols[-1].describe()[:-1]
            done = [f"{self.doses.describe()}, such as: {first}"]
        return (
            f"Each of {n} members of the {self.population.neuron.title} was simulated for "
            f"{made['duration_ms'] / 1000:g} s after a transient of {made['transient_ms'] / 1000:g} s (time "
            f"step {made['dt_ms']:g} ms) without intervention and under: "
            f"{'; '.join(done) or 'nothing else'}.{noise} "
            "Rates, firing patterns and losses of rhythm are of the time in which an intervention was in "
            "full effect. A member had lost its rhythm where its firing pattern was no longer that of the "
            f"control, or where it fell silent for more than {PAUSES:g} times its longest interval in the "
            "control; with a voltage that stayed above threshold, this was called depolarisation block."
        )

    @classmethod
    def judged(
        cls,
        population: Population,
        protocols: Mapping[str, Protocol],
        doses: Doses | None,
        simulated: Simulated,
        made_by: Mapping[str, Any],
        *,
        traces: bool,
    ) -> Experiment:
        """Return the experiment that was simulated: rows by condition, then by member."""
        import xarray as xr

        n, k = len(population), len(protocols)
        begin, length = simulated.transient_ms, simulated.duration_ms - simulated.transient_ms
        names = list(protocols)
        spikes = {
            name: [times - begin for times in simulated.spike_times_ms[i * n : (i + 1) * n]]
            for i, name in enumerate(names)
        }
        failed = simulated.failed.reshape(k, n)
        V, time = simulated.V_mV.reshape(k, n, -1), simulated.time_ms - begin
        windows = [protocol.window_ms(length) for protocol in protocols.values()]
        count = np.zeros((k, n), dtype=int)
        reports = np.empty((k, n), dtype=object)
        crashes = [[Crash()] * n for _ in names]
        for i, (name, protocol) in enumerate(protocols.items()):
            onset = protocol.onset_ms()
            for member, times in enumerate(spikes[name]):
                train = _within(times, windows[i])
                count[i, member] = train.n_spikes
                reports[i, member] = describe_pattern(train)
                if failed[i, member]:
                    crashes[i][member] = ran_away(time, V[i, member])
                if failed[[0, i], member].any() or i == 0:
                    continue
                longest = float(np.diff(spikes[names[0]][member]).max(initial=0.0))
                crashes[i][member] = crash_of(
                    times,
                    reports[i, member],
                    reports[0, member],
                    longest,
                    windows[i],
                    onset,
                    (time, V[i, member]),
                    population.neuron.V_th_mV,
                )
        pattern = np.array([[str(report.kind) for report in row] for row in reports], dtype="<U16")
        how = np.array([[crash.how for crash in row] for row in crashes])
        pattern[np.isin(how, (SILENT, BLOCKED))] = SILENT  # in the end
        pattern[failed] = "failed"
        seconds = np.array([[stop - start] for start, stop in windows]) / 1000.0
        rate = np.where(failed, np.nan, count / seconds)

        def of(values: Any, units: str, words: str) -> tuple[tuple[str, str], Any, dict[str, str]]:
            return ("member", "condition"), np.asarray(values).T, {"units": units, "long_name": words}

        variables: dict[str, Any] = {
            "rate_Hz": of(rate, "Hz", "spikes per second in full effect"),
            "n_spikes": of(count, "1", "spikes in full effect"),
            "pattern": of(pattern, "", "firing pattern in full effect"),
            "crash": of(how, "", "how the rhythm was lost"),
            "crash_ms": of([[c.ms for c in row] for row in crashes], "ms", "when the rhythm was lost"),
            "failed": of(failed, "", "whether the voltage ran away"),
        }
        coords: dict[str, Any] = {
            "member": np.arange(n),
            "condition": names,
            "dose": ("condition", _doses(doses, k), {"long_name": doses.what if doses else "dose"}),
            "from_ms": ("condition", [a for a, _ in windows], {"units": "ms"}),
            "to_ms": ("condition", [b for _, b in windows], {"units": "ms"}),
        }
        for column, g in zip(population.neuron.g_columns, population.g.T, strict=True):
            coords[column] = ("member", g, {"units": "mS/cm²"})
        if traces:
            variables["V_mV"] = (
                ("member", "condition", "time"),
                np.where(failed.T[..., None], np.float32(np.nan), V.transpose(1, 0, 2)),
                {"units": "mV", "long_name": "membrane potential"},
            )
            coords["time"] = ("time", time, {"units": "ms", "long_name": "time in the recording"})
        data = xr.Dataset(variables, coords, {"neuron": population.neuron.name})
        return cls(population, dict(protocols), doses, data, spikes, made_by)


def _within(times: FloatArray, window: tuple[float, float]) -> SpikeTrain:
    return SpikeTrain("member", times[(times >= window[0]) & (times <= window[1])], window)


def _doses(doses: Doses | None, k: int) -> FloatArray:
    values = doses.values if doses is not None else [np.nan] * (k - 1)
    return np.array([np.nan, *values], dtype=float)
