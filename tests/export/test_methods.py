"""The methods paragraph names what was done, with its numbers, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import methods_paragraph, versions
from spike2pop_nb.export.formatting import Citations, count, figure, fixed, interval, percent, plain, series
from spike2pop_nb.fidelity import Result, find_population, least_distance
from spike2pop_nb.inference import Network, find_weights


def test_it_names_every_number(inferred: list[Result]) -> None:
    result = inferred[0]
    text = methods_paragraph(result)
    train, posterior, simulated = result.recording, result.posterior, result.simulated
    low, high = posterior.quantile(0.025), posterior.quantile(0.975)
    rule = result.verdict.rule
    expected = [
        f"{train.n_spikes} spikes over {figure(train.duration_ms / 1000)} s",
        f"mean rate {figure(train.rate_hz)} Hz, spiking",
        "from stg_set.csv",
        "The times were read as ms, assumed from the intervals: their median is 15, which as ",
        f"threshold voltage of {figure(result.neuron.V_th_mV)} mV",
        f"SHA-256 {hashlib.sha256(find_weights()['stg'].read_bytes()).hexdigest()}",
        f"g_s = {fixed(posterior.g_s)} ({fixed(low[0])} to {fixed(high[0])})",
        f"g_u = {fixed(posterior.g_u)} ({fixed(low[1])} to {fixed(high[1])})",
        "g_leak was drawn from a Gamma distribution",
        "g_Kd uniformly from 70 to 140 mS/cm²",
        "g_Na, g_A and g_H were solved for such that g_f = −6.2, g_s = 4 and g_u = 5",
        "the pair recommended for its draw (",
        "Its conductances were then refined by simulation",
        f"Of the 8 members kept, {result.n_crosses} were crosses"
        if result.n_crosses
        else "from its own draw",
        f"at least {percent(result.diversity.least_spread)} of that over members as generated",
        f"Of {result.n_tried} members tried, {result.n_passed} ({percent(result.acceptance)}) fired like",
        "the first 8 of them, as many as asked for, were kept",
        f"simulated for {figure(simulated.duration_ms / 1000)} s, of which the first "
        f"{figure(simulated.transient_ms / 1000)} s were discarded, without injected noise",
        f"time step of {figure(simulated.dt_ms)} ms (accuracy “standard”)",
        f"a mean rate within {figure(100 * rule.rate)} %",
        f"a Wasserstein distance of {figure(rule.isi)}",
        f"median over the members kept was {figure(result.verdict.table['van_rossum'].median())}",
        f"NumPy {versions()['numpy']}",
        f"spike2pop_nb {versions()['spike2pop_nb']}",
        "the random seed was 7",
    ]
    for words in expected:
        assert words in text, words
    assert "the recording bursts" not in text, "a criterion that was not applied"
    body, references = text.split("**References**")
    for doi in (
        "10.1371/journal.pcbi.1014337",
        "10.1523/ENEURO.0031-14.2015",
        "10.1093/pnasnexus/pgae415",
        "10.1162/089976601300014321",
        "10.1523/JNEUROSCI.18-07-02309.1998",
    ):
        assert references.count(doi) == 1, doi
    assert all(f"[{place}]" in body or f"{place}]" in body for place in range(1, 6))


def test_what_it_says_of_likeness_and_of_settling_is_true_of_the_members(inferred: list[Result]) -> None:
    result = inferred[0]
    nearest = figure(100 * np.expm1(least_distance(result.population.g)), 2)
    text = methods_paragraph(result)
    likeness = f"of the nearest two, some conductance differed by {nearest} %"
    assert f"No two of a population were alike: {likeness}" in text
    assert "longer one" not in text
    twice = replace(result, population=result.population.select([0, 0, 1, 2]), n_late=1)
    text = methods_paragraph(twice)
    assert "No two" not in text
    assert "1 was nearly identical to another" in text
    assert "Of the members kept, 1 still changed within the time judged" in text


def test_it_says_when_fewer_passed_and_which_criteria_applied(inferred: list[Result]) -> None:
    result = inferred[1]
    assert result.n_passed < result.n_asked
    text = methods_paragraph(result)
    assert "8 were asked for, but the budget of 100 simulations was spent" in text
    assert "marked as not passed" in text
    assert "where the recording bursts, also the rate within bursts" in text
    assert "each within 5 %" in text
    stopped = methods_paragraph(replace(result, cancelled=True))
    assert "but the user stopped the search" in stopped
    ended = methods_paragraph(replace(result, exhausted="Not reached.", n_crosses=3))
    assert "but no more could be generated" in ended
    assert "Of the 8 members kept, 3 were crosses of members that fired like the recording" in ended


def test_several_recordings_made_alike_share_a_paragraph_and_a_table(
    inferred: list[Result], given: Result, silent: Result
) -> None:
    text = methods_paragraph([*inferred, given, silent])
    assert "The spike times of 3 recordings (Table 1)" in text
    tried = sum(result.n_tried for result in inferred)
    assert f"Of {tried} members tried in all" in text
    assert "For “5” fewer passed" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[2].startswith("| 1 | 33 | 2.97 |")
    assert rows[4].startswith("| quiet | 1 | 0 | 0 | silent | – | – | 0 | 0 | 0 | 0 |")
    assert "No population was made for “quiet”" in text
    other = text.split("\n\n")[3]
    assert "drawn from a distribution that the user gave" in other
    assert "neural network" not in other
    assert "PyTorch" not in other
    assert "“=1+1\\|\\<b\\>\\$x^\\$" in other, "an id is shown, not interpreted"


def test_the_network_named_is_the_one_that_the_posterior_names(inferred: list[Result]) -> None:
    result = inferred[0]
    other = Network("mine.safetensors", 64 * "0", 1234)
    text = methods_paragraph(replace(result, posterior=replace(result.posterior, network=other)))
    assert f"(mine.safetensors, SHA-256 {64 * '0'}, trained on 1234 simulated spike trains)" in text
    unknown = methods_paragraph(replace(result, posterior=replace(result.posterior, network=None)))
    assert "a neural network (weights unknown)" in unknown
    assert "SHA-256" not in unknown
    borrowed = methods_paragraph(replace(result, posterior=replace(result.posterior, id="another")))
    assert "drawn from a distribution that the user gave" in borrowed


def test_a_known_current_is_said_where_the_network_was_told_of_it(inferred: list[Result]) -> None:
    assert "known constant current" not in methods_paragraph(inferred[0])
    told = replace(inferred[0], posterior=replace(inferred[0].posterior, current=-0.5))
    assert "given the known constant current of −0.5 µA/cm²." in methods_paragraph(told)


def test_chosen_conductances_and_warnings_are_said(inferred: list[Result]) -> None:
    found = inferred[0]
    strange = replace(found.posterior, domain=replace(found.posterior.domain, inside=False, p_value=0.001))
    chosen = find_population(
        found.recording, "stg", strange, size=1, compensate=("CaS", "H"), seed=2, budget=32
    )
    text = methods_paragraph(chosen)
    assert "by solving iteratively for g_CaS and g_H [" in text
    assert "recommended" not in text
    assert "the one asked for, was kept" in text
    assert "The recording was flagged as unlike the simulated recordings of this neuron" in text


def test_it_tells_a_unit_that_is_stated_from_one_that_is_assumed(inferred: list[Result]) -> None:
    def read_as(*readings: str) -> str:
        made = []
        for result, reading in zip(inferred, readings, strict=False):
            origin = replace(result.recording.provenance, reading=reading)
            made.append(replace(result, recording=replace(result.recording, provenance=origin)))
        return methods_paragraph(made)

    assert "The times were read" not in read_as("")
    assert "The times were read as s, as the column name 't\\<b' says. The" in read_as(
        "s, as the column name 't<b' says"
    )
    assert "read as s, as asked for; as voltage in mV, assumed from values. The" in read_as(
        "s, as asked for", "voltage in mV, assumed from values"
    )
    assert read_as("s, as asked for", "s, as asked for").count("as asked for") == 1


def test_no_results_are_one_sentence() -> None:
    with pytest.raises(Spike2PopError, match="needs at least one result"):
        methods_paragraph([])


def test_words() -> None:
    assert [count(n, "member") for n in (0, 1, 2)] == ["0 members", "1 member", "2 members"]
    assert [series(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert [figure(x) for x in (6664.4, 0.010234, -4.5, 1e6, 0)] == ["6660", "0.0102", "−4.5", "1000000", "0"]
    assert interval(1.0001, 1.0) == "1"
    assert interval(-1, 2) == "−1 to 2"
    assert [percent(x) for x in (0, 0.001, 0.5, 0.999, 1)] == ["0 %", "under 1 %", "50 %", "99 %", "100 %"]
    assert fixed(-0.004) == "0.00"
    cited = Citations()
    assert cited.mark("a", "b") == "[1, 2]"
    assert cited.mark("c", "a") == "[1, 3]"
    assert cited.mark() == ""


@settings(max_examples=60, deadline=None)
@drawn(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_a_name_keeps_its_letters_and_loses_its_markup(name: str) -> None:
    shown = plain(name)
    assert shown.replace("\\", "") == " ".join(name.split()).replace("\\", "")
    assert "\n" not in shown
    for place, letter in enumerate(shown):
        if letter in "<*[`|&":
            assert shown[place - 1] == "\\"
