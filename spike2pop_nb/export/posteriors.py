"""A posterior over members as files: its members, intervals, correlations, a figure, and how it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spike2pop_nb import plots
from spike2pop_nb.export.figures import COLUMN_MM, drawn_files, drawn_formats
from spike2pop_nb.export.formatting import Citations, count, figure, interval, percent, plain
from spike2pop_nb.export.guide import guide_of_tables
from spike2pop_nb.export.provenance import told_files, versions
from spike2pop_nb.export.references import BEAUMONT, CORNUET, CRANMER, KUNSCH, SISSON, STORN
from spike2pop_nb.export.tables import Column, table_files
from spike2pop_nb.fidelity import DrawnPosterior
from spike2pop_nb.files import write_files

__all__ = ["posterior_files", "posterior_in_words", "write_posterior"]

_COLUMNS = {
    "value": Column("", "channel of a maximal conductance, I the constant current, σ the noise"),
    "unit": Column("", "of all but told"),
    "median": Column("see unit", "half of the members have less"),
    "mean": Column("see unit", "over the members"),
    "sd": Column("see unit", "over the members"),
    "told": Column("fraction", "by how much the 80 % interval is narrower than that of the prior"),
}


def posterior_files(
    drawn: DrawnPosterior,
    formats: Sequence[str] = ("csv", "svg", "png"),
    options: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return a posterior as files, by name: its members, its intervals and correlations, a figure.

    Where options are given, ``methods.md``, ``summary.json``, which holds them, and ``README.txt`` come too.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import posterior_files
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> list(posterior_files(drawn, ["csv"]))
    ['population.csv', 'posterior.csv', 'correlations.csv']
    """
    files = {}
    if "csv" in formats:
        correlations = drawn.correlations().rename_axis("value").reset_index()
        tables = {"population": drawn.population.to_frame(), "posterior": drawn.to_frame()}
        files = table_files(tables | {"correlations": correlations})
    if wanted := drawn_formats(formats):
        drawing = plots.posterior_pairs.drawing(drawn, most=200, height=round(4.6 * COLUMN_MM["two"]))
        files |= drawn_files("figures/posterior_pairs", drawing, wanted, "two")
    if options is not None:
        told = {
            "recording": drawn.recording.id,
            "neuron": drawn.neuron.name,
            "kind": "members drawn from a posterior",
            "trusted": drawn.trusted,
            "prior": drawn.prior.describe(),
            "members": len(drawn),
            "effective_sample_size": drawn.n_effective,
            "tolerance": drawn.tolerance,
            "simulations": drawn.n_simulated,
            "seconds_compared": drawn.length_ms / 1000,
            "share_within_own_variability": drawn.within,
            "values": drawn.to_frame().to_dict("records"),
            "notes": list(drawn.notes),
        }
        files |= told_files(posterior_in_words(drawn), options, told)
        files["README.txt"] = _guide(drawn, files).encode()
    return files


def _guide(drawn: DrawnPosterior, files: Mapping[str, bytes]) -> str:
    """Describe the files."""
    ends = {
        f"{end}_{level}": Column("see unit", f"{words} end of the {level} % interval")
        for level in (50, 80, 95)
        for end, words in (("low", "lower"), ("high", "upper"))
    }
    ranks = {name: Column("", f"rank correlation with {name}, -1 to 1") for name in drawn.prior.names}
    tables = {
        "population.csv": (
            "Members, drawn as often as they are probable.",
            map(str, drawn.population.to_frame().columns),
        ),
        "posterior.csv": (
            "What is told of each conductance, the current I and the noise.",
            map(str, drawn.to_frame().columns),
        ),
        "correlations.csv": (
            "Spearman's rank correlations over the members, weighted.",
            ["value", *drawn.prior.names],
        ),
    }
    others = {
        "methods.md": "How it was done, with references (Markdown).",
        "summary.json": "Versions, options, prior and what was found, for programs.",
    } | {name: "Each value, and each pair of values." for name in files if name.startswith("figures/")}
    present = {name: what for name, what in tables.items() if name in files}
    return guide_of_tables(present, _COLUMNS | ends | ranks, others)


def posterior_in_words(drawn: DrawnPosterior) -> str:
    """Return how a posterior was found, and what it says, as Markdown with its references.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import posterior_in_words
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> "## References" in posterior_in_words(drawn)
    True
    """
    cited = Citations()
    made, table = drawn.population.made_by, drawn.to_frame()
    seconds = figure(drawn.length_ms / 1000)
    said = [
        f"Maximal conductances, a constant current and noise of a {plain(drawn.neuron.title)} were inferred "
        f"from the spikes of recording “{plain(drawn.recording.id)}” with spike2pop_nb "
        f"{versions()['spike2pop_nb']}, as a sample from their posterior {cited.mark(CRANMER)}. "
        f"{drawn.prior.describe()} Differential evolution {cited.mark(STORN)} found the first members that "
        f"fired like the recording for {seconds} s; others were drawn around those, round after round "
        f"{cited.mark(BEAUMONT)}. By approximate Bayesian computation {cited.mark(SISSON)} all were kept "
        f"that differed from the recording by up to {figure(drawn.tolerance, 2)} times the variability that "
        f"it has from window to window, by a block bootstrap {cited.mark(KUNSCH)}, weighted by the prior "
        f"over the densities of all rounds {cited.mark(CORNUET)}. Of {made['simulated']} simulations, "
        f"{count(len(drawn), 'member')} with an effective sample size of {drawn.n_effective:.0f} "
        f"resulted. Simulated again with other noise, {percent(drawn.within)} of them fired within that "
        "variability.",
        "80 % intervals: "
        + "; ".join(
            f"{row['value']} {interval(row['low_80'], row['high_80'])} {row['unit']}".rstrip()
            for row in table.to_dict("records")
        )
        + ".",
    ]
    if not drawn.trusted:
        said.append(f"This posterior is not to be trusted: {' '.join(drawn.notes)}")
    return f"{' '.join(said)}\n\n## References\n\n{cited.listed()}"


def write_posterior(
    drawn: DrawnPosterior,
    out_dir: str | Path,
    options: Mapping[str, Any],
    *,
    formats: Sequence[str] = ("csv", "svg", "png"),
) -> list[Path]:
    """Write a posterior into a folder: `posterior_files`, ``summary.json`` and ``methods.md``.

    ``population.csv`` can be read again, simulated, asked and narrowed as any population.

    Raises
    ------
    Spike2PopError
        If the folder cannot be written to.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_posterior
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> [file.name for file in write_posterior(drawn, mkdtemp(), {}, formats=["csv"])]
    ['population.csv', 'posterior.csv', 'correlations.csv', 'methods.md', 'summary.json', 'README.txt']
    """
    return write_files(Path(out_dir), posterior_files(drawn, formats, options))
