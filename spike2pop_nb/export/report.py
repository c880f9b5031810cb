"""A report on results as one HTML file that opens with no server and asks for nothing over the network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.experiments import experiment_title
from spike2pop_nb.export.formatting import count, figure, fixed, percent
from spike2pop_nb.export.html import page
from spike2pop_nb.export.methods import methods_paragraph, with_interval
from spike2pop_nb.export.methods_of_members import fell_by
from spike2pop_nb.export.pictures import pictures, pictures_of_experiment
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.export.summaries import experiments_on
from spike2pop_nb.fidelity import Result
from spike2pop_nb.files import write_whole
from spike2pop_nb.inference import Posterior
from spike2pop_nb.spiketrains import features
from spike2pop_nb.spiketrains.recordings import CAUTION

__all__ = ["MOST_REPORTED", "html_report"]

MOST_REPORTED = 10
"""Recordings that a report shows with figures, unless asked otherwise; the others are listed."""
_MOST_ROWS = 50
_DOI = re.compile(r"doi:(10\.[^\s<>,;)]+[^\s<>,;).])", re.IGNORECASE)


def html_report(
    results: Result | Sequence[Result],
    path: str | Path | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    most_recordings: int = MOST_REPORTED,
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
    made_at: datetime | None = None,
) -> str:
    """Describe results in one HTML file: figures, DICs with their width, counts, options, versions, methods.

    Everything is within the file, Plotly's code included, so it has some 5 MB, and less than 1 MB more for a
    usual recording that is shown. A policy within it forbids the browser any request and any other script.

    Parameters
    ----------
    results
        One or more; all are listed.
    path
        Where to write it; nowhere by default.
    options
        What was chosen; those of the first result by default. What stands under ``"read"``, the
        lines of `Recordings.describe`, is shown by itself; without it what each train says.
    most_recordings
        The first so many are shown with figures; the report says what is left out.
    experiments
        ``{id: experiments}`` that were done on the populations of recordings.
    made_at
        Date of the report; now by default.

    Returns
    -------
    str
        The document.

    Raises
    ------
    Spike2PopError
        If there are no results, the number is not possible, or the file cannot be written.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import html_report
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> html_report(result)[:15]
    '<!DOCTYPE html>'
    """
    every = [results] if isinstance(results, Result) else list(results)
    if not every:
        raise Spike2PopError("A report needs at least one result; there is none.")
    if not (isinstance(most_recordings, (int, np.integer)) and most_recordings >= 1):
        raise Spike2PopError(f"A report shows 1 recording or more with figures, not {most_recordings!r}.")
    shown = every[:most_recordings]
    chosen = dict(every[0].options if options is None else options)
    read = chosen.pop("read", None) or _origins(every)
    document = page(
        "report.html.j2",
        title=_title(every),
        made_at=(made_at or datetime.now(UTC)).isoformat(timespec="minutes"),
        versions=versions(),
        options=_options(chosen),
        read=sorted(read, key=lambda line: not line.startswith(CAUTION)),
        overview=[_row(result) for result in every],
        sections=[
            _section(place, result, experiments_on(result, experiments))
            for place, result in enumerate(shown, 1)
        ],
        left_out=len(every) - len(shown),
        methods=_html(methods_paragraph(every, experiments)),
    )
    if path is not None:
        write_whole(Path(path), document.encode())
    return document


def _html(markdown: str) -> str:
    """Markdown as HTML in which raw HTML is text; DOIs become links."""
    import mistune

    text = str(mistune.create_markdown(escape=True, plugins=["table"])(markdown))
    return _DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', text)


def _title(results: Sequence[Result]) -> str:
    neurons = " and ".join(dict.fromkeys(result.neuron.title for result in results))
    return f"{count(len(results), 'recording')}, {neurons}"


def _origins(results: Sequence[Result]) -> list[str]:
    """How trains were read, as they say themselves."""
    origins = [result.recording.provenance for result in results]
    lines = [
        f"{origin.source}{f' ({origin.format})' if origin.format else ''}: times read as {origin.reading}."
        for origin in origins
        if origin is not None and origin.reading
    ]
    return list(dict.fromkeys(lines))


def _options(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as one line of text each."""

    def words(value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{name} {words(inner)}" for name, inner in value.items())
        if isinstance(value, (list, tuple)):
            return ", ".join(map(words, value))
        return "default" if value is None else str(value)

    return {str(name): words(value) for name, value in options.items()}


def _row(result: Result) -> dict[str, Any]:
    """What the table of all recordings says of one."""
    train = result.recording
    g_s, g_u = _dics(result)
    return {
        "id": train.id,
        "neuron": result.neuron.name,
        "spikes": train.n_spikes,
        "duration": figure(train.duration_ms / 1000),
        "rate": figure(train.rate_hz) if train.n_spikes > 1 else "–",
        "pattern": str(features(train).pattern),
        "g_s": g_s,
        "g_u": g_u,
        "like": {True: "yes", False: "no", None: "–"}[_inside(result.posterior)],
        "tried": result.n_tried,
        "passed": result.n_passed,
        "kept": len(result.population or ()),
        "kept_passed": result.n_kept_passed,
    }


def _inside(posterior: Any) -> bool | None:
    domain = getattr(posterior, "domain", None)
    return None if domain is None else bool(domain.inside)


def _dics(result: Result) -> tuple[str, str]:
    found = result.posterior
    if not getattr(found, "usable", False) or not hasattr(found, "std"):
        return "–", "–"
    if isinstance(found, Posterior):
        return with_interval(found, 0), with_interval(found, 1)
    s, u = (f"{fixed(float(found.mean[i]))} ± {fixed(float(found.std[i]))}" for i in range(2))
    return s, u


def _section(place: int, result: Result, experiments: Sequence[Experiment]) -> dict[str, Any]:
    """What is said and shown of one recording."""
    posterior, train = result.posterior, result.recording
    domain = getattr(posterior, "domain", None)
    judged = "No test of whether the network knows such recordings was made."
    if domain is not None:
        share = percent(domain.p_value)
        judged = (
            f"Like the simulated recordings of this neuron: {share} of them look at least as strange."
            if domain.inside
            else f"Unlike the simulated recordings of this neuron: {share} of them look as strange."
        )
    network = network_of(result)
    fell = [f"{reason}: {count(n, 'member')}" for reason, n in result.reasons.items()]
    return {
        "anchor": f"recording-{place}",
        "id": train.id,
        "source": "" if train.provenance is None else train.provenance.source,
        "message": result.outcome,
        "row": _row(result),
        "judged": judged,
        "inside": _inside(posterior),
        "notes": list(getattr(posterior, "notes", ())),
        "network": network,
        "asked": result.n_asked,
        "acceptance": percent(result.acceptance) if result.n_tried else "–",
        "fell": fell,
        "fell_by": fell_by(result),
        "rule": "" if result.verdict is None else result.verdict.rule.describe(),
        "seed": result.options.get("seed", "–"),
        "figures": [picture.entry(place) for picture in pictures(result)],
        "experiments": [
            {
                "title": experiment_title(experiment),
                "sentences": experiment.describe().splitlines(),
                "figures": [
                    picture.entry(place) for picture in pictures_of_experiment(experiment, f"asked-{k}")
                ],
            }
            for k, experiment in enumerate(experiments, 1)
        ],
        "members": _members(result),
    }


def _members(result: Result) -> dict[str, Any] | None:
    """Table of the members kept."""
    if result.population is None or result.verdict is None:
        return None
    names = result.population.channel_names
    table, g = result.verdict.table.head(_MOST_ROWS), result.population.g[:_MOST_ROWS]
    rows = [
        [
            str(member),
            fixed(float(score)),
            "yes" if passed else str(reasons),
            figure(float(rate)) if np.isfinite(rate) else "–",
            *map(figure, values),
        ]
        for member, score, passed, reasons, rate, values in zip(
            *(table[name] for name in ("member", "score", "passed", "reasons", "rate_hz")), g, strict=True
        )
    ]
    more = len(result.population) - len(rows)
    head = ["member", "score", "passed", "rate (Hz)", *(f"g_{name} (mS/cm²)" for name in names)]
    return {"head": head, "rows": rows, "more": more}
