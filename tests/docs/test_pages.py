"""The pages of the site say what the package says, and every notebook is committed with what it showed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / ".docs" / "pages"
NOTEBOOKS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb") if path.stem != "app")
FILLED = "…"  # stands for names and numbers in a quoted sentence


def texts(node: ast.AST) -> Iterator[str]:
    """Texts of a module; what an f-string fills in, and a field of a template, become `FILLED`."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else FILLED for part in node.values]
        yield "".join(map(str, parts))
        node = ast.Module([part for part in node.values if isinstance(part, ast.FormattedValue)], [])
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"\{\w*\}", FILLED, node.value)
    for child in ast.iter_child_nodes(node):
        yield from texts(child)


@pytest.fixture(scope="module")
def said() -> str:
    modules = sorted((ROOT / "spike2pop_nb").rglob("*.py"))
    return "\n".join(text for path in modules for text in texts(ast.parse(path.read_text("utf-8"))))


def quoted(page: str) -> list[str]:
    text = (PAGES / page).read_text("utf-8")
    quotes = re.findall(r"“([^”]+)”", text) + re.findall(r"^> (It .+)$", text, re.M)
    return [" ".join(quote.split()) for quote in quotes]


@pytest.mark.parametrize("quote", [*quoted("refused.md"), *quoted("prior.md")])
def test_a_message_that_a_page_explains_is_one_of_the_package(quote: str, said: str) -> None:
    if len(quote.split()) == 1:
        return  # a mark or a name, no message
    for part in quote.split(FILLED):
        assert part.strip(" ;:,()") in said, f"No message says {part!r} any more; mend the page."


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_its_results_without_python(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert code[-1].outputs
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert not {kind for kind in kinds if "plotly" in kind or "javascript" in kind or "widget" in kind}
    assert path.stat().st_size < 500_000


def test_the_dashboard_is_committed_without_outputs() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "app.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
