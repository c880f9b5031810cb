"""Plotly figures of recordings, DICs and populations: data in, `plotly.graph_objects.Figure` out.

Their method ``picture`` draws them as SVG, PNG or PDF without a browser. What a figure shows is told once, in
its own module, in the terms of `drawing`; `on_page` draws it with Plotly, `on_paper` with Matplotlib. Colours
are those of Okabe and Ito, which colour-blind eyes tell apart; shapes repeat what colours say.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
