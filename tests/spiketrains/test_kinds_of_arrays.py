"""Arrays of the kinds that readers get wrong: read rightly, or refused; never wrong in silence."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from kinds import RATE_HZ, A, B, C, Case, merged
from numpy.typing import NDArray
from scipy.io import savemat

_OR_REFUSED = ("right", "refused")
_ALL = merged([A, B, C])
_TIMES_S = np.array([t / 1000 for t, _ in _ALL])
_LABELS = np.array([[4, 9, 12][k] for _, k in _ALL])


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(arrays: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def mat(variables: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def cells(*trains: NDArray[np.float64]) -> NDArray[np.object_]:
    found = np.empty(len(trains), dtype=object)
    found[:] = list(trains)
    return found


def samples(times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.rint(times * RATE_HZ / 1000)


def kinds() -> Iterator[Case]:
    for times_name in ("times", "spike_times", "t", "spiketimes", "timestamps", "ts", "spikeTimes"):
        for name in ("assigns", "clusters", "templates", "labels", "index", "unit_ids", "class", "sorting"):
            ok = _OR_REFUSED if name == "sorting" else ("right",)
            arrays = {times_name: _TIMES_S, name: _LABELS}
            yield Case(f"{times_name} {name}", npz(arrays), (A, B, C), "x.npz", ok)
    groups = np.array([2, 0, 1])
    for name in ("cluster_groups", "cgs"):
        arrays = {
            "spike_times": _TIMES_S,
            "spike_clusters": _LABELS,
            "cids": np.array([4, 9, 12]),
            name: groups,
        }
        yield Case(f"{name} of clusters", npz(arrays), (A, C), "x.npz")
        arrays = {"spike_times": _TIMES_S, "cluster": _LABELS, name: groups[[k for _, k in _ALL]]}
        yield Case(f"{name} of spikes", npz(arrays), (A, C), "x.npz")
    keyboard = {"title": "Keyboard", "times": np.array([[1.0], [2.5], [4.0]])}
    spikes = {"title": "unit", "times": A[:, None] / 1000}
    yield Case("a keyboard beside", mat({"V_Ch2": spikes, "V_Ch31": keyboard}), (A,), "x.mat")
    yield Case("labels alone", npz({"unit": _LABELS}), (), "x.npz", ("refused",))
    channel = {
        "channel": np.array([[1, 1, 2][k] for _, k in _ALL]),
        "unit": np.array([[1, 2, 1][k] for _, k in _ALL]),
    }
    yield Case("channel and unit", npz(channel | {"times": _TIMES_S}), (A, B, C), "x.npz")
    yield Case("channel and unit", mat(channel | {"spike_times": _TIMES_S}), (A, B, C), "x.mat")
    yield Case("struct", mat({"spikes": {"times": _TIMES_S, "clusters": _LABELS}}), (A, B, C), "x.mat")
    for name, times in (("A", A), ("B", B), ("C", C)):
        for kind in ("uint64", "int32", "float64"):
            data = npy(samples(times).astype(kind))
            yield Case(f"{name} {kind}", data, (), "spike_times.npy", ("refused",))
            rate = {"sampling_rate_hz": RATE_HZ}
            yield Case(f"{name} {kind} at a rate", data, (times,), "spike_times.npy", options=rate)
        data = npz({"spike_samples": samples(times).astype(int), "sampling_rate": np.array([RATE_HZ])})
        yield Case(f"{name} with its rate", data, (times,), "x.npz")
        yield Case(f"{name} fs", mat({"spikes": samples(times), "fs": RATE_HZ}), (times,), "x.mat")
    explorer = {
        "times": cells(A / 1000, B / 1000),
        "ts": cells(samples(A), samples(B)),
        "UID": [1, 2],
        "sr": RATE_HZ,
    }
    yield Case("CellExplorer", mat({"spikes": explorer}), (A, B), "s.spikes.cellinfo.mat")
    names = np.array(["a", "b"], dtype=object)
    trial = cells(np.ones(60), np.ones(60))
    fieldtrip = {
        "label": names,
        "timestamp": cells(samples(A) + 7, samples(B) + 7),
        "time": cells(A / 1000, B / 1000),
    }
    yield Case("FieldTrip", mat({"spike": fieldtrip | {"trial": trial}}), (A, B), "ft.mat")
    two = cells(np.repeat([1.0, 2.0], 30))
    trials = {"label": names[:1], "time": cells(np.r_[A[:30], A[:30] + 9] / 1000), "trial": two}
    yield Case("FieldTrip, two trials", mat({"spike": trials}), (A[:30], A[:30] + 9), "ft.mat")
    parts = (A, B[:50], C[:40])
    for pad in (0.0, -1.0, np.nan, 9999.0, -999.0):
        table = np.full((3, 60), pad)
        for row, part in zip(table, parts, strict=True):
            row[: part.size] = part / 1000
        yield Case(f"padded with {pad}", npy(table), parts, "x.npy")
        yield Case(f"columns padded with {pad}", npy(table.T), parts, "x.npy")
    yield Case("padded", mat({"spiketimes": np.nan_to_num(table, nan=0)}), parts, "x.mat")
    axis = np.arange(0, 20, 0.001)
    volts = np.random.default_rng(0).normal(-60, 3, axis.size)
    for arrays in (
        {"t": axis, "v": volts, "spike_times": A / 1000},
        {"time": axis, "Vm": volts, "spikes": A / 1000},
        {"tvec": axis, "V": volts, "spk": A / 1000},
        {"t": axis, "LFP": volts, "st": A / 1000},
    ):
        yield Case(f"axis {list(arrays)}", npz(arrays), (A,), "x.npz", _OR_REFUSED)
    yield Case(
        "axis in a struct", mat({"data": {"t": axis, "V": volts, "spiketimes": A / 1000}}), (A,), "x.mat"
    )
    yield Case("a trace", npz({"t": axis, "v": volts}), (), "x.npz", ("refused",))
    yield Case("binned", npz({"t": axis, "spikes": (volts > -53) * 1.0}), (), "x.npz", ("refused",))
    counted = np.column_stack([np.arange(1, 61), A / 1000])
    yield Case("counter", npy(counted), (A,), "x.npy")
    yield Case("counter", mat({"m": counted}), (A,), "x.mat")
    for name in ("ISI", "x"):
        yield Case(f"intervals {name}", mat({name: np.diff(A)}), (), "x.mat", ("refused",))
    yield Case("intervals", npy(np.diff(A)), (), "x.npy", ("refused",))
    trials_s = np.concatenate([A[:12] - A[0], A[12:24] - A[12], A[24:36] - A[24]]) / 1000
    yield Case("saw", npy(trials_s), (), "x.npy", ("refused",))
    waves = np.random.default_rng(1).normal(size=(180, 64))
    classes = np.column_stack([[[2, 1, 3][k] for _, k in _ALL], _TIMES_S * 1000])
    wave_clus = {
        "cluster_class": classes,
        "spikes": waves,
        "par": {"sr": RATE_HZ},
        "forced": np.zeros(180),
        "Temp": [3.0, 4.0],
    }
    yield Case("wave_clus", mat(wave_clus), (A, B, C), "times_CSC1.mat")
    unsorted = {"spikes": waves, "index": _TIMES_S * 1000, "par": {"sr": RATE_HZ}, "threshold": [5.0, 5.0]}
    yield Case("wave_clus, unsorted", mat(unsorted), (np.array([t for t, _ in _ALL]),), "CSC1_spikes.mat")
    codes = np.zeros((180, 4), dtype=np.uint8)
    codes[:, 0] = [k for _, k in _ALL]
    spike2 = {
        "title": "nw-3",
        "times": _TIMES_S[:, None],
        "codes": codes,
        "values": waves[:, :32],
        "units": "volt",
    }
    yield Case("Spike2 WaveMark", mat({"Ch3": spike2}), (A, B, C), "x.mat")


KINDS = list(kinds())


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{k}-{case.name}") for k, case in enumerate(KINDS)])
def test_read_rightly_or_refused(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.startswith(case.ok), outcome
    assert "\n" not in outcome
