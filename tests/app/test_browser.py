"""The dashboard as a user meets it: a real server, a real browser, no network."""

from __future__ import annotations

import shutil
import time
import zipfile
from pathlib import Path

import pandas as pd
import psutil
import pytest
from lab_files import every_format, phy, zipped
from serving import kernels, serving, settled

from spike2pop_nb.data import example_path
from spike2pop_nb.spiketrains import read_spike_trains

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 300_000  # a busy machine is slow, not broken
UPLOAD = ".s2p-steps .s2p-upload label:not(.s2p-disabled)"
RECORDING, PLANE, TRACES, CONDUCTANCES, SCORES, INTERVALS, RASTER, CLOSER = range(8)
HOSTILE = "<img src=x onerror=document.title='owned'>"
# Counts the frames in which, after the first words, there was neither a word nor the page to see, and notes
# whether the page could be used when the code of figures was asked for.
BLANK = """
window.blank = 0;
new MutationObserver(() => {
  const asked = document.querySelector("script[src*=plotly]");
  if (asked) window.early ??= document.querySelector(".s2p-preparing") !== null;
}).observe(document, { childList: true, subtree: true });
let begun = false;
const look = () => {
  const words = document.querySelector(".starting");
  begun ||= Boolean(words);
  if (begun && !words && !document.querySelector(".s2p-page")?.clientHeight) window.blank += 1;
  if (!window.seen) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# Half a minute of silence is long: for a page with this, time flies.
FLIES = """
const now = performance.now.bind(performance);
const every = window.setInterval.bind(window);
performance.now = () => 6 * now();
window.setInterval = (act, pause, ...more) => every(act, pause / 6, ...more);
"""
# Whether the marks of members stand where their ways through the plane and their conductances are at a step.
MARKS_AT = """(step) => [0, 3].every((i) => {
  const plot = document.querySelectorAll(".s2p-explore .js-plotly-plot")[i];
  const { xaxis, yaxis } = plot._fullLayout;
  const ways = plot.data.filter((trace) => trace.mode === "lines" && trace.meta);
  const curve = [...plot.querySelectorAll(".scatterlayer > .trace")].at(-1);
  const marks = [...curve.querySelectorAll(".points > path")];
  return ways.length === 8 && marks.length === 8 && marks.every((mark, k) => {
    const [left, top] = mark.getAttribute("transform").match(/-?[0-9.]+/g).map(Number);
    const { x, y } = ways[k];
    return Math.abs(left - xaxis.d2p(x[step])) < 1 && Math.abs(top - yaxis.d2p(y[step])) < 1;
  });
})"""
# Counts the searches that have ended. A short one is over before a look at the page could find it running.
COUNT_SEARCHES = """() => {
  window.searches = 0;
  const stop = [...document.querySelectorAll("button")].find((button) => button.textContent === "Cancel");
  const count = (changes) => changes.forEach((change) => { window.searches += change.oldValue === null; });
  new MutationObserver(count).observe(stop, { attributeFilter: ["disabled"], attributeOldValue: true });
}"""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    own = tmp_path_factory.mktemp("user") / "neurons"  # a user with no neurons of their own
    with serving("port=0, own_neurons=True", SPIKE2POP_NB_NEURONS=str(own)) as served:
        assert served.token
        yield served.printed, served.process


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
        own = address.partition("?")[0]
        allowed = (own, own.replace("http://", "ws://"), "data:", "blob:")

        def note(url):
            if not url.startswith(allowed):
                made.left.append(url)

        made.on("request", lambda request: note(request.url))
        made.on("page", lambda page: page.on("websocket", lambda socket: note(socket.url)))
        yield made
        browser.close()


def open_page(context, address, script=""):
    page = context.new_page()
    page.problems = []
    if script:
        page.add_init_script(script)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(address, wait_until="commit")
    page.wait_for_selector(UPLOAD)
    return page


@pytest.fixture(scope="module")
def page(context, server):
    return open_page(context, server[0], BLANK)


def upload(page, path):
    with page.expect_file_chooser() as chooser:
        page.click(UPLOAD)
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
    page.get_by_label("or an example", exact=True).select_option("stg_set.csv")
    page.wait_for_selector("text=5 trains")
    wait_drawn(page, RECORDING, 2)
    wait_drawn(page, PLANE, 3)
    for figure in range(7):
        _traces, svg, box = drawn(page, figure)
        assert svg == box > 200


def test_the_page_follows_the_words_of_the_start_without_a_gap(page):
    assert page.evaluate("window.blank") == 0
    page.evaluate("window.seen = true")  # it need not be watched any longer, sixty times a second
    assert page.locator(".starting").count() == 0


def test_the_code_of_figures_keeps_nobody_waiting(page):
    page.wait_for_function("window.Plotly")
    assert page.evaluate("window.early") is False


def test_the_guide_is_open_at_first_and_closes(page):
    assert page.is_visible("text=Choose a file of spike times or of voltage")
    page.click("text=Close the guide")
    page.wait_for_selector(".s2p-guide", state="hidden")
    page.click("button:has-text('Guide')")
    page.wait_for_selector(".s2p-guide", state="visible")
    page.click("text=Close the guide")
    page.wait_for_selector(".s2p-guide", state="hidden")


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
    page.get_by_label("Recording (id)", exact=True).select_option(index=2)
    page.wait_for_selector("text=67 spikes in 2,978 ms")
    page.wait_for_selector(".s2p-idle")
    assert "±" in page.inner_text(".s2p-big")
    page.get_by_label("Members", exact=True).fill("4")
    page.get_by_label("Budget", exact=True).fill("40")
    page.get_by_label("Budget", exact=True).press("Enter")
    page.click("button:has-text('Generate')")
    page.wait_for_selector("text=Done; the results are below")
    wait_drawn(page, TRACES, 9)  # the recording, and for each member its voltage and the recorded spikes
    wait_drawn(page, RASTER, 5)
    assert "of the 4 members" in page.inner_text(".s2p-results .s2p-big")
    files = {}
    for label, name in (
        ("Population (CSV)", "population.csv"),
        ("Spikes (CSV)", "spike_times.csv"),
        ("Everything (zip)", "spike2pop.zip"),
    ):
        with page.expect_download() as download:
            page.click(f".s2p-download button:has-text('{label}')")
        assert download.value.suggested_filename == name
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    population = pd.read_csv(files["population.csv"])
    assert len(population) == 4
    assert {"g_Na", "score", "passed"} <= set(population)
    assert len(read_spike_trains(files["spike_times.csv"])) <= 4
    with zipfile.ZipFile(files["spike2pop.zip"]) as archive:
        assert archive.testzip() is None
        assert {"methods.md", "settings.json"} <= set(archive.namelist())


def test_a_session_that_is_saved_is_opened_on_another_page(context, server, tmp_path):
    choices = "#file=stg_set.csv&recording=3&size=2&refine=False"
    first = open_page(context, server[0] + choices)
    first.wait_for_selector("text=67 spikes in 2,978 ms")
    first.click("button:has-text('Generate')")
    first.wait_for_selector("text=Done; the results are below")
    with first.expect_download() as download:
        first.click("button:has-text('Save this session')")
    assert download.value.suggested_filename == "stg_set.s2p.zip"
    kept = tmp_path / "stg_set.s2p.zip"
    download.value.save_as(kept)
    first.close(run_before_unload=True)
    second = open_page(context, server[0])
    upload(second, kept)
    second.wait_for_selector(".s2p-results .s2p-big:has-text('of the 2 members')")
    second.wait_for_function("() => location.hash.includes('size=2')")
    wait_drawn(second, TRACES, 5)
    assert second.problems == []
    second.close(run_before_unload=True)


def test_a_member_picked_in_one_figure_is_lit_in_all(page):
    point = page.locator(".js-plotly-plot").nth(SCORES).locator(".points path").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    point.click(force=True)
    page.wait_for_selector(".s2p-picked:has-text('Member ')")
    lit = (
        "i => document.querySelectorAll('.js-plotly-plot')[i]"
        ".querySelector('.s2p-other-point, .s2p-other-line')"
    )
    for figure in (PLANE, TRACES, CONDUCTANCES, SCORES, INTERVALS, RASTER):
        page.wait_for_function(lit, arg=figure)
    point.click(force=True)
    page.wait_for_selector("text=Click a member in any figure")


def test_axes_are_reset_to_those_a_figure_came_with(page):
    ranges = (
        "i => ['xaxis', 'yaxis'].map("
        "name => document.querySelectorAll('.js-plotly-plot')[i]._fullLayout[name].range)"
    )
    before = page.evaluate(ranges, SCORES)
    page.evaluate(
        "i => { Plotly.relayout(document.querySelectorAll('.js-plotly-plot')[i],"
        " { 'xaxis.range': [0, 1], 'yaxis.range': [0, 1] }); }",
        SCORES,
    )
    figure = page.locator(".js-plotly-plot").nth(SCORES)
    figure.hover(force=True)
    figure.locator("[data-title='Reset axes']").click(force=True)
    page.wait_for_function(
        f"([i, before]) => JSON.stringify(({ranges})(i)) === JSON.stringify(before)", arg=[SCORES, before]
    )
    assert (
        page.evaluate("i => document.querySelectorAll('.js-plotly-plot')[i]._context.doubleClick", SCORES)
        == "reset"
    )


def test_a_closer_look_is_drawn_when_it_is_opened(page):
    assert page.locator(".js-plotly-plot").count() == CLOSER
    page.click("text=A closer look: currents")
    page.wait_for_function(
        "i => document.querySelectorAll('.js-plotly-plot')[i]?.data?.filter(t => t.stackgroup).length > 7",
        arg=CLOSER,
    )
    page.wait_for_selector(".s2p-closer:has-text('the one with the best score')")
    page.click(".s2p-closer button:has-text('Conductance pairs')")
    page.wait_for_selector(".s2p-closer :text('large: Spearman')")
    page.click(".s2p-closer button:has-text('Return map')")
    page.wait_for_selector(".s2p-closer .xtitle:has-text('interval (ms)')")
    _traces, svg, box = drawn(page, CLOSER)
    assert svg == box > 900


def test_the_address_restores_the_session(page, context, server):
    assert "file=mine.csv" in page.url
    assert "budget=40" in page.url
    again = open_page(context, server[0] + "#file=stg_set.csv&recording=4&neuron=da&seed=9")
    again.wait_for_selector("text=105 spikes in")
    assert again.get_by_label("Neuron model", exact=True).input_value().startswith("DA neuron")
    assert again.get_by_label("Seed", exact=True).input_value() == "9"
    again.get_by_label("Seed", exact=True).fill("10")
    again.get_by_label("Seed", exact=True).press("Enter")
    again.wait_for_function("() => location.hash.includes('seed=10')")
    again.click("button:has-text('Undo')")
    again.wait_for_function("() => location.hash.includes('seed=9')")
    assert again.problems == []
    again.close(run_before_unload=True)


def test_several_recordings_run_as_a_batch(page):
    page.click("text=All recordings of the file")
    rows = page.locator(".s2p-table tbody tr")
    rows.nth(0).click()
    rows.nth(1).click(modifiers=["Control"])
    page.wait_for_selector("text=2 of 5 are chosen")
    page.evaluate(COUNT_SEARCHES)
    page.click("button:has-text('Generate for 2 recordings')")
    page.wait_for_function("() => window.searches === 1")
    page.wait_for_selector("text=Done; the results are below")
    run = page.locator(".s2p-table td:has-text('of 4')")
    run.nth(2).wait_for()
    assert run.count() == 3
    page.locator(".s2p-table tbody tr").nth(2).click()
    page.wait_for_selector("text=1 of 5 are chosen")


def test_numbers_are_taken_as_they_are_typed(context, server):
    typed = open_page(context, server[0] + "#ask.n=3&explore.V_th_mV=-50")
    typed.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")

    def written(control, text):
        control.click()
        control.press("Control+a")
        typed.keyboard.type(text)
        control.press("Enter")

    members = typed.get_by_label("Members", exact=True)
    written(members, "1.5")
    assert error(typed) == "“Members”: give a whole number from 1 to 1000, not 1.5."
    written(members, "12")
    typed.wait_for_selector(".s2p-error", state="hidden")
    typed.wait_for_function("() => location.hash.includes('size=12')")
    typed.click("text=How members are judged, and what they receive")
    rate = typed.get_by_label("Rate (%)", exact=True)
    written(rate, "2,5")
    typed.wait_for_function("() => location.hash.includes('rate_tolerance=0.025')")
    assert rate.input_value() == "2.5"
    typed.locator(".s2p-explore .s2p-fold-head button").nth(1).click()
    written(typed.locator(".widget-readout[aria-label^='V_th']"), "−49,5")
    typed.wait_for_function("() => location.hash.includes('V_th_mV=-49.5')")
    assert typed.problems == []
    typed.close(run_before_unload=True)


def test_light_and_dark(page):
    ground = "() => getComputedStyle(document.querySelector('.s2p-card')).backgroundColor"
    light = page.evaluate(ground)
    page.click("button:has-text('Dark')")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].every("
        "e => e.layout.template.layout.plot_bgcolor === '#1B222C')"
    )
    assert page.evaluate(ground) != light
    page.click("button:has-text('Light')")
    page.wait_for_function(f"({ground})() === '{light}'")


def nameless(page, part=".s2p-page"):
    """Controls in a part of the page that a screen reader could not name."""
    return page.evaluate(
        """part => [...document.querySelectorAll(part + ' :is(input, select, textarea, button)')].filter(
        e => {
            if (e.closest('.modebar') || e.type === 'hidden') return false;
            const labelled = (e.getAttribute('aria-labelledby') || '').split(' ').some(
                id => id && document.getElementById(id)?.textContent.trim());
            return !(e.textContent.trim() || e.labels?.[0]?.textContent.trim() || labelled
                || e.getAttribute('aria-label') || e.title || e.placeholder);
        }).map(e => e.outerHTML.slice(0, 200))""",
        part,
    )


# Each control that the Tab key comes to: what it is, and whether one sees that it is there.
TABBED = """() => {
  const e = document.activeElement;
  const outlined = [e, e.closest("label") ?? e].map((one) => getComputedStyle(one)).some(
    (s) => s.outlineStyle !== "none" && s.outlineWidth !== "0px" && s.opacity > 0);
  return [e.outerHTML.slice(0, 150), outlined];
}"""
CONTROLS = """() => [...document.querySelectorAll(
  ".s2p-page :is(input, select, textarea, button, summary, [role=slider], [contenteditable], [tabindex='0'])"
)].filter(e => e.checkVisibility() && !e.disabled && !e.closest('.modebar') && e.tabIndex >= 0)
  .map(e => e.outerHTML.slice(0, 150))"""


def unnamed(page):
    """What can be focused and has no name, as the browser itself tells a screen reader."""
    session = page.context.new_cdp_session(page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        focusable = any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        of_page = node["role"]["value"] not in ("RootWebArea", "option", "MenuListPopup")
        if focusable and of_page and not node.get("name", {}).get("value"):
            described = session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
            found.append((node["role"]["value"], described["nodeName"], described.get("attributes")))
    session.detach()
    return found


def test_every_control_is_named_reached_and_seen_by_keyboard(context, server):
    address, _process = server
    page = open_page(context, address + "#file=stg_set.csv&recording=3")
    page.wait_for_selector(".s2p-big")
    heads = page.locator(".s2p-fold-head button")
    for i in range(heads.count()):
        heads.nth(i).press("Enter" if i % 2 else "Space")
        page.wait_for_function(
            "i => document.querySelectorAll('.s2p-fold-head button')[i].ariaExpanded === 'true'", arg=i
        )
    page.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
    page.locator(".s2p-explore .s2p-fold-head button").last.press("Enter")
    page.wait_for_selector(".s2p-explore .noUi-handle[aria-label='V_th (mV)']")
    page.wait_for_selector(".s2p-idle")
    assert nameless(page) == []
    assert unnamed(page) == []
    wanted = page.evaluate(CONTROLS)
    assert len(wanted) > 40
    reached, unseen = set(), []
    page.evaluate("() => { document.activeElement.blur(); window.getSelection().removeAllRanges(); }")
    for _ in range(400):
        page.keyboard.press("Tab")
        what, seen = page.evaluate(TABBED)
        if what in reached and what.startswith("<body"):
            break
        reached.add(what)
        if not seen and not what.startswith("<body"):
            unseen.append(what)
    assert [control for control in wanted if control not in reached] == []
    assert unseen == []
    # rows of the table are chosen by keyboard too
    rows = page.locator(".s2p-table tbody tr")
    rows.nth(0).press("Enter")
    page.wait_for_selector("text=1 of 5 are chosen")
    rows.nth(1).press("Space")
    page.wait_for_selector("text=2 of 5 are chosen")
    assert page.problems == []
    page.close(run_before_unload=True)


@pytest.mark.parametrize("width", [820, 390])
def test_nothing_is_out_of_reach_on_a_narrow_page(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for download in page.locator(".s2p-results .s2p-download button").all():
        box = download.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert page.locator(".s2p-buttons > button:visible").evaluate_all(cut) == []
    page.set_viewport_size({"width": 1280, "height": 720})


def test_the_results_are_one_press_away(page):
    jump = page.locator(".s2p-jump")
    jump.scroll_into_view_if_needed()
    jump.press("Enter")
    page.wait_for_function("() => document.activeElement.closest('.s2p-results')")
    assert 0 <= page.locator(".s2p-results").bounding_box()["y"] < 300


def test_a_reload_asks_before_it_loses_populations(page):
    page.locator(".s2p-jump").press("Enter")
    page.evaluate("window.kept = true")
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.evaluate("() => { window.setTimeout(() => window.location.reload()); }")
    assert asked.value.type == "beforeunload"
    assert page.evaluate("window.kept")
    # and whoever stays still has a Python behind the page
    page.get_by_label("Seed", exact=True).fill("77")
    page.get_by_label("Seed", exact=True).press("Enter")
    page.wait_for_function("() => location.hash.includes('seed=77')")


def test_every_control_has_a_name(page):
    assert nameless(page) == []


def test_times_can_be_pasted(page):
    page.click("text=or paste spike times")
    page.locator("textarea").fill("10 20.5 31, 42; 50")
    page.click("text=Read these times")
    page.wait_for_selector("text=5 spikes in 40 ms")


def test_the_same_file_with_new_contents_is_noticed(page, tmp_path):
    again = tmp_path / "again.csv"
    again.write_text("time_ms\n10\n20\n31\n")
    upload(page, again)
    page.wait_for_selector("text=again.csv (CSV): 1 train, 3 spikes")
    again.write_text("time_ms\n10\n20\n31\n42\n")
    upload(page, again)
    page.wait_for_selector("text=again.csv (CSV): 1 train, 4 spikes")


def test_a_file_of_each_format(page, tmp_path):
    files = every_format(tmp_path)
    assert len({file.suffix for file in files}) >= 8
    for file in files:
        upload(page, file)
        page.wait_for_selector(f".s2p-report:has-text('{file.name} '):has-text('1 train, 6 spikes')")
    # the last was a voltage, whose threshold is moved
    page.wait_for_selector("text=Spike threshold (mV)")
    page.get_by_label("Spike threshold (mV)", exact=True).fill("60")
    page.get_by_label("Spike threshold (mV)", exact=True).press("Enter")
    page.wait_for_selector(".s2p-report:has-text('1 train, 0 spikes')")


def test_hostile_archives_get_one_sentence(page, tmp_path):
    for name, members, words in (
        ("climbs.zip", {"../spike_times.npy": b"x"}, "../spike_times.npy"),
        ("bomb.zip", phy() | {"spike_times.npy": bytes(60_000_000)}, "bomb.zip"),
    ):
        upload(page, zipped(tmp_path / name, members))
        assert words in error(page)
        page.click("text=Dismiss")
    assert page.is_visible(".s2p-report:has-text('voltage.csv')")


def test_a_voltage_in_counts_asks_for_its_levels(page, tmp_path):
    mine = tmp_path / "counts.csv"
    rows = (f"{t},{20000 if t % 100 == 50 else -13000 + t % 7}" for t in range(0, 1000))
    mine.write_text("time_ms,Vm (counts)\n" + "\n".join(rows) + "\n")
    upload(page, mine)
    page.wait_for_selector(".s2p-refusal:has-text('is in counts, whose size in mV is not known')")
    assert nameless(page, ".s2p-steps") == []
    page.get_by_label("Reset (counts)", exact=True).fill("-5000")
    page.get_by_label("Spike threshold (counts)", exact=True).fill("8000")
    page.get_by_role("button", name="Detect spikes at these levels").click()
    page.wait_for_selector(".s2p-report:has-text('counts.csv (CSV): 1 train, 10 spikes')")


def test_a_unit_that_no_file_names_is_asked_for(page, tmp_path):
    mine = tmp_path / "no_unit.csv"
    mine.write_text("id,times\n" + "".join(f"a,{0.1 * k + 0.001 * (k % 3):.4f}\n" for k in range(1, 40)))
    slow = tmp_path / "slow.csv"
    slow.write_text("times\n" + "".join(f"{12.5 * k + 0.25 * (k % 3)}\n" for k in range(1, 40)))
    upload(page, mine)
    page.wait_for_selector(".s2p-question:visible:has-text('Taken for s, a rate of 9')")
    upload(page, slow)
    page.wait_for_selector(".s2p-question:visible:has-text('Taken for ms, a rate of ')")
    question, report = page.locator(".s2p-question"), page.locator(".s2p-report")
    assert question.bounding_box()["y"] < report.bounding_box()["y"]
    assert nameless(page, ".s2p-steps") == []
    page.wait_for_selector("text=39 spikes in 475 ms")
    answer = question.get_by_role("button", name="No, s: 0.0")
    answer.focus()
    answer.press("Enter")
    page.wait_for_selector(".s2p-question", state="hidden")
    page.wait_for_selector("text=39 spikes in 474,750 ms")
    page.wait_for_function("() => location.hash.includes('unit=s')")


def test_sample_numbers_are_asked_their_rate(page, tmp_path):
    counted = tmp_path / "counted.csv"
    counted.write_text("times\n" + "".join(f"{3001 * k + k * k % 13}\n" for k in range(1, 40)))
    upload(page, counted)
    page.wait_for_selector(".s2p-refusal [role=alert]:has-text('give the sampling rate in Hz')")
    rate = page.get_by_label("Sampling rate (Hz)", exact=True)
    page.set_viewport_size({"width": 390, "height": 800})
    assert rate.bounding_box()["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 720})
    assert nameless(page, ".s2p-steps") == []
    rate.fill("30000")
    rate.press("Enter")
    page.wait_for_selector(".s2p-report:has-text('samples at 30000 Hz, as asked for')")
    assert page.locator(".s2p-refusal [role=alert]").count() == 0
    page.wait_for_function("() => location.hash.includes('sampling_rate_hz=30000')")


def test_an_id_with_html_stays_text(page, tmp_path):
    hostile = tmp_path / "hostile.csv"
    hostile.write_text(f'ID,spiking_times\n"{HOSTILE}","[10, 20, 110, 120, 210, 221, 310, 320, 410, 421]"\n')
    upload(page, hostile)
    page.wait_for_selector("text=hostile.csv (CSV)")
    page.wait_for_selector(".s2p-idle")
    page.wait_for_selector(".s2p-big")
    shown = "() => document.querySelector('.js-plotly-plot').textContent.includes('<img src=x')"
    page.wait_for_function(shown)
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.title() != "owned"


def test_members_follow_the_point_that_is_dragged(context, server):
    address, _process = server
    explored = open_page(context, address + "#file=stg_set.csv&recording=3")
    explored.wait_for_selector(".s2p-big")
    assert explored.locator(".s2p-explore .js-plotly-plot").count() == 0
    explored.click("text=What each choice reaches")
    explored.wait_for_selector(".s2p-ranking")
    explored.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
    g_s = explored.get_by_label("Target g_s (in units of g_leak)", exact=True)
    before = float(g_s.input_value())
    traces = "() => document.querySelectorAll('.s2p-explore .js-plotly-plot')[2].layout.annotations[0].text"
    explored.wait_for_function(f"() => ({traces})()?.includes('bursting')")
    assert nameless(explored, ".s2p-explore") == []
    handle = explored.locator(".s2p-handle")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explored.mouse.move(x, y)
    explored.mouse.down()
    for step in range(1, 9):
        explored.mouse.move(x + 12 * step, y)
    explored.mouse.up()
    explored.wait_for_function(f"() => ({traces})()?.includes('regular tonic')")
    same = "box => Math.abs(+box.value - document.querySelector('.s2p-handle').ariaValueNow) < 0.01"
    explored.wait_for_function(same, arg=g_s.element_handle())  # places on its way are written there too
    dragged = float(g_s.input_value())
    assert dragged > before + 3
    handle.press("ArrowLeft")
    explored.wait_for_function(
        "was => +document.querySelector('.s2p-handle').ariaValueNow < was", arg=dragged
    )
    # and the number beside it, which would else be written over while the next is typed
    explored.wait_for_function("([box, was]) => +box.value < was", arg=[g_s.element_handle(), dragged])
    g_s.fill("19")
    g_s.press("Enter")
    explored.wait_for_selector(".s2p-explore [role=alert]:has-text('does not reach this target')")
    explored.wait_for_function("() => location.hash.includes('explore.target=19')")
    explored.click("button:has-text('Undo')")
    explored.wait_for_function("() => !location.hash.includes('explore.target=19')")
    explored.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
    assert float(g_s.input_value()) < 19
    explored.get_by_role("button", name="Modulate", exact=True).click()
    explored.wait_for_selector(".s2p-explore .s2p-says:has-text('Step 0 of 40')")
    step = explored.locator(".s2p-explore .noUi-handle").last
    for key, times, at in (("ArrowRight", 1, 1), ("ArrowRight", 39, 40), ("ArrowLeft", 1, 39)):
        for _ in range(times):
            step.press(key)
        explored.wait_for_selector(f".s2p-explore .s2p-says:has-text('Step {at} of 40')")
        explored.wait_for_function(MARKS_AT, arg=at)
    assert explored.problems == []
    explored.close(run_before_unload=True)


def test_what_could_be_done_next_is_ranked(context, server):
    address, _process = server
    chosen = "#file=stg_set.csv&recording=1&size=4&refine=False&ask.prices=block:0"
    asked = open_page(context, address + chosen)
    asked.wait_for_selector(".s2p-big")
    asked.locator(".s2p-steps button:has-text('Generate')").click()
    asked.wait_for_selector(".s2p-experiments :text('Asks the')")
    asked.get_by_label("What it shall tell", exact=True).select_option(label="g_A")
    asked.get_by_role("button", name="Rank experiments", exact=True).click()
    asked.wait_for_selector(".s2p-experiments :text('to tell the most about the conductance of A')")
    assert nameless(asked, ".s2p-experiments") == []
    drawn = "() => [...document.querySelectorAll('.s2p-experiments .js-plotly-plot')].filter("
    asked.wait_for_function(drawn + "e => e.data?.length && e.offsetParent).length >= 2")
    assert "ask.target=conductance" in asked.evaluate("() => location.hash")
    assert asked.problems == []
    asked.close(run_before_unload=True)


def test_a_population_is_asked_and_a_member_is_lit_there_too(context, server):
    address, _process = server
    asked = open_page(context, address + "#file=stg_set.csv&recording=1&size=8&refine=False&ask.n=3")
    asked.wait_for_selector(".s2p-big")
    run = asked.get_by_role("button", name="Run the experiment", exact=True)
    asked.wait_for_selector(".s2p-experiments :text('Generate a population first')")
    assert asked.locator(".s2p-experiments .js-plotly-plot:visible").count() == 0
    asked.get_by_label("What is done", exact=True).select_option(label="Warm or cool")
    asked.wait_for_selector(".s2p-experiments :text('does not state at which temperature it holds')")
    assert run.is_disabled()
    asked.get_by_label("What is done", exact=True).select_option(label="Block a channel")
    asked.wait_for_selector(".s2p-experiments :text('Share blocked: 0.1, 0.5, 0.9')")
    asked.locator(".s2p-steps button:has-text('Generate')").click()
    asked.wait_for_selector(".s2p-experiments :text('Asks the')")
    run.click()
    asked.wait_for_selector(".s2p-experiments :text('keep their rhythm:')")
    assert nameless(asked, ".s2p-experiments") == []
    drawn = "n => [...document.querySelectorAll('.s2p-experiments .js-plotly-plot')].filter("
    drawn += "e => e.data?.length && e.offsetParent).length >= n"
    asked.wait_for_function(drawn, arg=4)  # and one more where a conductance tells who loses the rhythm
    asked.wait_for_selector(".s2p-idle")
    asked.wait_for_timeout(1500)  # figures that are drawn once others are move those below them
    dots = asked.locator(".s2p-experiments .js-plotly-plot").nth(4)
    on_line = """e => {  // of the dots, that nearest to the line of the median, which once took the mouse
      const from = (path) => Math.abs(path.__data__.y - 1);
      const paths = [...e.querySelectorAll(".scatterlayer .points path")];
      return paths.indexOf(paths.reduce((best, path) => (from(path) < from(best) ? path : best)));
    }"""
    lit = ".s2p-results .s2p-other-point, .s2p-results .s2p-other-line"
    for _ in range(5):  # a figure that is being drawn again takes no click
        point = dots.locator(".scatterlayer .points path").nth(dots.evaluate(on_line))
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        asked.mouse.move(box["x"], box["y"])
        asked.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        dots.locator(".hovertext").wait_for()
        asked.mouse.down()
        asked.mouse.up()
        patience = time.monotonic() + 20
        while not asked.locator(lit).count() and time.monotonic() < patience:
            asked.wait_for_timeout(100)
        if asked.locator(lit).count():
            break
    assert asked.locator(lit).count()
    assert "ask.n=3" in asked.evaluate("() => location.hash")
    assert asked.problems == []
    asked.close(run_before_unload=True)


def test_a_stretch_is_marked_beside_a_threshold_that_is_dragged(context, server, tmp_path):
    mine = tmp_path / "trace.csv"
    mine.write_text("time_ms,V_mV\n" + "".join(f"{t},{30 if t % 100 == 50 else -65}\n" for t in range(1000)))
    opened = open_page(context, server[0])
    upload(opened, mine)
    whole, part = (f".s2p-report:has-text('1 train, {n} spikes')" for n in (10, 4))
    opened.wait_for_selector(whole)
    wait_drawn(opened, RECORDING, 2)  # the voltage and the detected spikes
    figure = opened.locator(".s2p-recording .nsewdrag").first
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    axes = (
        "() => ['x', 'y'].map((a) => document.querySelector('.js-plotly-plot')._fullLayout[`${a}axis`].range)"
    )
    (low, high), (bottom, top) = opened.evaluate(axes)

    def drag(*ends):
        for end, (time_ms, volts) in enumerate(ends):
            x, y = (time_ms - low) / (high - low), (top - volts) / (top - bottom)
            opened.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 + 7 * end)
            opened.mouse.up() if end else opened.mouse.down()

    line = float(opened.get_by_label("Spike threshold (mV)", exact=True).input_value())
    drag((900, line), (900, line + 10))
    opened.wait_for_function("() => location.hash.includes('threshold_mV')")
    drag((225, -40), (575, 20))
    opened.wait_for_selector(part)
    opened.wait_for_function("() => /start_s=0[.]2.*stop_s=0[.]5/.test(location.hash)")
    assert opened.locator(".s2p-recording .select-outline").count() == 0
    assert nameless(opened, ".s2p-steps") == []
    opened.click("button:has-text('Whole recording')")
    opened.wait_for_selector(whole)
    opened.wait_for_function("() => !location.hash.includes('start_s')")
    assert opened.problems == []
    opened.close(run_before_unload=True)


def test_a_neuron_of_ones_own_is_added(context, server):
    opened = open_page(context, server[0])
    opened.click("text=Add a neuron of your own")
    opened.wait_for_selector("text=The file is Python and is run on this computer")
    with opened.expect_file_chooser() as chooser:
        opened.click("label:has-text('Run and add a declaration')")
    chooser.value.set_files(str(Path(__file__).parents[2] / "notebooks" / "my_neuron.py"))
    opened.wait_for_selector("text=CA1 pyramidal neuron (hippocampus) can be chosen above")
    assert nameless(opened, ".s2p-steps") == []
    opened.get_by_label("Neuron model", exact=True).select_option("CA1 pyramidal neuron (hippocampus)")
    opened.wait_for_function("() => location.hash.includes('neuron=my_ca1')")
    opened.wait_for_selector(".s2p-idle")
    again = open_page(context, server[0])
    again.get_by_label("Neuron model", exact=True).select_option("CA1 pyramidal neuron (hippocampus)")
    for one in (opened, again):
        assert one.problems == []
        one.close(run_before_unload=True)


def test_figures_follow_the_width_of_the_window(page):
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].every(e =>"
        " Math.abs(e.querySelector('.main-svg').clientWidth - e.clientWidth) < 2 && e.clientWidth <= 800)"
    )
    page.set_viewport_size({"width": 1280, "height": 720})


def test_nothing_went_wrong_in_the_browser(page):
    assert page.problems == []


def test_generating_again_and_again_holds_no_more_memory(context, server):
    address, process = server
    worked = open_page(context, address + "#file=stg_set.csv&recording=3&size=4&budget=8")
    worked.wait_for_selector(".s2p-idle")
    worked.evaluate(COUNT_SEARCHES)
    sizes = []
    for cycle in range(20):
        worked.get_by_label("Seed", exact=True).fill(str(100 + cycle))
        worked.get_by_label("Seed", exact=True).press("Enter")
        worked.click("button:has-text('Generate')")
        worked.wait_for_function("ended => window.searches === ended", arg=cycle + 1)
        worked.wait_for_selector("text=/^Done[;,] /")
        worked.wait_for_selector(".s2p-idle")
        sizes.append(max(psutil.Process(pid).memory_info().rss for pid in kernels(process)))
    assert sizes[-1] < sizes[4] + 60e6
    assert worked.problems == []
    worked.close(run_before_unload=True)


def test_a_page_whose_python_has_died_says_so_and_starts_again(context, server):
    address, process = server
    before = settled(process)
    orphan = open_page(context, address + "#neuron=da&seed=5")
    # the page took the kernel that was kept ready; what is new is the next one in store
    taken = before & kernels(process)
    assert taken
    for pid in taken:
        psutil.Process(pid).kill()
    begin = time.monotonic()
    orphan.wait_for_selector(".s2p-lost:has-text('Python has stopped answering')")
    assert time.monotonic() - begin < 25  # no need to wait for the silence to grow long
    orphan.click("text=Start again")
    orphan.wait_for_selector(".s2p-lost", state="detached")
    orphan.wait_for_selector(UPLOAD)
    assert orphan.get_by_label("Seed", exact=True).input_value() == "5"
    orphan.close(run_before_unload=True)


def test_a_page_whose_python_hangs_says_so_until_it_answers(context, server):
    address, process = server
    stuck = open_page(context, address, FLIES)
    stopped = [psutil.Process(pid) for pid in kernels(process)]
    assert stopped
    for kernel in stopped:
        kernel.suspend()
    try:
        stuck.wait_for_selector(".s2p-lost:has-text('Python has stopped answering')")
    finally:
        for kernel in stopped:
            kernel.resume()
    stuck.wait_for_selector(".s2p-lost", state="detached")
    stuck.close(run_before_unload=True)


def test_a_second_page_is_its_own_and_closing_it_frees_its_kernel(context, server):
    address, process = server
    second = open_page(context, address)
    second.get_by_label("or an example", exact=True).select_option("stg_set.csv")
    wait_drawn(second, RECORDING, 2)

    before = kernels(process)
    second.close(run_before_unload=True)
    end = time.monotonic() + 60
    while not before - kernels(process):
        assert time.monotonic() < end, "the kernel of the closed page lives on"
        time.sleep(0.3)


def test_no_request_left_this_machine(context):
    assert context.left == []
