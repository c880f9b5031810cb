"""Files in one zip archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

__all__ = ["SESSION", "is_session", "packed"]

SESSION = "spike2pop_session.json"
"""Name of the first file in a saved session."""

_COMPRESSED = (".npz", ".png", ".parquet", ".pdf")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of named files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            whole = name.endswith(_COMPRESSED)
            entry.compress_type = zipfile.ZIP_STORED if whole else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def is_session(data: bytes) -> bool:
    """Return whether a file says at its beginning that it is a session.

    Examples
    --------
    >>> from spike2pop_nb.export import is_session
    >>> is_session(b"time_ms")
    False
    """
    return data[:4] == b"PK\x03\x04" and data[30:].startswith(SESSION.encode())
