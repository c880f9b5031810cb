"""Run notebooks and keep their results, with pictures in place of interactive figures.

``python .docs/notebooks.py [NAME ...]``; needs the extra ``docs`` and an installed Chromium or Chrome, which
draws the pictures. A reader without Python then sees them, and the files stay small.
"""

from __future__ import annotations

import base64
import io
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ENVIRONMENT = {
    "PLOTLY_RENDERER": "png",  # what plotly shows of a figure
    "TQDM_DISABLE": "1",  # no progress bars in what is kept
}
COLOURS = 128


def run(path: Path) -> None:
    """Run a notebook and write it with what it showed; nothing is written if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    metadata = dict(notebook.metadata)
    client = NotebookClient(
        notebook, timeout=1800, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"] = {"image/png": smaller(output["data"]["image/png"])}
                output["metadata"] = {}
    # versions of the Python that ran it would change with every run
    notebook.metadata = nbformat.from_dict(metadata)
    nbformat.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


def smaller(picture: str) -> str:
    """A PNG, in base64, with the few colours that a figure needs."""
    image: Any = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    written = io.BytesIO()
    paper.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


def main(names: list[str]) -> None:
    """Run the notebooks named, or all but the dashboard."""
    os.environ.update(ENVIRONMENT)
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    for path in paths or sorted(p for p in NOTEBOOKS.glob("*.ipynb") if p.stem != "app"):
        run(path)


if __name__ == "__main__":
    main(sys.argv[1:])
