"""One class per part of the page, each over the same session."""
