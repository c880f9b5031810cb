"""Settings of the Jupyter server on Binder, as far as `spike2pop_nb.app.serve` makes them for its own."""

from __future__ import annotations

from typing import Any

c = get_config()  # noqa: F821


def keep_token(handler: Any, notebook: Any, cwd: str) -> None:
    """Set the cookie with which a page that closes gives its kernel, some hundred megabytes, back."""
    _ = handler.xsrf_token


# Added to what the hub sets.
c.ServerApp.tornado_settings.update(
    {
        "websocket_max_message_size": 100_000_000,  # an upload of the largest size, as it travels
        "compress_response": True,  # the page is megabytes of scripts, and far away
        "mathjax_url": None,  # would be fetched from elsewhere, for a page without formulas
        "mathjax_config": None,
    }
)
c.MappingKernelManager.cull_idle_timeout = 600
c.MappingKernelManager.cull_interval = 60
c.VoilaConfiguration.template = "spike2pop"
c.VoilaConfiguration.theme = "light"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.extension_allowlist = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]
c.VoilaConfiguration.file_allowlist = []  # the page needs no files that lie beside its notebook
c.VoilaConfiguration.show_tracebacks = False
c.NotebookClient.iopub_timeout = 300  # seconds; where all are busy, widgets arrive late
c.VoilaConfiguration.prelaunch_hook = keep_token
