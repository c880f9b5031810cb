"""What every request to the server must pass, and what it is answered if it does not.

Who somebody is, Jupyter says (`jupyter_server.auth`): by token or password first, by a signed cookie then.
"""

from __future__ import annotations

import ipaddress
import re
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.logout import LogoutHandler
from jupyter_server.base.handlers import JupyterHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.voila_identity_provider import VoilaLoginHandler

from spike2pop_nb.app.access import Access
from spike2pop_nb.app.places import ASKS_AGAIN_S, Kernels, Places

__all__ = ["HEADERS", "MOST_TRIES", "ModuleFiles", "guarded"]

MOST_TRIES = 10
"""So many wrong passwords a minute are read from one address."""
_MINUTE_S = 60.0
HEADERS = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "spike2pop",
}
"""Sent with every answer, beside those that Jupyter sends."""
# The browser itself refuses whatever would leave the machine that serves.
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' blob: data: {sockets}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?", re.ASCII)
_UP = re.compile(r"(^|[/\\])\.\.([/\\]|$)")


class Guarded(JupyterHandler):
    """Answers only those who ask from this server's own pages, by a name of this server, as somebody known.

    A session is answered for only to whom it belongs; to others it does not exist.
    """

    public = False
    """Whether it answers also those who are not known yet."""

    @property
    def log(self) -> Any:
        return self.settings["voila"].log

    @property
    def access(self) -> Access:
        return cast(Access, self.settings["access"])

    @property
    def places(self) -> Places:
        return cast(Places, self.settings["places"])

    @property
    def visitor(self) -> str:
        """Who asks: one browser, from its first visit until its cookie ends."""
        return str(self.current_user.username)

    @property
    def content_security_policy(self) -> str:
        host = self.request.host if _HOST.fullmatch(self.request.host) else ""
        sockets = f"{'wss' if self.request.protocol == 'https' else 'ws'}://{host}" if host else ""
        return _POLICY.format(sockets=sockets)

    def check_host(self) -> bool:
        """Refuse a name that is not this server's, as when another's name has come to lead here."""
        if not _HOST.fullmatch(self.request.host):
            return False
        host = urlsplit(f"//{self.request.host}").hostname or ""
        with suppress(ValueError):
            # No name leads here in disguise when there is no name.
            return ipaddress.ip_address(host).is_loopback or (self.access.shared and not self.access.proxied)
        return host in self.access.hostnames

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Refuse what a page of another server asks for."""
        origin = self.get_origin()
        if origin is None:
            return True
        asked = origin.lower().partition("://")[2]
        if not _HOST.fullmatch(asked):
            return False
        names = [name.lower() for name in self.access.names]
        return asked == self.request.host.lower() or urlsplit(f"//{asked}").hostname in names

    def is_foreign(self) -> bool:
        """Return whether another page asks, or led here."""
        # Browsers differ in what they say of a socket's site; all say its origin.
        site = None if isinstance(self, WebSocketHandler) else self.request.headers.get("Sec-Fetch-Site")
        return site in {"cross-site", "same-site"} or not self.check_origin()

    def meet_foreign(self) -> None:
        """Answer a request of another page."""
        raise HTTPError(403)

    async def prepare(self) -> None:  # type: ignore[override]
        """Let through what may be answered."""
        self.current_user = self._jupyter_current_user = None
        path = unquote(self.request.path)
        if "\0" in path or _UP.search(path):
            raise HTTPError(404)
        if not self.check_host():
            raise HTTPError(403)
        if self.is_foreign():
            self.meet_foreign()
            return
        await super().prepare()
        if self._finished or self.public:
            return
        if self.current_user is None:
            raise HTTPError(403)
        kernel = self.path_kwargs.get("kernel_id")
        if isinstance(self, VoilaShutdownKernelHandler):
            kernel = self.path_args[0]
        if kernel is not None and not self.places.owns(self.visitor, kernel):
            raise HTTPError(404)

    def get_login_url(self) -> str:
        """Refuse those who are not known: only the page leads to a login."""
        raise HTTPError(403)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Write down faults of the server alone, and nothing of what was asked."""
        if not isinstance(value, (HTTPError, StreamClosedError)) and typ is not None and value is not None:
            self.log.error("An answer failed.", exc_info=(typ, value, tb))

    def say(self, template: str, status: int, **words: Any) -> None:
        """Answer with a page of a few words."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        page = self.settings["jinja2_env"].get_template(template)
        self.finish(page.render(base_url=self.base_url, **words))


class Page(Guarded, TornadoVoilaHandler):
    """The dashboard, in a session of its own."""

    _kernel: str | None = None
    _left = False

    @property
    def kernel_manager(self) -> Any:
        return Kernels(super().kernel_manager, self._given)

    def _given(self, kernel: str) -> None:
        self._kernel = kernel
        self.places.give(self.visitor, kernel)

    def meet_foreign(self) -> None:
        """Have a person who followed a link here go on by a click, or at once with the right token."""
        kind = [self.request.headers.get(f"Sec-Fetch-{what}") for what in ("Mode", "Dest")]
        if self.request.method != "GET" or kind != ["navigate", "document"]:
            raise HTTPError(403)
        token = self.identity_provider.token
        known = bool(token) and self.identity_provider.get_token(self) == token
        self.say("elsewhere.html", 200 if known else 403, known=known)

    def get_login_url(self) -> str:
        return str(self.settings["login_url"])

    async def get(self, path: str | None = None) -> None:
        """Open a session, or say that all are in use."""
        if path:
            raise HTTPError(404)
        if "token" in self.request.arguments:
            self.redirect(self.base_url)  # the cookie has taken its place; an address is seen and copied
            return
        turn = await self.places.enter(self.visitor)
        if turn:
            self.set_header("Retry-After", str(ASKS_AGAIN_S))
            self.say("full.html", 503, most=self.places.most, turn=turn, seconds=ASKS_AGAIN_S)
            return
        _ = self.xsrf_token  # sets the cookie without which a page that closes cannot give its kernel back
        try:
            await TornadoVoilaHandler.get(self, path)
            await self.flush()  # fails if nobody is there any more
        except StreamClosedError:
            self._left = True
        finally:
            if self._kernel is None:
                self.places.leave()
            elif self._left:
                await super().kernel_manager.shutdown_kernel(self._kernel)

    def on_connection_close(self) -> None:
        """Note that nobody waits for the page any more."""
        super().on_connection_close()
        self._left = True


class Login(Guarded, VoilaLoginHandler):
    """Asks for the password, or for the token."""

    public = True
    _tries: dict[str, list[float]] = {}  # noqa: RUF012  (of the server, not of a request)

    @allow_unauthenticated
    def post(self) -> None:
        """Read a password, unless too many wrong ones have come from there."""
        now = time.monotonic()
        for address, times in list(self._tries.items()):
            times[:] = [tried for tried in times if now - tried < _MINUTE_S]
            if not times:
                del self._tries[address]
        wrong = self._tries.setdefault(str(self.request.remote_ip), [])
        if len(wrong) >= MOST_TRIES:
            self.set_status(429)
            self._render(message={"error": "There were too many wrong passwords; wait a minute."})
            return
        super().post()
        if self.get_status() == 401:
            wrong.append(now)


class Logout(Guarded, LogoutHandler):
    """Forgets who somebody is."""

    public = True


class TemplateFiles(Guarded, TemplateStaticFileHandler):
    """Files of the template; what leads to none of them is not found."""

    def parse_url_path(self, path: str) -> str:
        try:
            return str(super().parse_url_path(path))
        except (AssertionError, ValueError) as error:
            raise HTTPError(404) from error


class ModuleFiles(StaticFileHandler):
    """Code that never changes under its address."""

    def get_content_type(self) -> str:
        return "text/javascript"  # some machines register another type, and browsers then refuse modules

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "private, max-age=31536000")


_OWN: dict[type[RequestHandler], type[Guarded]] = {
    TornadoVoilaHandler: Page,
    VoilaLoginHandler: Login,
    LogoutHandler: Logout,
    TemplateStaticFileHandler: TemplateFiles,
}


def guarded(handler: type[RequestHandler]) -> type[Guarded]:
    """Return what answers in a handler's place."""
    return _OWN.get(handler) or cast(type[Guarded], type(handler.__name__, (Guarded, handler), {}))
