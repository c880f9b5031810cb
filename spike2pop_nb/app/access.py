"""Who may open the page, and over what: password, token, certificate, and the names of the server."""

from __future__ import annotations

import hmac
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir, secure_write
from jupyter_server.auth import passwd
from jupyter_server.auth.identity import IdentityProvider
from tornado.netutil import bind_sockets

from spike2pop_nb.app.local import is_loopback
from spike2pop_nb.errors import Spike2PopError

__all__ = ["Access", "cookie_secret", "free_port"]

TOKEN = "JUPYTER_TOKEN"
"""Where Jupyter's servers, and so this one, take a token from instead of making one."""
_LEAST_CHARACTERS = 8
_HASHES = ("argon2:", "sha1:", "sha256:", "sha512:")


@dataclass(frozen=True)
class Access:
    """How the page can be reached.

    Raises
    ------
    Spike2PopError
        If other machines reach the page and whoever serves it has named neither password nor token.
    """

    host: str  # address to listen on
    names: tuple[str, ...] = ()  # by which browsers reach it, too, as behind a proxy
    password: str = ""  # its hash, or "" where the token in the printed address is needed
    tls: ssl.SSLContext | None = None  # certificate and key, or None to serve without encryption

    def __post_init__(self) -> None:
        if self.shared and not self.password and not os.environ.get(TOKEN):
            raise Spike2PopError(
                f"Other machines reach {self.reached_by}, and whoever opens the page works on this machine: "
                "name a password with --password-file FILE, or a token in the environment variable "
                f"{TOKEN}."
            )

    @property
    def shared(self) -> bool:
        """Whether other machines reach the page."""
        return bool(self.names) or not is_loopback(self.host)

    @property
    def proxied(self) -> bool:
        """Whether all that arrives comes from a proxy on this machine."""
        return bool(self.names) and is_loopback(self.host)

    @property
    def reached_by(self) -> str:
        """Name or address by which other machines reach the page."""
        return self.names[0] if self.names else self.host

    @property
    def hostnames(self) -> list[str]:
        """Names that a browser may ask for; not every name that leads to this machine is among them."""
        own = [socket.gethostname()] if self.shared else []
        return ["localhost", self.host.lower(), *map(str.lower, (*own, *self.names))]

    @property
    def origin(self) -> str:
        """Scheme and host of the page as this machine sees it, such as ``http://127.0.0.1``."""
        host = socket.gethostname() if self.host in ("", "0.0.0.0", "::") else self.host
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}"

    @classmethod
    def of(
        cls,
        host: str,
        names: Sequence[str] = (),
        password_file: Path | None = None,
        certfile: Path | None = None,
        keyfile: Path | None = None,
    ) -> Access:
        """Read what files say.

        Raises
        ------
        Spike2PopError
            If one of them cannot be used; it is named.
        """
        return cls(host, tuple(names), _password(password_file), _tls(certfile, keyfile))


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Spike2PopError(f"The password could not be read from {file}: {reason}.") from error
    if not lines or not lines[0].strip():
        raise Spike2PopError(f"The first line of {file} is empty; it must be the password or its hash.")
    password = lines[0].strip()
    if password.startswith(_HASHES):
        return password
    if len(password) < _LEAST_CHARACTERS:
        raise Spike2PopError(
            f"The password in {file} has {len(password)} characters; take {_LEAST_CHARACTERS} or more."
        )
    return str(passwd(password))


def _tls(certfile: Path | None, keyfile: Path | None) -> ssl.SSLContext | None:
    if certfile is None:
        if keyfile is not None:
            raise Spike2PopError(f"{keyfile} is a key without its certificate; give --certfile too.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile)
    except (OSError, ssl.SSLError) as error:
        files = f"{certfile} and {keyfile}" if keyfile else f"{certfile}"
        raise Spike2PopError(
            f"{files} hold no certificate with its key that could be used: {error.strerror or error}."
        ) from error
    return context


def cookie_secret(identity: IdentityProvider) -> bytes:
    """What cookies are signed with: the same after a restart, so that pages which are open go on, as Jupyter
    has it; another when the password changes.
    """
    path = Path(jupyter_runtime_dir()) / "spike2pop_cookie_secret"
    try:
        key = path.read_bytes()
    except OSError:
        key = b""
    if len(key) < 32:
        key = os.urandom(32)
        with secure_write(str(path), binary=True) as file:
            file.write(key)
    return identity.cookie_secret_hook(hmac.new(key, digestmod="sha256")).digest()


def free_port(host: str, port: int = 0) -> int:
    """Return a port on which the host can be listened on.

    Raises
    ------
    Spike2PopError
        If the port given is none, or the host is not of this machine.
    """
    try:
        sockets = bind_sockets(port, host)
    except OSError as error:
        raise Spike2PopError(
            f"It is not possible to listen on port {port} of {host}: {error.strerror or error}."
        ) from error
    found = int(sockets[0].getsockname()[1])
    for one in sockets:
        one.close()
    return found
