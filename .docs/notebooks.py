"""Run notebooks and keep their results, with pictures in place of interactive figures.

``python .docs/notebooks.py [NAME ...]``; needs the extra ``docs``. A reader without Python then sees the
figures, and the files stay small.
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
COLOURS, WIDTH, SHOWN = 64, 1100, 700  # of a picture: how many, and in pixels, kept and on the screen
PICTURES = f"""
def _show_pictures():
    from IPython import get_ipython
    from IPython.display import Image, display
    from plotly.basedatatypes import BaseFigure

    get_ipython().display_formatter.ipython_display_formatter.for_type(
        BaseFigure, lambda figure: display(Image(figure.picture("png"), width={SHOWN}))
    )
_show_pictures()
"""


def run(path: Path) -> None:
    """Run a notebook and write it with what it showed; nothing is written if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    metadata = dict(notebook.metadata)
    where = {"metadata": {"path": str(path.parent)}}
    client: Any = NotebookClient(notebook, timeout=1800, record_timing=False, resources=where)
    client.reset_execution_trackers()
    with client.setup_kernel():
        client.kc.execute(PICTURES, silent=True)
        for place, cell in enumerate(notebook.cells):
            client.execute_cell(cell, place, execution_count=client.code_cells_executed + 1)
    for cell in notebook.cells:
        warned = [output for output in cell.get("outputs", []) if output.get("name") == "stderr"]
        for (
            output
        ) in warned:  # for whoever runs this; a busy machine warns of what is none of a reader's business
            print(output["text"], end="", file=sys.stderr)
            cell.outputs.remove(output)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"] = {"image/png": smaller(output["data"]["image/png"])}
    # versions of the Python that ran it would change with every run
    notebook.metadata = nbformat.from_dict(metadata)
    nbformat.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", flush=True)


def smaller(picture: str) -> str:
    """A PNG, in base64, with the size and the few colours that a figure needs."""
    image: Any = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")
    paper: Any = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    paper = paper.convert("RGB")
    paper.thumbnail((WIDTH, 4 * WIDTH))
    written = io.BytesIO()
    paper.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


def main(names: list[str]) -> None:
    """Run the notebooks named, or all but the dashboard."""
    os.environ["TQDM_DISABLE"] = "1"  # no progress bars in what is kept
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    for path in paths or sorted(p for p in NOTEBOOKS.glob("*.ipynb") if p.stem != "app"):
        run(path)


if __name__ == "__main__":
    main(sys.argv[1:])
