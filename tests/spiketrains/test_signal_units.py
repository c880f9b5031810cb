"""Quantities and units of signals: by unit, by name, in comments and facts, and by size."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.spiketrains.signal_units import (
    judged_unit,
    named_signal,
    sampling_rate,
    signal_unit,
    stated_signal_unit,
)


@pytest.mark.parametrize(
    ("text", "quantity", "mV"),
    [
        ("V", "voltage", 1e3),
        ("volts", "voltage", 1e3),
        ("mV", "voltage", 1.0),
        ("MV", "voltage", 1.0),
        ("millivolts", "voltage", 1.0),
        ("µV", "voltage", 1e-3),
        ("μV", "voltage", 1e-3),
        ("microvolt", "voltage", 1e-3),
        ("0.195 uV", "voltage", 0.195e-3),
        ("0.195 uV/bit", "voltage", 0.195e-3),
        ("1e-6 V", "voltage", 1e-3),
        ("pA", "current", 1.0),
        ("nA", "current", 1.0),
        ("amperes", "current", 1.0),
        ("nS", "other", 1.0),
        ("degC", "other", 1.0),
        ("ms", "other", 1.0),
        ("counts", "odd", 1.0),
        ("a.u.", "odd", 1.0),
        ("furlongs", "odd", 1.0),
    ],
)
def test_units(text: str, quantity: str, mV: float) -> None:
    unit = signal_unit(text)
    assert unit is not None
    assert (unit.quantity, unit.mV) == (quantity, pytest.approx(mV))


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("V_mV", "voltage", "mV"),
        ("Vm (mV)", "voltage", "mV"),
        ("membrane [µV]", "voltage", "uV"),
        ("soma.mV", "voltage", "mV"),
        ("mV", "voltage", "mV"),
        ("soma_v", "voltage", "V"),
        ("V", "voltage", None),
        ("Vm", "voltage", None),
        ("voltage_1", "voltage", None),
        ("membrane potential", "voltage", None),
        ("I", "current", None),
        ("I_pA", "current", "pA"),
        ("pA", "current", "pA"),
        ("I (A)", "current", "A"),
        ("I_A", "current", "A"),
        ("current", "current", None),
        ("g (nS)", "other", "nS"),
        ("x (counts)", "odd", "counts"),
        ("ch (furlongs)", "odd", "furlongs"),
        ("A", "", None),
        ("cell_A", "", None),
        ("ch1", "", None),
        ("electrode (1)", "", None),
        ("cell (left side)", "", None),
        ("", "", None),
    ],
)
def test_names(name: str, quantity: str, unit: str | None) -> None:
    found, named = named_signal(name)
    assert (found, named.name if named else None) == (quantity, unit)


@pytest.mark.parametrize(
    ("facts", "comments", "unit"),
    [
        ({"units": "mV"}, [], "mV"),
        ({"rec/v_unit": "V"}, [], "V"),
        ({}, ["voltage in mV, 20 kHz"], "mV"),
        ({}, ["Units: uV"], "uV"),
        ({}, ["signal (pA)"], "pA"),
        ({}, ["voltage in the soma"], None),
        ({"units": "ms"}, [], None),
        ({"units": "mV"}, ["signal in pA"], None),
    ],
)
def test_what_a_file_states(facts: dict[str, float | str], comments: list[str], unit: str | None) -> None:
    found = stated_signal_unit(facts, comments)
    assert (found[0].name if found else None) == unit


@pytest.mark.parametrize(
    ("facts", "comments", "rate"),
    [
        ({"fs": 2e4}, [], 2e4),
        ({"dt": 5e-5}, [], 2e4),
        ({"dt_ms": 0.05}, [], 2e4),
        ({"dt": "50 us"}, [], 2e4),
        ({"sampling_interval": 0.05}, [], 2e4),
        ({}, ["dt = 0.05 ms"], 2e4),
        ({}, ["Interval= 5e-05 s"], 2e4),
        ({"dt": 0.0}, [], None),
        ({"dt": "short"}, [], None),
        ({"temperature": 22.0}, ["recorded on a Monday"], None),
    ],
)
def test_sampling_rates(facts: dict[str, float | str], comments: list[str], rate: float | None) -> None:
    found = sampling_rate(facts, comments)
    assert (found[0] if found else None) == (pytest.approx(rate) if rate else None)


@pytest.mark.parametrize(
    ("values", "is_voltage", "unit"),
    [
        ([-60, -61, -60, 20, -60], False, "mV"),
        ([-0.06, -0.061, -0.06, 0.02, -0.06], False, "V"),
        ([-6e4, -6.1e4, -6e4, 2e4, -6e4], False, "uV"),
        ([-60, -61, -60, -59], False, None),  # a holding current may be as large
        ([-60, -61, -60, -59], True, "mV"),
        ([0, 100, -300, 2], False, None),
        ([0, 0.1, -0.3, 0], True, "V"),
        ([0, 100, -300, 2], True, "mV"),
        ([0, 1e4, -3e4], True, "uV"),
    ],
)
def test_sizes(values: list[float], is_voltage: bool, unit: str | None) -> None:
    found = judged_unit(np.array(values, dtype=float), is_voltage=is_voltage)
    assert (found[0].name if found else None) == unit
