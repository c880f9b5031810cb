"""The dashboard in a browser: how soon it is there, how fast it answers, what ten sessions hold.

python tests/benchmarks/bench_page.py [--loads 30] [--sessions 10]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, Page, sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
READY = ".s2p-steps .s2p-upload label:not(.s2p-disabled)"
EXAMPLE = "#file=stg_set.csv&recording=3"
# When the browser itself says that the page stood on the screen, in ms after the address was asked for.
OBSERVE = """
new PerformanceObserver((list) => {
  for (const { element, startTime } of list.getEntries()) {
    if (element?.closest(".s2p-page")) window.painted ??= startTime;
  }
}).observe({ type: "largest-contentful-paint", buffered: true });
"""
DRAWN = "([i, n]) => document.querySelectorAll('.js-plotly-plot')[i]?.data?.length === n"


def opened(context: BrowserContext, address: str) -> tuple[Page, float, float]:
    """A page, and the seconds until it is painted and until it can be used."""
    page = context.new_page()
    page.set_default_timeout(120_000)
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(READY)
    usable = time.perf_counter() - begin
    return page, page.evaluate("window.painted") / 1e3, usable


def timed(act: Callable[[], Any], until: Callable[[], Any]) -> float:
    """Milliseconds from an act to its effect."""
    begin = time.perf_counter()
    act()
    until()
    return 1e3 * (time.perf_counter() - begin)


def loads(context: BrowserContext, address: str, n: int) -> None:
    """Open pages and act on each at first paint."""
    painted, usable, deaf = [], [], 0
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
    for name, values in (("painted", painted), ("usable", usable)):
        print(f"{name} after {statistics.median(values):.1f} s (median; {max(values):.1f} s at most)")
    print(f"deaf figures: {deaf} of {n} loads acted on at first paint")


def answers(context: BrowserContext, address: str) -> None:
    """Redraws, a population, and its cancel."""
    page, _, _ = opened(context, address + EXAMPLE)
    page.wait_for_selector(".s2p-idle")
    page.wait_for_function("() => location.hash.includes('recording=3')")
    time.sleep(5)
    done = "text=Done; the results are below"
    generate = page.get_by_role("button", name="Generate", exact=True)
    for size in (16, 16, 16):
        page.get_by_label("Seed", exact=True).fill(str(int(time.time()) % 1000))
        page.get_by_label("Seed", exact=True).press("Enter")
        cancel = page.locator("button:has-text('Cancel'):enabled")
        ms = timed(generate.click, lambda c=cancel: (c.wait_for(), page.wait_for_selector(done)))
        print(f"{size} members of a 0.94 s recording generated, verified and drawn: {ms / 1e3:.2f} s")
    turned = "n => document.querySelectorAll('.s2p-left .annotation-text')[1]?.textContent.startsWith(n)"
    for k in (6, 12):
        ms = timed(
            lambda: page.click("button:has-text('Next')"),
            lambda k=k: page.wait_for_function(turned, arg=f"member {k}"),
        )
        print(f"six traces turned: {ms:.0f} ms")
    point = page.locator(".s2p-sides .js-plotly-plot").nth(1).locator(".points path").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    lit = "() => document.querySelectorAll('.js-plotly-plot')[3].data.some(t => t.selectedpoints?.length)"
    ms = timed(lambda: point.click(force=True), lambda: page.wait_for_function(lit))
    print(f"a member lit in all figures: {ms:.0f} ms")
    page.get_by_label("Members", exact=True).fill("600")
    page.get_by_label("Members", exact=True).press("Enter")
    generate.click()
    page.wait_for_selector("text=Simulating")
    time.sleep(1.0)
    ms = timed(
        lambda: page.click("button:has-text('Cancel')"),
        lambda: page.wait_for_selector("text=Cancelled; the results are below"),
    )
    print(f"cancelled, with what was found kept and drawn: {ms / 1e3:.2f} s")
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
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    code = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())
    assert found is not None
    time.sleep(15)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            context.add_init_script(OBSERVE)
            loads(context, found.group(), asked.loads)
            answers(context, found.group())
            memory(context, found.group(), server.pid, asked.sessions)
            browser.close()
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
