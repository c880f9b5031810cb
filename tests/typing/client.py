"""The public face as a user writes it. Strict mypy checks this file against the package; nobody runs it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

import spike2pop_nb as s2p
from spike2pop_nb.conductances import ModulationPath, Ranking, Reachability
from spike2pop_nb.experiments import (
    DoseResponse,
    Doses,
    Experiment,
    FICurve,
    PhaseResponse,
    Protocol,
    Resonance,
    block,
    constant_current,
    dose_response,
    doses,
    f_I_curve,
    phase_response,
    resonance,
    step,
    who_crashes,
)
from spike2pop_nb.export import figure_files, html_report, methods_paragraph, results_zip, write_results
from spike2pop_nb.export.simulators import export, simulators_zip
from spike2pop_nb.fidelity import PassRule, PatternMap, Result, Verdict
from spike2pop_nb.inference import Posterior, Posteriors, Predictor
from spike2pop_nb.simulation import Currents, ModelCheck, Modulated, Simulated, check_model
from spike2pop_nb.spiketrains import FiringPattern, PatternReport, VoltageTraces


def session() -> None:
    assert_type(s2p.__version__, str)

    # read
    recordings = s2p.read_spike_trains(s2p.example_path("stg_set.csv"), unit="ms", id_columns="id")
    assert_type(recordings, s2p.Recordings)
    assert_type(recordings.describe(), str)
    assert_type(recordings.to_frame(rule="published"), pd.DataFrame)
    train = recordings[2]
    assert_type(train, s2p.SpikeTrain)
    assert_type(train.rate_hz, float)
    assert_type(s2p.classify(train), FiringPattern)
    assert_type(s2p.describe_pattern(train), PatternReport)
    traces = s2p.read_voltage(Path("cell.abf"), channels="Vm")
    assert_type(traces, VoltageTraces)
    assert_type(s2p.detect_recordings(traces), s2p.Recordings)
    assert_type(s2p.detect_spikes(traces[0], -20.0), s2p.SpikeTrain)
    s2p.write_spike_times(recordings, "spikes.csv")

    # predict
    predictor = s2p.load_predictor("stg")
    assert_type(predictor, Predictor)
    posteriors = predictor.predict(recordings, prior="both")
    assert_type(posteriors, Posteriors)
    assert_type(posteriors.to_frame(course=True), pd.DataFrame)
    posterior = posteriors[2]
    assert_type(posterior, Posterior)
    assert_type(posterior.describe(), str)
    assert_type(posterior.g_s, float)

    # generate
    neuron = s2p.get_neuron("stg")
    assert_type(neuron, s2p.NeuronModel)
    assert_type(s2p.vary_neuron(neuron, V_th_mV=-50.0), s2p.NeuronModel)
    assert_type(s2p.reachability("stg", ("CaS", "H")), Reachability)
    ranking = s2p.rank_choices("stg", posterior)
    assert_type(ranking, Ranking)
    assert_type(ranking.best.compensate, tuple[str, str])
    assert_type(ranking.describe(), str)
    population = s2p.generate_population("stg", posterior, size=64, compensate=("CaS", "H"), seed=1)
    assert_type(population, s2p.Population)
    assert_type(population.g, npt.NDArray[np.float64])
    assert_type(population.to_frame(), pd.DataFrame)
    assert_type(s2p.dics("stg", population.g), npt.NDArray[np.float64])
    assert_type(s2p.pair_correlations(population), pd.DataFrame)
    path = s2p.modulation_path(population, (2.0, 5.0))
    assert_type(path, ModulationPath)

    # simulate and verify
    simulated = s2p.simulate(population, duration_ms=3000)
    assert_type(simulated, Simulated)
    assert_type(simulated.to_frame(), pd.DataFrame)
    assert_type(s2p.simulate_modulation(path), Modulated)
    verdict = s2p.verify(train, simulated, PassRule(rate=0.05))
    assert_type(verdict, Verdict)
    assert_type(verdict.best, int)
    assert_type(verdict.rule.describe(), str)
    result = s2p.find_population(train, "stg", posterior, size=16, seed=1)
    assert_type(result, Result)
    assert_type(result.describe(), str)
    assert_type(result.population, s2p.Population | None)
    assert_type(s2p.pattern_map("stg", ("CaS", "H")), PatternMap)
    check = check_model(neuron)
    assert_type(check, ModelCheck)
    assert_type(check.describe(), str)

    # ask
    protocol = block("A", 0.5) + step(1.0, 500, 1500)
    assert_type(protocol, Protocol)
    assert_type(protocol.describe(), str)
    assert_type(Protocol.from_json(protocol.to_json()), Protocol)
    asked = s2p.run_experiment(population, {"both": protocol})
    assert_type(asked, Experiment)
    assert_type(asked.data, xr.Dataset)
    assert_type(asked.to_frame(), pd.DataFrame)
    series = doses(constant_current, [0.0, 1.0, 2.0])
    assert_type(series, Doses)
    assert_type(f_I_curve(s2p.run_experiment(population, series)), FICurve)
    assert_type(dose_response(asked), DoseResponse)
    assert_type(who_crashes(asked, "both"), pd.DataFrame)
    assert_type(resonance(asked, "both"), Resonance)
    assert_type(phase_response(population, 1.0), PhaseResponse)

    # plot; Plotly itself has no types
    best = s2p.currents(population, verdict.best)
    assert_type(best, Currents)
    assert_type(best.to_frame(), pd.DataFrame)
    s2p.plots.currentscape(best).show()
    s2p.plots.traces(simulated, train).show()
    s2p.plots.dic_plane("stg", posterior, population=population).show()
    s2p.plots.return_map(simulated, train).show()

    # export
    assert_type(write_results([result], "out", {"seed": 1}, formats=("csv", "npz")), list[Path])
    assert_type(results_zip([result], {"seed": 1}), bytes)
    assert_type(figure_files(result), dict[str, bytes])
    assert_type(html_report(result), str)
    assert_type(methods_paragraph(result), str)
    assert_type(export(population, "neuron", "models"), list[Path])
    assert_type(simulators_zip(population), bytes)
