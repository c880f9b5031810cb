"""Text of the kinds that readers get wrong: read rightly, or refused; never wrong in silence."""

from __future__ import annotations

import pytest
from kinds import Case
from kinds_of_text import KINDS


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{k}-{case.name}") for k, case in enumerate(KINDS)])
def test_read_rightly_or_refused(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.startswith(case.ok), outcome
    assert "\n" not in outcome
