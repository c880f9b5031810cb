"""Maps of what choices reach, a target to drag, knobs, and the members that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import ipywidgets as w
from traitlets import dlink

from spike2pop_nb import plots
from spike2pop_nb.app.binding import Binding, Number, number_in
from spike2pop_nb.app.exploration import FIRING_LAYERS, MEMBERS, Exploration, Explorer
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.layout import Fold, button, card, field, halves, row, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.panels.modulate import ModulatePanel
from spike2pop_nb.app.runner import Runner
from spike2pop_nb.app.settings import Explored
from spike2pop_nb.app.state import Session
from spike2pop_nb.neurons import V_TH_RANGE_MV
from spike2pop_nb.spiketrains import describe_pattern

__all__ = ["ExplorePanel"]

_PLANE_PX, _SIDE_PX, _TRACES_PX = 450, 215, 500
_SHOWN = 6  # choices in the table; the others are folded away
_V_TH_SPAN_MV = 8.0
_LAYERS = (
    ("members that get there", "reached"),
    ("condition number (1 is best)", "condition"),
    ("residual: distance from the DICs asked for", "residual"),
    ("firing pattern, simulated", "pattern"),
    ("firing rate, simulated", "rate"),
)


class ExplorePanel:
    """Step 6: the explorer, built when it is first opened."""

    def __init__(self, session: Session, runner: Runner) -> None:
        self.session = session
        self.messages = Messages()
        self.explorer = Explorer(session, runner, self.messages)
        self.state: Exploration = self.explorer.state
        after = self.messages.after
        self.fold = Fold(
            "What each choice reaches, how members fire over the plane, and neuromodulation",
            build=after(self._build),
        )
        self.widget = card("6", "Explore", [self.fold], "s2p-explore")
        dlink((self.fold, "opened"), (self.state, "active"))
        session.follow(after(self._show_restored), "explore")

    def _show_restored(self) -> None:
        """Open on choices that were made before the explorer was ever opened: those that were restored."""
        if self.fold.build is not None and self.session.settings.explore != Explored():
            self.fold.opened = True

    def _build(self) -> None:
        guard, after, state, explorer = self.messages.guard, self.messages.after, self.state, self.explorer
        self.layer = w.Dropdown(options=_LAYERS)
        self.pair = w.Dropdown()
        self.use = button("Use this pair in the search", "Compensate it in step 3 too")
        self.g_s, self.g_u = Number(), Number()
        low_mV, high_mV = V_TH_RANGE_MV
        self.V_th = w.FloatSlider(
            value=high_mV, min=low_mV, max=high_mV, step=0.1, readout_format=".1f", continuous_update=False
        )
        self.restore = button("Declared values", "Go back to the declared threshold and ranges")
        self.noise = Number()
        self.knobs = w.VBox()
        self.says, self.ranking, self.status = text("", "s2p-says"), text(), text("", "s2p-says")
        self.plane = FigureView(
            "The map appears here",
            _PLANE_PX,
            self.session,
            "A map over the plane of slow and ultraslow DICs, with the posterior of the recording and a "
            "target that can be moved",
            members=state,
            on_point=guard(explorer.set_target),
        )
        says = "Conductances of the members at the target, each relative to its median"
        self.conductances = FigureView(
            "Conductances of the members appear here", _SIDE_PX, self.session, says, members=state
        )
        says = "Voltages of the members at the target over time"
        self.traces = FigureView(
            "Voltages of the members appear here", _TRACES_PX, self.session, says, members=state
        )
        self.modulation = ModulatePanel(explorer, self.messages)
        self.fold.body.children = self._compose()
        self.use.on_click(after(lambda: self.session.choose(compensate=state.pair)))
        self.restore.on_click(after(lambda: explorer.choose(V_th_mV=None, ranges={})))
        self._tied = {
            name: Binding(getattr(self, name), take, self.messages, again)
            for name, take, again in (
                ("layer", lambda layer: explorer.choose(layer=layer), self._show_layer),
                ("pair", self._choose_pair, self._show_choices),
                ("g_s", self._choose_target, self._show_target),
                ("g_u", self._choose_target, self._show_target),
                ("V_th", explorer.set_threshold, self._show_knobs),
                ("noise", lambda sigma: explorer.choose(noise_sigma=sigma), self._show_knobs),
            )
        }
        state.observe(after(self._show_choices), ["ranking", "pair"])
        state.observe(after(self._show_layer), "layer")
        state.observe(after(self._show_ranking), "ranking")
        # the map of another layer may be the very same one
        state.observe(after(self._show_plane), ["map", "layer", "modulated"])
        state.observe(after(self._show_step), "step")
        state.observe(after(self._show_target), "target")
        state.observe(after(self._show_conductances), "population")
        state.observe(after(self._show_traces), "simulated")
        state.observe(after(self._show_status), ["mapping", "working", "population"])
        state.observe(after(self._show_knobs), ["V_th_mV", "ranges", "noise_sigma"])
        state.observe(after(self._show_whose), "modulated")
        self.session.observe(after(self._show_plane), "posterior")
        self.session.follow(after(self._fill_knobs), "neuron")
        self._fill_knobs()
        self._show_target()
        self._show_layer()
        self._show_choices()

    def _compose(self) -> list[w.Widget]:
        best = "Best first, with the share of members that get there within the ranges."
        choose = row(
            field("Map of", self.layer, "The last two simulate members all over the plane: some seconds."),
            field("Compensated", self.pair, best),
        )
        target = row(
            field("Target g_s (in units of g_leak)", self.g_s, "Or drag the point; arrow keys move it too."),
            field("Target g_u (in units of g_leak)", self.g_u, f"{MEMBERS} members follow it at once."),
        )
        read = "Voltage at which DICs are read. The network's posterior is about the declared one."
        noise = (
            "Of the current injected in the members that are simulated here; 0 for none. The map has none."
        )
        knobs = Fold(
            "Threshold voltage, baseline ranges, noise",
            [
                field("V_th (mV)", self.V_th, read),
                self.knobs,
                self.restore,
                field("Noise σ (µA/cm²)", self.noise, noise),
            ],
        )
        left = [choose, self.use, self.plane.widget, target, self.says, knobs]
        right = [self.status, self.conductances.widget, self.traces.widget]
        return [self.messages.widget, halves(left, right), self.ranking, self.modulation.widget]

    def _show_whose(self) -> None:
        """Members that are moved may be those of the results, which are then lit there too."""
        of_found = self.state.modulated is not None and self.state.of_found
        for figure in (self.plane, self.modulation.ways, self.modulation.course):
            figure.show_members(self.session if of_found else self.state)

    def _choose_pair(self, pair: tuple[str, str] | None) -> None:
        if pair is not None:
            self.explorer.set_pair(pair)

    def _choose_target(self, _value: float) -> None:
        self.explorer.set_target(number_in(self.g_s), number_in(self.g_u))

    def _show_target(self) -> None:
        g_s, g_u = self.state.target
        self._tied["g_s"].show(round(g_s, 3))
        self._tied["g_u"].show(round(g_u, 3))
        self.plane.point(g_s, g_u, "Target: slow DIC g_s, ultraslow DIC g_u")

    def _show_layer(self) -> None:
        self._tied["layer"].show(self.state.layer)

    def _show_choices(self) -> None:
        ranking, pair = self.state.ranking, self.state.pair
        options: list[tuple[str, Any]] = []
        if ranking is not None:
            for place, choice in enumerate(ranking.choices, start=1):
                # The pair may be declared in the other order than the list has it.
                same = pair is not None and set(pair) == set(choice.compensate)
                value = pair if same else choice.compensate
                note = ", published" if choice.published else ""
                options.append((f"{place}. {choice.name} ({100 * choice.within:.0f} %{note})", value))
        elif pair is not None:
            options = [(" and ".join(pair), pair)]
        values = [value for _label, value in options]
        shown = pair if pair in values else next(iter(values), None)
        self._tied["pair"].show(shown, options=tuple(options))

    def _show_ranking(self) -> None:
        ranking = self.state.ranking
        if ranking is None:
            self.ranking.value = ""
            return
        rows = []
        for choice in ranking.choices:
            known = choice.reached > 0
            rows.append(
                (
                    choice.name,
                    f"{choice.score:.2f}",
                    f"{100 * choice.reached:.0f} %",
                    f"{100 * choice.within:.0f} %",
                    f"{100 * choice.moved:.0f} %" if known else "–",
                    f"{choice.condition:.1f}" if known else "–",
                    ranking.why(choice),
                )
            )
        posterior = self.session.posterior
        whose = "this recording" if posterior is not None and posterior.usable else "the target"
        others = ""
        if len(rows) > _SHOWN:
            others = f"<details><summary>{len(rows) - _SHOWN} more</summary>{_table(rows[_SHOWN:])}</details>"
        self.ranking.value = (
            f"<h3>All choices, ranked for {whose}</h3>{said([ranking.describe()])}"
            f"{_table(rows[:_SHOWN])}{others}"
            "<p class='s2p-help'>Reached: members with no negative conductance. Within: those whose solved "
            "conductances also lie in this neuron's ranges. Moved: how far these go from the baseline. "
            "Cond.: condition number of the solve; at 1 the two set g_s and g_u independently, and the "
            "larger it is, the more a small error is amplified. Score = within / ((1 + moved) · √cond.).</p>"
        )

    def _show_plane(self) -> None:
        state, session = self.state, self.session
        found = state.map
        if found is None:
            self.plane.clear()
            self.says.value = ""
            return
        posterior = session.posterior
        drawn = posterior.sample(256, 0) if posterior is not None and posterior.usable else None
        # the map that is asked for may still be made, while another is shown
        layer = state.layer if (state.layer in FIRING_LAYERS) == hasattr(found, "shares") else None
        figure = plots.plane_map(found, _PLANE_PX, layer=layer, posterior=posterior)
        self.says.value = said([found.describe(drawn)])
        points = self._points()
        if state.modulated is not None:
            figure.add_traces([*plots.path_ways(state.modulated.path), *points])
        # a drag moves the target, and nothing else
        figure.update_layout(dragmode=False, xaxis_fixedrange=True, yaxis_fixedrange=True)
        self.plane.show(figure, len(points))

    def _points(self) -> list[dict[str, Any]]:
        """Members on their way through the plane, if they are on one."""
        found = self.state.modulated
        return [] if found is None else plots.path_points(found.path, self.state.step)

    def _show_step(self) -> None:
        if self.state.map is not None and self.state.modulated is not None:
            self.plane.move(self._points())

    def _show_conductances(self) -> None:
        population = self.state.population
        if population is None:
            self.conductances.clear()
        else:
            self.conductances.show(plots.conductances(population, height=_SIDE_PX))

    def _show_traces(self) -> None:
        """Voltages of other members stay until those of these members are there."""
        simulated = self.state.simulated
        if simulated is None:
            if self.state.population is None:
                self.traces.clear()
            return
        labels = []
        for at, train in enumerate(simulated.trains()):
            kind = simulated.reasons.get(at) or str(describe_pattern(train).kind)
            labels.append(f"member {simulated.labels[at][1]} · {kind}, {train.rate_hz:.3g} Hz")
        all_of = range(len(simulated))
        drawn = plots.traces(simulated, rows=all_of, labels=labels, most_points=1500, height=_TRACES_PX)
        self.traces.show(drawn)

    def _show_status(self) -> None:
        words = " ".join(filter(None, (self.state.working, self.state.mapping)))
        g_s, g_u = self.state.target
        there = f"{MEMBERS} members" if self.state.population is not None else "No members"
        self.status.value = said([words or f"{there} at g_s {g_s:.2f}, g_u {g_u:.2f}."])

    def _fill_knobs(self) -> None:
        """Make a slider for each conductance that this neuron's baseline draws."""
        neuron = self.session.neuron
        boxes: list[w.Widget] = []
        self._ranges: dict[str, Binding] = {}
        for channel, (low, high) in self.explorer.declared().items():
            top = max(2 * high, 1e-6)
            look: dict[str, Any] = {"readout_format": ".3g", "continuous_update": False}
            slider = w.FloatRangeSlider(value=(low, high), min=0.0, max=top, step=top / 200, **look)
            tied = Binding(slider, partial(self.explorer.set_range, channel), self.messages, self._show_knobs)
            hint = f"Declared: {low:g} to {high:g}." if low < high else f"Declared: {low:g}."
            boxes.append(field(f"g_{channel} of the baseline (mS/cm²)", slider, hint))
            self._ranges[channel] = tied
        self.sliders = {channel: tied.control for channel, tied in self._ranges.items()}
        self.knobs.children = boxes
        low, high = V_TH_RANGE_MV
        V_th = neuron.V_th_mV
        self._tied["V_th"].show(V_th, min=low, max=high)
        self._tied["V_th"].show(V_th, min=max(low, V_th - _V_TH_SPAN_MV), max=min(high, V_th + _V_TH_SPAN_MV))
        self._show_knobs()

    def _show_knobs(self) -> None:
        """Show threshold, ranges and noise; sliders get longer for what was restored from elsewhere."""
        V_th, slider = self.state.V_th_mV, self.V_th
        self._tied["V_th"].show(V_th, min=min(slider.min, V_th), max=max(slider.max, V_th))
        self._tied["noise"].show(self.state.noise_sigma)
        for channel, wanted in {**self.explorer.declared(), **self.state.ranges}.items():
            if channel in self._ranges:
                tied = self._ranges[channel]
                tied.show(wanted, max=max(tied.control.max, wanted[1]))


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Choices as HTML."""
    heads = ("choice", "score", "reached", "within", "moved", "cond.", "why not first")
    head = "<tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in heads) + "</tr>"
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in one) for one in rows)
    body = "".join(f"<tr>{one}</tr>" for one in cells)
    return (
        '<div class="s2p-wide-table" tabindex="0" role="region" aria-label="Choices, ranked">'
        f'<table class="s2p-ranking"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    )
