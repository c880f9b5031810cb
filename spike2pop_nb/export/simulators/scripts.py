"""Scripts for simulators, made of templates: where they come from, and what all of them share."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spike2pop_nb import __version__
from spike2pop_nb.conductances import INHIBITION_E_MV, Population
from spike2pop_nb.conductances.member_table import CURRENT_COLUMN, NOISE_COLUMN, SEED_COLUMN
from spike2pop_nb.export.simulators.description import describe, describe_pools
from spike2pop_nb.export.tables import table_csv
from spike2pop_nb.neurons import NeuronModel

__all__ = ["filled", "injected", "members_csv", "members_file", "one_line", "origin", "script"]

_SHOWN = 80  # characters of a name


def one_line(text: str) -> str:
    """Return a text with a space for each line break or other control character."""
    return "".join(c if c.isprintable() else " " for c in text)


def _plain(text: object) -> str:
    """Return a name on one line, whatever it holds."""
    return one_line(str(text))[:_SHOWN]


def origin(population: Population, target: str) -> list[str]:
    """Return lines that say what a file is: neuron, simulator, maker, recording, seed, references."""
    neuron = population.neuron
    labels = population.labels
    ids = list(dict.fromkeys(name for name, _member in labels))
    if len(labels) == 1:
        which = f"Recording {_plain(ids[0])}, member {labels[0][1]}"
    elif len(ids) == 1:
        which = f"Recording {_plain(ids[0])}, {len(labels)} members"
    else:
        which = f"{len(ids)} recordings, {len(labels)} members"
    made = population.made_by
    if made.get("seed") is not None:
        which += f", seed {_plain(made['seed'])}"
    if "read_from" in made:
        which += f", read from {_plain(made['read_from'])}"
    return [
        one_line(f"{neuron.title}, for {target}; written by spike2pop_nb {__version__}."),
        f"{which}.",
        "Units: V in mV, t in ms, conductances in mS/cm2, currents in uA/cm2, calcium in uM, C in uF/cm2.",
        *(one_line(f"Reference: {reference}") for reference in neuron.references),
    ]


def members_file(neuron: NeuronModel) -> str:
    """Return the name of the table of members."""
    return f"{neuron.name}_members.csv"


def members_csv(population: Population) -> str:
    """Return the table of members: id, member, conductances in mS/cm², and what is injected."""
    neuron = population.neuron
    return table_csv(population.table[["id", "member", *neuron.g_columns]].assign(**injected(population)))


def injected(population: Population) -> dict[str, npt.NDArray[Any]]:
    """Return columns of what members receive when they are simulated here; none if nothing."""
    if not population.driven:
        return {}
    from spike2pop_nb.simulation.noise import noise_seeds  # with it comes Numba

    seeds = population.noise_seeds
    inhibition = population.inhibition
    return {
        CURRENT_COLUMN: population.current,
        NOISE_COLUMN: population.noise_sigma,
        SEED_COLUMN: noise_seeds(0 if seeds is None else seeds, len(population)),
        **({} if inhibition is None else inhibition.columns()),
    }


@cache
def _templates() -> Any:
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters["repr"] = repr
    return templates


def filled(template: str, neuron: NeuronModel, about: list[str], **values: Any) -> str:
    """Return a template filled in with a neuron: what it is, its channels, and more values."""
    return str(
        _templates()
        .get_template(f"{template}.j2")
        .render(
            neuron=neuron,
            pools=describe_pools(neuron),
            channels=describe(neuron),
            about=about,
            inhibition_E_mV=INHIBITION_E_MV,
            **values,
        )
    )


def script(template: str, population: Population, target: str, *more: str, **values: Any) -> str:
    """Return a script for a simulator, which writes the spike times of all members to a CSV file.

    One member stands within the script, several in a table beside it; ``more`` are lines below those that say
    where the script comes from, ``values`` what the template needs besides.
    """
    neuron = population.neuron
    start, stop = (float(time) for time in neuron.recording_window_ms)
    drive = injected(population)
    if drive:
        from spike2pop_nb.simulation.noise import NOISE_CLOCK_MS, NOISE_CUTOFF_HZ
        from spike2pop_nb.simulation.one_by_one import QUANTILE_BITS, SPLITMIX64

        values |= {
            "clock_ms": NOISE_CLOCK_MS,
            "cutoff_Hz": NOISE_CUTOFF_HZ,
            "n_quantiles": 1 << QUANTILE_BITS,
            "splitmix64": [f"0x{number:X}" for number in SPLITMIX64],
        }
    g = [*population.g[0].tolist(), *(values[0].item() for values in drive.values())]
    return filled(
        template,
        neuron,
        [*origin(population, target), *more],
        many=len(population) > 1,
        columns=["id", "member", *neuron.g_columns, *drive],
        drive=list(drive),
        inhibited=population.inhibition is not None,
        members_file=members_file(neuron),
        label=population.labels[0],
        values=list(zip([*neuron.g_columns, *drive], g, strict=True)),
        start_ms=start,
        stop_ms=stop,
        threshold=float(neuron.spike_threshold_mV),
        reset=float(neuron.spike_reset_mV),
        **values,
    )
