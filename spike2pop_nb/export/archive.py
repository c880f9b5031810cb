"""Files in one zip archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

__all__ = ["packed"]

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
