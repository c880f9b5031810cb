"""Spike trains: reading, checking, describing, comparing and writing them."""

from __future__ import annotations

from .activity import ActivityPattern, PatternReport, describe_pattern
from .distances import van_rossum
from .intervals import IntervalMeasures
from .limits import MAX_FILE_BYTES, MAX_SPIKES, MAX_TIME_MS, MAX_TRAINS
from .overview import overview
from .patterns import FiringPattern, IsiStatistics, TrainFeatures, classify, features, isi_statistics
from .reader import read_spike_trains
from .recordings import ReadReport, Recordings
from .train import Provenance, SpikeTrain
from .voltage import (
    VoltageTrace,
    VoltageTraces,
    detect_recordings,
    detect_spikes,
    read_voltage,
    suggest_threshold_mV,
)
from .writer import write_spike_times

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_SPIKES",
    "MAX_TIME_MS",
    "MAX_TRAINS",
    "ActivityPattern",
    "FiringPattern",
    "IntervalMeasures",
    "IsiStatistics",
    "PatternReport",
    "Provenance",
    "ReadReport",
    "Recordings",
    "SpikeTrain",
    "TrainFeatures",
    "VoltageTrace",
    "VoltageTraces",
    "classify",
    "describe_pattern",
    "detect_recordings",
    "detect_spikes",
    "features",
    "isi_statistics",
    "overview",
    "read_spike_trains",
    "read_voltage",
    "suggest_threshold_mV",
    "van_rossum",
    "write_spike_times",
]
