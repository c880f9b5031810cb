"""What Binder builds and starts, as far as that shows without an engine for containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from traitlets.config import PyFileConfigLoader

from spike2pop_nb.app.access import Access
from spike2pop_nb.app.serve import configuration

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 300  # a busy machine is slow, not broken
HUB_PREFIX = "/user/test/"
PAGE = "voila/render/notebooks/app.ipynb"
TOKEN = "shown-to-the-visitor"
READY = ".s2p-upload label:not(.s2p-disabled)"


def test_what_is_pinned_lies_in_the_declared_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    lines = [
        line.partition("#")[0].strip() for line in (BINDER / "requirements.txt").read_text().splitlines()
    ]
    pins = [Requirement(line) for line in lines if line and not line.startswith("--")]
    assert [pin.name for pin in pins] == ["torch"]
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert Version(exact.version).local == "cpu"
        assert declared[pin.name].specifier.contains(exact.version)
    python = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    assert SpecifierSet(project["requires-python"]).contains(python)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run_and_keep_no_downloads(name):
    script = BINDER / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert all("--no-cache-dir" in line for line in script.read_text().splitlines() if "pip install" in line)


def test_the_server_is_set_up_as_that_of_the_command_line():
    own = configuration(Access("127.0.0.1"))
    binder = PyFileConfigLoader("jupyter_server_config.py", path=str(BINDER)).load_config()
    # A Jupyter server has kernel specs of its own, heats no kernel, and gets its cookie from a hook.
    apart = {"kernel_spec_manager_class", "preheat_kernel", "prelaunch_hook"}

    def shared(config):
        return {name: value for name, value in config.VoilaConfiguration.items() if name not in apart}

    assert shared(binder) == shared(own)
    # the default of 4 s leaves the page empty where the machine is busy
    assert binder.NotebookClient.iopub_timeout == own.NotebookClient.iopub_timeout >= 60
    settings = binder.ServerApp.tornado_settings.get_value({"set_by": "hub"})
    assert settings["set_by"] == "hub"
    limit = "websocket_max_message_size"
    assert settings[limit] == own.Voila.tornado_settings[limit]


def test_repo2docker_uses_all_of_it():
    pytest.importorskip(
        "repo2docker", reason="jupyter-repo2docker is not installed, so no Dockerfile is made"
    )
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    done = subprocess.run(
        [*command, "--user-id=1000", "--user-name=visitor", str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout + done.stderr
    assert "python=3.11" in said
    assert '/bin/pip install --no-cache-dir -r "binder/requirements.txt"' in said
    assert "RUN ./binder/postBuild" in said
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in said


def test_start_becomes_the_command_it_is_given(tmp_path):
    code = "import json, os, sys; print(json.dumps([os.getpid(), sys.argv[1:], dict(os.environ)]))"
    arguments = ["--ip=0.0.0.0", "two words", "$HOME", ""]
    outer = {
        "PATH": os.environ["PATH"],
        "NB_PYTHON_PREFIX": str(tmp_path),
        "JUPYTERHUB_SERVICE_PREFIX": HUB_PREFIX,
    }
    process = subprocess.Popen(
        [BINDER / "start", sys.executable, "-c", code, *arguments],
        env=outer,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid, passed, inner = json.loads(process.communicate()[0])
    assert pid == process.pid, "a signal to the container would not reach the server"
    assert passed == arguments
    assert Path(inner["NUMBA_CACHE_DIR"]).is_relative_to(tmp_path)
    assert inner["NUMBA_CPU_NAME"] == "generic"
    assert inner["OMP_NUM_THREADS"] == "1"
    assert inner["SPIKE2POP_PLOTLY_URL"].startswith(HUB_PREFIX)


def ask(address, method="GET"):
    request = urllib.request.Request(
        address, method=method, headers={"Authorization": f"token {TOKEN}", "Accept-Encoding": "gzip"}
    )
    return urllib.request.urlopen(request, timeout=PATIENCE_S)


def kernels(address):
    return [kernel["id"] for kernel in json.load(ask(f"{address}api/kernels"))]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The server that Binder would start, below a hub's prefix."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run([sys.executable, BINDER / "configure.py", prefix], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "NB_PYTHON_PREFIX": str(prefix),
        "JUPYTERHUB_SERVICE_PREFIX": HUB_PREFIX,
        "JUPYTER_CONFIG_PATH": str(prefix / "etc" / "jupyter"),
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(prefix / "of the user"),
        "JUPYTER_DATA_DIR": str(prefix / "of the user"),
        "JUPYTER_RUNTIME_DIR": str(prefix / "runtime"),
    }
    process = subprocess.Popen(
        [
            *(BINDER / "start", sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"),
            *(
                "--ip=127.0.0.1",
                f"--port={port}",
                "--ServerApp.port_retries=0",
                "--ServerApp.log_level=ERROR",
            ),
            *(f"--ServerApp.base_url={HUB_PREFIX}", f"--IdentityProvider.token={TOKEN}"),
        ],
        cwd=ROOT,
        env=environment,
    )
    where = f"http://127.0.0.1:{port}{HUB_PREFIX}"
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            ask(f"{where}api/status").close()
            break
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.2)
    yield where
    process.terminate()
    process.wait(60)


def test_the_page_and_the_code_of_its_figures_are_served_below_the_prefix(address):
    request = urllib.request.Request(address + PAGE, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        page = answer.read().decode()
    assert f'data-base-url="{HUB_PREFIX}voila/"' in page
    assert "Loading the neuron models" in page, "the page is not made with this package's template"
    assert all(found.startswith(HUB_PREFIX) for found in re.findall(r'<script src="([^"]*)"', page))
    with ask(f"{address}voila/static/plotly.js") as answer:
        assert "javascript" in answer.headers["Content-Type"]
        assert answer.headers["Content-Encoding"] == "gzip"
    for kernel in kernels(address):
        ask(f"{address}api/kernels/{kernel}", "DELETE").close()


@pytest.mark.browser
def test_the_dashboard_works_asks_nobody_else_and_gives_its_kernel_back(address):
    if CHROMIUM is None:
        pytest.skip("no chromium is installed, so the page cannot be tried in a browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    asked, refused = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda opened: asked.append(opened.url))
        page.on("response", lambda answer: answer.ok or refused.append((answer.status, answer.url)))
        page.goto(f"{address}{PAGE}?token={TOKEN}", wait_until="commit")
        page.wait_for_selector(READY)
        page.wait_for_function("() => globalThis.Plotly")  # for which the page does not wait
        assert len(kernels(address)) == 1
        page.close(run_before_unload=True)
        end = time.monotonic() + 60
        while kernels(address):
            assert time.monotonic() < end, "the kernel of the closed page lives on"
            time.sleep(0.2)
        browser.close()
    allowed = (address, address.replace("http://", "ws://"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(allowed)] == []
    assert refused == []
    assert f"{address}voila/static/plotly.js" in asked
