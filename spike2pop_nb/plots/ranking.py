"""Which conductances to compensate: all choices side by side."""

from __future__ import annotations

import plotly.graph_objects as go

from spike2pop_nb.conductances import Ranking
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, composed

__all__ = ["ranking"]


def ranking(found: Ranking, height: int | None = None) -> go.Figure:
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
    choices = found.choices[::-1]
    best = found.best
    names = [choice.name + (" (published heuristic)" if choice.published else "") for choice in choices]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [choice.score for choice in choices],
        "y": names,
        "marker": {
            "color": [BLUE if choice is best or choice.tied else GREY for choice in choices],
            "line": {
                "color": [ORANGE if choice.published else INK for choice in choices],
                "width": [3 if choice.published else 0 for choice in choices],
            },
        },
        "text": [f"{choice.score:.2f}" for choice in choices],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[100 * choice.reached, 100 * choice.within, found.why(choice)] for choice in choices],
        "hovertemplate": "%{y}: reached %{customdata[0]:.0f} %, within the ranges %{customdata[1]:.0f} %; "
        "%{customdata[2]}<extra></extra>",
    }
    return composed(
        [bars],
        height or 90 + 20 * len(choices),
        xaxis={"title": "score, from 0 to 1", "range": [0, 1.05 * max(best.score, 0.1) + 0.05]},
        yaxis={"automargin": True},
        bargap=0.3,
        showlegend=False,
    )
