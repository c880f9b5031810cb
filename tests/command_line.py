"""The command line, run in the process of the tests."""

from __future__ import annotations

import sys

import pytest

from spike2pop_nb import cli

__all__ = ["spike2pop"]


def spike2pop(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; return exit status, stdout and stderr."""
    before = sys.argv
    sys.argv = ["spike2pop", *map(str, arguments)]
    try:
        cli.main()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    finally:
        sys.argv = before
    said = capsys.readouterr()
    return status, said.out, said.err
