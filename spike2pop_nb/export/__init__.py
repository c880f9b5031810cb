"""Results as files: tables, traces, figures and a methods paragraph, in a folder or one zip."""

from spike2pop_nb.export.figures import COLUMN_MM, FIGURES, figure_files
from spike2pop_nb.export.methods import methods_paragraph
from spike2pop_nb.export.provenance import Network, networks, versions
from spike2pop_nb.export.results import (
    EVERYTHING,
    ExportFormat,
    results_zip,
    summary,
    write_results,
    write_table,
)
from spike2pop_nb.export.tables import neutralised, results_frames, table_csv, table_parquet, traces_npz

__all__ = [
    "COLUMN_MM",
    "EVERYTHING",
    "FIGURES",
    "ExportFormat",
    "Network",
    "figure_files",
    "methods_paragraph",
    "networks",
    "neutralised",
    "results_frames",
    "results_zip",
    "summary",
    "table_csv",
    "table_parquet",
    "traces_npz",
    "versions",
    "write_results",
    "write_table",
]
