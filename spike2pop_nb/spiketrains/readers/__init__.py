"""One module per family of file formats; each parses bytes into a `Table`.

What cannot be read is refused by a `SpikeTrainError` of `raw.Source`, which names the file and, where it can,
the row and the value; so is what layouts refuse.
"""
