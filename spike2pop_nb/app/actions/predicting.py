"""What follows from a recording at once: its DICs, those of the others, and what can be compensated.

And what the network needs for that: a neuron, which may be the user's own, and its atlas.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.figures import NO_MEMBER
from spike2pop_nb.app.local import may_add_neurons
from spike2pop_nb.app.runner import Task
from spike2pop_nb.conductances import reachability
from spike2pop_nb.errors import Cancelled, NeuronModelError, PredictorError, Spike2PopError
from spike2pop_nb.inference import list_predictors
from spike2pop_nb.neurons import NeuronModel, add_neuron, get_neuron, load_neuron

__all__ = ["Predicting", "network"]

_AT_ONCE = 256


def network(neuron: str, current: float | None = None) -> Any:
    """Return the predictor of a neuron, which may be told a known current."""
    return _network(neuron, get_neuron(neuron).declaration, current)


@lru_cache(maxsize=8)
def _network(neuron: str, _declaration: str, current: float | None) -> Any:
    """It, once for each declaration, of which a neuron of the user's own may get another."""
    # PyTorch takes seconds to import, so it comes with the first prediction and not with the page.
    from spike2pop_nb.inference import load_predictor

    return load_predictor(neuron, current=current)


class Predicting(Acting):
    """Actions that ask the network, map what a pair of conductances reaches, and make a neuron known."""

    def warm_up(self) -> None:
        """Import what is slow to import while the user looks at the page."""

        def work(_task: Task) -> None:
            import elephant.spike_train_dissimilarity  # noqa: F401

            from spike2pop_nb.simulation import needs_compiling, simulate

            compiling.begin()

            with suppress(Spike2PopError):  # said when a prediction is asked for
                network(self.session.neuron.name)
            neuron = self.session.neuron
            if not needs_compiling():
                simulate(np.ones((1, neuron.n_channels)), neuron, duration_ms=1.0, transient_ms=0.0)

        self.run("warm up", "Loading the network and the simulator…", work, lambda _answer: None)

    def predict(self) -> None:
        """Predict the DICs of the recording that is looked at, with the chosen neuron's network."""
        session = self.session
        train, neuron = session.train, session.neuron
        prior, current = session.settings.prior, session.settings.current
        session.member = NO_MEMBER
        session.result = None if train is None else session.results.get(session.key(train))
        session.posterior = session.fit = session.fits_better = session.drive = None
        if train is None:
            return

        def work(_task: Task) -> Any:
            try:
                predictor = network(neuron.name, current)
            except PredictorError:
                if neuron.name in list_predictors():
                    raise
                return None  # which is said beside the neuron
            return predictor.predict([train], prior=prior)[0]

        def done(posterior: Any) -> None:
            # and not that of a file that is open no more
            if session.train is not train:
                return
            if posterior is not None:
                session.posterior = posterior
            self._look_further(train)

        self.run("predict", "Predicting the dynamic input conductances…", work, done)

    def _look_further(self, train: Any) -> None:
        """Tell the current and noise that the neuron needs, and which neurons fire like the recording."""
        session, name = self.session, self.session.neuron.name
        current = session.settings.current

        def work(_task: Task) -> Any:
            from spike2pop_nb.inference import drives_of, list_atlases, which_neuron

            several = len(list_atlases()) > 1
            drive = drives_of(name, [train], current)[0]
            return drive, which_neuron([train])[0] if several else None

        def done(found: Any) -> None:
            if session.train is train and (session.neuron.name, session.settings.current) == (name, current):
                session.drive, session.fit = found
                session.fits_better = session.fit and session.fit.other_than(name)

        self.run("other", "Trying all neurons…", work, done)

    def judge(self) -> None:
        """Find out by what members of the recording that is looked at will be judged."""
        from spike2pop_nb.fidelity import judged_by_rule, rule_in_words

        session = self.session
        train, neuron, settings = session.train, session.neuron, session.settings
        session.judging = None
        if train is None:
            return
        own = "own" if settings.judged == "own" else None
        try:
            rule = rule_in_words(own, settings.refine, **settings.tolerances())
        except Spike2PopError:
            return  # said when a search is asked for
        predicted = neuron.name in list_predictors()

        def work(_task: Task) -> Any:
            return judged_by_rule(train, neuron, predicted, settings.refine, rule)

        def done(found: Any) -> None:
            if session.train is train:
                session.judging = found

        self.run("judge", "Looking how regular the recording is…", work, done)

    def survey(self) -> None:
        """Measure all recordings of the file and predict their DICs, for the table."""
        session = self.session
        recordings, neuron = session.recordings, session.neuron
        prior, current = session.settings.prior, session.settings.current
        session.survey = None
        if recordings is None or not len(recordings):
            return

        def work(task: Task) -> Any:
            table = recordings.to_frame()
            from spike2pop_nb.inference import attempt_predictions

            try:
                predictor = network(neuron.name, current)
            except PredictorError:  # said where the DICs of the one that is looked at are asked for
                return table.assign(g_s=np.nan, g_u=np.nan, likeness="")
            found: list[Any] = []
            for at in range(0, len(recordings), _AT_ONCE):
                if task.cancelled():
                    return None
                found += attempt_predictions(predictor, recordings[at : at + _AT_ONCE], prior=prior)
            table["g_s"] = [p.g_s for p in found]
            table["g_u"] = [p.g_u for p in found]
            table["likeness"] = [p.likeness for p in found]
            return table

        def done(table: Any) -> None:
            if session.recordings is recordings:
                session.survey = table

        self.run("survey", "Looking through all recordings…", work, done)

    def _forget_pair(self) -> None:
        """Channels of another neuron mean nothing to this one."""
        self.session.pair = None
        self.recommend()

    def recommend(self) -> None:
        """Take the chosen pair, or the one recommended for what was predicted, or for the middle of all."""
        session = self.session
        neuron, posterior, chosen = session.neuron, session.posterior, session.settings.compensate
        if chosen is not None:
            session.pair = chosen
        elif posterior is not None and posterior.usable:
            session.pair = neuron.recommend(posterior.g_s, posterior.g_u)
        elif session.pair is None:
            middle = (0.5 * sum(neuron.dic_range[name]) for name in ("g_s", "g_u"))
            session.pair = neuron.recommend(*middle)

    def map_reach(self) -> None:
        """Map what the chosen pair reaches."""
        session = self.session
        neuron, pair = session.neuron, session.pair
        session.reach = None
        if pair is None:
            return
        words = f"Mapping what {' and '.join(pair)} can reach…"
        done = partial(session.set_trait, "reach")
        self.run("reach", words, lambda _task: reachability(neuron, pair), done)

    def make_atlas(self, done: Callable[[], None]) -> None:
        """Make the atlas of the chosen neuron; stopping leaves nothing. ``done`` is called in any case."""
        self.messages.clear()
        neuron = self.session.neuron

        def work(task: Task) -> None:
            from spike2pop_nb.training.atlas import make_atlas

            with suppress(Cancelled):
                make_atlas(neuron, progress=task.progress, cancel=task.cancelled)

        def over(_answer: Any = None) -> None:
            done()
            if self.session.neuron.name == neuron.name:
                self.predict()
                self.survey()

        self.run("atlas", f"Making the atlas of the {neuron.title}…", work, over, done, lane="atlas")

    def add_neuron(
        self, data: bytes, name: str, done: Callable[[tuple[NeuronModel, list[str]]], None]
    ) -> None:
        """Run a Python file, check the neuron that it declares, and keep it among the user's own.

        ``done`` is called with the neuron and what the check says.

        Raises
        ------
        NeuronModelError
            If the server was not told to run declarations, or the file is not Python.
        """
        if not may_add_neurons():
            raise NeuronModelError(
                "This page runs no Python. Open it with spike2pop app --own-neurons, or add the file with "
                "spike2pop models add."
            )
        if PurePath(name).suffix.lower() != ".py":
            raise NeuronModelError(f"{name} is no Python file; choose the .py file that declares the neuron.")
        self.messages.clear()
        chosen = self.session.settings.neuron

        def work(_task: Task) -> tuple[NeuronModel, list[str]]:
            from spike2pop_nb.simulation.model_check import check_model

            with TemporaryDirectory(prefix="spike2pop-") as folder:
                path = Path(folder) / f"{PurePath(name).stem or 'neuron'}.py"
                path.write_bytes(data)
                neuron = load_neuron(path)
                if neuron.name == chosen:
                    raise NeuronModelError(
                        f"The neuron {neuron.name!r} is the one that is chosen; choose another before you "
                        "replace it."
                    )
                found = check_model(neuron)
                return add_neuron(path), found.describe().splitlines()

        self.run("add neuron", f"Running {name} and trying out its neuron…", work, done)
