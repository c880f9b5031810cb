"""Populations and their simulated recordings as NWB files, for sharing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spike2pop_nb.conductances import Population, neuron_cells
from spike2pop_nb.errors import Spike2PopError, check_installed
from spike2pop_nb.export.formatting import doi
from spike2pop_nb.export.provenance import as_json, network_of, versions
from spike2pop_nb.export.references import BRANDOIT
from spike2pop_nb.export.tables import describe_column
from spike2pop_nb.files import check_room, make_folder, recording_folder, write_whole
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.spiketrains import SpikeTrain

if TYPE_CHECKING:
    from pynwb import NWBFile

    from spike2pop_nb.fidelity import Result

__all__ = ["export_nwb", "nwb_of_result", "population_nwb", "write_nwb"]

_NO_SPECIES = "http://purl.obolibrary.org/obo/NCBITaxon_32630"  # "synthetic construct"
SAMPLE_MS = 0.1
_AREA = "of a membrane of 1 cm2, so that 1 uA is a density of 1 uA/cm2"


def nwb_of_result(result: Result) -> bytes:
    """Return the members of a result and their simulated recordings as an NWB file.

    Raises
    ------
    Spike2PopError
        If there is no population, or pynwb is not installed.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.nwb import nwb_of_result
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> nwb_of_result(result)[1:4]
    b'HDF'
    """
    if result.population is None or result.simulated is None:
        raise Spike2PopError(
            f"There is no population for {result.recording.id!r} that could be written as NWB."
        )
    network = network_of(result)
    told = {"options": dict(result.options), "network_sha256": None if network is None else network.sha256}
    scores = {}
    if result.verdict is not None:
        table = result.verdict.table
        scores = {name: table[name].to_numpy() for name in ("score", "passed")}
    return population_nwb(
        result.population, result.simulated, recording=result.recording, told=told, scores=scores
    )


def write_nwb(path: str | Path, population: Population, simulated: Simulated, **more: Any) -> None:
    """Write a population and its simulated recordings as an NWB file.

    Parameters
    ----------
    path
        A file of this name is replaced.
    population, simulated, more
        As in `population_nwb`.

    Raises
    ------
    Spike2PopError
        As `population_nwb`, or if the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.nwb import write_nwb
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=2, seed=1)
    >>> path = Path(mkdtemp()) / "members.nwb"
    >>> write_nwb(path, population, s2p.simulate(population, duration_ms=2000, transient_ms=1000))
    >>> [train.id for train in s2p.read_spike_trains(path)]
    ['1/0', '1/1']
    """
    write_whole(Path(path), population_nwb(population, simulated, **more))


def export_nwb(population: Population, folder: str | Path, *, seed: int | None = None) -> list[Path]:
    """Simulate members and write them as NWB files, one for each recording.

    Parameters
    ----------
    population
        Members of one recording or several.
    folder
        Made if it is not there; files of the same names are replaced.
    seed
        Of noise, where members carry any; by default each member's own.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    Spike2PopError
        As `write_nwb`.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.nwb import export_nwb
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=2, seed=1)
    >>> [file.name for file in export_nwb(population, mkdtemp())]
    ['1_1.nwb']
    """
    check_installed("NWB files", "pynwb", "nwb")
    out = make_folder(Path(folder))
    check_room(out)
    ids = list(dict.fromkeys(name for name, _member in population.labels))
    made = []
    for place, name in enumerate(ids, 1):
        some = population.select([row for row, (of, _member) in enumerate(population.labels) if of == name])
        simulated = simulate(some, record="traces", sample_ms=SAMPLE_MS, seed=seed)
        path = out / f"{recording_folder(place, len(ids), name)}.nwb"
        write_nwb(path, some, simulated, told={"seed": seed})
        made.append(path)
    return made


def population_nwb(
    population: Population,
    simulated: Simulated,
    *,
    recording: SpikeTrain | None = None,
    told: Mapping[str, Any] | None = None,
    scores: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a population and its simulated recordings as the content of an NWB file.

    Units are the members: spike times, and columns of conductances, DICs, current and noise. Of members whose
    voltages were kept there are current-clamp series. Everything in the file says that it is simulated.

    Parameters
    ----------
    population, simulated
        Members, and row by row what their simulation gave.
    recording
        The recording that they are models of.
    told
        What else to say of how they were made: plain values.
    scores
        ``{column: (n,) values}`` besides.

    Raises
    ------
    Spike2PopError
        If pynwb is not installed, or the rows are not the same members.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.nwb import population_nwb
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=2, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=2000, transient_ms=1000)
    >>> population_nwb(population, simulated)[1:4]
    b'HDF'
    """
    check_installed("NWB files", "pynwb", "nwb")
    if population.labels != simulated.labels:
        raise Spike2PopError("The population and the simulation are not of the same members.")
    from pynwb import NWBHDF5IO

    made = _file(population, simulated, recording, told or {})
    _units(made, population, simulated, scores or {})
    _voltages(made, population, simulated)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "members.nwb"
        with NWBHDF5IO(str(path), mode="w") as io:
            io.write(made)
        return path.read_bytes()


def _file(
    population: Population, simulated: Simulated, recording: SpikeTrain | None, told: Mapping[str, Any]
) -> NWBFile:
    from pynwb import NWBFile
    from pynwb.file import Subject

    neuron, found = population.neuron, versions()
    origin: dict[str, Any] = {}
    models = "Members of a degenerate population of conductance-based models"
    if recording is not None:
        digest = hashlib.sha256(recording.times_ms.astype("<f8").tobytes()).hexdigest()
        source = "" if recording.provenance is None else recording.provenance.source
        origin = {"id": recording.id, "source": source, "sha256_of_times_ms": digest}
        models += f" of the recording {recording.id!r}" + (f" in {source}" if source else "")
    story = {
        "simulated": True,
        "versions": found,
        "neuron": neuron_cells(neuron),
        "recording": origin,
        "made_by": dict(population.made_by),
        "simulation": {
            "duration_ms": simulated.duration_ms,
            "transient_ms": simulated.transient_ms,
            "dt_ms": simulated.dt_ms,
            "accuracy": simulated.accuracy,
        },
        **told,
    }
    text = json.dumps(story, indent=1, ensure_ascii=False, default=as_json)
    g = population.g.tobytes() + b"".join(times.tobytes() for times in simulated.spike_times_ms)
    return NWBFile(
        session_description=f"SIMULATED, not recorded. {models}: {neuron.title}.",
        identifier=hashlib.sha256(text.encode() + g).hexdigest(),
        session_start_time=datetime.now(UTC),
        experiment_description=(
            f"Simulation with spike2pop_nb {found['spike2pop_nb']}; each unit is a member of the population, "
            "a single compartment. Versions, seed, settings and the recording with its hash are in the "
            "notes, as JSON."
        ),
        session_id=("simulated-" + "".join(c if c.isalnum() else "-" for c in population.labels[0][0]))[:80],
        keywords=["simulation", "conductance-based model", "degeneracy", neuron.name],
        notes=text,
        related_publications=[
            f"doi:{found}" for found in dict.fromkeys(map(doi, (*neuron.references, BRANDOIT))) if found
        ],
        subject=Subject(
            subject_id=f"simulated-{neuron.name}",
            description=f"No animal, and of no age: {neuron.title}, simulated",
            species=_NO_SPECIES,
            sex="U",
            age="P0D",  # NWB wants one
        ),
        was_generated_by=[["spike2pop_nb", found["spike2pop_nb"]]],
    )


def _units(made: NWBFile, population: Population, simulated: Simulated, scores: Mapping[str, Any]) -> None:
    """Add the members as units: the table of the population, and spikes in s and, to the last bit, in ms."""
    from pynwb.misc import Units

    made.units = Units(
        name="units",
        description="Simulated members, one a row, with their conductances, DICs and drive",
        resolution=simulated.dt_ms / 1000.0,  # within which spike times are interpolated
    )
    table = population.table
    columns = {str(name): table[name].to_numpy() for name in table.columns if name not in ("id", "member")}
    columns |= scores
    made.add_unit_column("unit_name", "name of the member: recording/number")
    made.add_unit_column("recording", "name of the recording that the member is a model of")
    made.add_unit_column("member", "number of the member, from 0 for each recording")
    for name in columns:
        column = describe_column(name)
        unit = f" ({column.unit})" if column.unit else ""
        made.add_unit_column(name, f"{column.meaning}{unit}")
    made.add_unit_column("spike_times_ms", "spike_times in ms, as simulated, to the last bit", index=True)
    window = [[simulated.transient_ms / 1000.0, simulated.duration_ms / 1000.0]]
    for row, ((name, member), times) in enumerate(
        zip(simulated.labels, simulated.spike_times_ms, strict=True)
    ):
        made.add_unit(
            id=row,
            spike_times=times / 1000.0,
            spike_times_ms=times,
            obs_intervals=window,
            unit_name=f"{name}/{member}",
            recording=name,
            member=member,
            **{column: _cell(values[row]) for column, values in columns.items()},
        )


def _cell(value: Any) -> Any:
    """A value of a table as HDF5 keeps it."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else str(value)


def _voltages(made: NWBFile, population: Population, simulated: Simulated) -> None:
    """Add the voltage of each member, and the current that is injected into it, if any."""
    if not simulated.V_mV.size:
        return
    from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

    device = made.create_device(
        name="simulator",
        description=f"spike2pop_nb {versions()['spike2pop_nb']}: no device, but a simulation",
    )
    sample_ms = float(simulated.time_ms[1] - simulated.time_ms[0]) if len(simulated.time_ms) > 1 else 1.0
    sampled = {"starting_time": float(simulated.time_ms[0]) / 1000.0, "rate": 1000.0 / sample_ms, "gain": 1.0}
    for row, (name, member) in enumerate(simulated.labels):
        electrode = made.create_icephys_electrode(
            name=f"member_{row:04d}",
            description=f"Member {name}/{member}: the voltage of a simulated single compartment",
            device=device,
            cell_id=f"{name}/{member}",
        )
        response = CurrentClampSeries(
            name=f"voltage_{row:04d}",
            description=f"Simulated membrane potential of member {name}/{member}",
            data=np.ascontiguousarray(simulated.V_mV[row]),
            conversion=1e-3,
            electrode=electrode,
            sweep_number=np.uint32(row),
            stimulus_description="constant current" if population.current[row] else "none",
            **sampled,
        )
        made.add_acquisition(response)
        stimulus = None
        if population.current[row]:
            stimulus = CurrentClampStimulusSeries(
                name=f"current_{row:04d}",
                description=f"Constant current injected into member {name}/{member}, {_AREA}",
                data=np.full(len(simulated.time_ms), population.current[row]),
                conversion=1e-6,
                electrode=electrode,
                sweep_number=np.uint32(row),
                stimulus_description="constant current",
                **sampled,
            )
            made.add_stimulus(stimulus)
        made.add_intracellular_recording(electrode=electrode, response=response, stimulus=stimulus, id=row)
