"""Members that a search tried, and how they are judged: on what they settle to, and each only once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.fidelity.distinct import distinct
from spike2pop_nb.fidelity.judged_patterns import judged_features
from spike2pop_nb.fidelity.scores import PassRule, Verdict, verify
from spike2pop_nb.fidelity.screening import Window, up_to_whole, wider
from spike2pop_nb.fidelity.settling import LONGER_MS, still_changes
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated, simulate, time_step_ms
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Judging"]

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
_LONGEST_MS, _SAMPLE_MS = 20_000.0, 0.1
# Who cancels waits no longer: of more members, voltages and van Rossum distances are left out, and no more
# of those that were only screened are simulated as they are judged.
_TRACES_AFTER_CANCEL, _SCREENED_AFTER_CANCEL = 32, 256
_MOST_TRACES = 16_000_000  # voltages kept from when members were judged until some of them are chosen
_FINAL_TRIES = 3
_LIKE_ANOTHER, _UNSETTLED = "likeness to another member", "unsettled firing"


def recording_length_ms(train: SpikeTrain, neuron: NeuronModel) -> float:
    """Return how long members are recorded: at least the neuron's own window, at most 20 s."""
    start, stop = neuron.recording_window_ms
    return min(max(stop - start, up_to_whole(1.1 * train.duration_ms)), _LONGEST_MS)


class Judging(ABC):
    """The members tried so far; those after the first ``n_tried`` are not yet judged."""

    def __init__(
        self,
        train: SpikeTrain,
        neuron: NeuronModel,
        size: int,
        accuracy: str,
        rule: PassRule,
        progress: Callable[[int, int, str], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self.train, self.neuron, self.size, self.rule = train, neuron, size, rule
        self.progress, self.cancel = progress, cancel
        start = neuron.recording_window_ms[0]
        self.window = Window(accuracy, start, start + recording_length_ms(train, neuron))
        self.g = np.zeros((0, neuron.n_channels))
        self.spikes: list[FloatArray] = []
        self.failures: dict[int, str] = {}
        self.screened: set[int] = set()  # rows whose spikes are not yet those by which members are judged
        self.voltages: dict[bytes, npt.NDArray[np.float32]] = {}  # by conductances
        self.traced: Simulated | None = None
        self.verdict = pd.DataFrame()
        # those that pass on what they settle to after a longer transient, and by how much longer
        self.late: dict[int, float] = {}
        self.n_tried = self.n_passed = self.n_simulated = self.budget = 0
        self.reasons: Counter[str] = Counter()
        self.cancelled = False

    @abstractmethod
    def kept(self) -> Rows:
        """Return the rows of the members to keep, as it stands."""

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(min(self.n_passed, self.size), self.size, text)

    def judge(self) -> None:
        """Score the members that wait: those pass that fire like the recording, and are like no other."""
        rows = np.arange(self.n_tried, len(self.g))
        if not len(rows):
            return
        self.look_again(rows)
        table = verify(self.train, self.simulated(rows), self.rule, with_van_rossum=False).table
        self.settle(rows, table)
        passed = np.flatnonzero(table["passed"].to_numpy(bool))
        earlier = np.flatnonzero(self.verdict["passed"].to_numpy(bool)) if self.n_tried else rows[:0]
        different = distinct(self.g[np.concatenate([earlier, rows[passed]])])[len(earlier) :]
        self.fail(table, passed[~different], _LIKE_ANOTHER)
        self.verdict = pd.concat([self.verdict, table], ignore_index=True)
        self.n_tried += len(rows)
        self.n_passed += int(different.sum())
        fell = table.loc[~table["passed"].astype(bool), "reasons"]
        self.reasons.update(reason.split("; ")[0].split(" off by")[0] for reason in fell)

    def look_again(self, rows: Rows) -> None:
        """Simulate those as they are judged that were only screened, but could pass."""
        rows = rows[np.isin(rows, list(self.screened))]
        if not len(rows) or self.cancelled:
            return
        seen = self.simulated(rows)
        rows = rows[verify(self.train, seen, wider(self.rule), with_van_rossum=False).passed]
        if len(rows):
            self.say(f"Checking {len(rows)} members, {self.n_passed} passed so far")
            self.take(rows, self.judged(self.g[rows]))

    def take(self, rows: Rows, simulated: Simulated) -> None:
        """Have members fire as they did in the simulation by which they are judged."""
        for k, row in enumerate(rows.tolist()):
            self.spikes[row] = simulated.spike_times_ms[k]
            self.failures.pop(row, None)
            if k in simulated.reasons:
                self.failures[row] = simulated.reasons[k]
        self.screened -= set(rows.tolist())

    def judged(self, g: FloatArray) -> Simulated:
        """Simulate members as they are judged; their voltages are kept, as far as there is room."""
        n_samples = round((self.window.duration_ms - self.window.transient_ms) / _SAMPLE_MS)
        if (len(self.voltages) + len(g)) * n_samples > _MOST_TRACES:
            return self.simulate(g, self.window)
        self.traced = self.simulate(g, self.window, "traces")
        self.voltages |= {key.tobytes(): V for key, V in zip(g, self.traced.V_mV, strict=True)}
        return self.traced

    def changes(self, times_ms: FloatArray, longer_ms: float = 0.0) -> bool:
        """Whether a member still changes after its transient, made so much longer."""
        window = self.window.later(longer_ms)
        return still_changes(times_ms, window.transient_ms, window.duration_ms, self.rule)

    def settle(self, rows: Rows, table: pd.DataFrame) -> None:
        """Judge the members that pass, but still change, on what they settle to."""
        passed = np.flatnonzero(table["passed"].to_numpy(bool))
        waiting = passed[[self.changes(self.spikes[row]) for row in rows[passed]]] if len(passed) else passed
        columns = list(table.columns[2:])  # not whose they are
        for longer_ms in LONGER_MS:
            if self.cancelled or not len(waiting) or self.n_simulated + len(waiting) > self.budget:
                break
            self.say(f"Waiting for {len(waiting)} members to settle, {self.n_passed} passed so far")
            simulated = self.simulate(self.g[rows[waiting]], self.window.later(longer_ms))
            self.n_simulated += len(waiting)
            found = verify(self.train, simulated, self.rule, with_van_rossum=False)
            settled = np.array([not self.changes(times, longer_ms) for times in simulated.spike_times_ms])
            judged = found.table.loc[settled, columns].set_axis(waiting[settled])
            table.loc[judged.index, columns] = judged
            self.late |= dict.fromkeys(rows[waiting[settled & found.passed]].tolist(), longer_ms)
            waiting = waiting[~settled]
        self.fail(table, waiting, _UNSETTLED)

    @staticmethod
    def fail(table: pd.DataFrame, rows: Rows, why: str) -> None:
        """Have members not pass."""
        table.loc[rows, "passed"] = False
        table.loc[rows, "reasons"] = why

    def final(self) -> tuple[Rows, Simulated, Verdict]:
        """Return the rows of the members to keep, and what they do, with voltages, and are judged on.

        All of them after the longest transient that one of them needs. What passed after a shorter one and
        does not after that has not settled either, and is exchanged for another if there is one.
        """
        if self.cancelled and self.size > _TRACES_AFTER_CANCEL:
            self.unpass(np.array(sorted(self.late), dtype=np.int64))
            order = self.kept()
            screened = np.isin(order, list(self.screened))
            order = order[~screened | (np.cumsum(screened) <= _SCREENED_AFTER_CANCEL)]
            again = order[np.isin(order, list(self.screened))]
            if len(again):
                self.take(again, self.simulate(self.g[again], self.window, cancel=False))
                judged = verify(self.train, self.simulated(again), self.rule, with_van_rossum=False).table
                self.verdict.iloc[again] = judged
            table = self.verdict.iloc[order].assign(member=np.arange(len(order))).reset_index(drop=True)
            recorded = judged_features(self.train)(self.train)
            return order, self.simulated(order), Verdict(recorded, table, self.rule)
        self.say("Recording the traces of the members kept")
        for left in reversed(range(_FINAL_TRIES)):
            order = self.kept()
            longer_ms = max((self.late.get(row, 0.0) for row in order.tolist()), default=0.0)
            simulated = self.traces(order, longer_ms)
            verdict = verify(self.train, simulated, self.rule)
            fell = self.verdict["passed"].to_numpy(bool)[order] & ~verdict.passed
            if not left or not fell.any():
                break
            self.unpass(order[fell])
        return order, simulated, verdict

    def traces(self, rows: Rows, longer_ms: float) -> Simulated:
        """Return members with their voltages, which of some are known from when they were judged."""
        keys = [g.tobytes() for g in self.g[rows]]
        new = np.array([bool(longer_ms) or key not in self.voltages for key in keys])
        made, like = None, self.traced
        if new.any():
            window = self.window.later(longer_ms)
            made = like = self.simulate(self.g[rows[new]], window, "traces", cancel=False)
            if not longer_ms:
                self.take(rows[new], made)
                self.voltages |= {keys[k]: V for k, V in zip(np.flatnonzero(new), made.V_mV, strict=True)}
        assert like is not None
        if made is not None and new.all():
            return replace(made, labels=[(self.train.id, k) for k in range(len(rows))])
        V = np.stack([self.voltages[key] for key in keys])
        return replace(self.simulated(rows), time_ms=like.time_ms, V_mV=V)

    def unpass(self, rows: Rows) -> None:
        """Have members that passed not pass after all."""
        self.fail(self.verdict, rows, _UNSETTLED)
        self.n_passed -= len(rows)
        self.reasons[_UNSETTLED] += len(rows)
        for row in rows.tolist():
            self.late.pop(row, None)

    def simulated(self, rows: Rows, spikes: list[FloatArray] | None = None) -> Simulated:
        """Return the spikes of members as the simulation gave them, without voltages."""
        n = len(rows)
        reasons = {i: self.failures[row] for i, row in enumerate(rows.tolist()) if row in self.failures}
        return Simulated(
            neuron=self.neuron,
            labels=[(self.train.id, i) for i in range(n)],
            spike_times_ms=[self.spikes[row] for row in rows] if spikes is None else spikes,
            failed=np.isin(np.arange(n), list(reasons)),
            reasons=reasons,
            time_ms=np.zeros(0),
            V_mV=np.zeros((n, 0), dtype=np.float32),
            duration_ms=self.window.duration_ms,
            transient_ms=self.window.transient_ms,
            dt_ms=time_step_ms(self.neuron, self.window.accuracy),
            accuracy=self.window.accuracy,
            noise_sigma=np.zeros(n),
        )

    def simulate(
        self,
        g: FloatArray,
        window: Window,
        record: Literal["spikes", "traces"] = "spikes",
        cancel: bool = True,
    ) -> Simulated:
        return simulate(
            g,
            self.neuron,
            duration_ms=window.duration_ms,
            transient_ms=window.transient_ms,
            accuracy=window.accuracy,
            record=record,
            sample_ms=_SAMPLE_MS,
            cancel=self.cancel if cancel else None,
        )
