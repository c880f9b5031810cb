"""Tables made at random: read or refused, and no train that is not in the file."""

from __future__ import annotations

import os
import re
from contextlib import suppress

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import Recordings, read_spike_trains
from spike2pop_nb.spiketrains.units import ms_per_unit

N_EXAMPLES = int(os.environ.get("SPIKE2POP_FUZZ", "300"))
VOCABULARY = (
    "id unit channel time time_s t ms spike_times trial sample amp # foo isi label x 12 7 index time_(ms) "
    "cluster Event peak session spikes i 1 2 3 0"
)
NAMES = st.sampled_from(VOCABULARY.split()) | st.text(max_size=6)
NUMBERS = st.one_of(
    st.integers(-3, 40).map(str),
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e5).map(lambda value: f"{value:.3f}"),
    st.floats(0, 1e4).map(lambda value: f"{value:,.1f}"),
    st.floats(0, 1e3).map(lambda value: f"{value:.2f}".replace(".", ",")),
    st.sampled_from(["nan", "", "0", "-1", "x", "1e3", "1D2", "'", "[1, 2]", "²", "1_0"]),
)
GROWING = st.tuples(st.floats(0, 50), st.floats(0.01, 20), st.integers(0, 4))


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table of columns of many kinds, some of them growing."""
    n_rows, n_columns = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    columns = []
    for _ in range(n_columns):
        kind = draw(st.sampled_from(["growing", "labels", "counter", "anything", "saw"]))
        if kind == "growing":
            start, step, digits = draw(GROWING)
            columns.append([f"{start + k * step:.{digits}f}" for k in range(n_rows)])
        elif kind == "saw":
            start, step, digits = draw(GROWING)
            columns.append([f"{start + (k % 7) * step:.{digits}f}" for k in range(n_rows)])
        elif kind == "labels":
            columns.append([draw(st.sampled_from(["1", "2", "a", "7b"])) for _ in range(n_rows)])
        elif kind == "counter":
            columns.append([str(k + 1) for k in range(n_rows)])
        else:
            columns.append([draw(NUMBERS) for _ in range(n_rows)])
    sep = draw(st.sampled_from([",", ";", "\t", " ", ", "]))
    rows = [sep.join(row) for row in zip(*columns, strict=True)]
    if draw(st.booleans()):
        rows.insert(0, sep.join(draw(NAMES) for _ in range(n_columns)))
    if draw(st.integers(0, 4)) == 0:
        rows.insert(0, draw(st.sampled_from(["# unit: ms", "# fs = 30 kHz", "Rig: 3", "sep=;", '"x"'])))
    return "\n".join(rows) + draw(st.sampled_from(["", "\n", "\n\n,,\nend,x\n"]))


def are_in(recordings: Recordings, text: str) -> bool:
    """Whether every time stands in the file as a number, in the unit that the report says."""
    found = set()
    for splitter in (
        r"[;\t\s\[\]()\"']+",
        r"[,;\t\s\[\]()\"']+",
        r"[;\t\n\[\]()\"']+",
    ):  # 1,2 may be two numbers
        for cell in re.split(splitter, text):
            german = cell.replace(".", "").replace(",", ".")  # 1.000,2
            for plain in (cell.replace(",", "."), cell.replace(",", ""), cell.replace(".", ""), german):
                with suppress(ValueError):
                    found.add(abs(float(plain.lower().replace("d", "e").replace("_", "x"))))
    known = np.array(sorted(value for value in found if np.isfinite(value)))
    factor = ms_per_unit(recordings.report.unit, recordings.report.sampling_rate_hz)
    for train in recordings:
        values = np.abs(train.times_ms) / factor
        if values.size and (
            not known.size or np.abs(values[:, None] - known).min(axis=1).max() > 1e-9 * (1 + known.max())
        ):
            return False
    return True


@given(tables())
@settings(deadline=None, max_examples=N_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_no_train_that_is_not_in_the_file(text: str) -> None:
    try:
        recordings = read_spike_trains(text.encode("utf-8", "surrogatepass"))
    except SpikeTrainError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert len({train.id for train in recordings}) == len(recordings) > 0
    assert all((np.diff(train.times_ms) > 0).all() for train in recordings)
    assert are_in(recordings, text)


@given(
    tables(),
    st.sampled_from(["auto", "list", "long", "columns", "rows", "single", "trials"]),
    st.sampled_from([None, 0, "1", "none", ["id", "unit"], [0, 1]]),
    st.sampled_from([None, 0, 1, "time_s"]),
    st.sampled_from(["auto", "ms", "samples", "0.1 ms"]),
    st.sampled_from([None, 30_000.0]),
    st.sampled_from([(None, None), (0.0, None), (None, 1.0), (0.001, 0.02)]),
)
@settings(deadline=None, max_examples=N_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_any_options(
    text: str,
    layout: str,
    id_columns: object,
    time_column: object,
    unit: str,
    rate: float | None,
    stretch: tuple[float | None, float | None],
) -> None:
    options = {"layout": layout, "id_columns": id_columns, "time_column": time_column, "unit": unit}
    try:
        recordings = read_spike_trains(
            text.encode("utf-8", "surrogatepass"),
            sampling_rate_hz=rate,
            start_s=stretch[0],
            stop_s=stretch[1],
            **options,  # type: ignore[arg-type]
        )
    except SpikeTrainError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert are_in(recordings, text)
