"""Tables and traces as files: CSV that no spreadsheet takes for formulas, Parquet with units, NPZ."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spike2pop_nb.files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

    from spike2pop_nb.fidelity import Result

__all__ = [
    "Column",
    "arrow_table",
    "describe_column",
    "growing_table",
    "neutralised",
    "recorded_spikes",
    "results_frames",
    "table_csv",
    "table_files",
    "table_parquet",
    "traces_npz",
    "write_table",
]

# What makes a spreadsheet read a cell as a formula; the wide forms count where wide forms are typed. Marks
# before it are part of the pattern, so that no two texts become one.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


@dataclass(frozen=True)
class Column:
    """Unit ("" for none) and meaning of a column."""

    unit: str
    meaning: str


_COLUMNS = {
    "id": Column("", "name of the recording"),
    "member": Column("", "number of the member, from 0 for each recording"),
    "time_ms": Column("ms", "time of a spike from the start of the simulation, transient included"),
    "g_s": Column("in units of g_leak", "slow dynamic input conductance at threshold"),
    "g_u": Column("in units of g_leak", "ultraslow dynamic input conductance at threshold"),
    "neuron": Column("", "name of the neuron model"),
    "V_th_mV": Column("mV", "threshold voltage at which its DICs are read"),
    "weight": Column("", "how probable the member is, all together 1"),
    "baseline": Column("mS/cm²", "ranges channel:low:high, drawn from in place of the registered ones"),
    "declaration": Column("", "which declaration of that name, so that no other is taken for it"),
    "current_uA_cm2": Column("µA/cm²", "constant current that is injected into the member"),
    "noise_sigma_uA_cm2": Column("µA/cm²", "standard deviation of the noise that is injected into it"),
    "noise_seed": Column("", "seed of that noise"),
    "inhibition_mS_cm2": Column("mS/cm²", "conductance of the rhythmic inhibition that it receives"),
    "inhibition_period_ms": Column("ms", "period of that inhibition"),
    "inhibition_share": Column("fraction", "share of a period over which it is on"),
    "score": Column("", "likeness with the recording: 1 is alike, 0.5 at the tolerances"),
    "passed": Column("", "whether the member fires like the recording by the rule in summary.json"),
    "pattern": Column("", "firing pattern: silent, spiking, bursting, or failed"),
    "rate_hz": Column("Hz", "firing rate: inverse of the mean interval"),
    "rate_error": Column("fraction", "relative error of the rate"),
    "isi_distance": Column("", "Wasserstein distance of the distributions of ln(interval)"),
    "intra_burst_error": Column("fraction", "relative error of the rate within bursts"),
    "inter_burst_error": Column("fraction", "relative error of the rate of bursts"),
    "burst_duration_error": Column("fraction", "relative error of the duration of bursts"),
    "spikes_per_burst_error": Column("fraction", "relative error of the number of spikes in a burst"),
    "van_rossum": Column("", "van Rossum distance over that of a silent member; reported, not judged"),
    "reasons": Column("", "why the member did not pass"),
    "distance": Column("tolerances", "the largest of what is off; up to 1 is within the variability"),
    "windows_within": Column("fraction", "share of its windows that are within that variability"),
    "experiment": Column("", "what was done, at some dose"),
    "condition": Column("", "name of the condition; the control is that to which nothing was done"),
    "dose": Column("", "dose of the condition, in the unit that the experiment names"),
    "from_ms": Column("ms", "from when, in the recording, what was done was in full effect"),
    "to_ms": Column("ms", "until when it was"),
    "rate_Hz": Column("Hz", "spikes per second in that time"),
    "n_spikes": Column("", "spikes in that time"),
    "crash": Column("", "how the member lost the rhythm that it has in the control; empty where it did not"),
    "crash_ms": Column("ms", "when, from the beginning of the recording"),
    "failed": Column("", "whether the voltage ran away"),
    "kept": Column("", "members that keep their rhythm"),
    "entropy_bits": Column("bits", "how unlike the members fire: entropy of their patterns"),
    "channel": Column("", "whose maximal conductance tells who loses the rhythm"),
    "auroc": Column(
        "", "probability that a member that loses its rhythm has more of it than one that keeps it"
    ),
    "telling": Column("", "the same whichever way, from 0.5 (tells nothing) to 1"),
    "p": Column("", "of a Mann–Whitney test"),
    "q": Column("", "the same with false discoveries controlled over all conductances"),
    "g_of_crashed": Column("mS/cm²", "median of those that lose their rhythm"),
    "g_of_kept": Column("mS/cm²", "median of those that keep it"),
    "current": Column("", "injected current, in the unit that the experiment names"),
}


TRACE_ARRAYS = {
    "time_ms": Column("ms", "time of each sample from the start of the simulation, (n_samples,)"),
    "V_mV": Column("mV", "membrane potential, (n_members, n_samples)"),
    "ids": Column("", "name of the recording of each row, (n_members,)"),
    "members": Column("", "number of the member of each row, (n_members,)"),
}
"""Arrays of `traces_npz`."""


def describe_column(name: str) -> Column:
    """Return what a column of `results_frames` holds."""
    if name in _COLUMNS:
        return _COLUMNS[name]
    if name.startswith("n_"):
        return Column("", f"members that are {name[2:].replace('_', ' ')}")
    if name.endswith("_off"):
        measure = name.removesuffix("_off").replace("_", " ")
        return Column("tolerances", f"by how much its {measure} differs from the recording's")
    if name.startswith("g_"):
        return Column("mS/cm²", f"maximal conductance of {name.removeprefix('g_')}")
    return Column("", name.replace("_", " "))


def results_frames(results: Sequence[Result]) -> dict[str, pd.DataFrame]:
    """Return the tables ``population`` and ``spike_times`` of all recordings that have a population.

    ``population`` has id, member, g_* in mS/cm², g_s, g_u, the columns that say of which neuron the members
    are (see `Population.to_frame`), score, passed and the errors behind the score;
    ``spike_times`` has id, member and time_ms from the start of the simulation.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import results_frames
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> list(results_frames([result]))
    ['population', 'spike_times']
    """
    populations, spikes = [], []
    for result in results:
        if result.population is None or result.verdict is None or result.simulated is None:
            continue
        scores = result.verdict.table.drop(columns=["id", "member"])
        populations.append(pd.concat([result.population.to_frame(), scores], axis=1))
        spikes.append(result.simulated.to_frame())
    if not populations:
        empty = pd.DataFrame({"id": [], "member": []})
        return {"population": empty.assign(score=[], passed=[]), "spike_times": empty.assign(time_ms=[])}
    return {"population": _joined(populations), "spike_times": pd.concat(spikes, ignore_index=True)}


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of tables below each other; whole numbers that some of them lack keep all their digits."""
    everywhere = set(frames[0].columns).intersection(*(frame.columns for frame in frames))
    whole = [
        {c: kind.name.title().replace("Ui", "UI") for c, kind in frame.dtypes.items() if kind.kind in "iu"}
        for frame in frames
    ]
    kept = [{c: name for c, name in kinds.items() if c not in everywhere} for kinds in whole]
    return pd.concat(
        [frame.astype(kinds) for frame, kinds in zip(frames, kept, strict=True)], ignore_index=True
    )


def recorded_spikes(results: Sequence[Result]) -> pd.DataFrame:
    """Return the spikes that populations were made from: id, and time_ms on each recording's own clock."""
    trains = [result.recording for result in results]
    return pd.DataFrame(
        {
            "id": np.repeat([train.id for train in trains], [train.n_spikes for train in trains]),
            "time_ms": np.concatenate([train.times_ms for train in trains]),
        }
    )


def neutralised(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet could take it for a formula.

    Different texts stay different: removing one apostrophe from what begins with any and then one of
    ``= + - @`` gives the text back.

    Examples
    --------
    >>> from spike2pop_nb.export import neutralised
    >>> neutralised("=SUM(A1)"), neutralised("cell 1")
    ("'=SUM(A1)", 'cell 1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def table_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV; texts are `neutralised`, but ids are not: they name the same cell everywhere.

    Examples
    --------
    >>> import pandas as pd
    >>> from spike2pop_nb.export import table_csv
    >>> table_csv(pd.DataFrame({"id": ["1"], "time_ms": [12.5]})).splitlines()
    ['"id","time_ms"', '"1",12.5']
    """
    safe = table.copy(deep=False)
    for name in table.columns.drop("id", errors="ignore"):
        if pd.api.types.is_object_dtype(table[name]) or pd.api.types.is_string_dtype(table[name]):
            safe[name] = [neutralised(cell) if isinstance(cell, str) else cell for cell in table[name]]
    # Texts are quoted, so that where ; separates columns none of them opens a cell within.
    return safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write one CSV table, its texts but for ids `neutralised`, so that it is there whole or not at all.

    Raises
    ------
    Spike2PopError
        If the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import pandas as pd
    >>> from spike2pop_nb.export import write_table
    >>> file = Path(mkdtemp()) / "table.csv"
    >>> write_table(pd.DataFrame({"id": ["1"], "time_ms": [12.5]}), file)
    >>> file.read_text().splitlines()
    ['"id","time_ms"', '"1",12.5']
    """
    with growing_table(Path(path)) as add:
        add(table)


@contextmanager
def growing_table(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a CSV table some rows at a time, all with the same columns, as `write_table` does.

    Raises
    ------
    Spike2PopError
        If the file cannot be written.
    """
    with whole_file(path) as file:

        def add(rows: pd.DataFrame) -> None:
            text = table_csv(rows)
            file.write((text.partition("\n")[2] if file.tell() else text).encode())

        yield add


def table_parquet(table: pd.DataFrame, columns: Mapping[str, Column] | None = None) -> bytes:
    """Return a table as Parquet, texts unchanged; each column carries its unit and meaning as metadata.

    Parameters
    ----------
    table
        The table.
    columns
        What columns hold that is not what `describe_column` says.

    Examples
    --------
    >>> import pandas as pd
    >>> from spike2pop_nb.export import table_parquet
    >>> table_parquet(pd.DataFrame({"id": ["1"], "time_ms": [12.5]}))[:4]
    b'PAR1'
    """
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(arrow_table(table, columns), sink)
    return sink.getvalue()


def table_files(tables: Mapping[str, pd.DataFrame], formats: Sequence[str] = ("csv",)) -> dict[str, bytes]:
    """Return tables as files, by name, of those of the formats that are "csv" or "parquet"."""
    files: dict[str, bytes] = {}
    for name, table in tables.items():
        if "csv" in formats:
            files[f"{name}.csv"] = table_csv(table).encode()
        if "parquet" in formats:
            files[f"{name}.parquet"] = table_parquet(table)
    return files


def arrow_table(table: pd.DataFrame, columns: Mapping[str, Column] | None = None) -> pa.Table:
    """Return a table as one of Arrow, whose columns carry their unit and meaning."""
    import pyarrow as pa

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for place, field in enumerate(arrow.schema):
        column = (columns or {}).get(field.name) or describe_column(field.name)
        arrow = arrow.set_column(
            place,
            field.with_metadata({"unit": column.unit, "meaning": column.meaning}),
            arrow.column(place),
        )
    return arrow


def traces_npz(result: Result) -> bytes | None:
    """Return the voltages of one population as NPZ, or None where none were kept.

    It holds the `TRACE_ARRAYS`; none of them needs pickle.

    Examples
    --------
    >>> from io import BytesIO
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import traces_npz
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> np.load(BytesIO(traces_npz(result))).files
    ['time_ms', 'V_mV', 'ids', 'members']
    """
    simulated = result.simulated
    if simulated is None or not simulated.V_mV.size:
        return None
    sink = io.BytesIO()
    np.savez_compressed(
        sink,
        time_ms=simulated.time_ms,
        V_mV=simulated.V_mV,
        ids=np.array([name for name, _member in simulated.labels], dtype=np.str_),
        members=np.array([member for _name, member in simulated.labels], dtype=np.int64),
    )
    return sink.getvalue()
