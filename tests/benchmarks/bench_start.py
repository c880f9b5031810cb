"""How long commands take, and the first simulation of a process and the first population of a page: compiled
anew, and from the cache of compiled code.

python tests/benchmarks/bench_start.py
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bench_page import EXAMPLE, QUIET, SCRIPT, UPLOAD
from playwright.sync_api import sync_playwright

from spike2pop_nb import example_path

CODE = """
import time
begin = time.perf_counter()
from spike2pop_nb.simulation import needs_compiling, simulate
ready = time.perf_counter()
announced = needs_compiling()
simulate([[5460.8, 56.9, 3.7, 11.0, 134.9, 289.9, 0.27, 0.0084]], "stg", duration_ms=1.0, transient_ms=0.0)
print(f"import {ready - begin:.1f} s, first simulation {time.perf_counter() - ready:.1f} s, "
      f"said to need compiling: {announced}")
"""


SERVE = "from spike2pop_nb.app.serve import serve; serve(0, open_browser=False)"


def page(environment: dict[str, str]) -> None:
    """Open the page of a fresh server and generate as soon as that can be asked for."""
    begin = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/\S*", server.stdout.readline())
    assert found is not None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            tab = browser.new_page()
            tab.set_default_timeout(120_000)
            tab.add_init_script(SCRIPT)
            tab.goto(found.group() + EXAMPLE, wait_until="commit")
            tab.wait_for_selector(UPLOAD)
            usable = time.perf_counter() - begin
            tab.evaluate("() => until(() => button('Generate')?.disabled === false)")
            asked = time.perf_counter()
            tab.evaluate("() => timed(() => button('Generate').click(), () => until(() => says('Done')))")
            print(
                f"page usable {usable:.1f} s after the command, first population asked for after "
                f"{asked - begin:.1f} s and there {time.perf_counter() - asked:.1f} s later"
            )
            browser.close()
    finally:
        server.terminate()
        server.wait(60)


def commands() -> None:
    """Time commands from start to end; the shortest of five, since other work only adds."""
    for command in (["predict", str(example_path("stg_set.csv"))], ["models"], ["--help"]):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "spike2pop_nb.cli", *command], capture_output=True, check=True
            )
            times.append(time.perf_counter() - begin)
        print(f"spike2pop {command[0]}: {min(times):.2f} s")


def main() -> None:
    """Run commands, and the same code twice with an empty cache of its own."""
    print(f"load {os.getloadavg()[0]:.1f}")
    commands()
    with tempfile.TemporaryDirectory() as cache:
        for when in ("first start ", "second start"):
            print(when, end=" ")
            page(os.environ | {"NUMBA_CACHE_DIR": cache})
    with tempfile.TemporaryDirectory() as cache:
        for when in ("first start ", "second start"):
            run = subprocess.run(
                [sys.executable, "-c", CODE],
                env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            )
            print(when, run.stdout.strip())


if __name__ == "__main__":
    main()
