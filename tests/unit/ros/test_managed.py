"""A lifecycle node's states under real transitions: what fails stays where it was, and nothing kills it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.parameter import Parameter

from mmrobot.errors import ModelUnavailableError
from mmrobot.ros.managed import ManagedNode


class Worker(ManagedNode):
    """Notes what it is asked; raises what `faults` says."""

    def __init__(self) -> None:
        super().__init__("worker")
        self.calls: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.declare_parameter("weights", "bad")

    def _note(self, step: str) -> None:
        self.calls.append(f"{step} {'active' if self.active else 'idle'}")
        if step in self.faults:
            raise self.faults[step]

    def configure(self) -> None:
        self._note("configure")

    def activate(self) -> None:
        self._note("activate")

    def deactivate(self) -> None:
        self._note("deactivate")

    def cleanup(self) -> None:
        self._note("cleanup")

    def ask(self, transition: int) -> bool:
        """As the service does, with its guards."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(self._serve_change(request, ChangeState.Response()).success)


CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE, SHUTDOWN = 1, 2, 3, 4, 7


@pytest.fixture
def node() -> Iterator[Worker]:
    rclpy.init()
    made = Worker()
    yield made
    made.destroy_node()
    rclpy.try_shutdown()


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_whole_way_and_active_only_in_between(node: Worker) -> None:
    assert node.state == "unconfigured" and not node.active
    for transition in (CONFIGURE, ACTIVATE):
        assert node.ask(transition)
    assert node.state == "active" and node.active
    for transition in (DEACTIVATE, CLEANUP):
        assert node.ask(transition)
    assert node.state == "unconfigured"
    # Not active any more when it is told to end its work, so that no new work slips in.
    assert node.calls == ["configure idle", "activate idle", "deactivate idle", "cleanup idle"]


@pytest.mark.parametrize("transition", [CLEANUP, ACTIVATE, DEACTIVATE, SHUTDOWN, 99])
def test_a_transition_that_the_state_lacks_is_refused(node: Worker, transition: int) -> None:
    assert not node.ask(transition)
    assert node.state == "unconfigured" and node.calls == []
    assert node.ask(CONFIGURE)


def test_a_second_transition_meanwhile_is_refused(node: Worker) -> None:
    with node._changing:
        assert not node.ask(CONFIGURE)
    assert node.ask(CONFIGURE)


def test_a_configure_that_fails_leaves_it_unconfigured_and_may_be_repeated(node: Worker) -> None:
    node.faults["configure"] = ModelUnavailableError("no weights", "fetch them")
    assert not node.ask(CONFIGURE)
    assert node.state == "unconfigured"
    node.faults.clear()
    assert node.ask(CONFIGURE) and node.state == "inactive"


def test_a_deactivate_that_fails_never_leaves_it_active(node: Worker) -> None:
    assert node.bring_up()
    node.faults["deactivate"] = ModelUnavailableError("stuck", "")
    assert not node.ask(DEACTIVATE)
    assert not node.active and node.state == "finalized"


def test_an_unforeseen_error_gives_all_back(node: Worker) -> None:
    node.faults["activate"] = RuntimeError("segment missing")
    assert node.ask(CONFIGURE) and not node.ask(ACTIVATE)
    assert node.state == "unconfigured" and node.calls[-1] == "cleanup idle"


def test_autostart_brings_it_up_and_again_when_what_it_failed_with_is_set_anew(node: Worker) -> None:
    node.faults["configure"] = ModelUnavailableError("no weights", "fetch them")
    node.begin()
    eventually(lambda: node.calls and node.state == "unconfigured" and node._failed)
    node.faults.clear()
    assert node.set_parameters([Parameter("weights", value="good")])[0].successful
    eventually(lambda: node.active)


def test_after_a_cleanup_by_hand_a_parameter_does_not_bring_it_up(node: Worker) -> None:
    node.begin()
    eventually(lambda: node.active)
    assert node.ask(DEACTIVATE) and node.ask(CLEANUP)
    node.set_parameters([Parameter("weights", value="good")])
    time.sleep(0.2)
    assert node.state == "unconfigured"


def test_a_process_that_ends_deactivates_first(node: Worker) -> None:
    assert node.bring_up()
    node.close()
    assert node.calls[-1] == "deactivate idle" and not node.ask(DEACTIVATE)
