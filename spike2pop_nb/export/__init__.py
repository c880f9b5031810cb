"""Results as files: tables, traces, figures and a methods paragraph, in a folder or one zip."""

from spike2pop_nb.export.exploring import (
    choices_table,
    figure_format,
    plane_table,
    table_format,
    write_choices,
    write_choices_figure,
    write_plane,
    write_plane_figure,
)
from spike2pop_nb.export.figures import COLUMN_MM, FIGURES, figure_files
from spike2pop_nb.export.methods import methods_paragraph
from spike2pop_nb.export.pictures import best_currents
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.export.report import MOST_REPORTED, html_report
from spike2pop_nb.export.results import (
    EVERYTHING,
    ExportFormat,
    GrowingResults,
    results_zip,
    summary,
    write_results,
)
from spike2pop_nb.export.tables import (
    neutralised,
    results_frames,
    table_csv,
    table_parquet,
    traces_npz,
    write_table,
)

__all__ = [
    "COLUMN_MM",
    "EVERYTHING",
    "FIGURES",
    "MOST_REPORTED",
    "ExportFormat",
    "GrowingResults",
    "best_currents",
    "choices_table",
    "figure_files",
    "figure_format",
    "html_report",
    "methods_paragraph",
    "network_of",
    "neutralised",
    "plane_table",
    "results_frames",
    "results_zip",
    "summary",
    "table_csv",
    "table_format",
    "table_parquet",
    "traces_npz",
    "versions",
    "write_choices",
    "write_choices_figure",
    "write_plane",
    "write_plane_figure",
    "write_results",
    "write_table",
]
