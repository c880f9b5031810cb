"""Who may open the page: what is asked for before other machines reach it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest
from jupyter_server.auth import passwd
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.auth.security import passwd_check

from spike2pop_nb.app.access import TOKEN, Access, cookie_secret, free_port
from spike2pop_nb.errors import Spike2PopError


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "password"
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.7", "lab.example.org"])
def test_other_machines_need_a_password_or_a_token(host, monkeypatch, written):
    with pytest.raises(Spike2PopError, match=r"Other machines reach .*--password-file FILE.*JUPYTER_TOKEN\."):
        Access.of(host)
    assert Access.of(host, password_file=written("long enough\n")).shared
    monkeypatch.setenv(TOKEN, "chosen")
    assert Access.of(host).shared


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_neither(host):
    assert not Access.of(host).shared


def test_a_name_means_a_proxy_and_other_machines():
    with pytest.raises(Spike2PopError, match=r"Other machines reach lab\.example\.org"):
        Access.of("127.0.0.1", ["lab.example.org"])
    access = Access("127.0.0.1", ("Lab.example.org",), password="hash")
    assert access.shared
    assert access.proxied
    assert "lab.example.org" in access.hostnames
    assert not Access("0.0.0.0", ("lab.example.org",), password="hash").proxied


def test_a_password_is_kept_as_its_hash(written):
    access = Access.of("0.0.0.0", password_file=written("correct horse\nnot read\n"))
    assert "correct" not in access.password
    assert passwd_check(access.password, "correct horse")
    made = passwd("battery staple")
    assert Access.of("0.0.0.0", password_file=written(made + "\n")).password == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\nsecond line\n", "is empty"),
        ("short\n", "has 5 characters; take 8 or more"),
    ],
)
def test_a_password_that_is_none_is_refused(written, text, says):
    with pytest.raises(Spike2PopError, match=says):
        Access.of("0.0.0.0", password_file=written(text))


def test_a_password_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(Spike2PopError, match="none: No such file"):
        Access.of("0.0.0.0", password_file=tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(Spike2PopError, match="bytes: it is no text"):
        Access.of("0.0.0.0", password_file=tmp_path / "bytes")


def test_certificates_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(Spike2PopError, match="a key without its certificate"):
        Access.of("127.0.0.1", keyfile=tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(Spike2PopError, match=r"cert\.pem hold no certificate"):
        Access.of("127.0.0.1", certfile=tmp_path / "cert.pem")
    with pytest.raises(Spike2PopError, match=r"none\.pem hold no certificate.*No such file"):
        Access.of("127.0.0.1", certfile=tmp_path / "none.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl makes a certificate")
def test_the_address_says_how_and_where(tmp_path):
    assert Access("::1").origin == "http://[::1]"
    assert Access("0.0.0.0", password="hash").origin == f"http://{socket.gethostname()}"
    names = ["-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names], check=True, capture_output=True
    )
    made = Access.of("127.0.0.1", certfile=tmp_path / "cert.pem", keyfile=tmp_path / "key.pem")
    assert made.origin == "https://127.0.0.1"


def test_cookies_hold_after_a_restart_until_the_password_changes(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    first = cookie_secret(PasswordIdentityProvider(hashed_password="a"))
    assert cookie_secret(PasswordIdentityProvider(hashed_password="a")) == first
    assert cookie_secret(PasswordIdentityProvider(hashed_password="b")) != first
    (file,) = tmp_path.iterdir()
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"cut short")
    assert cookie_secret(PasswordIdentityProvider(hashed_password="a")) != first


def test_a_port_that_cannot_be_had_is_named():
    port = free_port("127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(Spike2PopError, match=rf"port {port} of 127\.0\.0\.1: Address already in use"):
            free_port("127.0.0.1", port)
    with pytest.raises(Spike2PopError, match="It is not possible to listen"):
        free_port("192.0.2.1")
