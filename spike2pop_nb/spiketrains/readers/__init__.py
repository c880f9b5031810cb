"""One module per family of file formats; each parses bytes into a `Table`."""
