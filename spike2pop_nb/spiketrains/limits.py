"""Stated limits on what is read, so that a hostile or mistaken file costs neither memory nor time."""

from __future__ import annotations

from typing import Final

__all__ = [
    "MAX_ARCHIVE_MEMBERS",
    "MAX_CELLS",
    "MAX_FILE_BYTES",
    "MAX_ID_LENGTH",
    "MAX_LIBRARY_SECONDS",
    "MAX_OBJECTS",
    "MAX_OPENED_BYTES",
    "MAX_OPENED_SPIKES",
    "MAX_SAMPLES",
    "MAX_SPIKES",
    "MAX_TIME_MS",
    "MAX_TRAINS",
    "MAX_UNPACKED_BYTES",
    "MAX_UNPACKED_RATIO",
]

MAX_FILE_BYTES: Final = 50_000_000
"""Largest file in bytes; checked before anything is parsed."""

MAX_OPENED_BYTES: Final = 4_000_000_000
"""Largest file on disk in bytes of a format that is opened rather than loaded (NWB and what neo reads)."""

MAX_UNPACKED_BYTES: Final = 200_000_000
"""Largest size in bytes of a compressed file (NPZ, ZIP, MAT) once unpacked; checked before it is unpacked."""

MAX_UNPACKED_RATIO: Final = 200
"""Most bytes that a packed byte may unpack to, in a member of an archive of over 10 MB."""

MAX_ARCHIVE_MEMBERS: Final = 20_000
"""Most members of an archive (NPZ, ZIP)."""

MAX_OBJECTS: Final = 100_000
"""Most groups and data sets of an HDF5 file."""

MAX_LIBRARY_SECONDS: Final = 180
"""Longest time in seconds that a file may keep the process busy which reads it; small ones have less."""

MAX_SPIKES: Final = 2_000_000
"""Most spikes in one file, over all trains."""

MAX_OPENED_SPIKES: Final = 100_000_000
"""Most spikes in a folder of a spike sorter, of which single units are read."""

MAX_TRAINS: Final = 10_000
"""Most trains in one file."""

MAX_SAMPLES: Final = 20_000_000
"""Most samples of voltage in one file, over all traces."""

MAX_CELLS: Final = 20_000_000
"""Most cells of a table, blank ones included."""

MAX_ID_LENGTH: Final = 200
"""Longest id in characters."""

MAX_TIME_MS: Final = 1e9
"""Spike times lie strictly between minus and plus this many ms (about 11.6 days): beyond it they are dates
or mistakes, and differences of a fraction of a millisecond begin to lose digits."""
