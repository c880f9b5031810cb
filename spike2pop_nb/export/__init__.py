"""Results as files."""

from spike2pop_nb.export.results import (
    results_frames,
    results_zip,
    summary,
    versions,
    write_results,
    write_table,
)

__all__ = ["results_frames", "results_zip", "summary", "versions", "write_results", "write_table"]
