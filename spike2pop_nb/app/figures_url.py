"""What the server and the figures agree on; apart, so that serving imports no widgets."""

PLOTLY_URL = "SPIKE2POP_PLOTLY_URL"
"""Environment variable: where the server offers plotly's code for browsers, relative to its root."""
