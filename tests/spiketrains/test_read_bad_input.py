"""Bad files: each is refused with one sentence that names the file, and the row and value it is about."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES, read_spike_trains

TRACE = b"time,voltage\n" + b"".join(b"%d,%d\n" % (k, -60 + k % 7) for k in range(50))
RANDOM = b"x,y\n" + b"".join(b"%d,%d\n" % (k * 37 % 101, k * 61 % 97) for k in range(50))


def refusal(data: bytes, name: str = "bad.csv") -> str:
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(data, filename=name)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", ["empty"]),
        (b"\n \n\n", ["empty"]),
        (b"\xef\xbb\xbf", ["empty"]),
        (b"# only a comment\n", ["empty"]),
        (b"id,time_ms\n", ["nothing below", "'time_ms'"]),
        (b"Dear colleague,\nhere is nothing to read\n", ["cannot be recognised"]),
        (b"<html><body><p>hello, world</p>\n</body></html>", ["cannot be recognised"]),
        (bytes(range(256)) * 10, ["neither text nor"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), ["image"]),
        (b"%PDF-1.7 x", ["PDF"]),
        (b"\x1f\x8b\x08" + bytes(50), ["unpack"]),
        (b"\x80\x04\x95abc", ["pickle"]),
        (b"name,age\nbob,3\nann,5\n", ["'name', 'age'", "cannot be recognised", "id, time_ms"]),
        (b"name,colour\nbob,red\nann,blue\n", ["cannot be recognised"]),
        (TRACE, ["sampled trace"]),
        (RANDOM, ["'x', 'y'", "cannot be recognised"]),
        (b"time_s,time_ms,id\n1,1000,a\n2,2000,a\n", ["'time_s', 'time_ms'", "name the time column"]),
        (b"id,time_ms\na,1\na,oops\n", ["row 3", "'oops'", "'time_ms'"]),
        (b"id,time_ms\na,1\na,1_000\n", ["row 3", "'1_000'"]),
        (b"id,time_ms\na,1\na,12:30\n", ["row 3", "'12:30'"]),
        (b"# note\nid,time_ms\n\na,1\na,oops\n", ["row 5", "'oops'"]),
        (b'ID,spiking_times\n1,"[1, 2]"\n2,"[3, x]"\n', ["row 3", "'x'", "'spiking_times'"]),
        (b'ID,spiking_times\n1,"[1, ..., 2]"\n', ["row 2", "'...'"]),
        (b'ID,spiking_times\n1,"[1, 2"\n', ["row 2", "not closed"]),
        (b'ID,spiking_times\n,"[1, 2]"\n', ["row 2", "id is missing"]),
        (b"a,b\n1,2\n3,x\n5,6\n7,8\n", ["row 3", "'x'", "column 'b'"]),
        (b"1.5\n2.5\nabc\n4.5\n", ["row 3", "'abc'"]),
        (b"1.5 2.5\n3 4 x\n5 6\n7 8\n", ["row 2", "'x'"]),
        (b"id,time_ms\n,1\n", ["row 2", "id is missing", "leave out the row", "(id_columns)"]),
        (b"id,time_ms\na,1,2\na,2\n", ["row 2", "'2'"]),
        (b"id,time_ms\na,1,2,3\na,2\nb,3\n", ["row 2", "4 cells", "'2', '3'"]),
        (b'id,time_ms\na,1\n"a,2\n', ["quotation mark"]),
        (b"id,time_ms\na,1\na,nan\n", ["row 3", "'nan'", "finite"]),
        (b"id,time_ms\na,1\na,inf\n", ["row 3", "'inf'", "finite"]),
        (b"id,time_ms\na,1\na,1e400\n", ["row 3", "'1e400'", "finite"]),
        (b'ID,spiking_times\n1,"[1, nan, 3]"\n', ["row 2", "value 2", "nan", "finite"]),
        (b"a,b\n1,2\nnan,3\n5,6\n", ["row 3", "nan", "finite"]),
        (b"id,time_ms\na,1\na,1e12\n", ["row 3", "1e+12", "1e+09 ms"]),
        (b"id,time_ms\na,1\na,-1e12\n", ["row 3", "-1e+12"]),
        (b"id,time_us\na,1\na,1e12\n", ["row 3", "1e+12"]),
        (b"id,time_s\na,1\na,1700000000\n", ["row 3", "1700000000"]),
        (b"1\n20\n1e12\n", ["row 3", "1e+12"]),
        (b"id,time_ms\na\x07b,1\n", ["row 2", "U+0007"]),
        (b"id,time_ms\n" + b"x" * 300 + b",1\n", ["row 2", "300 characters"]),
    ],
)
def test_refused_with_one_sentence(data: bytes, parts: list[str]) -> None:
    sentence = refusal(data)
    for part in parts:
        assert part in sentence


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    return [str(k) for k in range(3_000_000)]


@pytest.mark.parametrize("layout", ["single", "list", "long", "rows"])
def test_three_million_spikes(layout: str, numbers: list[str]) -> None:
    if layout == "single":
        data = "\n".join(numbers)
    elif layout == "list":
        data = 'ID,spiking_times\n1,"[' + ",".join(numbers) + ']"\n'
    elif layout == "rows":
        data = " ".join(numbers)
    else:
        data = "id,time_ms\n1," + "\n1,".join(numbers)
    sentence = refusal(data.encode(), f"{layout}.csv")
    assert "2,000,000 spikes" in sentence


def test_too_many_trains() -> None:
    data = b"id,time_ms\n" + b"\n".join(b"n%d,5" % k for k in range(10_001))
    assert "10,000 trains" in refusal(data)
    assert "10,000 trains" in refusal(
        b",".join(b"n%d" % k for k in range(10_002)) + b"\n" + b"1.5," * 10_001 + b"2"
    )


def test_too_many_cells() -> None:
    data = b",".join(b"n%d" % k for k in range(5000)) + b"\n" + b"1," * 4999 + b"1"
    data += b"\n" + b"\n".join(b"%d" % k for k in range(2, 5000))
    assert "cells are read" in refusal(data)


def test_a_200_mb_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)  # sparse: takes no space
    start = time.perf_counter()
    with pytest.raises(SpikeTrainError, match=r"big\.csv has 200\.0 MB; files of up to 50 MB"):
        read_spike_trains(path)
    assert time.perf_counter() - start < 0.5


def test_bytes_and_streams_have_the_same_limit() -> None:
    data = bytes(MAX_FILE_BYTES + 1)
    for source in (data, memoryview(data), io.BytesIO(data)):
        with pytest.raises(SpikeTrainError, match="50 MB"):
            read_spike_trains(source)


@pytest.mark.parametrize("source", ["no such file.csv", "x" * 5000, "a\0b", 5, None])
def test_sources_that_are_none(source: object) -> None:
    with pytest.raises(SpikeTrainError):
        read_spike_trains(source)  # type: ignore[arg-type]


def test_a_folder_a_pipe_and_a_text_stream(tmp_path: Path) -> None:
    with pytest.raises(SpikeTrainError, match="not a file"):
        read_spike_trains(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SpikeTrainError, match="not a file"):
            read_spike_trains(tmp_path / "pipe")
    with pytest.raises(SpikeTrainError, match="binary mode"):
        read_spike_trains(io.StringIO("1\n2\n"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options", [{"unit": "fortnights"}, {"layout": "matrix"}, {"id_columns": "no"}, {"time_column": 9}]
)
def test_options_that_are_wrong(options: dict[str, object]) -> None:
    with pytest.raises(SpikeTrainError):
        read_spike_trains(b"id,time_ms\na,1\n", **options)  # type: ignore[arg-type]


def test_an_id_that_is_not_there() -> None:
    recordings = read_spike_trains(b"id,time_ms\na,1\nb,2\n", filename="x.csv")
    with pytest.raises(SpikeTrainError, match="'c'; it has 'a', 'b'"):
        recordings.by_id("c")


PIECES = st.sampled_from(
    ["1", "2.5", "-3", "1e12", "nan", "a", "id", "time_ms", "spiking_times", ",", ";", "\t", " ", "\n", "\n",
     '"', "[", "]", "(", ")", "#", "%", "1,5", "[1, 2]", "é", "\r\n", "\x07", ":", "=", "_", "inf", "''", "|"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60))
@settings(deadline=None, max_examples=400)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        recordings = read_spike_trains(text.encode("utf-8", "surrogatepass"))
    except SpikeTrainError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert len({train.id for train in recordings}) == len(recordings) > 0
        for train in recordings:
            assert (np.diff(train.times_ms) > 0).all()


@given(
    st.lists(PIECES, max_size=25).map("".join),
    st.sampled_from(["list", "long", "columns", "rows", "single"]),
    st.sampled_from([None, 0, 1]),
    st.sampled_from([None, 0, 1]),
)
@settings(deadline=None, max_examples=300)
def test_any_text_with_any_options(
    text: str, layout: str, id_column: int | None, time_column: int | None
) -> None:
    try:
        read_spike_trains(text.encode(), layout=layout, id_columns=id_column, time_column=time_column)  # type: ignore[arg-type]
    except SpikeTrainError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for head in (b"", b"\x93NUMPY", b"PK\x03\x04", b"MATLAB 5.0".ljust(126) + b"IM"):
        try:
            read_spike_trains(head + data)
        except SpikeTrainError as error:
            assert "\n" not in str(error)  # noqa: PT017
