"""Which conductances to compensate: all choices side by side."""

from __future__ import annotations

from collections.abc import Mapping

from spike2pop_nb.conductances import Ranking
from spike2pop_nb.plots.drawing import Axis, Bars, Drawing, Panel
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, ORANGE

__all__ = ["ranking", "rankings"]


@figure
def ranking(found: Ranking, height: int | None = None) -> Drawing:
    """Draw the score of each choice, the best at the top.

    What cannot be told from the first is blue; the choice of the published heuristic has an orange edge and
    says so.

    Parameters
    ----------
    found : Ranking
        From `rank_choices`.
    height : int, optional
        In pixels; by default what so many choices need.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> figure = s2p.plots.ranking(s2p.rank_choices("stg", (4.0, 5.0), n=64))
    >>> len(figure.data) > 0
    True
    """
    axis = Axis("score, from 0 to 1", (0, 1.05 * max(found.best.score, 0.1) + 0.05))
    return Drawing([_panel(found, axis)], height or 90 + 20 * len(found.choices))


def rankings(found: Mapping[str, Ranking], whose: str) -> Drawing:
    """Scores of all choices, a panel for each recording."""
    highest = max(max(ranking.best.score for ranking in found.values()), 0.1)
    words = "score, from 0 to 1 (blue: as good as the first, as far as can be told)"
    axis = Axis(words, (0, 1.1 * highest))
    rows = [len(ranking.choices) for ranking in found.values()]
    panels = [_panel(ranking, axis, f"{whose} {name}") for name, ranking in found.items()]
    return Drawing(panels, sum(60 + 17 * n for n in rows), weights=rows, share_x=True)


def _panel(found: Ranking, axis: Axis, title: str = "") -> Panel:
    choices = found.choices[::-1]
    bars = Bars(
        [choice.score for choice in choices],
        [choice.name + (" (published heuristic)" if choice.published else "") for choice in choices],
        [f"{choice.score:.2f}" for choice in choices],
        [ORANGE if choice.published else "" for choice in choices],
        colour=[BLUE if choice is found.best or choice.tied else GREY for choice in choices],
        values=[[100 * choice.reached, 100 * choice.within, found.why(choice)] for choice in choices],
        hover="%{y}: reached %{customdata[0]:.0f} %, within the ranges %{customdata[1]:.0f} %; "
        "%{customdata[2]}",
    )
    return Panel(axis, Axis(grid=False), [bars], title)
