"""Places for sessions: none more than there are, each one's own, first come first served."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from traitlets.config import LoggingConfigurable
from voila.voila_kernel_manager import voila_kernel_manager_factory

from spike2pop_nb.app import places as module
from spike2pop_nb.app.places import Kernels, Places, refill


class Manager:
    """As much of Jupyter's manager as is asked for."""

    def __init__(self):
        self.kernels, self.connections, self.asked = {}, {}, []

    def add(self, kernel, silent_s=0.0, connections=1):
        self.kernels[kernel] = SimpleNamespace(
            last_activity=datetime.now(UTC) - timedelta(seconds=silent_s), kernel_id=kernel
        )
        self.connections[kernel] = connections

    def list_kernel_ids(self):
        return list(self.kernels)

    def get_kernel(self, kernel):
        return self.kernels[kernel]

    def kernel_model(self, kernel):
        return {"connections": self.connections[kernel]}

    async def shutdown_kernel(self, kernel):
        del self.kernels[kernel]

    async def start_kernel(self, **asked):
        self.asked.append(asked)
        self.add("started")
        return "started"

    async def get_rendered_notebook(self, **asked):
        self.asked.append(asked)
        self.add("ready", silent_s=7200)
        return "task", ["cells"], "ready"


@pytest.fixture
def manager():
    return Manager()


def enter(places, visitor):
    return asyncio.run(places.enter(visitor))


def opened(places, manager, visitor, kernel, **how):
    assert enter(places, visitor) == 0
    manager.add(kernel, **how)
    places.give(visitor, kernel)


def test_a_session_is_its_visitors(manager):
    places = Places(2, manager)
    opened(places, manager, "ann", "a")
    assert places.owns("ann", "a")
    assert not places.owns("bob", "a")
    assert not places.owns("bob", "kept ready")


def test_places_that_are_being_taken_count(manager):
    places = Places(2, manager)
    assert [enter(places, who) for who in ("ann", "bob", "cid")] == [0, 0, 1]
    places.leave()
    assert enter(places, "cid") == 0


def test_who_comes_first_is_served_first_and_one_visitor_stands_in_line_once(manager):
    places = Places(1, manager)
    opened(places, manager, "ann", "a")
    assert [enter(places, who) for who in ("bob", "cid", "bob", "dan", "cid")] == [1, 2, 1, 3, 2]
    del manager.kernels["a"]
    assert [enter(places, who) for who in ("dan", "cid")] == [3, 2]
    assert enter(places, "bob") == 0
    assert [enter(places, who) for who in ("bob", "dan", "cid")] == [3, 2, 1]


def test_thirty_who_come_at_once_get_ten_places_in_their_order(manager):
    places = Places(10, manager)
    came = [f"{i}" for i in range(30)]
    assert [enter(places, who) for who in came] == [0] * 10 + list(range(1, 21))
    inside = []
    for who in came[:10]:
        manager.add(who)
        places.give(who, who)
    for _round in range(20):
        del manager.kernels[next(iter(manager.kernels))]
        for who in reversed(came[10:]):  # whoever asks first
            if who not in inside and enter(places, who) == 0:
                inside.append(who)
                manager.add(who)
                places.give(who, who)
    assert inside == came[10:]


def test_who_does_not_ask_again_loses_the_place_in_line(manager, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    places = Places(1, manager)
    opened(places, manager, "ann", "a")
    assert [enter(places, who) for who in ("bob", "cid")] == [1, 2]
    now[0] += 20
    assert enter(places, "cid") == 2
    now[0] += 20
    assert enter(places, "cid") == 1


def test_a_new_page_takes_the_place_of_ones_own_that_lost_its_page(manager):
    places = Places(3, manager)
    opened(places, manager, "ann", "open", silent_s=900, connections=1)
    opened(places, manager, "ann", "gone", silent_s=600, connections=0)
    opened(places, manager, "bob", "bob's", silent_s=1200, connections=0)
    assert enter(places, "cid") == 1
    assert enter(places, "ann") == 2  # cid came first
    assert set(manager.kernels) == {"open", "bob's"}
    assert enter(places, "cid") == 0


def test_what_just_lost_its_page_waits_for_it(manager):
    places = Places(1, manager)
    opened(places, manager, "ann", "a", silent_s=60, connections=0)
    assert enter(places, "ann") == 1
    assert set(manager.kernels) == {"a"}


def test_a_page_owns_the_kernel_it_gets_and_the_next_hears_nothing_of_it(manager):
    given = []
    kernels = Kernels(manager, given.append)
    asked = {"VOILA_REQUEST_URL": "http://127.0.0.1/?secret"}
    got = asyncio.run(kernels.get_rendered_notebook(notebook_name="app", extra_kernel_env_variables=asked))
    assert got == ("task", ["cells"], "ready")
    assert manager.asked == [{"notebook_name": "app"}]
    assert datetime.now(UTC) - manager.get_kernel("ready").last_activity < timedelta(seconds=60)
    assert asyncio.run(kernels.start_kernel(kernel_name="python3")) == "started"
    assert given == ["ready", "started"]
    assert kernels.list_kernel_ids() == ["ready", "started"]


class Server(LoggingConfigurable):
    """As much of a server as Voilà's store of kernels asks for."""

    root_dir, notebook_path = "/", "/app.ipynb"
    base_url, server_url, port = "/", "/", 1


class Starting(LoggingConfigurable):
    """As much of Jupyter's manager as that store builds on."""

    async def shutdown_kernel(self, kernel):
        self.ended.append(kernel)

    def get_kernel(self, kernel):
        return SimpleNamespace(kernel_id=kernel)


class Store(voila_kernel_manager_factory(Starting, True, 1)):
    """Voilà's store, in which the first attempts end as they are told."""

    def __init__(self, first, ended):
        self.attempts, self.ended = iter([*first, *["ready"] * 9]), ended
        super().__init__(parent=Server(), config=None)
        self.fill_delay = 0

    async def _initialize(self, notebook_path, kernel_id=None, **asked):
        attempt = next(self.attempts)
        if attempt == "not started":
            raise RuntimeError("no kernel")
        shown = asyncio.get_running_loop().create_future()
        if attempt == "not shown":
            shown.set_exception(RuntimeError("no answer"))
        renderer = SimpleNamespace(rendered_cache=[], stop_generator=False)
        return {"task": shown, "renderer": renderer, "kernel_id": attempt}


def taken(first, look):
    """The kernels that two pages get, having looked at the store before or not; and those that were ended."""
    ended = []

    async def pages():
        store = Store(first, ended)
        for _ in range(3):
            await asyncio.sleep(0.01)
            if look:
                await refill(store)
        ready = store.get_pool_size("app.ipynb")
        for _ in range(2):
            kernels = Kernels(store, lambda _kernel: None)
            yield ready, (await kernels.get_rendered_notebook(notebook_name="app.ipynb"))[2]
            await asyncio.sleep(0.01)

    async def listed():
        return [one async for one in pages()]

    return asyncio.run(listed()), ended


@pytest.mark.parametrize("first", [(), ("not started",), ("not shown",), ("not started", "not shown")])
def test_after_a_kernel_that_could_not_be_prepared_another_one_is(first):
    assert taken(first, look=True) == ([(1, "ready")] * 2, ["not shown"] * ("not shown" in first))


def test_a_page_that_comes_before_that_waits_for_the_other_one():
    assert taken(["not started"], look=False) == ([(1, "ready")] * 2, [])
