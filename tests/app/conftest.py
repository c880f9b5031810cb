"""A dashboard without a browser: background work is answered when the test says so."""

from __future__ import annotations

import queue
import time

import numpy as np
import pytest
from ipywidgets import Widget

from spike2pop_nb.app.actions import predicting


class Verdict:
    """Stands for the judgement of a recording that could be the neuron's."""

    inside = True
    p_value = 0.5


class Gaussian:
    """Stands for a posterior; what the network says is tested elsewhere."""

    def __init__(self, train):
        self.id, self.n_spikes = train.id, train.n_spikes
        self.usable = train.n_spikes >= 3
        self.mean, self.std = np.array([-5.0, 4.0]), np.array([1.0, 0.5])
        self.g_s, self.g_u = -5.0, 4.0
        self.cov = np.diag(self.std**2)
        self.pattern = {"silent": 0.0, "spiking": 0.1, "bursting": 0.9}
        self.notes = ("A <i>note</i>.",)
        self.domain, self.course = Verdict(), None
        self.likeness = "yes"

    def against(self, _kind):
        return ""

    def sample(self, n, seed=0):
        return self.mean + self.std * np.random.default_rng(seed).normal(size=(n, 2))

    def log_prob(self, x):
        return -0.5 * (((x - self.mean) / self.std) ** 2).sum(axis=-1)


@pytest.fixture
def gaussian():
    """What makes a posterior for a train."""
    return Gaussian


class Network:
    def __init__(self):
        self.asked = []
        self.current = None

    def __call__(self, _neuron, current=None):
        self.current = current
        return self

    def predict(self, trains, prior):
        self.asked.append(prior)
        return [Gaussian(train) for train in trains]


class Loop:
    """Collects what background work wants done, and does it in the test's own thread."""

    def __init__(self):
        self.acts = queue.Queue()

    def __call__(self, act):
        self.acts.put(act)

    def until(self, condition, timeout_s=300.0):
        end = time.monotonic() + timeout_s
        while not condition():
            left = end - time.monotonic()
            assert left > 0, "the background work did not end in time"
            try:
                self.acts.get(timeout=min(left, 0.2))()
            except queue.Empty:
                continue


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def network(monkeypatch):
    made = Network()
    monkeypatch.setattr(predicting, "network", made)
    return made


@pytest.fixture
def dashboard(loop, network):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    made.network = network
    made.browser._receive(made.browser, {"kind": "start", "fragment": ""}, [])
    loop.until(lambda: made.session.reach is not None and not made.session.busy)
    yield made
    Widget.close_all()  # else ipywidgets keeps them all, 70 MB a test
