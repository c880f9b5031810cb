"""Files of acquisition systems, of MClust and of Excel as tables."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import pytest
import quantities as pq
from table_files import mclust, nex, nex5, npz, nse, table, values, workbook

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains
from spike2pop_nb.spiketrains.readers.formats import read_binary
from spike2pop_nb.spiketrains.readers.neo_table import NEO_READERS, parse_trains
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.readers.workbook import is_workbook, read_workbook


def test_nix(tmp_path: Path) -> None:
    block = neo.Block()
    for _ in range(2):
        segment = neo.Segment()
        block.segments.append(segment)
        for times, name in (([1, 20, 300], "PD"), ([], "silent")):
            segment.spiketrains.append(neo.SpikeTrain(times * pq.ms, t_stop=400 * pq.ms, name=name))
    writer = neo.io.NixIO(str(tmp_path / "rec.nix"), "ow")
    writer.write_block(block)
    writer.close()
    found = table((tmp_path / "rec.nix").read_bytes(), "rec.h5")
    assert found.format == "NIX"
    assert found.column("unit").values.tolist() == ["PD", "silent"] * 2
    assert found.column("segment").values.tolist() == [1, 1, 2, 2]
    assert found.column("spike trains").values[2] == pytest.approx([0.001, 0.02, 0.3])
    np.testing.assert_allclose(found.column("window").values, [[0, 0.4]] * 4)
    assert found.column("window").unit == "s"


def test_unsorted_units(tmp_path: Path) -> None:
    found = table(nse(), "SE1.nse")
    assert found.format == "Neuralynx"
    assert found.column("unit").values.tolist() == ["chSE1#0#0", "chSE1#0#1", "chSE1#0#2"]
    assert [len(row) for row in found.column("spike trains").values] == [2, 3, 1]
    assert found.labels == {"unsorted": "unsorted"}
    assert found.column("unsorted").values.tolist() == ["yes", "", ""]


def test_neuroexplorer() -> None:
    found = table(nex(), "../rec.NEX")
    assert (found.format, found.labels) == ("NeuroExplorer", {})
    assert found.column("unit").values.tolist() == ["PD", "LP"]
    assert found.column("spike trains").values[0] == pytest.approx([0.001, 0.02, 0.03])


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    for data, name in ((mclust([1, 2]), "a.t"), (nex(), "a.nex"), (nse(), "a.nse")):
        with pytest.raises(SpikeTrainError, match="cannot be opened: No such file"):
            read_binary(Source(name, data, tmp_path / name))


def test_rubbish_that_claims_to_be_a_format_of_neo(tmp_path: Path) -> None:
    for suffix, reader in NEO_READERS.items():
        inside = tmp_path / suffix
        inside.mkdir()
        path = inside / f"recording{suffix}"
        path.write_bytes(b"ABF2" + bytes(range(256)) * 20)
        with pytest.raises(SpikeTrainError, match=r"cannot read it|holds no spike trains"):
            parse_trains(Source(path.name, b"", path))
        assert reader.folder <= reader.alone


def test_readers_that_unpickle_or_evaluate_are_not_used() -> None:
    names = {reader.name for reader in NEO_READERS.values()}
    assert names <= {reader.__name__ for reader in neo.io.iolist}
    assert not names & {"PickleIO", "ElphyIO", "NeoMatlabIO", "NeurosharectypesIO", "Plexon2IO", "ExampleIO"}


@pytest.mark.parametrize("wide", [False, True])
def test_nex5(wide: bool, tmp_path: Path) -> None:
    found = table(nex5(wide=wide), "rec.nex5")
    assert values(found) == {
        "spike trains": [[0.001, 0.02, 0.03], [0.01, 1.0]],
        "unit": ["PD", "LP"],
        "window": [[0, 2], [0, 2]],
    }
    assert found.column("spike trains").unit == "s"
    assert found.skipped == ["1 event, 'Stim'"]
    (tmp_path / "rec.nex5").write_bytes(nex5(wide=wide))
    assert values(table(tmp_path / "rec.nex5")) == values(found)


def test_damaged_nex5() -> None:
    data = nex5()
    for part, end in (("cut short", 200), ("fewer variables", 400), ("fewer times", 356 + 3 * 244 + 8)):
        with pytest.raises(SpikeTrainError, match=part):
            table(data[:end], "rec.nex5")
    with pytest.raises(SpikeTrainError, match="clock"):
        table(data[:264] + bytes(8) + data[272:], "rec.nex5")


def test_mclust() -> None:
    found = table(mclust([10_000, 10_050, 4_000_000_000]), "TT1_1.t")
    assert values(found) == {"t": [[10_000, 10_050, 4_000_000_000]]}
    assert (found.format, found.column("t").unit, found.roles) == ("MClust", "0.1 ms", {"time": "t"})
    assert found.facts == {"Program": "MClust", "Date": "1-Jan-2024"}
    assert values(table(mclust([1, 2**40], ">u8"), "TT1_1.t64")) == {"t": [[1, 2**40]]}
    (train,) = read_spike_trains(mclust([10_000, 10_050]), filename="TT1_1.t")
    assert (train.id, train.times_ms.tolist()) == ("1", [1000, 1005])
    for data, name, part in (
        (mclust([1, 2])[:-1], "a.t", "cut short"),
        (b"%%BEGINHEADER\n\0", "a.t", "no end"),
        (mclust([1, 2], ">u8"), "a.t", "ending .t64"),
    ):
        with pytest.raises(SpikeTrainError, match=part):
            table(data, name)


def test_workbooks() -> None:
    rows = [["id", "time (s)"], ["a", 1 / 3], ["b\tc", 3], [None, 1e-7], ['say "x"', -1.5]]
    source = Source("a.xlsx", workbook([["only words"]], rows, [[1, 2]]))
    assert is_workbook(source)
    words, found, few = read_workbook(source)
    assert found.text == 'id\ttime (s)\na\t0.3333333333333333\n"b\tc"\t3\n\t1e-07\n"say ""x"""\t-1.5\n'
    assert (words.kind, found.name, few.kind) == ("words", "sheet 2", "few")
    assert not is_workbook(Source("a.npz", npz(a=[1.0])))
    with pytest.raises(SpikeTrainError, match="no sheet"):
        read_workbook(Source("a.xlsx", workbook([["words"]])))
