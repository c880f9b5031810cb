"""A neuron that uses everything that a declaration can say about calcium; of no cell in particular."""

from __future__ import annotations

from dataclasses import replace

from spike2pop_nb.neurons import (
    CalciumPool,
    Channel,
    Gate,
    Hill,
    Modulation,
    Nernst,
    Pump,
    Range,
    constant,
    get_neuron,
    sigmoid,
)

_STG = get_neuron("stg")
_OWN = {channel.name: channel for channel in _STG.channels}
_KCA = _OWN["KCa"].gates[0]

RICH = replace(
    _STG,
    name="rich",
    title="STG neuron with two calcium pools",
    channels=(
        _OWN["Na"],
        _OWN["Kd"],
        # one Nernst potential for each pool
        replace(_OWN["CaT"], E_mV=Nernst(3000.0, 12.5)),
        # closed by the calcium that it lets in
        replace(
            _OWN["CaS"],
            E_mV=Nernst(3000.0, 12.5, "deep"),
            gates=(
                *_OWN["CaS"].gates,
                Gate("f", constant(1.0), constant(25.0), calcium=Hill(4.0, 2.0, closes=True, pool="deep")),
            ),
        ),
        replace(_OWN["KCa"], gates=(replace(_KCA, calcium_half_uM=None, calcium=Hill(3.0, 1.7)),)),
        # opened by one pool, closed by the other, and at once
        Channel(
            "SK",
            -80.0,
            (
                Gate("q", sigmoid(0.5, 0.5, -20.0, 40.0), None, 2, calcium=Hill(2.0, 3.5, pool="deep")),
                Gate("z", constant(1.0), None, calcium=Hill(9.0, closes=True)),
            ),
        ),
        _OWN["A"],
        _OWN["H"],
        _OWN["leak"],
    ),
    calcium=(
        CalciumPool(("CaT",), 20.0, 0.94, 0.05, 0.5, pump=Pump(0.06, 1.2, current_uA=0.4)),
        CalciumPool(("CaS",), 90.0, 1.5, 0.05, 0.2, name="deep"),
    ),
    baseline=replace(_STG.baseline, free={**_STG.baseline.free, "SK": Range(0.5, 1.5)}),
    modulation=(Modulation(("A", "H")),),
    calcium_guess={},
    conductance_range={**_STG.conductance_range, "SK": (0.0, 2.0)},
)
