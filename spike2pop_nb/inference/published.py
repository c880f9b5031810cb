"""The weights that were published: their version, apart from that of the code, and a checksum of each."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["published_files", "sha256_of", "weights_version", "write_published"]

_FOLDER = Path(__file__).parent
_LIST = _FOLDER / "published.json"


@lru_cache(maxsize=1)
def published_files() -> dict[Path, str]:
    """Return the SHA-256 of each file of weights that comes with the package.

    Examples
    --------
    >>> from spike2pop_nb.inference import published_files
    >>> sorted({path.parent.name for path in published_files()})
    ['adapters', 'atlases', 'weights']
    """
    files: dict[str, str] = json.loads(_LIST.read_text(encoding="utf-8"))["files"]
    return {_FOLDER / name: digest for name, digest in files.items()}


def weights_version() -> str:
    """Return the version of the weights that come with the package; it changes when one of them does.

    Examples
    --------
    >>> from spike2pop_nb.inference import weights_version
    >>> weights_version().isdigit()
    True
    """
    return str(json.loads(_LIST.read_text(encoding="utf-8"))["version"])


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file; it is computed anew only if the file has changed."""
    told = path.stat()
    return _sha256(path, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=256)
def _sha256(path: Path, _changed: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_published() -> None:
    """List the weights beside this module under the next version; ``python -m`` this module does so."""
    found = sorted(_FOLDER.rglob("*.safetensors"))
    files = {path.relative_to(_FOLDER).as_posix(): sha256_of(path) for path in found}
    before: dict[str, Any] = {"version": "0", "files": {}}
    if _LIST.is_file():
        before = json.loads(_LIST.read_text(encoding="utf-8"))
    if files != before["files"]:
        listed = {"version": str(int(before["version"]) + 1), "files": files}
        _LIST.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_published()
