"""Figures of which experiment next show its bits, and the answers that members give."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb import plots
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import Feasible, Ranking, block, constant_current, next_experiments
from spike2pop_nb.plots.on_paper import rendered


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    population = generate_population("stg", (5.0, 5.0), size=12, seed=1)
    rig = [
        Feasible("current 0", constant_current(0.0)),
        Feasible("block A 0.5", block("A", 0.5), 10.0),
        Feasible("block Na 1", block("Na", 1.0), 10.0),
    ]
    return next_experiments(population, experiments=rig, duration_ms=2000)


def test_bars_are_bits_the_most_telling_at_the_top(ranking: Ranking) -> None:
    (bars,) = plots.next_experiments(ranking).data
    assert list(bars.y)[::-1] == [one.label for one in ranking.experiments]
    assert list(bars.x)[::-1] == pytest.approx(ranking.bits.tolist())
    (some,) = plots.next_experiments(ranking, most=2).data
    assert list(some.y)[::-1] == [one.label for one in ranking.experiments[:2]]


def test_the_same_members_stand_side_by_side(ranking: Ranking) -> None:
    figure = plots.answers_of_members(ranking, ["control", "block A 0.5", "block Na 1"], until_ms=1000)
    titles = [note.text for note in figure.layout.annotations]
    assert any("block A 50 %" in title and "bits" in title for title in titles)
    kinds = ranking.answers.kinds[:, ranking.experiment.place("block A 0.5")]
    of_block = [trace.name for trace in figure.data if trace.xaxis == "x2"]
    assert sorted(of_block) == sorted(np.where(kinds == 2, "bursting", "tonic"))
    assert not [trace for trace in figure.data if trace.xaxis == "x3"]  # nobody fires
    with pytest.raises(ExperimentError, match="no condition 'block H'"):
        plots.answers_of_members(ranking, ["block H"])


def test_both_are_drawn_on_paper(ranking: Ranking) -> None:
    for figure in (plots.next_experiments, plots.answers_of_members):
        (svg,) = rendered(figure.drawing(ranking), ["svg"], 180)
        assert b"block A 0.5" in svg or b"<svg" in svg
