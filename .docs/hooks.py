"""Pages of the site that are made from files elsewhere in the repository, and links between all of them.

A page of the package, a notebook and the help of the command line are each written once, where they belong,
and shown here. Links are written as they work in the repository, so that its files can be read there as well.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGES = ".docs/pages/"

# Page of the site: file of the repository.
SOURCES = {
    "details/reading.md": "spike2pop_nb/spiketrains/README.md",
    "details/training.md": "spike2pop_nb/training/README.md",
    "details/simulators.md": "spike2pop_nb/export/simulators/README.md",
    "details/benchmarks.md": "tests/benchmarks/README.md",
    "details/examples.md": "spike2pop_nb/data/README.md",
    "networks/index.md": "spike2pop_nb/inference/weights/README.md",
    "networks/stg.md": "spike2pop_nb/inference/weights/stg.md",
    "networks/da.md": "spike2pop_nb/inference/weights/da.md",
    "networks/stg_failures.svg": "spike2pop_nb/inference/weights/stg_failures.svg",
    "networks/da_failures.svg": "spike2pop_nb/inference/weights/da_failures.svg",
    **{
        f"atlases/{path.stem}.md": f"spike2pop_nb/inference/atlases/{path.name}"
        for path in sorted((ROOT / "spike2pop_nb/inference/atlases").glob("*.md"))
    },
    "images/dashboard.png": "notebooks/images/dashboard.png",
    "images/explore.png": "notebooks/images/explore.png",
    "notebooks/my_neuron.py": "notebooks/my_neuron.py",
    "project/changelog.md": ".github/CHANGELOG.md",
    "project/contributing.md": ".github/CONTRIBUTING.md",
}
NOTEBOOKS = {
    f"notebooks/{path.stem}.md": f"notebooks/{path.name}"
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    if path.stem != "app"
}
COMMANDS = "cli.md"

_LINK = re.compile(r"(\]\()([^()\s]+)(\))")
_FENCE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.M | re.S)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and pictures that are made from other files."""
    for page, source in SOURCES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for page, source in NOTEBOOKS.items():
        text, pictures = notebook_page(ROOT / source)
        files.append(File.generated(config, page, content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    files.append(File.generated(config, COMMANDS, content=commands_page()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here = page.file.src_uri
    made_from = {**SOURCES, **NOTEBOOKS}
    origin = made_from.get(here, PAGES + here)
    page_of = {source: target for target, source in made_from.items()}

    def turned(match: re.Match[str]) -> str:
        parts = urlsplit(match[2])
        if parts.scheme or not parts.path:
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), parts.path))
        site = page_of.get(target, target.removeprefix(PAGES) if target.startswith(PAGES) else None)
        if site is None and files.get_file_from_path(_beside(here, parts.path)):
            return match[0]  # a picture of a notebook
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if site is not None:
            return f"{match[1]}{posixpath.relpath(site, posixpath.dirname(here) or '.')}{fragment}{match[3]}"
        if not (ROOT / target).exists():
            return match[0]  # the strict build says that it leads nowhere
        home = config.repo_url or ""
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        # A file that the site does not show: where the repository is, or its name alone.
        return f"{match[1]}{home.rstrip('/')}/{kind}/HEAD/{target}{match[3]}" if home else f"] (`{target}`)"

    pieces = _FENCE.split(markdown)
    linked = "".join(p if i % 2 else _LINK.sub(turned, p) for i, p in enumerate(pieces))
    return linked + (hidden_functions(Path(here).stem) if here.startswith("api/") else "")


def _beside(page: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path))


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with the outputs it was committed with, as Markdown, and its pictures by name."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"unique_key": path.stem, "output_files_dir": f"{path.stem}_files"}
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources=resources)
    # a style element in a table of pandas would be shown as text
    text = re.sub(r"<style scoped>.*?</style>\n?", "", text, flags=re.S)
    return text, {name.replace(os.sep, "/"): data for name, data in resources["outputs"].items()}


def commands_page() -> str:
    """The help of every command, from the command line itself."""
    command = [sys.executable, "-m", "typer", "spike2pop_nb.cli", "utils", "docs", "--name", "spike2pop"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return text.replace("# `spike2pop`", "# The command line", 1)


def public_names(room: str) -> list[str]:
    """Functions and classes that a module of the package offers."""
    names = [] if room == "index" else getattr(import_module(f"spike2pop_nb.{room}"), "__all__", [])
    return [name for name in names if not name.isupper()]


def hidden_functions(room: str) -> str:
    """Entries of public functions that live in a module of their own name, which stands before them."""
    names = [name for name in public_names(room) if (ROOT / "spike2pop_nb" / room / f"{name}.py").exists()]
    options = "    options: { show_root_heading: true, show_root_toc_entry: true }"
    return "".join(f"\n\n::: spike2pop_nb.{room}.{name}.{name}\n{options}\n" for name in names)


def on_post_build(config: Any) -> None:
    """See to it that the reference leaves no public name out."""
    for page in sorted((ROOT / PAGES / "api").glob("*.md")):
        room = f"spike2pop_nb.{page.stem}"
        shown = (Path(config.site_dir) / "api" / f"{page.stem}.html").read_text("utf-8")
        names = public_names(page.stem)
        missing = [name for name in names if not re.search(rf'id="{room}(\.{name})?\.{name}"', shown)]
        if missing:
            raise PluginError(f"The page of {room} does not show {', '.join(missing)}.")
