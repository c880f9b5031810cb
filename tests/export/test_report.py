"""The report: one file that holds all, asks for nothing, runs nothing else, and shows every figure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import best_currents, html_report, versions
from spike2pop_nb.fidelity import Result
from spike2pop_nb.spiketrains import SpikeTrain

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=document.title='owned'></script><script>document.title='owned'</script>"
WHEN = datetime(2026, 5, 4, 3, 2, tzinfo=UTC)


class Page(HTMLParser):
    """What a browser would see: elements, the texts of scripts, and all other text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._in = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts.append(data)
        elif self._in != "style":
            self.text += data


@pytest.fixture(scope="module")
def hostile(given: Result) -> Result:
    train = given.recording
    return replace(given, recording=SpikeTrain(HOSTILE, train.times_ms, provenance=train.provenance))


@pytest.fixture(scope="module")
def document(inferred: list[Result], hostile: Result, silent: Result) -> str:
    read = [f"{HOSTILE} (CSV): 4 trains.", "Unit: ms, as asked for.", f"Please check: {HOSTILE}."]
    options = {"seed": 7, "file": HOSTILE, "compensate": ["CaS", "H"], "read": read}
    return html_report([hostile, *inferred, silent], options=options, made_at=WHEN)


@pytest.fixture(scope="module")
def page(document: str) -> Page:
    return Page(document)


def test_it_says_what_was_done_and_how_it_went(page: Page, inferred: list[Result]) -> None:
    told = " ".join(page.text.split())
    for words in (
        "2026-05-04T03:02+00:00",
        f"numpy {versions()['numpy']}",
        "10.1523/JNEUROSCI.18-07-02309.1998",
        "10.1371/journal.pcbi.1014337",
        "CaS, H",
        *(result.outcome for result in inferred),
        "seed 7",
        "stg.safetensors, SHA-256",
        "look at least as strange",
        "g_Na (mS/cm²)",
    ):
        assert words in told, words
    result = inferred[0]
    assert f"{result.n_tried} tried, {result.n_passed} passed" in told
    for reason, n in result.reasons.items():
        assert f"{reason}: {n} member" in told
    low, high = (result.posterior.quantile(q)[0] for q in (0.025, 0.975))
    width = f"{result.posterior.mean[0]:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
    assert f"gs {width}" in told


def test_how_the_recording_was_read_stands_first_what_to_check_before_the_rest(
    page: Page, document: str, inferred: list[Result], given: Result
) -> None:
    block = page.text.partition("How the recording was read")[2].partition("Recording ")[0]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    assert lines == [f"Please check: {HOSTILE}.", f"{HOSTILE} (CSV): 4 trains.", "Unit: ms, as asked for."]
    assert 'class="warning">Please check: &lt;img' in document
    assert "<th>read</th>" not in document
    alone = " ".join(Page(html_report(inferred[0])).text.split())
    assert "stg_set.csv (CSV): times read as ms assumed from the intervals: their median is 15" in alone
    assert "How the recording was read" not in html_report(given)


def test_every_figure_is_there_and_is_json(page: Page, document: str) -> None:
    figures = {a["data-for"] for tag, a in page.elements if tag == "script" and "data-for" in a}
    assert {a["id"] for tag, a in page.elements if a.get("class") == "plot"} == figures
    names = ("recording", "traces", "raster", "conductances", "pairs", "pairs-by-leak", "currents")
    names += ("dic-curves", "scores", "intervals", "return-map")
    assert {f"figure-2-{name}" for name in (*names, "plane")} <= figures
    assert {f"figure-1-{name}" for name in names} <= figures
    assert {f for f in figures if f.startswith("figure-4-")} == {"figure-4-recording"}
    for text in page.scripts[: len(figures)]:
        assert json.loads(text)["layout"]
    assert len(document) < 12e6


def test_ids_from_files_are_text(page: Page, document: str) -> None:
    assert "img" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) >= 4
    assert sum(tag == "script" for tag, _ in page.elements) == len(page.scripts)
    assert not any(name.startswith("on") for _tag, attributes in page.elements for name in attributes)
    assert "<img" not in document.replace(page.scripts[-2], "")


def test_only_its_own_scripts_may_run_and_nothing_is_asked_for(page: Page, document: str) -> None:
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    run = [a for tag, a in page.elements if tag == "script" and a.get("type") != "application/json"]
    assert len(run) == 2
    for code in page.scripts[-2:]:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "data", "background", "poster"} & set(attributes)
        assert tag not in {"link", "base", "iframe", "object", "embed", "form"}
        href = attributes.get("href") or "#"
        assert href.startswith(("#recording-", "https://doi.org/10.")) or href == "#"
    style = re.search(r"<style>(.*?)</style>", document, re.DOTALL)
    assert style is not None
    assert "url(" not in style.group(1)
    assert "@import" not in style.group(1)


def test_what_is_left_out_is_said(inferred: list[Result], silent: Result) -> None:
    document = html_report([silent, *inferred], most_recordings=1)
    told = " ".join(Page(document).text.split())
    assert "shows the first recording with figures" in told
    assert "2 more are in the table above" in told
    assert "figure-2-" not in document
    large = replace(inferred[0], population=inferred[0].population.select(np.arange(60) % 8))  # type: ignore[union-attr]
    large = replace(large, verdict=large.verdict.select(np.arange(60) % 8))  # type: ignore[union-attr]
    large = replace(large, simulated=large.simulated.select(np.arange(60) % 8))
    told = " ".join(Page(html_report(large)).text.split())
    assert "10 more members are left out here" in told
    assert "The 6 with the best scores of 60 members" in told


def test_a_silent_recording_and_members_without_voltage_have_a_report(
    silent: Result, inferred: list[Result]
) -> None:
    assert "is silent" in Page(html_report(silent)).text
    bare = replace(inferred[0].simulated, V_mV=np.zeros((0, 0), np.float32), time_ms=np.zeros(0))
    assert "figure-1-traces" in html_report(replace(inferred[0], simulated=bare))


def test_currents_are_those_of_the_best_or_none(inferred: list[Result], silent: Result) -> None:
    found = best_currents(inferred[0])
    assert found is not None
    assert found.label[1] == inferred[0].verdict.best  # type: ignore[union-attr]
    assert best_currents(silent) is None
    noisy = replace(inferred[0].simulated, noise_sigma=np.ones(len(inferred[0].simulated)))
    assert best_currents(replace(inferred[0], simulated=noisy)) is None


def test_it_is_written_whole_or_not_at_all(silent: Result, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert html_report(silent, path, made_at=WHEN) == path.read_text(encoding="utf-8")
    assert html_report(silent, made_at=WHEN) == html_report(silent, made_at=WHEN)
    with pytest.raises(Spike2PopError, match="cannot be written"):
        html_report(silent, tmp_path / "nowhere" / "report.html")
    with pytest.raises(Spike2PopError, match="at least one result"):
        html_report([])
    with pytest.raises(Spike2PopError, match="1 recording or more"):
        html_report(silent, most_recordings=0)


@pytest.mark.browser
def test_it_opens_without_a_server_draws_everything_and_asks_for_nothing(
    document: str, tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("no chromium is installed, so the report cannot be tried in a browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "report.html"
    path.write_text(document, encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="dark")
        page.set_default_timeout(120_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        plots = page.locator(".plot")
        for i in range(plots.count()):
            plots.nth(i).scroll_into_view_if_needed()
            plots.nth(i).locator(".main-svg").first.wait_for()
        ground = "() => document.querySelector('.plot').layout.template.layout.plot_bgcolor"
        assert page.evaluate(ground) == "#1B222C"
        page.click("text=Light")
        assert page.evaluate(ground) == "#FFFFFF"
        assert page.locator(".plot [data-title='Share chart...']").count() == 0
        assert page.title().startswith("spike2pop report")
        assert page.locator("img").count() == 0
        wide = "() => document.documentElement.scrollWidth <= window.innerWidth"
        assert page.evaluate(wide)
        page.set_viewport_size({"width": 1000, "height": 640})
        page.wait_for_function("() => document.querySelector('.plot .main-svg').clientWidth < 500")
        fits = "(plot) => plot.clientHeight >= plot.querySelector('.main-svg').clientHeight"
        assert page.evaluate(f"() => [...document.querySelectorAll('.plot')].every({fits})")
        page.pdf(path=tmp_path / "report.pdf")
        assert page.evaluate("() => document.querySelectorAll('details[open]').length") == 0
        browser.close()
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
