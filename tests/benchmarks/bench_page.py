"""The dashboard in a browser: how soon it is there, how fast it answers, what ten sessions hold.

python tests/benchmarks/bench_page.py [--loads 30] [--sessions 10] [--only loads]

Loads are measured in turn with those of a page that holds one word, from Voilà as it comes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import BrowserContext, FilePayload, Page, sync_playwright

import spike2pop_nb as s2p
from spike2pop_nb.app.access import free_port

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
UPLOAD = ".s2p-steps .s2p-upload label:not(.s2p-disabled)"
EXAMPLE = "#file=stg_set.csv&recording=3"
# When the browser itself says that the page stood on the screen, and that a file could be chosen (or that a
# page of one word said it), in ms after the address was asked for; and how long an act takes in the browser
# until its effect is on the screen, looked for once a frame.
SCRIPT = """
new PerformanceObserver((list) => {
  for (const { element, startTime } of list.getEntries()) {
    if (element?.closest(".s2p-page")) window.painted ??= startTime;
  }
}).observe({ type: "largest-contentful-paint", buffered: true });
const there = () => document.querySelector(UPLOAD) ||
  [...document.querySelectorAll(".widget-label")].some((one) => one.textContent === "ready");
new MutationObserver((_changes, observer) => {
  if (!there()) return;
  window.usable = performance.now();
  observer.disconnect();
}).observe(document, { attributes: true, childList: true, subtree: true });
const frame = () => new Promise((done) => requestAnimationFrame(() => window.setTimeout(done)));
const all = (what) => [...document.querySelectorAll(what)];
window.button = (label) => all("button").find((one) => one.textContent.trim() === label);
window.plot = (i) => {
  const figure = all(".s2p-figure")[i];
  return figure.matches(".js-plotly-plot") ? figure : figure.querySelector(".js-plotly-plot");
};
window.says = (start) => all(".s2p-steps .s2p-says").some((one) => one.textContent.startsWith(start));
window.until = async (...conditions) => {
  for (const met of conditions) while (!met()) await frame();
};
window.settled = async () => {
  await window.until(() => document.querySelector(".s2p-idle"));
  let turn;
  do { turn = window.spike2popTurn; await turn; } while (turn !== window.spike2popTurn);
};
window.timed = async (act, ...ends) => {
  const begin = performance.now(), times = [];
  act();
  for (const end of ends) {
    await end();
    await frame();
    times.push(performance.now() - begin);
  }
  return times;
};
"""
DRAWN = "([i, n]) => window.plot(i)?.data?.length === n"
TARGETS = ((5.0, 4.0), (-8.0, 5.0), (0.0, 5.0))  # g_s and g_u of the recordings of 3 s
RESULT = "document.querySelector('.s2p-results .s2p-says').textContent"


def recordings() -> list[FilePayload]:
    """Spike times of 3 s of one neuron for each target, as files."""
    made: list[FilePayload] = []
    for g_s, g_u in TARGETS:
        population = s2p.generate_population("stg", (g_s, g_u), size=1, seed=3)
        train = s2p.simulate(population, duration_ms=3000, record="spikes").train(0)
        content = "\n".join(["spike_times_ms", *map(str, train.times_ms)]).encode()
        made.append({"name": f"at_{g_s:g}_{g_u:g}.csv", "mimeType": "text/csv", "buffer": content})
    return made


def opened(context: BrowserContext, address: str) -> tuple[Page, float, float]:
    """A page, and the seconds until it is painted and until it can be used."""
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address, wait_until="commit")
    page.wait_for_selector(UPLOAD)
    return page, page.evaluate("window.painted") / 1e3, page.evaluate("window.usable") / 1e3


@contextmanager
def one_word() -> Iterator[str]:
    """Serve a page of one word by Voilà as it comes, with a kernel in store; yields its address."""
    port = free_port("127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        cell = nbformat.v4.new_code_cell("import ipywidgets\nipywidgets.Label('ready')")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), Path(folder) / "word.ipynb")
        options = ["--no-browser", f"--port={port}", "--VoilaConfiguration.preheat_kernel=True"]
        command = [sys.executable, "-m", "voila", "word.ipynb", *options]
        server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(60)


def loads(context: BrowserContext, address: str, word: str, n: int) -> None:
    """Open pages and act on each at first paint, and pages of one word in turn with them."""
    painted, usable, words, deaf = [], [], [], 0
    for _ in range(n):
        page, first, ready = opened(context, address)
        painted.append(first)
        usable.append(ready)
        page.get_by_label("or an example", exact=True).select_option("stg_set.csv")
        try:
            page.wait_for_function(DRAWN, arg=[0, 2], timeout=30_000)
        except Exception:
            deaf += 1
        page.close(run_before_unload=True)
        time.sleep(6)  # for the next kernel to be ready
        page = context.new_page()
        page.goto(word, wait_until="commit")
        page.wait_for_selector(".widget-label:has-text('ready')")
        words.append(page.evaluate("window.usable") / 1e3)
        page.close()
        time.sleep(8)  # its kernel is not forked, and takes longer
    for name, values in (("painted", painted), ("usable", usable), ("a page of one word there", words)):
        print(f"{name} after {statistics.median(values):.1f} s (median; {max(values):.1f} s at most)")
    print(f"deaf figures: {deaf} of {n} loads acted on at first paint")


def answers(context: BrowserContext, address: str) -> None:
    """Redraws, a population, and its cancel."""
    page, _, _ = opened(context, address + EXAMPLE)
    page.wait_for_selector(".s2p-idle")
    page.wait_for_function("() => location.hash.includes('recording=3')")
    time.sleep(5)

    def fill(label: str, value: int) -> None:
        page.get_by_label(label, exact=True).fill(str(value))
        page.get_by_label(label, exact=True).press("Enter")
        time.sleep(0.3)

    def seconds(name: str, act: str, *ends: str) -> None:
        ends_of = ", ".join(f"async () => {{ {end} }}" for end in ends)
        times = page.evaluate(f"() => window.timed(() => {{ {act} }}, {ends_of})")
        print(f"{name}: {'; '.join(f'{ms / 1e3:.2f} s' for ms in times)}")
        time.sleep(1.5)

    def generate(length_s: str, seeds: tuple[int, ...]) -> None:
        for seed in seeds:
            fill("Seed", seed)
            seconds(
                f"16 members of a {length_s} s recording, refined and verified; and all figures drawn",
                "button('Generate').click()",
                "await until(() => !says('Done') && !says('Ready'), () => says('Done'))",
                "await settled()",
            )

    for file in recordings():
        with page.expect_file_chooser() as chooser:
            page.click(UPLOAD)
        chooser.value.set_files([file])
        page.wait_for_selector(f"text={file['name']} (CSV)")
        page.wait_for_selector(".s2p-idle")
        time.sleep(3)
        generate("3", (11, 12, 13, 14))
    page.get_by_label("or an example", exact=True).select_option("stg_set.csv")
    page.wait_for_selector("text=5 trains")
    page.get_by_label("Recording (id)", exact=True).select_option(index=2)
    page.wait_for_selector(".s2p-idle")
    time.sleep(3)
    generate("3.0", (11, 12, 13, 14))
    for k in (6, 12):
        turned = f"plot(2).querySelectorAll('.annotation-text')[1]?.textContent.startsWith('member {k}')"
        seconds("six traces turned", "button('Next ›').click()", f"await until(() => {turned})")
    seconds("back", "button('‹ Back').click()", "await until(() => !button('Next ›').disabled)")
    # a member of the page of traces that is shown, so that lighting it up is all there is to do
    point = page.locator(".s2p-sides .js-plotly-plot").nth(1).locator(".points path").nth(7)
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    time.sleep(1)
    box = point.bounding_box()
    assert box is not None
    lit = "[1, 2, 3, 4, 5, 6].every(i => plot(i).querySelector('.s2p-other-point, .s2p-other-line') " + (
        "|| plot(i).data.some(t => t.selectedpoints?.length || t.opacity === 0.35))"
    )
    page.evaluate(
        "lit => { document.addEventListener('mouseup', () => { window.lit = window.timed(() => {}, "
        "() => until(() => eval(lit))); }, { capture: true, once: true }); }",
        lit,
    )
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    print(f"a member lit in all figures: {page.evaluate('window.lit')[0]:.0f} ms")
    time.sleep(2)
    fill("Members", 600)
    for seed in (1, 2, 3):
        fill("Seed", seed)
        page.evaluate("() => { button('Generate').click(); return until(() => says('Simulating')); }")
        time.sleep(0.5 + seed)
        seconds(
            "cancelled, what was found kept; and all figures drawn",
            "button('Cancel').click()",
            f"await until(() => says('Cancelled') && {RESULT}.includes('it was cancelled'))",
            "await settled()",
        )
    page.close(run_before_unload=True)


def sliders(context: BrowserContext, address: str) -> None:
    """The explorer's controls, moved by one step of a key each."""
    page, _, _ = opened(context, address + EXAMPLE)
    page.wait_for_selector(".s2p-big")
    page.click("text=What each choice reaches")
    page.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
    page.get_by_role("button", name="Modulate", exact=True).click()
    page.wait_for_selector("text=Step 0 of")
    page.evaluate("""() => {
      window.counted = 0;
      for (const name of ["react", "relayout", "animate"]) {
        const draw = window.Plotly[name];
        window.Plotly[name] = (...given) => {
          const drawn = draw(...given);
          window.counted += 1;
          return drawn;
        };
      }
    }""")
    page.click("text=Threshold voltage, baseline ranges, noise")
    time.sleep(1)
    # for a step the map, the ways and the course; for another threshold the conductances first, then the map
    # and the voltages, which are simulated
    for name, which in (("step of modulation", "last"), ("threshold voltage", "first")):
        handles = page.locator(".s2p-explore .noUi-handle")
        getattr(handles, which).focus()
        page.keyboard.press("ArrowLeft" if which == "first" else "ArrowRight")
        first, last = [], []
        for _ in range(8):
            time.sleep(1.5)
            page.evaluate(
                """() => { window.counted = 0; document.addEventListener('keydown', () => {
                  window.moved = window.timed(() => {}, () => until(() => window.counted >= 1),
                    () => until(() => window.counted >= 3)); },
                  { capture: true, once: true }); }"""
            )
            page.keyboard.press("ArrowLeft" if which == "first" else "ArrowRight")
            moved = page.evaluate("window.moved")
            first.append(moved[0])
            last.append(moved[1])
        soon, late = statistics.median(first), statistics.median(last)
        print(f"{name} moved: first figure {soon:.0f} ms, all three {late:.0f} ms (medians)")
    page.close(run_before_unload=True)


def memory(context: BrowserContext, address: str, process: int, n: int) -> None:
    """Proportional set size of the server and n sessions that each hold a population."""
    pages = []
    for _ in range(n):
        page, _, _ = opened(context, address + EXAMPLE)
        page.wait_for_selector(".s2p-idle")
        page.wait_for_function("() => location.hash.includes('recording=3')")
        page.get_by_role("button", name="Generate", exact=True).click()
        page.wait_for_selector("text=Done; the results are below")
        pages.append(page)
        time.sleep(4)
    server = psutil.Process(process)
    held = [p.memory_full_info().pss for p in (server, *server.children(recursive=True))]
    alone = [p.memory_full_info().uss for p in server.children(recursive=True)]
    print(f"{n} sessions with a population each, the server and a kernel in store: {sum(held) / 1e9:.2f} GB")
    print(f"of that, what a session holds for itself alone: {statistics.median(alone) / 1e6:.0f} MB (median)")
    for page in pages:
        page.close(run_before_unload=True)


def main() -> None:
    """Serve the dashboard and drive it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--loads", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--only", choices=["loads"])
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    code = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/\S*", server.stdout.readline())
    assert found is not None
    time.sleep(15)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            context.add_init_script(f"const UPLOAD = {UPLOAD!r};" + SCRIPT)
            with one_word() as word:
                time.sleep(10)
                loads(context, found.group(), word, asked.loads)
            if asked.only:
                return
            answers(context, found.group())
            sliders(context, found.group())
            memory(context, found.group(), server.pid, asked.sessions)
            browser.close()
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
