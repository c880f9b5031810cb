"""The notebooks for analysts run from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def run(name: str) -> Any:
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    return notebook


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
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
