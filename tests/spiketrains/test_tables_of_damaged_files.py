"""Damaged binary files give a table or one sentence. ``SPIKE2POP_FUZZ=10000`` tries as many of each kind."""

from __future__ import annotations

import os
import sys

import pytest
from table_fuzz import IN_PROCESS, SANDBOXED, try_in_process, try_sandboxed

N = int(os.environ.get("SPIKE2POP_FUZZ", "0"))


@pytest.mark.parametrize("family", IN_PROCESS)
def test_in_process(family: str) -> None:
    outcomes = try_in_process(family, N or 150)
    assert outcomes["sentence"]


@pytest.mark.skipif(sys.platform == "win32", reason="a batch needs the limits of POSIX")
@pytest.mark.parametrize("family", SANDBOXED)
def test_sandboxed(family: str) -> None:
    outcomes = try_sandboxed(family, N or 15)
    assert sum(outcomes.values()) == (N or 15)
    assert outcomes["table"] < (N or 15)
