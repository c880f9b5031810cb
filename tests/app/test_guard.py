"""What the server answers to whom: a real server, asked by hand."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest
import requests
from serving import serving
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from spike2pop_nb.app.access import Access
from spike2pop_nb.app.guard import MOST_TRIES, Guarded
from spike2pop_nb.app.serve import _Server, configuration, notebook_path

PATIENCE_S = 120
MOST = 3
FOREIGN = {"Origin": "http://evil.example"}
CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FOLLOWED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
PATHS = [
    "",
    "voila/static/voila.js",
    "voila/templates/spike2pop/static/voila.js",
    "voila/labextensions/anywidget/package.json",
    "voila/api/themes/@jupyterlab/theme-light-extension/index.css",
    "voila/files/images/dashboard.png",
    "spike2pop/plotly/plotly.min.js",
    "api/kernels/0-0-0-0-0",
    "api/kernels/0-0-0-0-0/channels",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with serving(f"port=0, sessions={MOST}", log=folder / "log", TMPDIR=str(folder)) as served:
        while not served.kernels():  # the one that is kept ready
            time.sleep(0.3)
        served.settled()
        yield served


class Visitor(requests.Session):
    """A browser of somebody who has the token."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.verify = False
        self.opened = []
        self.ask("login")  # for the cookie that goes into forms
        self.ask("login", token=server.token)

    def ask(self, path="", method="GET", headers=None, **query):
        return self.request(
            method,
            self.server.address + path,
            params=query,
            headers=headers or {},
            timeout=PATIENCE_S,
            allow_redirects=False,
        )

    def open(self):
        """The id of a session that it opens."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        self.opened.append(re.search(r'"kernelId": "([\w-]+)"', answer.text)[1])
        return self.opened[-1]

    def end(self, kernel):
        proof = {"X-XSRFToken": self.cookies["_xsrf"]}
        return self.ask(f"voila/api/shutdown/{kernel}", "POST", proof).status_code

    def socket(self, kernel, **headers):
        """The status with which a socket to a session is answered."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        address = self.server.address.replace("http", "ws", 1) + f"api/kernels/{kernel}/channels"

        async def opened():
            request = HTTPRequest(address, headers={"Cookie": cookies, **headers}, request_timeout=PATIENCE_S)
            try:
                (await websocket_connect(request)).close()
            except HTTPClientError as error:
                return error.code
            return 101

        return asyncio.run(opened())


@pytest.fixture
def visitor(server):
    """Makes visitors, whose sessions end with the test."""
    made = []

    def make():
        made.append(Visitor(server))
        return made[-1]

    yield make
    for one in made:
        for kernel in one.opened:
            one.end(kernel)


def anonymous(server, path="", **how):
    return requests.get(server.address + path, timeout=PATIENCE_S, allow_redirects=False, **how)


def test_every_handler_is_guarded(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    share = Path(sys.modules[Guarded.__module__].__file__).parent / "share" / "jupyter"
    monkeypatch.setenv("JUPYTER_PATH", str(share))
    made = _Server(config=configuration(Access("127.0.0.1")), access=Access("127.0.0.1"))
    made.initialize([str(notebook_path())])
    signal.signal(signal.SIGTERM, before)
    made.init_settings()
    handlers = made.init_handlers()
    assert len(handlers) > 8
    assert [handler for _path, handler, *_more in handlers if not issubclass(handler, Guarded)] == []
    assert {handler.__name__ for _path, handler, *_more in handlers if handler.public} == {"Login", "Logout"}


def test_without_the_token_there_is_only_the_login(server):
    for path in PATHS:
        answer = anonymous(server, path)
        if path:
            assert answer.status_code == 403, path
        else:
            assert answer.status_code == 302
            assert answer.headers["Location"] == "/login?next=%2F"
    for wrong in ("x", server.token[:-1], ""):
        assert anonymous(server, params={"token": wrong}).headers["Location"].startswith("/login")


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(server):
    answer = anonymous(server, params={"token": server.token})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    login = next(cookie for cookie in answer.raw.headers.getlist("Set-Cookie") if "username" in cookie)
    assert "HttpOnly" in login
    assert "SameSite=Strict" in login
    assert server.token not in login


def test_twelve_requests_of_another_site_open_nothing(server, visitor):
    known = visitor()
    before = server.settled()
    for how in (CROSS | FOREIGN, CROSS, FOREIGN, CROSS | {"Sec-Fetch-Site": "same-site"}):
        for _ in range(3):
            assert anonymous(server, headers=how).status_code == 403
            assert known.ask(headers=how).status_code == 403
            assert known.ask(headers=how, token=server.token).status_code == 403
    assert server.settled() == before


def test_nothing_is_given_to_another_site(server, visitor):
    known = visitor()
    for path in PATHS:
        answer = known.ask(path, headers=CROSS | FOREIGN)
        assert answer.status_code == 403, path
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert known.ask(path, headers={"Origin": "null"}).status_code == 403
    for framed in ("iframe", "embed"):
        assert known.ask(headers=FOLLOWED | {"Sec-Fetch-Dest": framed}, token=server.token).status_code == 403


def test_a_name_that_came_to_lead_here_is_refused(server, visitor):
    known = visitor()
    port = server.address.rsplit(":", 1)[1].strip("/")
    for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "192.168.1.7", "a b"):
        for path in PATHS:
            answer = known.ask(path, headers={"Host": host}, token=server.token)
            assert answer.status_code in {400, 403}, (host, path)
    assert anonymous(server, "login", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_a_link_on_another_page_leads_on_by_a_click_and_with_the_token_at_once(server, visitor):
    known = visitor()
    before = server.settled()
    answer = known.ask(headers=FOLLOWED)
    assert answer.status_code == 403
    assert "Open the dashboard" in answer.text
    assert "location.replace" not in answer.text
    assert "location.replace" not in anonymous(server, params={"token": "x"}, headers=FOLLOWED).text
    answer = anonymous(server, params={"token": server.token}, headers=FOLLOWED)
    assert "location.replace" in answer.text
    assert "Set-Cookie" not in answer.headers  # which would make a stranger of who is known by another
    assert server.settled() == before


def test_a_session_is_answered_for_to_its_own_visitor_alone(server, visitor):
    ann, bob = visitor(), visitor()
    kernel = ann.open()
    own = {"Origin": server.address.rstrip("/")}
    assert ann.ask(f"api/kernels/{kernel}").status_code == 200
    assert ann.socket(kernel, **own) == 101
    proof = {"X-XSRFToken": bob.cookies["_xsrf"]}
    assert bob.ask(f"api/kernels/{kernel}").status_code == 404
    assert bob.ask(f"api/kernels/{kernel}", "DELETE", proof).status_code == 404
    assert bob.ask(f"api/kernels/{kernel}", token=server.token).status_code == 404
    assert bob.ask(f"voila/api/shutdown/{kernel}", "POST", token=server.token).status_code == 404
    assert bob.end(kernel) == 404
    assert bob.socket(kernel, **own) == 404
    for query in ({}, {"token": server.token}):
        shut = requests.post(f"{server.address}voila/api/shutdown/{kernel}", params=query, timeout=PATIENCE_S)
        assert shut.status_code in {403, 404}
    assert ann.ask(f"api/kernels/{kernel}").status_code == 200
    assert ann.end(kernel) == 204
    assert ann.ask(f"api/kernels/{kernel}").status_code == 404


def test_a_socket_is_for_the_servers_own_pages(server, visitor):
    ann = visitor()
    kernel = ann.open()
    assert ann.socket(kernel, Origin="http://evil.example") == 403
    assert ann.socket(kernel, Origin="null") == 403
    assert ann.socket(kernel, Host="evil.example", Origin="http://evil.example") == 403
    assert ann.socket(kernel, Origin=server.address.rstrip("/")) == 101


def test_sessions_are_counted_and_who_comes_too_late_waits(server, visitor):
    ann, bob, cid = visitor(), visitor(), visitor()
    for _ in range(MOST):
        ann.open()
    before = server.settled()
    for who, words in ((bob, "You are next"), (cid, "1 is before you"), (bob, "You are next")):
        answer = who.ask()
        assert answer.status_code == 503
        assert f"All {MOST} sessions of this server are in use." in answer.text
        assert words in answer.text
    assert server.settled() == before
    assert ann.end(ann.opened[0]) == 204
    assert cid.ask().status_code == 503
    bob.open()
    assert "You are next" in cid.ask().text


def test_a_page_that_is_left_before_it_is_there_gives_its_session_back(server, visitor):
    ann = visitor()
    host, port = server.address.split("/")[2].split(":")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ann.cookies)
    for _ in range(MOST + 2):
        with socket.create_connection((host, int(port))) as one:
            one.sendall(f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\n\r\n".encode())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        time.sleep(0.1)
    end = time.monotonic() + PATIENCE_S
    while (answer := ann.ask()).status_code == 503:
        assert time.monotonic() < end, "sessions of pages that were left live on"
        time.sleep(1)
    ann.opened += re.findall(r'"kernelId": "([\w-]+)"', answer.text)


def test_ways_out_of_a_folder_lead_nowhere_and_say_nothing(server, visitor):
    ann = visitor()
    paths = [
        "voila/templates/spike2pop/static/..%2f..%2fconf.json",
        "voila/templates/spike2pop/static/..%2fconf.json",
        "voila/templates/..%2f..%2fstatic%2fx",
        "voila/templates/spike2pop/static/..%5c..%5cconf.json",
        "voila/templates/spike2pop/static/%00",
        "voila/templates/spike2pop/conf.json",
        "voila/templates/spike2pop/static",
        "voila/templates/spike2pop",
        "voila/templates/",
        "voila/static/..%2f..%2f..%2fetc%2fpasswd",
        "voila/labextensions/..%2f..%2fjupyter_config.json",
        "voila/files/..%2fpyproject.toml",
        "spike2pop/plotly/..%2f__init__.py",
        "app.ipynb",
    ]
    before = server.log.read_text()  # what earlier visitors' kernels said as they ended
    assert {path: ann.ask(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    assert server.log.read_text() == before


def test_every_answer_says_how_a_browser_is_to_take_it(server, visitor):
    ann = visitor()
    for path in [*PATHS[:-1], "login", "nothing"]:
        headers = ann.ask(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        for rule in (
            "frame-ancestors 'self'",
            "object-src 'none'",
            "form-action 'self'",
            "default-src 'self'",
        ):
            assert rule in policy, path
        assert server.address.replace("http://", "ws://").rstrip("/") in policy
        assert "Tornado" not in headers["Server"]
    for kernel in re.findall(r'"kernelId": "([\w-]+)"', ann.ask().text):
        ann.opened.append(kernel)


def test_wrong_passwords_are_read_a_few_times_a_minute(server):
    browser = requests.Session()
    browser.get(f"{server.address}login", timeout=PATIENCE_S)

    def log_in(word):
        return browser.post(
            f"{server.address}login",
            data={"password": word, "_xsrf": browser.cookies["_xsrf"]},
            timeout=PATIENCE_S,
            allow_redirects=False,
        )

    assert [log_in("wrong").status_code for _ in range(MOST_TRIES)] == [401] * MOST_TRIES
    late = log_in(server.token)
    assert late.status_code == 429
    assert "There were too many wrong passwords; wait a minute." in late.text


@pytest.mark.skipif(sys.platform != "linux", reason="another process's memory is read as Linux has it")
def test_nothing_of_a_visitor_is_in_the_next_ones_memory_or_in_any_file(server, visitor, tmp_path):
    mark = uuid.uuid4().hex
    ann = visitor()
    before = server.settled()
    end = time.monotonic() + PATIENCE_S
    while not ann.opened:  # sessions of others may be about to end, and until then there is a line
        answer = ann.ask(headers={"User-Agent": mark}, of=mark)
        ann.opened += re.findall(r'"kernelId": "([\w-]+)"', answer.text)
        assert time.monotonic() < end, f"no page was opened: {answer.status_code} {answer.text[:500]}"
    while not (others := server.settled() - before):
        log = server.log.read_text()
        assert time.monotonic() < end + PATIENCE_S, f"no kernel is kept ready for the next page: {log}"
    parents = {psutil.Process(pid).ppid() for pid in others} - {server.process.pid}
    for pid in others | parents:
        found = held(pid, mark, server.token)
        assert mark not in found, f"process {pid} of another visitor holds what one asked for"
        assert server.token not in found
    assert server.token in held(server.process.pid, server.token), "memory cannot be searched here"
    folder = server.log.parent
    for file in folder.rglob("*"):
        if file.is_file():
            assert mark.encode() not in file.read_bytes(), file
            assert server.token.encode() not in file.read_bytes(), file
    for made in folder.glob("voila_*"):
        assert made.stat().st_mode & 0o077 == 0, "others on this machine can look into it"


def held(pid, *marks):
    """Which of these texts a process has in memory that it could write to."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, stop = (int(end, 16) for end in where.split("-"))
            try:
                memory.seek(start)
                content = memory.read(stop - start)
            except (OSError, ValueError, OverflowError):
                continue
            found |= {mark for mark in marks if mark.encode() in content}
    return found


def test_who_was_logged_in_still_is_after_a_restart(tmp_path):
    places = {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    with serving("port=0, preheat=False", **places) as first:
        ann = Visitor(first)
        port = int(first.address.rsplit(":", 1)[1].strip("/"))
    with serving(f"port={port}, preheat=False", **places) as second:
        assert second.address == first.address
        assert second.token != first.token
        ann.server = second
        assert ann.ask("voila/static/voila.js").status_code == 200
        assert anonymous(second, "voila/static/voila.js").status_code == 403


def test_a_proxy_serves_others_by_its_name_below_its_path():
    options = "port=0, preheat=False, names=['lab.example.org'], base_url='/spike2pop'"
    with serving(options, JUPYTER_TOKEN="of-the-lab") as served:
        assert served.printed.endswith("/spike2pop/?token=of-the-lab")
        proxy = {"Host": "lab.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
        asked = {"headers": proxy, "timeout": PATIENCE_S, "allow_redirects": False}
        there = requests.get(f"{served.address}login", params={"token": served.token}, **asked)
        login = next(cookie for cookie in there.raw.headers.getlist("Set-Cookie") if "username" in cookie)
        assert "Secure" in login
        assert "Path=/spike2pop/" in login
        assert "wss://lab.example.org" in there.headers["Content-Security-Policy"]
        assert requests.get(served.address, **asked).headers["Location"].startswith("/spike2pop/login?next=")
        assert requests.get(served.address.removesuffix("spike2pop/"), **asked).status_code == 404
        proxy["Origin"] = "https://evil.example"
        assert requests.get(served.address, **asked).status_code == 403
        proxy["Host"] = "198.51.100.8"
        assert requests.get(served.address, **asked).status_code == 403


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl makes a certificate")
def test_it_serves_over_https_with_a_password(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    (tmp_path / "password").write_text("correct horse\n")
    options = (
        f"port=0, preheat=False, certfile={str(certificate)!r}, keyfile={str(key)!r}, "
        f"password_file=__import__('pathlib').Path({str(tmp_path / 'password')!r})"
    )
    with serving(options) as served:
        assert served.printed.startswith("https://127.0.0.1:")
        assert served.token == ""
        browser = requests.Session()
        browser.verify, browser.trust_env = str(certificate), False  # nor what else this machine trusts
        asked = browser.get(served.address, timeout=PATIENCE_S)
        assert asked.url.endswith("/login?next=%2F")
        assert "Password" in asked.text
        assert "ends in the token" not in asked.text
        form = {"password": "correct horse", "_xsrf": browser.cookies["_xsrf"]}
        there = browser.post(asked.url, data=form, timeout=PATIENCE_S, allow_redirects=False)
        assert (there.status_code, there.headers["Location"]) == (302, "/")
        assert "Secure" in there.headers["Set-Cookie"]
        assert browser.get(f"{served.address}voila/static/voila.js", timeout=PATIENCE_S).ok
        with pytest.raises((requests.ConnectionError, ssl.SSLError)):
            requests.get(served.address.replace("https", "http"), timeout=PATIENCE_S)
