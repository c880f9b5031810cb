"""Publication figures: every file opens, nothing points outside it, and nothing is left behind."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import COLUMN_MM, FIGURES, figure_files
from spike2pop_nb.fidelity import Result


@pytest.fixture(scope="module")
def files(inferred: list[Result]) -> dict[str, bytes]:
    return figure_files(inferred[1], ("svg", "png", "pdf"))


def texts(content: bytes) -> str:
    return " ".join("".join(ElementTree.fromstring(content).itertext()).split())


def test_every_figure_comes_in_every_format(files: dict[str, bytes]) -> None:
    assert set(files) == {f"{name}.{kind}" for name in FIGURES for kind in ("svg", "png", "pdf")}
    assert all(content.startswith(b"%PDF") for name, content in files.items() if name.endswith("pdf"))
    for name, (width, _words) in FIGURES.items():
        with Image.open(io.BytesIO(files[f"{name}.png"])) as image:
            image.load()
            assert image.width == pytest.approx(COLUMN_MM[width] / 25.4 * 300, abs=1)
            assert image.info["dpi"] == pytest.approx((300, 300), abs=1)


def test_an_svg_is_xml_with_text_and_points_nowhere_else(files: dict[str, bytes]) -> None:
    for name in FIGURES:
        content = files[f"{name}.svg"]
        assert b"<!DOCTYPE" not in content
        for element in ElementTree.fromstring(content).iter():
            assert element.tag.rsplit("}")[-1] not in {"image", "script", "foreignObject"}
            for key, value in element.attrib.items():
                assert "//" not in value, (name, key, value)
                assert not key.endswith("href") or value.startswith("#")
                assert "url(" not in value or "url(#" in value


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("recording", ["time (ms)", "interval (ms)"]),
        ("posterior", ["slow DIC / leak conductance", "ultraslow DIC / leak conductance"]),
        ("conductances", ["median (mS/cm²)", "conductance / median"]),
        ("traces", ["time from the first spike (ms)", "V (mV)", "member 0"]),
        ("raster", ["time from the first spike (ms)", "member", "recording"]),
        ("intervals", ["interval (ms)", "cumulative share (%)"]),
        ("return_map", ["interval (ms)", "next interval (ms)", "recording"]),
        ("pairs", ["maximal conductances (mS/cm²)", "correlations over 8 members", "leak"]),
        ("dic_curves", ["V (mV)", "DIC / leak conductance", "ultraslow"]),
        ("currents", ["V (mV)", "µA/cm²", "outward (%)", "inward (%)", "total inward", "time (ms)", "leak"]),
    ],
)
def test_axes_say_what_they_show_and_in_which_unit(
    files: dict[str, bytes], name: str, labels: list[str]
) -> None:
    shown = texts(files[f"{name}.svg"])
    assert all(label in shown for label in labels), shown


def test_a_hostile_id_is_text_and_the_same_result_gives_the_same_bytes(given: Result) -> None:
    files = figure_files(given, names=["recording", "conductances"], width="one")
    assert "recording =1+1|<b>$x^$\ufffd" in texts(files["recording.svg"])
    assert figure_files(given, names=["recording", "conductances"], width="one") == files


def test_figures_of_members_fit_one_column_too(given: Result) -> None:
    names = ["pairs", "dic_curves", "currents", "return_map"]
    files = figure_files(given, ["png"], names=names, width="one")
    assert len(files) == len(names)
    for content in files.values():
        with Image.open(io.BytesIO(content)) as image:
            assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)


def test_what_is_not_there_is_not_drawn(inferred: list[Result], silent: Result) -> None:
    assert set(figure_files(silent, ["svg"])) == {"recording.svg"}
    found = inferred[0]
    bare = replace(found.simulated, V_mV=np.zeros((0, 0), np.float32), time_ms=np.zeros(0))
    assert figure_files(replace(found, simulated=bare), ["svg"], names=["traces"]) == {}
    failed = replace(found.simulated, failed=np.ones(len(found.simulated), dtype=bool))
    assert figure_files(replace(found, simulated=failed), ["svg"], names=["traces"]) == {}


def test_matplotlib_is_left_as_it_was_by_two_threads_at_once(inferred: list[Result]) -> None:
    with matplotlib.rc_context({"font.size": 21, "svg.fonttype": "path"}):
        before, pyplot = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(lambda r: figure_files(r, ["svg"], names=["raster"]), [inferred[1]] * 2)
        assert one == other
        assert dict(matplotlib.rcParams) == before
        assert ("matplotlib.pyplot" in sys.modules) == pyplot


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"formats": ["gif"]}, "format of a figure must be one of svg, png, pdf, not 'gif'"),
        ({"width": "three"}, "width of a figure must be one of one, two, not 'three'"),
        ({"names": ["scores"]}, "name of a figure must be one of recording"),
    ],
)
def test_an_unknown_choice_is_one_sentence(silent: Result, options: dict, words: str) -> None:
    with pytest.raises(Spike2PopError, match=words):
        figure_files(silent, **options)
