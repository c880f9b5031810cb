"""One class per part of the page, each over the same session."""

from spike2pop_nb.app.panels.comparing import ComparisonPanel
from spike2pop_nb.app.panels.compensation import CompensationPanel
from spike2pop_nb.app.panels.dics import DICPanel
from spike2pop_nb.app.panels.experiments import ExperimentsPanel
from spike2pop_nb.app.panels.explore import ExplorePanel
from spike2pop_nb.app.panels.population import PopulationPanel
from spike2pop_nb.app.panels.recordings import RecordingPanel
from spike2pop_nb.app.panels.results import ResultsPanel
from spike2pop_nb.app.panels.table import TablePanel
from spike2pop_nb.app.panels.toolbar import Toolbar

__all__ = [
    "ComparisonPanel",
    "CompensationPanel",
    "DICPanel",
    "ExperimentsPanel",
    "ExplorePanel",
    "PopulationPanel",
    "RecordingPanel",
    "ResultsPanel",
    "TablePanel",
    "Toolbar",
]
