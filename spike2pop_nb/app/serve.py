"""Serve the dashboard with Voilà: to this machine alone, or to a lab.

Who may open it is said in `spike2pop_nb.app.access`, what a request must pass in `spike2pop_nb.app.guard`,
and how sessions are shared out in `spike2pop_nb.app.places`.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

# jsonschema would parse a grammar, two thirds of the time to start, for formats that nothing here has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# ruff: noqa: E402
import plotly
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.utils import url_path_join
from tornado.httputil import url_concat
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Bool, Instance, Int
from traitlets.config import Config
from voila.app import Voila
from voila.request_info_handler import RequestInfoSocketHandler

from spike2pop_nb.app.access import Access, cookie_secret, free_port
from spike2pop_nb.app.guard import HEADERS, ModuleFiles, guarded
from spike2pop_nb.app.local import OWN_NEURONS, PLOTLY_URL, SHARED, is_loopback
from spike2pop_nb.app.places import LOOKS_EVERY_S, Places, refill
from spike2pop_nb.app.provisioner import ForkServer, can_fork, metadata, register
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

__all__ = ["IDLE_S", "MOST_SESSIONS", "notebook_path", "serve"]

IDLE_S = 1800
"""After this long without a page, a session is ended."""
MOST_SESSIONS = 10
"""So many sessions there may be at once, unless another number is asked for."""
_PATIENCE_S = 300
_MOST_FORM_BYTES = 2**16
_PING_MS, _DEAF_MS = 30_000, 300_000
_PLACES = {
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTER_CONFIG_DIR": "config",
    "IPYTHONDIR": "ipython",
}
_APP = Path(__file__).resolve().parent
_BUNDLE = "spike2pop/plotly/plotly.min.js"
_EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]


def notebook_path() -> Path:
    """Path of the notebook that shows the dashboard, in an installed package or in a clone."""
    for path in (_APP / "notebooks" / "app.ipynb", _APP.parents[1] / "notebooks" / "app.ipynb"):
        if path.is_file():
            return path
    raise Spike2PopError("The notebook app.ipynb is missing from this installation; install it again.")


class _ThisPython(KernelSpecManager):
    """Offers the interpreter that serves as the only kernel, whatever else is registered for the user."""

    def find_kernel_specs(self) -> dict[str, str]:
        return {"python3": RESOURCES}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec = get_kernel_dict()
        # Errors are worth a line in the user's terminal; advice to whoever runs Jupyter is not.
        spec["argv"] = [*spec["argv"], f"--log-level={logging.ERROR}"]
        spec["metadata"] = {**spec["metadata"], **metadata()}
        return KernelSpec(resource_dir=RESOURCES, **spec)


class _Server(Voila):
    """Voilà behind a login, with the figures' code as a file of its own, and a word about where it is."""

    name = "voila"
    access = Instance(Access)
    most_sessions = Int(MOST_SESSIONS)
    show_in_browser = Bool(True)
    open_browser = Bool(True)
    _leads_here: Path | None = None

    def init_handlers(self) -> list[Any]:
        bundle = Path(plotly.__file__).parent / "package_data"
        handlers: list[Any] = [("/spike2pop/plotly/(.*)", ModuleFiles, {"path": str(bundle)})]
        handlers += self.identity_provider.get_handlers()
        handlers = [(url_path_join(self.server_url, path), *rest) for path, *rest in handlers]
        known = {handler for _path, handler, *_more in handlers}
        for path, handler, *more in super().init_handlers():
            if handler is FileFindHandler:
                # The names of the widgets' scripts change with what is in them.
                more[0]["no_cache_paths"] = []
            # What the page of a kernel was asked with, nobody needs to know but that kernel.
            if handler is not RequestInfoSocketHandler and handler not in known:
                handlers.append((path, handler, *more))
        return [(path, guarded(handler), *more) for path, handler, *more in handlers]

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        return settings | {
            "access": self.access,
            "places": Places(self.most_sessions, self.kernel_manager),
            "cookie_secret": cookie_secret(self.identity_provider),
            "jinja2_env": settings["voila_jinja2_env"],
            "xsrf_cookie_kwargs": {"samesite": "Strict", "path": self.base_url},
            "log_function": lambda _handler: None,  # addresses hold tokens
        }

    def listen(self) -> None:
        """Listen as Voilà does, with encryption and limits, and keep a session in store."""
        how = {
            "ssl_options": self.access.tls,
            "xheaders": self.access.proxied,
            "max_body_size": _MOST_FORM_BYTES,
            "body_timeout": 30,
            "idle_connection_timeout": 120,
        }
        self.app.listen = partial(self.app.listen, **how)
        PeriodicCallback(partial(refill, self.kernel_manager), LOOKS_EVERY_S * 1000).start()
        super().listen()

    def launch_browser(self) -> None:
        """Called by Voilà once it listens."""
        address = f"{self.access.origin}:{self.port}{self.base_url}"
        if token := self.identity_provider.token:
            address = url_concat(address, {"token": token})
        print(f"spike2pop is at {address}  (press Ctrl+C here to stop it)", flush=True)
        if self.access.proxied:
            print(
                f"Browsers of others reach it by {', '.join(self.access.names)}, through a proxy.", flush=True
            )
        elif self.access.shared and self.access.tls is None:
            print(
                "What it sends can be read on its way, passwords too: give --certfile and --keyfile, or put "
                "it behind a proxy that encrypts.",
                flush=True,
            )
        if self.show_in_browser:
            try:
                webbrowser.open(self._unseen(address))
            except webbrowser.Error:
                print("No browser could be opened; open that address yourself.", flush=True)

    def _unseen(self, address: str) -> str:
        """Return a file that leads to the address, since others see what programs are started with."""
        # A browser on the other side of a remote terminal, or of Windows' Linux, sees no file of this system.
        if "VSCODE_IPC_HOOK_CLI" in os.environ or "microsoft" in platform.release().lower():
            return address
        # One that was installed as a snap sees only the home folder.
        snap = any(Path("/snap", name).exists() for name in ("firefox", "chromium"))
        try:
            with tempfile.NamedTemporaryFile(
                "w", dir=Path.home() if snap else None, prefix="spike2pop-", suffix=".html", delete=False
            ) as file:
                file.write(f'<meta http-equiv="refresh" content="0; url={escape(address)}">')
        except OSError:
            return address
        self._leads_here = Path(file.name)
        return self._leads_here.as_uri()

    def stop(self) -> None:
        """Called by Voilà at the end."""
        if self._leads_here is not None:
            self._leads_here.unlink(missing_ok=True)
        with suppress(HTTPError):  # a session ended of itself meanwhile; all end with this process
            super().stop()


def configuration(access: Access, port: int = 0, preheat: bool = False, base_url: str = "/") -> Config:
    """Voilà's settings for the dashboard."""
    config = Config()
    config.Voila.ip = access.host
    config.Voila.port = port
    config.Voila.base_url = base_url
    config.Voila.port_retries = 0 if access.shared else 50  # others know the port
    config.Voila.config_file_paths = []  # what this machine has for other dashboards is not for this one
    config.Voila.auto_token = True
    config.PasswordIdentityProvider.hashed_password = access.password
    config.PasswordIdentityProvider.allow_password_change = False
    config.PasswordIdentityProvider.cookie_options = {"samesite": "Strict"}
    config.Voila.tornado_settings = {
        # A message holds one part of an upload; with room for the whole, nothing vanishes silently.
        "websocket_max_message_size": 2 * MAX_FILE_BYTES,
        # On one machine a silent connection is a busy one; cutting it would leave the page deaf. From other
        # machines it may be one that is gone, whose session others wait for.
        "ws_ping_interval": _PING_MS if access.shared else 0,
        "ws_ping_timeout": _DEAF_MS,
        "headers": HEADERS,
    }
    config.VoilaConfiguration.file_allowlist = []  # the page needs no files that lie beside its notebook
    config.VoilaConfiguration.template = "spike2pop"
    config.VoilaConfiguration.theme = "light"
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.extension_allowlist = _EXTENSIONS
    config.VoilaConfiguration.kernel_spec_manager_class = _ThisPython
    config.VoilaConfiguration.preheat_kernel = preheat
    config.VoilaConfiguration.show_tracebacks = False
    # On a busy machine the page's widgets take longer to arrive than the 4 s after which they would be left
    # out without a word, and the page stay empty.
    config.NotebookClient.iopub_timeout = _PATIENCE_S
    # A page that is closed gives its kernel back itself; one that vanished cannot.
    config.MappingKernelManager.cull_idle_timeout = IDLE_S
    config.MappingKernelManager.cull_interval = 60
    config.MappingKernelManager.cull_connected = False
    return config


@contextmanager
def places_to_write() -> Iterator[None]:
    """Give Jupyter and IPython a folder while this lasts, where those of the user cannot be written."""
    try:
        for folder in (jupyter_data_dir(), jupyter_runtime_dir(), jupyter_config_dir()):
            Path(folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError:
        before = {name: os.environ.get(name) for name in _PLACES}
        with tempfile.TemporaryDirectory(prefix="spike2pop-", ignore_cleanup_errors=True) as made:
            os.environ |= {name: str(Path(made) / part) for name, part in _PLACES.items()}
            try:
                yield
            finally:
                for name, value in before.items():
                    os.environ.pop(name, None)
                    if value is not None:
                        os.environ[name] = value
    else:
        yield


def serve(
    port: int = 8866,
    open_browser: bool = True,
    *,
    host: str = "127.0.0.1",
    names: Sequence[str] = (),
    base_url: str = "/",
    password_file: Path | None = None,
    certfile: Path | None = None,
    keyfile: Path | None = None,
    sessions: int = MOST_SESSIONS,
    preheat: bool = True,
    own_neurons: bool = False,
) -> None:
    """Serve the dashboard until it is stopped.

    Whoever opens it needs the token in the printed address, or the password. On Linux, sessions are forked
    from one prepared process (`spike2pop_nb.app.forkserver`); elsewhere each is a process of its own.

    Parameters
    ----------
    port
        Where to listen; 0 takes any free port. A port in use is passed over for one nearby, if only this
        machine reaches the page.
    open_browser
        Open the page in the default browser.
    host
        Address to listen on; only this machine by default.
    names
        Names by which browsers reach the page, if others than the host: those of a proxy.
    base_url
        Path of the page, as a proxy knows it.
    password_file
        File whose first line is the password, or its hash as `jupyter_server.auth.passwd` makes it.
    certfile, keyfile
        Certificate and key in PEM format, to serve over https.
    sessions
        How many there may be at once; who comes then waits for one to end.
    preheat
        Keep one kernel started in advance, so that a page opens in seconds rather than in ten.
    own_neurons
        Let pages run declarations of neurons, which are Python. Whoever opens the page then does as the one
        who serves it.

    Raises
    ------
    Spike2PopError
        If the port is no port or cannot be listened on, the notebook is missing, a file of a password or a
        certificate cannot be used, or other machines reach the page and there is neither password nor token,
        or own neurons are asked for.
    """
    if not 0 <= port <= 65535:
        raise Spike2PopError(f"The port must be a number from 0 to 65535, not {port}.")
    if sessions < 1:
        raise Spike2PopError(f"There must be room for one session at least, not for {sessions}.")
    if own_neurons and (names or not is_loopback(host)):
        raise Spike2PopError(
            f"Other machines reach {names[0] if names else host}, and a declaration of a neuron is Python: "
            "whoever opened the page could run anything here. Serve it on this machine alone (127.0.0.1), or "
            "add neurons with spike2pop models add."
        )
    access = Access.of(host, names, password_file, certfile, keyfile)
    notebook = notebook_path()
    if not port or access.shared:
        port = free_port(host, port)
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        filter(None, [str(_APP / "share" / "jupyter"), os.environ.get("JUPYTER_PATH", "")])
    )
    os.environ[OWN_NEURONS] = "1" if own_neurons else "0"
    os.environ[SHARED] = "1" if access.shared else "0"
    os.environ[PLOTLY_URL] = f"{_BUNDLE}?v={plotly.__version__}"
    with (
        places_to_write(),
        tempfile.TemporaryDirectory(prefix="spike2pop-", ignore_cleanup_errors=True) as connections,
    ):
        forks = ForkServer(leaves=Path(connections)) if can_fork() else None
        register(forks)
        try:
            path = f"/{base_url.strip('/')}/".replace("//", "/")
            config = configuration(access, port, preheat, path)
            config.Voila.connection_dir_root = connections
            server = _Server(config=config, log_level=logging.ERROR, access=access)
            server.most_sessions = sessions
            server.show_in_browser = open_browser
            server.initialize([str(notebook), f"--Voila.log_level={logging.ERROR}"])
            server.start()
        finally:
            if forks is not None:
                forks.close()
