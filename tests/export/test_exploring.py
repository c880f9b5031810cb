"""Rankings and maps as files: tables with units, figures that hold all that was ranked or mapped."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from spike2pop_nb import export
from spike2pop_nb.conductances import Ranking, Reachability, rank_choices, reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.fidelity import ACTIVITY_PATTERNS, PatternMap, pattern_map
from spike2pop_nb.plots import choices
from spike2pop_nb.plots.on_paper import paper_figure

HOSTILE = "=<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def rankings() -> dict[str, Ranking]:
    return {HOSTILE: rank_choices("stg", (-5.0, 4.0), n=64), "2": rank_choices("stg", (4.0, 4.0), n=64)}


@pytest.fixture(scope="module")
def reach() -> Reachability:
    return reachability("stg", ("CaS", "H"), 6)


@pytest.fixture(scope="module")
def firing() -> PatternMap:
    return pattern_map("stg", ("CaS", "H"), n_grid=6, members=1)


def test_choices_of_several_recordings_stand_in_one_table(rankings, tmp_path: Path) -> None:
    table = export.write_choices(rankings, tmp_path / "c.csv")
    assert len(table) == sum(map(len, rankings.values()))
    assert table.groupby("id")["published"].sum().eq(1).all()
    assert table.groupby("id")["place"].min().eq(1).all()
    read = pd.read_csv(tmp_path / "c.csv")
    assert read["id"].iloc[0] == HOSTILE
    np.testing.assert_array_equal(read["score"], table["score"])
    export.write_choices(rankings, tmp_path / "c.parquet")
    schema = pq.read_schema(tmp_path / "c.parquet")
    assert b"within_ranges" in schema.field("score").metadata[b"meaning"]
    assert schema.field("moved").metadata[b"unit"] == b"fraction"


def test_a_map_is_a_table_of_nodes(reach, firing, tmp_path: Path) -> None:
    export.write_plane(reach, tmp_path / "m.parquet", firing)
    content = (tmp_path / "m.parquet").read_bytes()
    table = pd.read_parquet(io.BytesIO(content))
    row = table[(table["g_s"] == reach.g_s[1]) & (table["g_u"] == reach.g_u[2])].iloc[0]
    assert row["valid_fraction"] == reach.valid_fraction[2, 1]
    assert row["condition"] == reach.condition[2, 1]
    assert row["pattern"] == ACTIVITY_PATTERNS[firing.pattern[2, 1]]
    assert row["rate_hz"] == firing.rate_hz[2, 1]
    shares = table.filter(like="share_")
    known = table["rate_hz"].notna()
    np.testing.assert_allclose(shares[known].sum(axis=1), 1.0)
    assert table["pattern"].isna().tolist() == (~known).tolist()
    schema = pq.read_schema(io.BytesIO(content))
    assert schema.field("rate_hz").metadata[b"unit"] == b"Hz"
    assert all(schema.field(name).metadata[b"meaning"] for name in schema.names)
    assert export.plane_table(reach).columns.tolist()[-1] == "residual"


def test_maps_that_do_not_belong_together_share_no_table(reach, firing) -> None:
    with pytest.raises(Spike2PopError, match="differ in their choice or grid"):
        export.plane_table(reachability("stg", ("A", "H"), 6), firing)
    with pytest.raises(Spike2PopError, match="differ in their choice or grid"):
        export.plane_table(reachability("stg", ("CaS", "H"), 7), firing)


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_figures_hold_all_that_was_ranked_or_mapped(
    normal: Any, kind, rankings, reach, firing, tmp_path: Path
) -> None:
    export.write_choices_figure(rankings, tmp_path / f"c.{kind}")
    export.write_plane_figure(reach, tmp_path / f"m.{kind}", firing, posterior=normal)
    export.write_plane_figure(reach, tmp_path / f"n.{kind}", target=(1, 2))
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[kind]
    assert all((tmp_path / f"{name}.{kind}").read_bytes().startswith(start) for name in "cmn")
    if kind == "svg":
        texts = {
            name: " ".join("".join(ElementTree.parse(tmp_path / f"{name}.svg").getroot().itertext()).split())
            for name in "cmn"
        }
        assert f"recording {HOSTILE}" in texts["c"]
        for words in ("members that get there (%)", "simulated firing rate (Hz)", "bursting", "mean"):
            assert (words in texts["m"]) == (words != "mean")
        assert "mathdefault" not in texts["m"]
        assert "simulated" not in texts["n"]


def test_no_bar_of_a_figure_is_cut_off(rankings) -> None:
    figure = paper_figure(choices.rankings(rankings, "recording"), 180)
    highest = max(choice.score for ranking in rankings.values() for choice in ranking.choices)
    assert all(axes.get_xlim()[1] > highest for axes in figure.axes)
    assert [len(axes.patches) for axes in figure.axes] == [len(ranking) for ranking in rankings.values()]


def test_a_page_holds_everything_and_asks_for_nothing(
    normal: Any, rankings, reach, firing, tmp_path: Path
) -> None:
    export.write_choices_figure(rankings, tmp_path / "c.html")
    export.write_plane_figure(reach, tmp_path / "m.html", firing, posterior=normal, target=(1, 2))
    choices, plane = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in "cm")
    assert "<img src=x" not in choices
    assert "Choices for recording =&lt;img" in choices
    assert plane.count('class="plot"') == 5
    assert "Simulated firing rate (Hz)." in plane
    assert "fire, at this recording&#39;s DICs" in plane
    for page in (choices, plane):
        assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda out: export.choices_table({}), "no ranking to write"),
        (lambda out: export.write_choices({}, out / "c.csv"), "no ranking to write"),
        (lambda out: export.write_choices_figure({}, out / "c.svg"), "shows 1 to 12 recordings, not 0"),
        (lambda out: export.table_format(out / "c.xlsx"), "ends in .csv, .parquet, not 'c.xlsx'"),
        (lambda out: export.figure_format(out / "c"), "ends in .html, .svg, .png, .pdf, not 'c'"),
    ],
)
def test_what_cannot_be_written_is_refused(act, words, tmp_path: Path) -> None:
    with pytest.raises(Spike2PopError, match=words):
        act(tmp_path)
    assert list(tmp_path.iterdir()) == []
