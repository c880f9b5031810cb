"""Where the server of the dashboard writes."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

from spike2pop_nb.app.serve import places_to_write


def test_folders_that_can_be_written_stay(monkeypatch, tmp_path):
    for name in ("DATA", "RUNTIME", "CONFIG"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name))
    with places_to_write():
        assert jupyter_data_dir() == str(tmp_path / "DATA")


def test_others_are_replaced_as_long_as_it_serves(monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", os.devnull + "/data")
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    with places_to_write():
        made = Path(jupyter_data_dir()).parent
        assert made.is_dir()
        assert Path(jupyter_runtime_dir()).parent == Path(os.environ["IPYTHONDIR"]).parent == made
    assert not made.exists()
    assert os.environ["JUPYTER_DATA_DIR"] == os.devnull + "/data"
    assert "JUPYTER_RUNTIME_DIR" not in os.environ
