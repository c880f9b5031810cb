"""What the Python scripts for all simulators share: where they come from, members, options, spikes."""

from __future__ import annotations

from spike2pop_nb import __version__
from spike2pop_nb.conductances import Population
from spike2pop_nb.export.tables import table_csv
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = [
    "WRITE",
    "comment",
    "members_csv",
    "members_file",
    "members_text",
    "one_line",
    "options_text",
    "origin",
    "spikes_text",
]

_READ = '''
def read_members(path):
    """Return the rows of a table, if it is one of members of this neuron; stop with one sentence if not."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            members, columns = list(table), table.fieldnames or []
    except (OSError, ValueError, csv.Error) as error:
        sys.exit(f"{path.name} cannot be read: {error}.")
    if columns != COLUMNS:
        found = ", ".join(columns) or "none"
        sys.exit(f"{path.name} must have the columns {', '.join(COLUMNS)}, not {found}.")
    if not members:
        sys.exit(f"{path.name} has no members; one row each is needed.")
    for row, member in enumerate(members, 2):
        if None in member or None in member.values():
            sys.exit(f"{path.name}, row {row}: it must have {len(COLUMNS)} cells.")
        for column in COLUMNS[2:]:
            try:
                value = float(member[column])
            except ValueError:
                value = float("nan")
            if not 0 <= value < float("inf"):
                sys.exit(
                    f"{path.name}, row {row}: {column} is {member[column]!r}; "
                    "a conductance must be a finite number, zero or more, in mS/cm2."
                )
    return members

'''
_SHOWN = 80  # characters of a name


def one_line(text: str) -> str:
    """Return a text with a space for each line break or other control character."""
    return "".join(c if c.isprintable() else " " for c in text)


def _plain(text: object) -> str:
    """Return a name on one line, whatever it holds."""
    return one_line(str(text))[:_SHOWN]


def origin(population: Population, target: str) -> list[str]:
    """Return lines that say what a file is: neuron, simulator, maker, recording, seed, references."""
    neuron = get_neuron(population.neuron)
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


def comment(population: Population, target: str, *more: str) -> str:
    """Return the comment that heads a script: its `origin`, and more lines."""
    return "".join(f"# {line}\n" for line in (*origin(population, target), *more))


def members_file(neuron: NeuronModel) -> str:
    """Return the name of the table of members."""
    return f"{neuron.name}_members.csv"


def members_csv(population: Population) -> str:
    """Return the table of members: id, member and conductances in mS/cm²."""
    return table_csv(population.table[["id", "member", *get_neuron(population.neuron).g_columns]])


def members_text(population: Population) -> str:
    """Return the lines that give a script its MEMBERS: one within the script, several from their table."""
    neuron = get_neuron(population.neuron)
    columns = ["id", "member", *neuron.g_columns]
    if len(population) > 1:
        return f"""COLUMNS = {columns!r}
{_READ}
# Maximal conductances in mS/cm2, one row per member
MEMBERS = read_members(Path(__file__).with_name("{members_file(neuron)}"))
"""
    (name, member), g = population.labels[0], population.g[0]
    values = "".join(
        f"        {column!r}: {float(value)!r},\n" for column, value in zip(neuron.g_columns, g, strict=True)
    )
    return f"""# Maximal conductances in mS/cm2
MEMBERS = [
    {{
        "id": {name!r},
        "member": {member},
{values}    }},
]
"""


def options_text(neuron: NeuronModel) -> str:
    """Return the lines that read a script's options."""
    start, stop = (float(time) for time in neuron.recording_window_ms)
    return f"""parser = argparse.ArgumentParser(description="Simulate; write a CSV of id, member, time_ms.")
parser.add_argument("--duration", type=float, default={stop!r}, help="in ms, with the transient")
parser.add_argument("--transient", type=float, default={start!r}, help="in ms; its spikes are left out")
parser.add_argument("--out", default="spike_times.csv", help="file of spike times in ms from the start")
arguments = parser.parse_args()
"""


def spikes_text(neuron: NeuronModel) -> str:
    """Return the functions that find spikes and write them."""
    threshold, reset = float(neuron.spike_threshold_mV), float(neuron.spike_reset_mV)
    return f'''
def spike_times(t, v):
    """Return when v rises through {threshold:g} mV; a spike is over once v has fallen below {reset:g} mV."""
    rises = np.flatnonzero((v[:-1] < {threshold!r}) & (v[1:] >= {threshold!r}))
    below = np.flatnonzero(v < {reset!r})
    times, over = [], 0
    for k in rises:
        after = np.searchsorted(below, k + 1)
        if k >= over and after < below.size:
            times.append(t[k] + (t[k + 1] - t[k]) * ({threshold!r} - v[k]) / (v[k + 1] - v[k]))
            over = below[after]
    return times


{WRITE}'''


WRITE = '''def write(spikes):
    """Write (member, spike times) of all members."""
    with open(arguments.out, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "member", "time_ms"])
        for member, times in spikes:
            for time in times:
                if time >= arguments.transient:
                    table.writerow([member["id"], member["member"], float(time)])
'''
