"""The notebooks for analysts run from top to bottom, each in a kernel that has not imported this package."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spike2pop_nb.app.provisioner import ForkServer, can_fork, metadata, register

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# Others' libraries are most of what a kernel imports: it takes each longer than all of some notebooks.
PREPARED = """
import sys
from importlib import import_module
from socket import socket
from spike2pop_nb.app.forkserver import _kernel, serve

libraries = "pandas scipy.signal scipy.stats numba torch elephant.spike_train_dissimilarity xarray sympy "
libraries += "pyarrow.parquet plotly.graph_objects plotly.validators matplotlib.figure matplotlib.ticker "
libraries += "pydantic safetensors.torch IPython.core.completerlib ipykernel.kernelapp ipykernel.debugger"
for name in libraries.split():
    import_module(name)
own = [name for name in sys.modules if name.startswith("spike2pop_nb") and ".app" not in name]
assert own == ["spike2pop_nb"], own
serve(socket(fileno=int(sys.argv[1])), [], _kernel)
"""


def run(name: str) -> Any:
    import nbformat  # takes seconds to import, which whoever runs no notebook need not wait for
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    manager = AsyncKernelManager(kernel_name="python3")
    manager.kernel_spec.metadata |= metadata()
    where = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=600, resources=where, km=manager).execute()
    return notebook


@pytest.fixture(scope="module", autouse=True)
def prepared() -> Iterator[None]:
    """Where kernels can be forked, all are from one process."""
    server = ForkServer(["-c", PREPARED]) if can_fork() else None
    register(server)
    yield
    register(None)
    if server is not None:
        server.close()


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, prepared: None) -> Iterator[dict[str, Future[Any]]]:
    """Runs of the notebooks that are asked for, two at a time: much of each is one core's work."""
    asked = [
        item.callspec.params["name"]
        for item in request.session.items
        if getattr(item, "originalname", "") == test_notebook_runs.__name__
    ]
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {name: pool.submit(run, name) for name in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb") if path.name != "app.ipynb")
)
def test_notebook_runs(name: str, running: dict[str, Future[Any]]) -> None:
    notebook = running[name].result()
    assert not any(
        output["output_type"] == "error" for cell in notebook.cells for output in cell.get("outputs", [])
    )
