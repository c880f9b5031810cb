"""What a ZIP archive or a folder holds: arrays, a Phy or Kilosort folder, or a SpikeInterface sorting."""

from __future__ import annotations

from .archive import Archive, Files, Folder
from .numpy_file import read_npz
from .phy_folder import LABEL_FILES, read_phy
from .raw import Options, RawRecording, Source, shown
from .sorted_units import INFO_NAME, read_numpy_sorting

__all__ = ["read_archive", "read_folder"]


def read_archive(source: Source, options: Options) -> RawRecording:
    """Read a ZIP archive, of which NPZ is one kind."""
    archive = Archive(source)
    found = _sorted_folder(archive, source, zipped=source.suffix == ".zip")
    return found if found is not None else read_npz(archive, source, options)


def read_folder(source: Source) -> RawRecording:
    """Read a folder on disk."""
    found = _sorted_folder(Folder(source), source, zipped=True)
    if found is None:
        raise source.error(
            "this is a folder, not a file, and it has no 'spike_times.npy' of Phy or Kilosort in it; give a "
            "file of spike times, or such a folder."
        )
    return found


def _sorted_folder(files: Files, source: Source, *, zipped: bool) -> RawRecording | None:
    """The one folder of a spike sorter among the files; None when there is none."""
    names = set(files.names)
    sortings = _folders(names, INFO_NAME)
    phys = [
        folder
        for folder in _folders(names, "spike_times.npy")
        # An NPZ file may well have an array of that name; then nothing else of Phy lies beside it.
        if zipped or any(folder + beside in names for beside in ("params.py", *LABEL_FILES))
    ]
    if len(sortings) + len(phys) > 1:
        raise source.error(
            f"there are several sortings in it, in the folders {shown(sorted(sortings + phys))}; "
            "give one at a time."
        )
    if sortings:
        return read_numpy_sorting(files, sortings[0], source)
    return read_phy(files, phys[0], source) if phys else None


def _folders(names: set[str], file: str) -> list[str]:
    return [name.removesuffix(file) for name in names if name == file or name.endswith("/" + file)]
