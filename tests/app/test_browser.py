"""The dashboard as a user meets it: a real server, a real browser, no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.spiketrains import read_spike_trains

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 300_000  # a busy machine is slow, not broken
HOSTILE = "<img src=x onerror=document.title='owned'>"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def server():
    code = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, f"the server said {line!r}"
    yield found.group(), process
    process.terminate()
    process.wait(60)


@pytest.fixture(scope="module")
def context(server):
    if CHROMIUM is None:
        pytest.skip("no chromium is installed, so the page cannot be tried in a browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    address, _process = server
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        made = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        made.set_default_timeout(PATIENCE_MS)
        made.left = []
        allowed = (address, address.replace("http://", "ws://"), "data:", "blob:")

        def note(url):
            if not url.startswith(allowed):
                made.left.append(url)

        made.on("request", lambda request: note(request.url))
        made.on("page", lambda page: page.on("websocket", lambda socket: note(socket.url)))
        yield made
        browser.close()


def open_page(context, address):
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".s2p-upload label:not(.s2p-disabled)")
    return page


@pytest.fixture(scope="module")
def page(context, server):
    return open_page(context, server[0])


def upload(page, path):
    with page.expect_file_chooser() as chooser:
        page.click(".s2p-upload label")
    chooser.value.set_files(str(path))


def drawn(page, figure):
    """Number of traces, width of the figure and of its box."""
    return page.evaluate(
        "i => { const e = document.querySelectorAll('.js-plotly-plot')[i];"
        " return [e.data.length, e.querySelector('.main-svg').clientWidth, e.clientWidth]; }",
        figure,
    )


def wait_drawn(page, figure, traces):
    found = "([i, n]) => document.querySelectorAll('.js-plotly-plot')[i]?.data?.length === n"
    page.wait_for_function(found, arg=[figure, traces])


def error(page):
    page.wait_for_selector(".s2p-error:visible [role=alert]")
    return page.inner_text(".s2p-error [role=alert]")


def test_a_choice_at_first_paint_is_drawn(page):
    page.get_by_label("or an example").select_option("stg_set.csv")
    page.wait_for_selector("text=5 trains")
    wait_drawn(page, 0, 2)
    wait_drawn(page, 1, 3)
    for figure in range(5):
        _traces, svg, box = drawn(page, figure)
        assert svg == box > 300


def test_a_bad_file_gets_one_sentence_and_the_page_lives_on(page, tmp_path):
    bad = tmp_path / "notes.csv"
    bad.write_bytes(b"%PDF-1.7 not spikes")
    upload(page, bad)
    assert error(page) == "notes.csv: this is a PDF document, not a table of spike times."
    assert "Traceback" not in page.content()
    page.click("text=Dismiss")
    page.wait_for_selector(".s2p-error", state="hidden")


def test_a_file_over_the_limit_is_refused_at_once(page, tmp_path):
    big = tmp_path / "big.csv"
    with big.open("wb") as stream:
        stream.truncate(200_000_000)
    upload(page, big)
    assert error(page) == "big.csv has 200.0 MB; files of up to 50 MB are read, so split it."
    page.click("text=Dismiss")


def test_upload_predict_generate_traces_download(page, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_bytes(example_path("stg_set").read_bytes())
    upload(page, mine)
    page.wait_for_selector("text=mine.csv (CSV): 5 trains")
    page.get_by_label("Recording (id)").select_option(index=2)
    page.wait_for_selector("text=23 spikes in 940 ms")
    page.wait_for_selector(".s2p-idle")
    assert "±" in page.inner_text(".s2p-big")
    page.get_by_label("Members").fill("4")
    page.get_by_label("Budget").fill("40")
    page.get_by_label("Budget").press("Enter")
    page.click("button:has-text('Generate')")
    page.wait_for_selector("text=Done; the results are below")
    wait_drawn(page, 2, 9)  # the recording, and for each member its voltage and the recorded spikes
    assert "of the 4 members" in page.inner_text(".s2p-results .s2p-big")
    files = {}
    for name in ("population.csv", "spike_times.csv", "all as zip"):
        with page.expect_download() as download:
            page.click(f".s2p-download a:has-text('{name}')")
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    population = pd.read_csv(files["population.csv"])
    assert len(population) == 4
    assert {"g_Na", "score", "passed"} <= set(population)
    assert len(read_spike_trains(files["spike_times.csv"])) <= 4
    assert files["all as zip"].read_bytes().startswith(b"PK")


def test_the_same_file_with_new_contents_is_noticed(page, tmp_path):
    again = tmp_path / "again.csv"
    again.write_text("time_ms\n10\n20\n31\n")
    upload(page, again)
    page.wait_for_selector("text=again.csv (CSV): 1 train, 3 spikes")
    again.write_text("time_ms\n10\n20\n31\n42\n")
    upload(page, again)
    page.wait_for_selector("text=again.csv (CSV): 1 train, 4 spikes")


def test_an_id_with_html_stays_text(page, tmp_path):
    hostile = tmp_path / "hostile.csv"
    hostile.write_text(f'ID,spiking_times\n"{HOSTILE}","[10, 20, 110, 120, 210, 221, 310, 320, 410, 421]"\n')
    upload(page, hostile)
    page.wait_for_selector("text=hostile.csv (CSV)")
    page.wait_for_selector(".s2p-idle")
    shown = "() => document.querySelector('.js-plotly-plot').textContent.includes('<img src=x')"
    page.wait_for_function(shown)
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.title() != "owned"


def test_figures_follow_the_width_of_the_window(page):
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].every(e =>"
        " Math.abs(e.querySelector('.main-svg').clientWidth - e.clientWidth) < 2 && e.clientWidth <= 800)"
    )
    page.set_viewport_size({"width": 1280, "height": 720})


def test_nothing_went_wrong_in_the_browser(page):
    assert page.problems == []


def test_a_second_page_is_its_own_and_closing_it_frees_its_kernel(context, server):
    address, process = server
    second = open_page(context, address)
    second.get_by_label("or an example").select_option("stg_set.csv")
    wait_drawn(second, 0, 2)

    def is_kernel(child):
        try:
            return any("ipykernel" in part for part in child.cmdline())
        except psutil.Error:  # it ended while it was looked at
            return False

    def kernels():
        found = psutil.Process(process.pid).children(recursive=True)
        return {child.pid for child in found if is_kernel(child)}

    before = kernels()
    second.close(run_before_unload=True)
    end = time.monotonic() + 60
    while not before - kernels():
        assert time.monotonic() < end, "the kernel of the closed page lives on"
        time.sleep(0.3)


def test_no_request_left_this_machine(context):
    assert context.left == []
