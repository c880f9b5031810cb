"""What ``summary.json`` says of each recording: numbers and words, without tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spike2pop_nb.conductances import neuron_cells
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.experiments import experiment_summary
from spike2pop_nb.export.provenance import as_plain, network_of, versions
from spike2pop_nb.export.tables import describe_column
from spike2pop_nb.fidelity import Diversity, Result
from spike2pop_nb.fidelity.differences import beyond_range
from spike2pop_nb.inference import Posterior

__all__ = ["experiments_on", "summary"]


def _describe(result: Result, experiments: Sequence[Experiment]) -> dict[str, Any]:
    train, posterior = result.recording, result.posterior
    entry: dict[str, Any] = {
        "id": train.id,
        "neuron": neuron_cells(result.neuron),
        "n_spikes": train.n_spikes,
        "duration_ms": train.duration_ms,
        "rate_hz": float(train.rate_hz),
        "usable": result.usable,
        "message": result.outcome,
        "asked": result.n_asked,
        "tried": result.n_tried,
        "passed": result.n_passed,
        "simulations": result.n_simulated,
        "kept": 0 if result.population is None else len(result.population),
        "kept_passed": result.n_kept_passed,
        "kept_crosses": result.n_crosses,
        "kept_late": result.n_late,
        "acceptance": float(result.acceptance),
        "reasons_of_others": result.reasons,
        "cancelled": result.cancelled,
        "options": dict(result.options),
    }
    if result.failure:
        entry["failure"] = result.failure
    if train.provenance is not None:
        origin = train.provenance
        entry["source"] = {"file": origin.source, "location": origin.location, "unit": origin.unit}
        if origin.reading:
            entry["source"]["reading"] = origin.reading
    if posterior is not None and getattr(posterior, "usable", False):
        entry["dics"] = {
            "g_s": float(posterior.mean[0]),
            "g_u": float(posterior.mean[1]),
            "g_s_std": float(posterior.std[0]),
            "g_u_std": float(posterior.std[1]),
            "pattern": posterior.pattern,
            "notes": list(posterior.notes),
        }
        if (network := network_of(result)) is not None:
            entry["network"] = {
                "file": network.file,
                "sha256": network.sha256,
                "trained_on": {"trains": network.n_trains, "data_sha256": dict(network.data)},
            }
            if network.base:
                entry["network"]["adapts"] = network.base
        if isinstance(posterior, Posterior):
            low, high = posterior.quantile(0.025), posterior.quantile(0.975)
            entry["dics"] |= {
                f"{name}_interval_95": [float(low[i]), float(high[i])]
                for i, name in enumerate(("g_s", "g_u"))
            }
    for name, members in (("kept", result.population), ("unrefined", result.unrefined)):
        if members is not None:  # compensating may already take members above it
            entry[f"{name}_above_declared_range"] = beyond_range(result.neuron, members.g)
    if result.diversity is not None:
        entry["diversity"] = _diversity(result.diversity)
    if result.verdict is not None:
        found = result.verdict.recording
        entry["pattern"] = str(found.pattern)
        entry["pattern_notes"] = list(found.notes)
        entry["rule"] = result.verdict.rule.describe()
    if result.simulated is not None:
        entry["transient_ms"] = result.simulated.transient_ms
    if experiments:
        entry["experiments"] = [experiment_summary(experiment) for experiment in experiments]
    return dict(as_plain(entry))


def _diversity(found: Diversity) -> dict[str, Any]:
    """How different the members kept are; of a refined population also against the unrefined one."""
    entry: dict[str, Any] = {
        "effective_sample_size": found.effective_sample_size,
        "least_distance": float(found.least_distance),
        "dimensions": float(found.dimensions),
        "correlations": found.correlations.to_dict("index"),
    }
    if found.correlations_unrefined is not None and found.dimensions_unrefined is not None:
        entry["spread_against_unrefined"] = found.table.set_index("channel")["spread"].to_dict()
        entry["dimensions_unrefined"] = float(found.dimensions_unrefined)
        entry["correlations_unrefined"] = found.correlations_unrefined.to_dict("index")
    return entry


def summary(
    results: Sequence[Result],
    options: Mapping[str, Any],
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
) -> dict[str, Any]:
    """Return what ``summary.json`` holds: versions, options with the seed, and each recording's story.

    The options that a recording was searched with stand with it, too.

    Parameters
    ----------
    results, options, experiments
        As in `write_results`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import summary
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> summary([result], {"seed": 1})["options"]
    {'seed': 1}
    """
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "options": dict(options),
        "units": {
            "g_*": describe_column("g_leak").unit,
            "g_s, g_u": describe_column("g_s").unit,
            "time_ms": describe_column("time_ms").unit,
        },
        "recordings": [_describe(result, experiments_on(result, experiments)) for result in results],
    }


def experiments_on(
    result: Result, experiments: Mapping[str, Sequence[Experiment]] | None
) -> Sequence[Experiment]:
    """Return the experiments on the population of one recording, from those of all by their ids."""
    return (experiments or {}).get(result.recording.id, ())
