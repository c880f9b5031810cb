"""Pictures of the pages, all from simulations: ``python .docs/figures.py [FOLDER]``."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

import spike2pop_nb as s2p
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.spiketrains import ActivityPattern

PICTURES = Path(__file__).parent / "pages" / "images"
POINTS = {"A": (8.0, 8.0), "B": (-2.0, 8.0), "C": (-8.0, 8.0)}
COLOURS = dict(zip(POINTS, ("#0072b2", "#d55e00", "#009e73"), strict=True))
SETTLED_MS, SHOWN_MS = 3000.0, 1000.0


def made(dics: tuple[float, float], size: int = 8) -> s2p.Population:
    """STG neurons with these DICs, by the published choice of compensated conductances."""
    pair = s2p.get_neuron("stg").recommend(*dics)
    return s2p.generate_population("stg", dics, size=size, compensate=pair, seed=3)


def share_bursting(places: list[tuple[float, float]], size: int = 8) -> dict[tuple[float, float], float]:
    """Share of neurons that burst at each place where such neurons can be made."""
    populations = {}
    for place in places:
        with suppress(CompensationError):
            populations[place] = made(place, size)
    joined = s2p.Population.joined(list(populations.values()))
    trains = iter(s2p.simulate(joined, record="spikes").trains())
    kinds = [[s2p.describe_pattern(next(trains)).kind for _ in range(len(p))] for p in populations.values()]
    shares = [float(np.mean([kind == ActivityPattern.BURSTING for kind in found])) for found in kinds]
    return dict(zip(populations, shares, strict=True))


def trace(axis: plt.Axes, population: s2p.Population, row: int, colour: str) -> None:
    """Voltage of one member, after three seconds that are not shown."""
    population = population.select([row])
    times = {"duration_ms": SETTLED_MS + SHOWN_MS, "transient_ms": SETTLED_MS}
    simulated = s2p.simulate(population, accuracy="exact", **times)
    time = simulated.time_ms - simulated.time_ms[0]
    axis.plot(time, simulated.V_mV[0], color=colour, lw=0.8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_ylabel("V (mV)", fontsize=8)


def plane() -> plt.Figure:
    """How STG neurons fire over the plane of g_s and g_u, and one neuron of each of three places."""
    figure = plt.figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(4, 5))
    axis = left.subplots()
    g_s, g_u = np.linspace(-16, 16, 17), np.linspace(0, 20, 11)
    shares = share_bursting([(s, u) for u in g_u for s in g_s])
    bursting = np.array([[shares.get((s, u), np.nan) for s in g_s] for u in g_u])
    image = axis.pcolormesh(g_s, g_u, 100 * bursting, cmap="Greys", vmin=-20, vmax=140, shading="nearest")
    image.set_clim(-20, 140)
    bar = left.colorbar(image, label="neurons that burst (%)", location="top", shrink=0.7)
    bar.ax.set_xlim(0, 100)
    axis.set(xlabel="slow conductance g$_s$ at threshold", ylabel="ultraslow conductance g$_u$ at threshold")
    rows = right.subplots(len(POINTS), 1, sharex=True, sharey=True)
    for (name, dics), row in zip(POINTS.items(), rows, strict=True):
        axis.plot(*dics, "o", ms=16, color="white", mec=COLOURS[name], mew=2)
        axis.text(*dics, name, ha="center", va="center", color=COLOURS[name])
        trace(row, made(dics), 0, COLOURS[name])
        row.set_title(f"{name}: g$_s$ = {dics[0]:g}, g$_u$ = {dics[1]:g}", loc="left", fontsize=9)
    rows[-1].set_xlabel("time (ms)")
    return figure


def curves() -> plt.Figure:
    """DICs over voltage of the neurons A and C."""
    neuron = s2p.get_neuron("stg")
    figure, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained", sharex=True)
    names = {"g_f": "fast", "g_s": "slow", "g_u": "ultraslow", "g_t": "sum of all three"}
    for point in ("A", "C"):
        found = s2p.dic_curves(neuron, made(POINTS[point]).g[:1], np.arange(-60.0, -44.0, 0.1))
        for (key, title), axis in zip(names.items(), axes, strict=True):
            axis.plot(found["V_mV"], found[key][0], color=COLOURS[point], label=point)
            axis.set_title(title, fontsize=9)
            axis.set_xlabel("V (mV)", fontsize=8)
    for axis in axes:
        axis.axhline(0, color="grey", lw=0.6)
        axis.axvline(neuron.V_th_mV, color="grey", lw=0.8, ls=":")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("DIC (in leak conductances)", fontsize=8)
    axes[0].legend(frameon=False)
    return figure


def degenerate() -> plt.Figure:
    """Four neurons with the DICs of C: alike in their spikes, not in their conductances."""
    population = made(POINTS["C"], 64)
    far = [int(np.argmin(population.table["g_Kd"])), int(np.argmax(population.table["g_Kd"]))]
    figure = plt.figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(5, 4))
    rows = left.subplots(2, 1, sharex=True, sharey=True)
    for member, row, colour in zip(far, rows, ("#cc79a7", "#56b4e9"), strict=True):
        trace(row, population, member, colour)
    rows[-1].set_xlabel("time (ms)")
    axis = right.subplots()
    channels = s2p.get_neuron("stg").channel_names
    relative = population.g / population.g.mean(axis=0)
    axis.boxplot(relative, showfliers=False, medianprops={"color": "grey"}, tick_labels=channels)
    for member, colour in zip(far, ("#cc79a7", "#56b4e9"), strict=True):
        axis.plot(range(1, len(channels) + 1), relative[member], "o", color=colour)
    axis.set_ylabel("conductance (mean = 1)")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def main(folder: Path = PICTURES) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (plane, curves, degenerate):
        draw().savefig(folder / f"{draw.__name__}.png", dpi=140)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
