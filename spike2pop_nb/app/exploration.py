"""What is explored beside the search: one choice of conductances, one target, and what members do there."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Float, Int, Tuple, Unicode

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.figures import Picking
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.conductances import (
    Population,
    generate_population,
    modulation_path,
    rank_choices,
    reachability,
    widest_modulation,
)
from spike2pop_nb.neurons import NeuronModel, Range, vary_neuron

__all__ = ["FIRING_LAYERS", "MEMBERS", "MOST_MODULATED", "Exploration", "Explorer"]

MEMBERS = 8
"""Members that follow the target."""
MOST_MODULATED = 16
"""Most members of the population found that are modulated."""
FIRING_LAYERS = ("pattern", "rate")
"""Layers of the map for which members are simulated all over the plane."""
_MAPS, _MEMBERS = "maps", "members"  # a map can take long; members follow the target beside it
_STEPS = 40
_MOST_WAIT_S = 0.5


class Exploration(Picking):
    """State of the explorer, which `Explorer` writes; what the user has chosen is ``Settings.explore``."""

    group = "explore"
    active = Bool(False)  # whether the explorer is open; nothing is computed while it is not
    pair = AnyTrait(None, allow_none=True)  # compensated conductances
    layer = Unicode("reached")  # of the map
    target = Tuple(Float(), Float(), default_value=(0.0, 0.0))  # (g_s, g_u) of the members
    V_th_mV = Float(0.0)
    ranges: Dict[str, Any] = Dict()  # baseline {channel: (low, high)} that differ from the declared ones
    noise_sigma = Float(0.0)  # of the current that is injected in the members, in µA/cm²
    ranking = AnyTrait(None, allow_none=True)  # all choices for this posterior, or the target
    map = AnyTrait(None, allow_none=True)  # that is shown
    population = AnyTrait(None, allow_none=True)  # the members at the target
    simulated = AnyTrait(None, allow_none=True)  # and what they do; None until it is simulated
    end = Tuple(Float(), Float(), default_value=(0.0, 0.0))  # where members are modulated to
    modulated = AnyTrait(None, allow_none=True)  # what they do on their way
    step = Int(0)  # that is looked at
    told = Unicode("")  # who was modulated by which conductances, in words
    of_found = Bool(False)  # whether it was the population found
    mapping = Unicode("")  # what is being mapped, in words; empty when nothing is
    working = Unicode("")  # and what is being simulated


class Explorer(Acting):
    """Verbs of the explorer. It has lanes of its own, so that a search does not keep it waiting.

    The session gives the neuron, the posterior and the seed; the pair that is used for the search is written
    to it.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self.state = state = Exploration()
        self._neuron: NeuronModel | None = None
        self._middle = (0.0, 0.0)  # where members are until the user says where
        self._given = threading.Event()  # whether the members that were last asked for are there
        self._given.set()
        after = messages.after
        self._reset()
        session.follow(after(self._reset), "neuron")
        session.follow(messages.guard(self._take_explored), "explore")
        session.observe(after(self._settle), "pair")
        session.observe(after(self._take_posterior), "posterior")
        session.observe(after(self._stay), "result")
        state.observe(after(self._open), "active")
        state.observe(after(self.follow), ["pair", "target", "V_th_mV", "ranges", "noise_sigma"])
        state.observe(after(self.draw_map), ["pair", "layer", "V_th_mV", "ranges"])
        state.observe(after(self.rank), ["V_th_mV", "ranges"])
        state.observe(after(self._stay), ["pair", "V_th_mV", "noise_sigma"])
        state.observe(after(self._rank_target), "target")

    @property
    def neuron(self) -> NeuronModel:
        """The neuron with the threshold and the baseline ranges that are explored.

        Raises
        ------
        NeuronModelError
            If they cannot be.
        """
        state = self.state
        return vary_neuron(self.session.neuron, V_th_mV=state.V_th_mV, baseline=dict(state.ranges))

    def declared(self) -> Mapping[str, tuple[float, float]]:
        """Declared baseline ranges of the conductances that are drawn, in mS/cm²."""
        free = self.session.neuron.baseline.free
        return {n: (s.low, s.high) if isinstance(s, Range) else (s, s) for n, s in free.items()}

    def set_pair(self, pair: tuple[str, str]) -> None:
        """Explore another pair than that of the search."""
        self.choose(pair=None if pair == self.session.pair else pair)

    def set_threshold(self, V_th_mV: float) -> None:
        """Read DICs at another voltage."""
        self.choose(V_th_mV=None if V_th_mV == self.session.neuron.V_th_mV else V_th_mV)

    def set_range(self, channel: str, range_mS: tuple[float, float]) -> None:
        """Draw one conductance of the baseline from another range."""
        ranges = {**self.session.settings.explore.ranges, channel: range_mS}
        if range_mS == self.declared()[channel]:
            del ranges[channel]
        self.choose(ranges=ranges)

    def set_target(self, g_s: float, g_u: float) -> None:
        """Bring the members to other DICs, given to a thousandth."""
        self.choose(target=(round(g_s, 3), round(g_u, 3)))

    def set_end(self, g_s: float, g_u: float) -> None:
        """Choose where members are modulated to, given to a thousandth."""
        self.choose(end=(round(g_s, 3), round(g_u, 3)))

    def choose(self, **choices: Any) -> None:
        """Take choices of the user's, as `Explored` has them.

        Raises
        ------
        Spike2PopError
            If the neuron cannot be explored so.
        """
        self.session.choose_of("explore", **choices)

    def follow(self) -> None:
        """Generate members at the target, and simulate them."""
        state = self.state
        if not state.active or state.pair is None:
            return
        if not state.of_found:
            state.modulated = None
        neuron, pair, target = self.neuron, state.pair, state.target
        seed, sigma = self.session.settings.seed, state.noise_sigma
        given = self._given = threading.Event()

        def work(task: Task) -> Any:
            from spike2pop_nb.simulation import simulate

            try:
                population = generate_population(neuron, target, MEMBERS, pair, seed=seed)
                task.give(population)
            finally:
                given.set()
            compiling.wait(task.cancelled)
            return simulate(population, noise_sigma=sigma, seed=seed, cancel=task.cancelled)

        def partly(population: Any) -> None:
            self.messages.clear()
            with state.hold_trait_notifications():
                state.population, state.simulated = population, None

        def failed() -> None:
            with state.hold_trait_notifications():
                state.population = state.simulated = None

        done = partial(state.set_trait, "simulated")
        self.run("follow", "Simulating the members…", work, done, failed, partly, lane=_MEMBERS)

    def draw_map(self) -> None:
        """Draw the layer that is chosen; simulated layers come coarse at first, then finer."""
        state = self.state
        if not state.active or state.pair is None:
            return
        neuron, pair, layer = self.neuron, state.pair, state.layer
        given = self._given

        def work(task: Task) -> Any:
            # members take a tenth of the time, but not beside a map
            given.wait(_MOST_WAIT_S)
            if layer not in FIRING_LAYERS:
                return reachability(neuron, pair)
            from spike2pop_nb.fidelity import pattern_map

            compiling.wait(task.cancelled)

            def progress(done: int, total: int) -> None:
                task.progress(done, total, f"Simulating members over the plane ({100 * done / total:.0f} %)…")

            return pattern_map(neuron, pair, progress=progress, cancel=task.cancelled, coarse=task.give)

        def progress(_fraction: float, words: str) -> None:
            self.say("map", words)

        words, show = f"Mapping what {' and '.join(pair)} can reach…", partial(state.set_trait, "map")
        self.run("map", words, work, show, partial(show, None), show, progress, lane=_MAPS)

    def rank(self) -> None:
        """Rank all choices for the posterior, or for the target if there is none."""
        state = self.state
        if not state.active:
            return
        neuron, posterior = self.neuron, self._posterior()
        target = state.target if posterior is None else posterior

        done = partial(state.set_trait, "ranking")

        def work(_task: Task) -> Any:
            return rank_choices(neuron, target)

        self.run("rank", "Ranking all choices…", work, done, partial(done, None), lane=_MEMBERS)

    def moving(self) -> tuple[Population | None, str]:
        """Members to modulate, and who they are: of the population found, or those at the target before."""
        result = self.session.result
        if result is None or not result.usable:
            return self.state.population, f"the {MEMBERS} members at the target"
        passed = result.n_kept_passed  # these come first
        n = min(passed or len(result.population), MOST_MODULATED)
        all_of = f"the {n}" if n == passed else f"the first {n} of the {passed or len(result.population)}"
        kind = "members that fire like" if passed else "nearest members found for"
        table = result.population.table.iloc[:n]
        return Population.from_frame(table, self.neuron), f"{all_of} {kind} recording {result.recording.id}"

    def modulate(self) -> None:
        """Move the members to the end, and simulate them on their way.

        By the conductances that take most of them there, unless the user has chosen a pair to explore.
        """
        state, session = self.state, self.session
        population, who = self.moving()
        if population is None:
            self.messages.show("There are no members to modulate: choose a target that can be reached first.")
            return
        result, pair, chosen, end = session.result, state.pair, session.settings.explore.pair, state.end
        seed, sigma = session.settings.seed, state.noise_sigma

        def work(task: Task) -> tuple[Any, str]:
            from spike2pop_nb.simulation import simulate_modulation

            if chosen is None:
                path = widest_modulation(population, end, steps=_STEPS, first=(pair,))
            else:
                path = modulation_path(population, end, steps=_STEPS, compensate=chosen)
            told = f"{who[0].upper()}{who[1:]}: {path.describe()}"
            if not path.arrived.all():
                if chosen is None:
                    told += " No other two conductances take more of them there."
                else:
                    widest = widest_modulation(population, end, steps=_STEPS, first=(chosen,))
                    n, others = int(widest.arrived.sum()), " and ".join(widest.compensate)
                    if n > path.arrived.sum():
                        told += f" Moving {others} instead would take {n} of them there."
            compiling.wait(task.cancelled)
            noise = sigma or None
            return simulate_modulation(path, cancel=task.cancelled, noise_sigma=noise, seed=seed), told

        def done(answer: tuple[Any, str]) -> None:
            self.messages.clear()
            of_found = result is not None and result.usable
            if session.result is result and (of_found or state.population is population):
                with state.hold_trait_notifications():
                    state.modulated, state.told = answer
                    state.step, state.of_found = 0, of_found

        self.run("modulate", "Modulating the members…", work, done, self._stay, lane=_MEMBERS)

    def _stay(self) -> None:
        """Forget who was modulated."""
        self.state.modulated = None

    def _tell(self) -> None:
        """Tell what goes on, maps apart from members."""
        going = dict(self._going)
        self.state.mapping = going.pop("map", "")
        self.state.working = " ".join(going.values())

    def _rank_target(self) -> None:
        """Rank for the target, where there is no posterior."""
        if self._posterior() is None:
            self.rank()

    def _open(self) -> None:
        if self.state.active:
            self.rank()
            self.follow()
            self.draw_map()

    def _settle(self) -> None:
        """Let the state follow from what was chosen, and be left to the program where nothing was."""
        session, state = self.session, self.state
        neuron, chosen = session.neuron, session.settings.explore
        if neuron is not self._neuron:
            return  # what was chosen is of the neuron before
        low, high = neuron.dic_range["g_s"]
        g_s, g_u = self._middle
        with state.hold_trait_notifications():
            state.pair = chosen.pair or session.pair or state.pair
            state.layer = chosen.layer
            state.V_th_mV = neuron.V_th_mV if chosen.V_th_mV is None else chosen.V_th_mV
            state.ranges = dict(chosen.ranges)
            state.noise_sigma = chosen.noise_sigma
            state.target = chosen.target or (g_s, g_u)
            # modulation leads to the other side of the range of g_s
            state.end = chosen.end or (low + high - g_s, g_u)

    def _reset(self) -> None:
        """Begin anew with another neuron."""
        session, state = self.session, self.state
        active, state.active = state.active, False
        state.map = state.ranking = state.population = state.simulated = state.modulated = None
        self._neuron = session.neuron
        self._middle = (session.neuron.baseline.g_s, session.neuron.baseline.g_u)
        state.pair = session.pair
        self._settle()
        state.active = active

    def _take_explored(self, change: Any) -> None:
        """A target that was left with its recording is where members wait for the next posterior."""
        old, new = change["old"], change["new"]
        if (old.file, old.recording) != (new.file, new.recording) and new.explore.target is None:
            self._middle = self.state.target
        self._settle()

    def _posterior(self) -> Any:
        """That of the recording, if there is one."""
        posterior = self.session.posterior
        return posterior if posterior is not None and posterior.usable else None

    def _take_posterior(self) -> None:
        posterior = self._posterior()
        if posterior is not None:
            limits = [self.session.neuron.dic_range[name] for name in ("g_s", "g_u")]
            g_s, g_u = (
                min(max(float(v), low), high) for v, (low, high) in zip(posterior.mean, limits, strict=True)
            )
            self._middle = (g_s, g_u)
            self._settle()
            self.rank()
