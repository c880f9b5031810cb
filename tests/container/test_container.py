"""What the container file builds and starts, as far as that shows without an engine for containers."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".container" / "Containerfile"
LOCK = ROOT / ".ci" / "lock.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PATIENCE_S = 120


def instructions() -> dict[str, list[str]]:
    """Return the arguments of each instruction, of which the file may have several."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.M))
    found: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        name, _, rest = line.partition(" ")
        found.setdefault(name, []).append(rest)
    return found


def locked(python: str) -> dict[str, str]:
    """Return the version of each package that is pinned for a Python on Linux."""
    place = {"python_full_version": f"{python}.9", "python_version": python, "sys_platform": "linux"}
    lines = (line for line in LOCK.read_text().splitlines() if not line.startswith("#"))
    pins = [pin for pin in map(Requirement, lines) if pin.marker is None or pin.marker.evaluate(place)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_file_pins_all_that_is_declared_within_its_range(python: str) -> None:
    pins, extras = locked(python), PROJECT["optional-dependencies"]
    names = ("io", "nwb", "train", "bench", "test", "docs")
    declared = [*PROJECT["dependencies"], *(line for name in names for line in extras[name])]
    place = {"python_full_version": f"{python}.9", "python_version": python, "sys_platform": "linux"}
    for requirement in map(Requirement, declared):
        name = canonicalize_name(requirement.name)
        if name == PROJECT["name"] or not (requirement.marker is None or requirement.marker.evaluate(place)):
            continue
        assert requirement.specifier.contains(pins[name]), requirement


def test_it_installs_what_the_repository_has() -> None:
    found = instructions()
    (image,) = found["FROM"]
    version = re.fullmatch(r"docker\.io/library/python:([\d.]+)-slim", image)
    assert version is not None
    assert SpecifierSet(PROJECT["requires-python"]).contains(version[1])
    install, make_user = found["RUN"]
    words = shlex.split(install.partition("&&")[0])
    assert words[:3] == ["pip", "install", "--no-cache-dir"]
    constraint = Path(words[words.index("--constraint") + 1])
    assert ROOT / constraint.relative_to("/opt/source") == LOCK
    extras = re.fullmatch(r"/opt/source\[(.+)\]", words[-1])
    assert extras is not None
    assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])
    (user,) = found["USER"]
    assert shlex.split(make_user)[-1] == user != "root"
    for script in found["RUN"]:
        subprocess.run(["sh", "-nc", script], check=True)


def test_what_it_starts_lets_in_who_knows_the_password_and_says_that_it_is_well(tmp_path: Path) -> None:
    found = instructions()
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = [*json.loads(found["ENTRYPOINT"][0]), *json.loads(found["CMD"][0])]
    assert started[started.index("--port") + 1] == found["EXPOSE"][0]
    started[started.index("--port") + 1] = str(port)
    started[started.index("--password-file") + 1] = str(password)
    command, _, *options = started
    assert command == "spike2pop"
    health = json.loads(found["HEALTHCHECK"][0].partition("CMD ")[2])
    well = [sys.executable, *health[1:-1], health[-1].replace(found["EXPOSE"][0], str(port))]
    server = subprocess.Popen([sys.executable, "-m", "spike2pop_nb.cli", "app", *options])
    try:
        end = time.monotonic() + PATIENCE_S
        while subprocess.run(well, capture_output=True).returncode:
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.5)
        address = f"http://localhost:{port}/"
        visitor = requests.Session()
        assert visitor.get(address).url.startswith(f"{address}login")
        form = {"password": "correct horse", "_xsrf": visitor.cookies["_xsrf"]}
        assert visitor.post(f"{address}login", data=form, allow_redirects=False).status_code == 302
        assert visitor.get(f"{address}voila/static/voila.js").ok
    finally:
        server.terminate()
        assert server.wait(PATIENCE_S) == 0
