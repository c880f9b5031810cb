"""Members as rows of a table that says of which neuron they are, so that a file read back is what it was.

Beside ``id``, ``member`` and ``g_<channel>``, a table has in each row ``neuron`` (its name), ``V_th_mV``,
``declaration`` (which declaration of that name; see `NeuronModel.declaration`) and, where the baseline ranges
are not the registered ones, ``baseline``, such as ``Kd:70:140 leak:0.007:0.014``. Plain columns, for they
survive any program that can open a table. A table without ``neuron`` is of the neuron that the caller names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances.inhibition import INHIBITION_COLUMNS, Inhibition
from spike2pop_nb.errors import CompensationError, NeuronModelError, WayOut
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron, vary_neuron
from spike2pop_nb.neurons.variation import registered_base, variation

__all__ = [
    "CURRENT_COLUMN",
    "DRIVE_COLUMNS",
    "MAX_SIZE",
    "NEURON_COLUMNS",
    "NOISE_COLUMN",
    "SEED_COLUMN",
    "WEIGHT_COLUMN",
    "checked_members",
    "neuron_cells",
    "neuron_of",
    "said_of",
]

MAX_SIZE = 1_000_000
"""Most members of one population."""
NEURON_COLUMNS = ("neuron", "V_th_mV", "baseline", "declaration")
CURRENT_COLUMN, NOISE_COLUMN, SEED_COLUMN = "current_uA_cm2", "noise_sigma_uA_cm2", "noise_seed"
DRIVE_COLUMNS = (CURRENT_COLUMN, NOISE_COLUMN, SEED_COLUMN, *INHIBITION_COLUMNS)
"""Of what members receive whenever they are simulated."""
WEIGHT_COLUMN = "weight"


def neuron_cells(neuron: NeuronModel) -> dict[str, Any]:
    """Return the columns that identify a neuron in a table: {column: value}.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import neuron_cells
    >>> neuron_cells(s2p.get_neuron("stg"))["neuron"]
    'stg'
    """
    V_th_mV, ranges = variation(neuron, registered_base(neuron))
    cells: dict[str, Any] = {"neuron": neuron.name, "V_th_mV": V_th_mV}
    if ranges:
        cells["baseline"] = " ".join(
            f"{channel}:{_shortest(low)}:{_shortest(high)}" for channel, low, high in ranges
        )
    return cells | {"declaration": neuron.declaration}


def _shortest(number: float) -> str:
    return repr(number).removesuffix(".0")


def said_of(neuron: NeuronModel) -> str:
    """Say in a few words which neuron it is."""
    V_th_mV, ranges = variation(neuron, base := registered_base(neuron))
    words = [neuron.name, *([] if base is not None else ["(not registered)"])]
    if base is not None and V_th_mV != base.V_th_mV:
        words.append(f"at V_th {V_th_mV:g} mV")
    if base is not None and ranges:
        words.append(f"drawn with {', '.join(f'{name}:{low:g}:{high:g}' for name, low, high in ranges)}")
    return " ".join(words)


def neuron_of(table: pd.DataFrame, given: str | NeuronModel | None, file: str) -> NeuronModel:
    """Return the neuron of which the members of a table are.

    Parameters
    ----------
    table
        What was read.
    given
        What the caller says: a name, of which the table may say the variation, or a neuron, which must be it.
    file
        Name of the file, for messages.

    Raises
    ------
    CompensationError
        If neither the table nor the caller says it, or they say different neurons, or there is no row.
    """
    if not len(table) or len(table) > MAX_SIZE:
        raise CompensationError(f"{file} has {len(table)} members; 1 to {MAX_SIZE} can be used.")
    if "neuron" not in table:
        if given is None and "g_leak" not in table:
            raise CompensationError(
                f"{file} has no column g_leak; members have g_<channel> in mS/cm² for every channel."
            )
        if given is None:
            raise CompensationError(
                f"{file} does not say of which neuron its members are, for it has no column neuron.",
                WayOut("name the neuron", ("neuron",)),
            )
        return get_neuron(given)
    said = {name: _cell(table, name, file) for name in NEURON_COLUMNS if name in table}
    name = said["neuron"]
    if given is not None and get_neuron(given).name != name:
        raise CompensationError(
            f"{file} holds members of the neuron {name!r}, not of {get_neuron(given).name!r}; "
            "name that one, or none."
        )
    try:
        base = _base(given, name)
    except NeuronModelError as error:
        raise CompensationError(
            f"{file} holds members of the neuron {name!r}, which has to be registered, or given as a "
            f"NeuronModel: {error}"
        ) from None
    if said.get("declaration", base.declaration) != base.declaration:
        raise CompensationError(
            f"{file} was made with another declaration of the neuron {name!r} than this one; give that one, "
            "or remove the column declaration to read its conductances as those of this one."
        )
    try:
        neuron = vary_neuron(base, V_th_mV=_number(said.get("V_th_mV")), baseline=_ranges(said))
    except (ValueError, NeuronModelError) as error:
        raise CompensationError(f"{file}, columns V_th_mV and baseline: {error}") from None
    if isinstance(given, NeuronModel) and not same_neuron(given, neuron):
        words = [f"{key} {said[key]}" for key in ("V_th_mV", "baseline") if said.get(key)]
        raise CompensationError(
            f"{file} was made with another variation of the neuron {name!r} ({', '.join(words)}) than the "
            "one given; give that variation, or the name alone."
        )
    return neuron


def _cell(table: pd.DataFrame, name: str, file: str) -> str:
    """Return the one value of a column, or "" where it is empty."""
    values = table[name].drop_duplicates()
    if len(values) > 1:
        raise CompensationError(
            f"{file} holds members of several neurons, for its column {name} has {len(values)} values "
            f"({', '.join(map(str, values[:3]))}{', …' if len(values) > 3 else ''}); keep the rows of one."
        )
    return "" if values.isna().all() else str(values.iloc[0]).strip()


def _base(given: str | NeuronModel | None, name: str) -> NeuronModel:
    if isinstance(given, NeuronModel):
        return registered_base(given) or given
    return get_neuron(name)


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def _ranges(said: dict[str, str]) -> dict[str, tuple[float, float]]:
    ranges = {}
    for entry in said.get("baseline", "").split():
        channel, *limits = entry.rsplit(":", 2)
        if len(limits) != 2:
            raise ValueError(f"a range is written as CHANNEL:LOW:HIGH, not {entry!r}.")
        ranges[channel] = (float(limits[0]), float(limits[1]))
    return ranges


def checked_members(table: pd.DataFrame, neuron: NeuronModel, file: str) -> pd.DataFrame:
    """Return the columns id, member, ``g_<channel>``, drive and weight of a table that was read.

    Raises
    ------
    CompensationError
        If a column is missing, or a conductance, drive, weight or number of a member is none (row and value
        are named).
    """
    table = table.copy()
    if missing := [column for column in neuron.g_columns if column not in table]:
        raise CompensationError(
            f"{file} has no column {missing[0]}; a population of the {neuron.name} neuron needs "
            f"{', '.join(neuron.g_columns)}."
        )
    rules = dict.fromkeys(neuron.g_columns, "a conductance must be a number, zero or more, in mS/cm²")
    drive = {
        CURRENT_COLUMN: "an injected current must be a number in µA/cm²",
        NOISE_COLUMN: "noise must be a number, zero or more, in µA/cm²",
        SEED_COLUMN: "a seed must be a whole number, zero or more",
        **dict.fromkeys(INHIBITION_COLUMNS, "what describes an inhibition must be a number, zero or more"),
        WEIGHT_COLUMN: "a weight must be a number, zero or more",
    }
    rules |= {column: rule for column, rule in drive.items() if column in table}
    for column, rule in rules.items():
        given = table[column]
        if column in DRIVE_COLUMNS:  # members that receive nothing stand beside others that do
            given = given.mask(given.isna() | (given.astype(str).str.strip() == ""), 0)
        values = pd.to_numeric(given, errors="coerce")
        bad = ~(np.isfinite(values) & ((values >= 0) | (column == CURRENT_COLUMN)))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise CompensationError(
                f"{file}, row {row + 2}: {column} is {table[column].iloc[row]!r}; {rule}."
            )
        table[column] = values.astype(np.int64 if column == SEED_COLUMN else float)
    said = [column for column in INHIBITION_COLUMNS if column in table]
    if missing := [column for column in INHIBITION_COLUMNS if said and column not in table]:
        raise CompensationError(f"{file} has a column {said[0]}, but no column {missing[0]} beside it.")
    try:
        Inhibition.from_table(table)
    except CompensationError as error:
        raise CompensationError(f"{file}: {error}") from None
    if WEIGHT_COLUMN in table and not table[WEIGHT_COLUMN].any():
        raise CompensationError(f"{file}: every weight is zero; at least one member must have some.")
    if "id" not in table:
        table["id"] = "1"
    if "member" not in table:
        table["member"] = np.arange(len(table))
    table["id"] = table["id"].astype(str)
    if not pd.api.types.is_integer_dtype(table["member"]):
        raise CompensationError(f"{file}: the column member must hold whole numbers.")
    return table[["id", "member", *rules]]
