"""Put the dashboard's page, its figures' code and the server's settings where Jupyter looks for them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import plotly

import spike2pop_nb


def configure(prefix: Path) -> None:
    """Write ``share/jupyter`` and ``etc/jupyter`` below the prefix of a Python environment."""
    shutil.copytree(
        Path(spike2pop_nb.__file__).parent / "app" / "share", prefix / "share", dirs_exist_ok=True
    )
    static = prefix / "share" / "jupyter" / "voila" / "templates" / "spike2pop" / "static"
    static.mkdir(exist_ok=True)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", static / "plotly.js")
    settings = prefix / "etc" / "jupyter"
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "jupyter_server_config.py", settings)


if __name__ == "__main__":
    configure(Path(sys.argv[1]))
