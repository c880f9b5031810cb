"""Serve the dashboard with Voilà on this machine, from this machine alone."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plotly
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.base.handlers import FileFindHandler
from tornado.web import StaticFileHandler
from traitlets import Bool
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from spike2pop_nb.app.figures_url import PLOTLY_URL
from spike2pop_nb.app.local import OWN_NEURONS, is_loopback
from spike2pop_nb.app.provisioner import ForkServer, can_fork, metadata, register
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

__all__ = ["IDLE_S", "notebook_path", "serve"]

IDLE_S = 1800
"""After this long without a page, a session is ended."""
_PATIENCE_S = 300
_PLACES = {
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTER_CONFIG_DIR": "config",
    "IPYTHONDIR": "ipython",
}
_APP = Path(__file__).resolve().parent
_BUNDLE = "spike2pop/plotly/plotly.min.js"
_EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]
# The browser itself refuses whatever would leave the machine.
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' blob: data: ws://%(host)s; frame-ancestors 'self'"
)


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


class _ModuleHandler(StaticFileHandler):
    def get_content_type(self) -> str:
        return "text/javascript"  # some machines register another type, and browsers then refuse modules

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000")


class _PageHandler(TornadoVoilaHandler):
    async def prepare(self) -> None:
        await super().prepare()
        # Reading the token sets its cookie, without which a page that closes cannot give its kernel back.
        _ = self.xsrf_token


class _Server(Voila):
    """Voilà with the figures' code as a file of its own, and a plain word about where it listens."""

    name = "voila"
    show_in_browser = Bool(True)
    open_browser = Bool(True)

    def init_handlers(self) -> list[Any]:
        bundle = Path(plotly.__file__).parent / "package_data"
        pattern = f"{self.server_url.rstrip('/')}/spike2pop/plotly/(.*)"
        handlers: list[Any] = [(pattern, _ModuleHandler, {"path": str(bundle)})]
        for path, handler, *more in super().init_handlers():
            if handler is TornadoVoilaHandler:
                handler = _PageHandler
            elif handler is FileFindHandler:
                # The names of the widgets' scripts change with what is in them.
                more[0]["no_cache_paths"] = []
            handlers.append((path, handler, *more))
        return handlers

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        manager = self.kernel_manager
        given = getattr(manager, "get_rendered_notebook", None)
        if given is not None:

            async def give(*args: Any, **kwargs: Any) -> Any:
                # A kernel that waited for hours counts as idle until its page has connected.
                answer = await given(*args, **kwargs)
                manager.get_kernel(answer[2]).last_activity = datetime.now(UTC)
                return answer

            manager.get_rendered_notebook = give
        return settings

    def launch_browser(self) -> None:
        """Called by Voilà once it listens."""
        address = f"http://{self.ip}:{self.port}{self.base_url}"
        print(f"spike2pop is at {address}  (press Ctrl+C here to stop it)", flush=True)
        if self.show_in_browser:
            try:
                webbrowser.open(address)
            except webbrowser.Error:
                print("No browser could be opened; open that address yourself.", flush=True)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def configuration(host: str, port: int, preheat: bool) -> Config:
    """Voilà's settings for the dashboard."""
    config = Config()
    config.Voila.ip = host
    config.Voila.port = port
    config.Voila.config_file_paths = []  # what this machine has for other dashboards is not for this one
    config.Voila.tornado_settings = {
        # A message holds one part of an upload; with room for the whole, nothing vanishes silently.
        "websocket_max_message_size": 2 * MAX_FILE_BYTES,
        # On one machine a silent connection is a busy one; cutting it would leave the page deaf.
        "ws_ping_interval": 0,
        "allow_remote_access": False,
        "local_hostnames": ["localhost", host],
        "headers": {"Content-Security-Policy": _POLICY % {"host": f"{host}:{port}"}},
    }
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
    preheat: bool = True,
    own_neurons: bool = False,
) -> None:
    """Serve the dashboard until it is stopped.

    On Linux, sessions are forked from one prepared process (`spike2pop_nb.app.forkserver`); elsewhere each is
    a process of its own.

    Parameters
    ----------
    port
        Where to listen; 0 takes any free port, and a port in use is passed over for one nearby.
    open_browser
        Open the page in the default browser.
    host
        Address to listen on; only this machine by default.
    preheat
        Keep one kernel started in advance, so that a page opens in seconds rather than in ten.
    own_neurons
        Let pages run declarations of neurons, which are Python. Whoever reaches the page then does as the one
        who serves it, and on a machine of several users all of them do.

    Raises
    ------
    Spike2PopError
        If the port is no port, the notebook is missing, or own neurons are asked for where other machines
        reach the page.
    """
    if not 0 <= port <= 65535:
        raise Spike2PopError(f"The port must be a number from 0 to 65535, not {port}.")
    notebook = notebook_path()
    port = port or _free_port(host)
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        filter(None, [str(_APP / "share" / "jupyter"), os.environ.get("JUPYTER_PATH", "")])
    )
    if own_neurons and not is_loopback(host):
        raise Spike2PopError(
            f"Other machines reach {host}, and a declaration of a neuron is Python: whoever opened the page "
            "could run anything here. Serve it on this machine alone (127.0.0.1), or add neurons with "
            "spike2pop models add."
        )
    os.environ[OWN_NEURONS] = "1" if own_neurons else "0"
    os.environ[PLOTLY_URL] = f"{_BUNDLE}?v={plotly.__version__}"
    with places_to_write():
        forks = ForkServer() if can_fork() else None
        register(forks)
        try:
            server = _Server(config=configuration(host, port, preheat), log_level=logging.ERROR)
            server.show_in_browser = open_browser
            server.initialize([str(notebook), f"--Voila.log_level={logging.ERROR}"])
            server.start()
        finally:
            if forks is not None:
                forks.close()
