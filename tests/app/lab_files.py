"""A small file of each format that laboratories have, made by that format's own library."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

TIMES_MS = np.array([10.0, 20.5, 31.0, 42.0, 53.5, 64.0])


def phy() -> dict[str, bytes]:
    """Contents of a Phy folder with one unit, at 30 kHz."""
    files = {"params.py": b"dat_path = 'raw.dat'\nsample_rate = 30000.0\n"}
    for name, array in (
        ("spike_times.npy", np.round(TIMES_MS * 30).astype(np.int64)),
        ("spike_clusters.npy", np.zeros(TIMES_MS.size, np.int32)),
    ):
        buffer = io.BytesIO()
        np.save(buffer, array)
        files[name] = buffer.getvalue()
    return files


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    """An archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def every_format(folder: Path) -> list[Path]:
    """One train of six spikes in each."""
    import neo
    import quantities as pq
    import scipy.io
    from pynwb import NWBHDF5IO, NWBFile

    (folder / "table.csv").write_text("time_ms\n" + "\n".join(map(str, TIMES_MS)))
    (folder / "lines.txt").write_text("# times in ms\n" + "\n".join(map(str, TIMES_MS)))
    np.save(folder / "array.npy", TIMES_MS)
    np.savez(folder / "arrays.npz", times_ms=TIMES_MS)
    scipy.io.savemat(folder / "lab.mat", {"times_ms": TIMES_MS})
    np.savez(
        folder / "sorting.npz",
        unit_ids=np.array([0]),
        num_segment=np.array([1]),
        sampling_frequency=np.array([30000.0]),
        spike_indexes_seg0=np.round(TIMES_MS * 30).astype(np.int64),
        spike_labels_seg0=np.zeros(TIMES_MS.size, np.int64),
    )
    zipped(folder / "phy.zip", phy())
    nwb = NWBFile("one unit", "a", datetime(2026, 1, 1, tzinfo=UTC))
    nwb.add_unit(spike_times=TIMES_MS / 1e3)
    with NWBHDF5IO(str(folder / "units.nwb"), "w") as file:
        file.write(nwb)
    block, segment = neo.Block(), neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain(TIMES_MS * pq.ms, t_stop=100 * pq.ms))
    block.segments.append(segment)
    nix = neo.NixIO(str(folder / "recording.nix"), "ow")
    nix.write_block(block)
    nix.close()
    t = np.arange(0, 80, 0.1)
    volts = -65 + 100 * np.exp(-(((t[:, None] - TIMES_MS) / 0.4) ** 2)).sum(axis=1)
    pd.DataFrame({"time_ms": t, "V_mV": volts}).to_csv(folder / "voltage.csv", index=False)
    return sorted(folder.iterdir())
