"""Several visitors of one server, each in a browser of their own, and pages that mean it ill."""

from __future__ import annotations

import http.server
import sys
import threading
import time
import uuid
from functools import partial

import psutil
import pytest
from serving import serving
from test_browser import CHROMIUM, FLIES, PATIENCE_MS, QUIET, UPLOAD, open_page, upload
from test_guard import held

pytestmark = pytest.mark.browser

EVIL = """
<body><script>
  const at = "ADDRESS";
  const ask = (kind, made) => document.body.append(Object.assign(document.createElement(kind), made));
  for (let i = 0; i < 3; i++) {
    ask("img", { src: `${at}?image=${i}` });
    ask("iframe", { src: `${at}?frame=${i}`, name: `frame${i}` });
    fetch(`${at}?fetch=${i}`, { mode: "no-cors", credentials: "include" });
    fetch(`${at}?read=${i}`, { credentials: "include" }).then(() => { document.title = "read"; }, () => {});
    ask("form", { action: at, target: `frame${i}` });
    document.forms[i].submit();
    new WebSocket(`${at.replace("http", "ws")}api/kernels/0-0-0-0-0/channels`);
  }
</script></body>
"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium is installed, so the page cannot be tried in a browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield made
        made.close()


@pytest.fixture
def somebody(browser):
    """Makes browsers of further people."""
    made = []

    def make():
        made.append(browser.new_context(viewport={"width": 1280, "height": 720}))
        made[-1].set_default_timeout(PATIENCE_MS)
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with serving("port=0", log=folder / "log", TMPDIR=str(folder)) as served:
        yield served


def test_the_file_that_the_browser_is_given_leads_to_the_page(server, somebody, tmp_path):
    lead = tmp_path / "lead.html"
    lead.write_text(f'<meta http-equiv="refresh" content="0; url={server.printed}#seed=5">')
    page = open_page(somebody(), lead.as_uri())
    assert page.get_by_label("Seed", exact=True).input_value() == "5"
    assert page.evaluate("location.href").startswith(f"{server.address}#")
    assert server.token not in page.evaluate("document.documentElement.outerHTML")
    assert page.problems == []


def test_another_sites_page_opens_nothing_and_reads_nothing(server, somebody, tmp_path):
    context = somebody()
    open_page(context, server.printed)
    before = server.settled()
    (tmp_path / "evil.html").write_text(EVIL.replace("ADDRESS", server.address))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as evil:
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        page = context.new_page()
        for host in ("127.0.0.1", "localhost"):  # the same site at another port, and another site
            page.goto(f"http://{host}:{evil.server_address[1]}/evil.html")
            page.wait_for_timeout(3000)
            assert page.title() != "read"
            assert len(page.frames) == 4
            assert not any("jupyter-config-data" in frame.content() for frame in page.frames)
        evil.shutdown()
    assert server.settled() == before


@pytest.mark.skipif(sys.platform != "linux", reason="another process's memory is read as Linux has it")
def test_what_a_visitor_loads_is_in_no_others_memory_nor_in_a_file(server, somebody, tmp_path):
    mark = uuid.uuid4().hex
    recording = tmp_path / f"{mark}.csv"
    rows = [f"{mark},{100.0 * i}" for i in range(1, 30)]
    recording.write_text("\n".join(["cell_id,spike_times_ms", *rows]))
    before = server.settled()
    hers = open_page(somebody(), server.printed)
    upload(hers, recording)
    hers.wait_for_selector(f"text={mark}")
    hers.wait_for_selector(".s2p-idle")
    mine = {pid for pid in before if pid in server.kernels() and held(pid, mark)}
    assert len(mine) == 1, "memory cannot be searched here"
    his = open_page(somebody(), server.printed)
    his.wait_for_selector(".s2p-idle")
    end = time.monotonic() + 60
    while len(others := server.settled() - mine) < 2:
        assert time.monotonic() < end, "no kernel is kept ready for the next page"
    for pid in others | {psutil.Process(pid).ppid() for pid in others} - {server.process.pid}:
        assert not held(pid, mark), f"process {pid} holds what somebody else has loaded"
    assert mark not in his.evaluate("document.documentElement.outerHTML")
    hers.close(run_before_unload=True)
    end = time.monotonic() + 60
    while mine & server.kernels():
        assert time.monotonic() < end
        time.sleep(0.5)
    for file in server.log.parent.rglob("*"):
        assert mark not in str(file)
        if file.is_file():
            assert mark.encode() not in file.read_bytes(), file


def test_a_page_starts_again_after_a_restart_of_the_server(somebody, tmp_path):
    from playwright.sync_api import expect

    places = {"JUPYTER_RUNTIME_DIR": str(tmp_path)}
    with serving("port=0", **places) as first:
        page = open_page(somebody(), first.printed + "#neuron=da&seed=5", FLIES)
        port = int(first.address.rsplit(":", 1)[1].strip("/"))
    page.wait_for_selector(".s2p-lost:has-text('Python has stopped answering')")
    page.click("text=Start again")
    page.wait_for_selector(".s2p-lost:has-text('The server does not answer. Start it again')")
    with serving(f"port={port}", **places) as second:
        assert second.address == first.address
        page.click("text=Start again")
        page.wait_for_selector(".s2p-lost", state="detached")
        page.wait_for_selector(UPLOAD)
        # what the address says arrives after the page may be used
        expect(page.get_by_label("Seed", exact=True)).to_have_value("5", timeout=PATIENCE_MS)
