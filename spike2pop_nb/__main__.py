"""The command line as ``python -m spike2pop_nb``, for shells that do not find its script."""

from spike2pop_nb.cli import main

if __name__ == "__main__":
    main()
