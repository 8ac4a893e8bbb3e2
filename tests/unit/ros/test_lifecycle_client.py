"""What is known of a lifecycle node: of a new life nothing, until it has answered itself."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mmrobot.ros.bringup_order import BringupOrder
from mmrobot.ros.lifecycle_client import LifecycleClient


class Answer:
    """A future of the test's."""

    def __init__(self) -> None:
        self.then: Callable[[Any], None] = lambda _: None
        self.label = ""

    def add_done_callback(self, then: Callable[[Any], None]) -> None:
        self.then = then

    def result(self) -> Any:
        return SimpleNamespace(current_state=SimpleNamespace(label=self.label))

    def come(self, label: str) -> None:
        self.label = label
        self.then(self)


class Service:
    """Stands for the node and both its clients."""

    def __init__(self) -> None:
        self.asked: list[Answer] = []

    def create_client(self, *_: Any, **__: Any) -> Service:
        return self

    def service_is_ready(self) -> bool:
        return True  # of one that was killed too, until its lease has run out

    def call_async(self, _: Any) -> Answer:
        self.asked.append(Answer())
        return self.asked[-1]

    def remove_pending_request(self, _: Answer) -> None:
        return None


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def client(service: Service) -> LifecycleClient:
    return LifecycleClient(service, "executor", None)  # type: ignore[arg-type]


def test_the_state_of_a_dead_node_is_not_its_successors(client: LifecycleClient, service: Service) -> None:
    client.know_life("a")
    client.poll()
    service.asked[-1].come("active")
    client.know_life("a")
    assert client.state == "active"
    client.poll()
    client.know_life("b")
    assert client.state is None
    service.asked[-1].come("active")
    assert client.state is None, "an answer of the dead one that came late"
    client.know_life("")
    client.poll()
    service.asked[-1].come("unconfigured")
    client.know_life("b")
    assert client.state == "unconfigured"


@pytest.mark.parametrize("known", ["a", ""], ids=["its beats were heard", "none of its beats was heard"])
def test_a_node_killed_while_active_and_started_at_once_is_brought_up(
    client: LifecycleClient, service: Service, known: str
) -> None:
    """As the manager does: its new life may be heard before the last state is known to be old. A manager that
    is new itself may not have heard the dead one at all."""
    order = BringupOrder(["executor"])

    def turn(life: str) -> list[tuple[str, str]]:
        client.know_life(life)
        return order.next({"executor": client.state}, {"executor": life} if life else {})

    assert turn(known) == []
    client.poll()
    service.asked[-1].come("active")
    assert turn(known) == [] and order.settled()
    assert turn("b") == [] and not order.settled()
    client.poll()
    service.asked[-1].come("unconfigured")
    assert turn("b") == [("executor", "configure")]


def test_the_first_beat_of_an_active_node_changes_nothing(client: LifecycleClient, service: Service) -> None:
    order = BringupOrder(["executor"])
    for life in ("", "a", "a"):
        client.know_life(life)
        client.poll()
        service.asked[-1].come("active")
        assert order.next({"executor": client.state}, {"executor": life} if life else {}) == []
        assert order.settled()
