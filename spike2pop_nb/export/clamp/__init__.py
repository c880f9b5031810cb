"""Dynamic clamp: channels of a member, or the difference of two, to be injected into a living cell."""

from __future__ import annotations

from pathlib import Path

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.archive import packed
from spike2pop_nb.export.clamp.for_c import LIMIT_PA, clamp_header, clamp_name, rtxi_files
from spike2pop_nb.export.clamp.model import Clamp, dynamic_clamp
from spike2pop_nb.export.clamp.predicting import ClampPrediction, predict_clamp
from spike2pop_nb.export.formatting import Citations, plain, series
from spike2pop_nb.export.references import RTXI
from spike2pop_nb.export.simulators.scripts import filled, origin
from spike2pop_nb.export.tables import table_csv
from spike2pop_nb.files import make_folder, write_files

__all__ = [
    "Clamp",
    "ClampPrediction",
    "clamp_files",
    "clamps_zip",
    "dynamic_clamp",
    "export_clamp",
    "predict_clamp",
]


def clamp_files(
    clamp: Clamp, members: Population, prediction: ClampPrediction | None = None
) -> dict[str, str]:
    """Return the files of a dynamic clamp by their paths: README.md, C, and plugins of RTXI.

    Parameters
    ----------
    clamp
        What is injected.
    members
        The member that it is of, or the two.
    prediction
        What it is predicted to do, for README.md and ``prediction.csv``.

    Raises
    ------
    NeuronModelError
        If a function of the neuron cannot be written as an expression (channel and gate are named).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import clamp_files, dynamic_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> list(clamp_files(dynamic_clamp(population, 3, ["A"]), population.select([3])))[:3]
    ['README.md', 'c/stg_A_clamp.h', 'c/replay.c']
    """
    about = origin(members, "a dynamic clamp")
    name, header = clamp_name(clamp), clamp_header(clamp, about)
    predicted = {} if prediction is None else {"prediction.csv": table_csv(prediction.experiment.to_frame())}
    return {
        "README.md": _readme(clamp, about, prediction),
        **predicted,
        f"c/{name}.h": header,
        "c/replay.c": filled("replay.c", clamp.neuron, about, name=name),
        **rtxi_files(clamp, header, about),
    }


def _readme(clamp: Clamp, about: list[str], prediction: ClampPrediction | None) -> str:
    neuron, sides = clamp.neuron, clamp.sides
    following = sorted({name for side in sides for name in side.following}, key=neuron.index)
    pools = {pool.declared.name: pool.declared for side in sides for pool in side.pools}
    feeding = sorted({name for pool in pools.values() for name in pool.channels}, key=neuron.index)
    bringing = [name for pool in neuron.pools for name in pool.channels if clamp.added.get(name)]
    unmoved = [
        channel.name
        for channel in neuron.channels
        if channel.follows_calcium and not (clamp.from_label and channel.name in clamp.channels)
    ]
    cited = Citations()
    methods = (
        f"By dynamic clamp (RTXI {cited.mark(RTXI)}) the current of {plain(clamp.describe())} "
        f"({neuron.title} {cited.mark(*neuron.references)}) was injected, computed at each sample from the "
        "measured membrane potential, with gates tabulated every 0.1 mV."
    )
    capacitance = clamp.capacitance_pF
    return filled(
        "clamp.md",
        neuron,
        about,
        what=plain(clamp.describe()),
        name=clamp_name(clamp),
        added=clamp.added,
        capacitance_pF=capacitance,
        per_nS=0.0 if capacitance is None else capacitance / neuron.capacitance_uF,
        limit_pA=LIMIT_PA,
        with_calcium=bool(pools),
        following=series(following),
        feeding=series(feeding),
        sides=len(sides),
        bringing=series(bringing) if unmoved else "",
        unmoved=series(unmoved),
        predicted=prediction.describe() if prediction is not None else [],
        n=len(prediction.experiment) if prediction is not None else 0,
        left_out=prediction.left_out if prediction is not None else 0,
        methods=methods,
        references=cited.listed(),
    )


def export_clamp(
    clamp: Clamp, population: Population, folder: str | Path, *, predict: bool = True, seed: int = 0
) -> list[Path]:
    """Write a dynamic clamp into a folder: C, plugins of RTXI 2 and 3, and what it is predicted to do.

    Parameters
    ----------
    clamp
        What `dynamic_clamp` returned.
    population
        The population that it was made from; the prediction is for its members.
    folder
        Made if it is not there; files of the same names are replaced.
    predict
        Whether to simulate the knock-in.
    seed
        Of noise, where members carry any.

    Returns
    -------
    list of Path
        The files, README.md first.

    Raises
    ------
    NeuronModelError
        As `clamp_files`.
    Spike2PopError
        If a file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import dynamic_clamp, export_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> clamp = dynamic_clamp(population, 3, from_row=0, channels=["A", "KCa"], capacitance_pF=25)
    >>> [file.name for file in export_clamp(clamp, population, mkdtemp(), predict=False)][:2]
    ['README.md', 'stg_KCa_A_clamp.h']
    """
    out = make_folder(Path(folder))
    prediction = predict_clamp(clamp, population, seed=seed) if predict else None
    labels = [label for label in (clamp.to_label, clamp.from_label) if label is not None]
    members = population.select([population.labels.index(label) for label in labels])
    made = clamp_files(clamp, members, prediction)
    return write_files(out, {name: text.encode() for name, text in made.items()})


def clamps_zip(population: Population, row: int) -> bytes:
    """Return a dynamic clamp of each channel of a member as one zip archive, a folder for each.

    The capacitance of the cell is left to be entered at the rig.

    Raises
    ------
    SimulationError, NeuronModelError
        As `dynamic_clamp` and `clamp_files`.

    Examples
    --------
    >>> from io import BytesIO
    >>> from zipfile import ZipFile
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import clamps_zip
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> sorted({name.split("/")[0] for name in ZipFile(BytesIO(clamps_zip(population, 3))).namelist()})
    ['A', 'CaS', 'CaT', 'H', 'KCa', 'Kd', 'Na', 'leak']
    """
    files: dict[str, bytes] = {}
    for channel, g in zip(population.channel_names, population.g[row], strict=True):
        if g > 0:
            clamp = dynamic_clamp(population, row, [channel])
            made = clamp_files(clamp, population.select([row]), predict_clamp(clamp, population))
            files |= {f"{channel}/{name}": text.encode() for name, text in made.items()}
    return packed(files)
