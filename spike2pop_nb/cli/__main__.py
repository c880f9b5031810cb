"""``python -m spike2pop_nb.cli`` is the command ``spike2pop``."""

from spike2pop_nb.cli import main

main()
