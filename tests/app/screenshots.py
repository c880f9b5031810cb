"""The pictures of the dashboard in the README, taken in a real browser: dashboard.png and explore.png.

python tests/app/screenshots.py [--out notebooks/images]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDTH, TALL = 1400, 5000
READY = "() => document.querySelector('.s2p-idle')"


def settled(page: Page) -> None:
    """Wait until nothing is computed and all figures are drawn."""
    page.wait_for_function(READY)
    page.wait_for_timeout(1500)
    page.wait_for_function(READY)


def shoot(page: Page, first: str, last: str, path: Path) -> None:
    """Picture the page from the top of one part to the bottom of another."""
    head, foot = page.locator(first).first.bounding_box(), page.locator(last).last.bounding_box()
    assert head is not None
    assert foot is not None
    top, bottom = max(head["y"] - 12, 0), foot["y"] + foot["height"] + 12
    page.screenshot(path=path, clip={"x": 0, "y": top, "width": WIDTH, "height": bottom - top})
    print(path, f"{WIDTH} x {bottom - top:.0f}, {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("notebooks/images"))
    out = parser.parse_args().out
    code = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/\S*", server.stdout.readline())
    assert found, "the server did not say where it is"
    try:
        with sync_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=program, args=QUIET)
            page = browser.new_page(viewport={"width": WIDTH, "height": TALL})
            page.set_default_timeout(120_000)
            page.goto(found.group() + "#file=stg_set.csv&recording=3", wait_until="commit")
            page.wait_for_selector(".s2p-big")
            page.click("button:has-text('Close the guide')")
            page.click("button:has-text('Generate')")
            page.wait_for_selector(".s2p-results .s2p-big")
            settled(page)
            page.click("text=A closer look: currents")
            settled(page)
            shoot(page, ".s2p-head", ".s2p-results", out / "dashboard.png")
            page.click("text=What each choice reaches")
            page.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
            page.get_by_label("Map of", exact=True).select_option(label="firing pattern, simulated")
            page.wait_for_selector(".s2p-explore .s2p-says:has-text('Members that get there')")
            page.wait_for_selector(".s2p-explore .s2p-says:has-text('8 members at g_s')")
            page.click("button:has-text('Modulate')")
            page.wait_for_selector("text=Step 0 of 40")
            settled(page)
            shoot(page, ".s2p-explore", ".s2p-explore", out / "explore.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
