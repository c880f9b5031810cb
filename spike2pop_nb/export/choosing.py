"""Which experiment next, and a population narrowed by it, as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spike2pop_nb import plots
from spike2pop_nb.experiments import Narrowed, Ranking
from spike2pop_nb.export.figures import drawn_files, drawn_formats
from spike2pop_nb.export.formatting import plain
from spike2pop_nb.export.provenance import told_files
from spike2pop_nb.export.tables import table_files
from spike2pop_nb.files import write_files

__all__ = ["narrowed_files", "ranking_files", "write_narrowed", "write_ranking"]


def ranking_files(
    ranking: Ranking,
    formats: Sequence[str] = ("csv", "svg", "png"),
    options: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return a ranking of experiments as files, by name: ``experiments.csv`` and figures.

    The table has the columns experiment and price: with other prices it can be given back. Where options are
    given, ``methods.md`` and ``summary.json``, which holds them, come too.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import ranking_files
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> rig = [one for one in s2p.experiments.feasible_experiments("stg") if one.kind == "current"]
    >>> found = s2p.experiments.next_experiments(population, experiments=rig, duration_ms=500)
    >>> list(ranking_files(found, ["csv", "svg"]))
    ['experiments.csv', 'figures/next_experiments.svg', 'figures/answers_of_members.svg']
    """
    files = table_files({"experiments": ranking.to_frame()}) if "csv" in formats else {}
    if drawn := drawn_formats(formats):
        bits, answers = plots.next_experiments.drawing(ranking), plots.answers_of_members.drawing(ranking)
        files |= drawn_files("figures/next_experiments", bits, drawn, "one")
        files |= drawn_files("figures/answers_of_members", answers, drawn, "two")
    if options is not None:
        told = {
            "target": ranking.target.describe(),
            "ranked_by": ranking.by,
            "members": len(ranking.weights),
            "experiments": [
                {
                    "experiment": one.name,
                    "bits": float(bits),
                    "price": one.price,
                    "protocol": one.protocol.to_dict(),
                    "why": ranking.why(one.name),
                }
                for one, bits in zip(ranking.experiments, ranking.bits, strict=True)
            ],
        }
        files |= told_files(plain(ranking.methods()), options, told)
    return files


def write_ranking(
    ranking: Ranking,
    out_dir: str | Path,
    options: Mapping[str, Any],
    *,
    formats: Sequence[str] = ("csv", "svg", "png"),
) -> list[Path]:
    """Write a ranking into a folder: `ranking_files`, ``summary.json`` and ``methods.md``.

    Raises
    ------
    Spike2PopError
        If the folder cannot be written to.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_ranking
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> rig = [one for one in s2p.experiments.feasible_experiments("stg") if one.kind == "current"]
    >>> found = s2p.experiments.next_experiments(population, experiments=rig, duration_ms=500)
    >>> [file.name for file in write_ranking(found, mkdtemp(), {}, formats=["csv"])]
    ['experiments.csv', 'methods.md', 'summary.json']
    """
    return write_files(Path(out_dir), ranking_files(ranking, formats, options))


def narrowed_files(narrowed: Narrowed, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a narrowed population as files, by name.

    ``population.csv`` has the members that remain with their weights, ``members.csv`` all of them with their
    weights before and after; ``methods.md`` and ``summary.json`` say how.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, narrow
    >>> from spike2pop_nb.export import narrowed_files
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> cell = s2p.run_experiment(population.select([0]), {"up": constant_current(4)}, duration_ms=1000)
    >>> list(narrowed_files(narrow(population, constant_current(4), cell.train("up", 0)), {}))
    ['population.csv', 'members.csv', 'methods.md', 'summary.json']
    """
    told = {
        "protocol": narrowed.protocol.to_dict(),
        "recording": narrowed.recording.id,
        "pattern": narrowed.kind,
        "members": len(narrowed.before),
        "remain": len(narrowed.population),
        "n_effective": narrowed.n_effective,
        "bits": narrowed.bits,
    }
    return {
        **table_files({"population": narrowed.population.to_frame(), "members": narrowed.to_frame()}),
        **told_files(plain(narrowed.methods()), options, told),
    }


def write_narrowed(narrowed: Narrowed, out_dir: str | Path, options: Mapping[str, Any]) -> list[Path]:
    """Write the `narrowed_files` into a folder.

    Raises
    ------
    Spike2PopError
        If the folder cannot be written to.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, narrow
    >>> from spike2pop_nb.export import write_narrowed
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> cell = s2p.run_experiment(population.select([0]), {"up": constant_current(4)}, duration_ms=1000)
    >>> found = narrow(population, constant_current(4), cell.train("up", 0))
    >>> [file.name for file in write_narrowed(found, mkdtemp(), {})]
    ['population.csv', 'members.csv', 'methods.md', 'summary.json']
    """
    return write_files(Path(out_dir), narrowed_files(narrowed, options))
