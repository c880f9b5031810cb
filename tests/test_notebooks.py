"""The notebooks for analysts run from top to bottom."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.parametrize(
    "name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb") if path.name != "app.ipynb")
)
def test_notebook_runs(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    assert not any(
        output["output_type"] == "error" for cell in notebook.cells for output in cell.get("outputs", [])
    )
