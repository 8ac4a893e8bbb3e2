"""The manager and whoever starts the processes: a node killed with -9, or hung, is back at work in time.

The heartbeat's limits are those of the shipped configuration, as `mmrobot up` runs. A machine whose cores
others use too may give the limit a factor: MMROBOT_TEST_TIME_FACTOR=3. No node may die five times here:
within two minutes that ends the bring-up.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from std_msgs.msg import Empty, Float64MultiArray, String

from mmrobot.errors import ErrorCode, MmrobotError
from mmrobot.ros.action_caller import ActionCaller
from mmrobot.ros.client import Follow
from mmrobot.ros.hung import HUNG_S
from mmrobot.ros.messages import plan_to_message
from mmrobot.ros.qos import COMMAND, STATE
from mmrobot.types import ActionPlan, PlanStep
from mmrobot_msgs.action import ExecutePlan
from tests.support.graph import PATIENT, Graph, running_graph

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]
LIMIT_S = 10.0 * float(os.environ.get("MMROBOT_TEST_TIME_FACTOR", "1"))
WORDS = "pick up the green ball"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    config = {**PATIENT, "heartbeat": {"timeout_s": 0.35, "give_up_s": 3.0}}
    with running_graph(tmp_path_factory.mktemp("bringup"), config) as running:
        yield running


def tended(graph: Graph, condition: Callable[[], object], what: str) -> None:
    def there() -> object:
        graph.tend()
        return condition()

    graph.wait(there, what, 60.0)


def planned(graph: Graph) -> bool:
    try:
        follow = graph.client.follow(WORDS, plan_only=True, timeout_s=0.2)
    except MmrobotError:
        return False
    ended = ends(follow, 3.0)
    return ended and follow.error is None


def ends(follow: Follow, timeout_s: float) -> bool:
    return follow.done.wait(timeout_s)


def state(graph: Graph, name: str) -> str:
    client = graph.client.node.create_client(GetState, f"{name}/get_state")
    assert client.wait_for_service(10.0)
    future = client.call_async(GetState.Request())
    graph.wait(future.done, f"state of {name}", 20.0)
    graph.client.node.destroy_client(client)
    return str(future.result().current_state.label)


def beats_of(graph: Graph) -> dict[str, list[str]]:
    """Of each node its life and state, kept up to date."""
    beats: dict[str, list[str]] = {}

    def hear(message: String) -> None:
        who, *rest = message.data.split(" ")
        beats[who] = rest

    graph.client.node.create_subscription(String, "heartbeat", hear, STATE)
    return beats


def back_after_s(graph: Graph, name: str, harm: Callable[[str], object]) -> float:
    """Seconds from the harm until another life of the node beats, active where it has states, and all parts
    are healthy and a plan is made."""
    beats = beats_of(graph)
    graph.wait(lambda: name in beats, "its beat")
    before = beats[name][0]
    began_s = time.monotonic()
    harm(name)
    while True:
        graph.tend()
        reborn = beats[name][0] != before and beats[name][1:] in ([], ["active"])
        healthy = graph.client.health is not None and not any(graph.client.health.values())
        if reborn and healthy and planned(graph):
            return time.monotonic() - began_s
        assert time.monotonic() - began_s < 60.0, (beats, graph.client.health)
        time.sleep(0.05)


def speeds_of(graph: Graph) -> list[tuple[float, float]]:
    """(simulated s, rad/s) as the simulator's controllers are commanded, kept up to date."""
    speeds: list[tuple[float, float]] = []
    graph.client.node.create_subscription(
        Float64MultiArray, "simulator/commanded_speed", lambda m: speeds.append(tuple(m.data)), STATE
    )
    return speeds


def moving(graph: Graph, words: str, speeds: list[tuple[float, float]]) -> Follow:
    """Say it and wait until the arm moves: seen at the simulator, which lives all the time. What an executor
    that is seconds old tells on `status` may not reach this process yet: its publisher is not known here."""
    graph.statuses.clear()
    follow = graph.client.follow(words, timeout_s=20.0)
    began_s = speeds[-1][0] if speeds else 0.0
    graph.wait(
        lambda: follow.done.is_set() or (speeds and speeds[-1][0] > began_s and speeds[-1][1] > 0.1),
        f"motion of '{words}'",
        90.0,
    )
    assert not follow.done.is_set(), follow.error
    return follow


def stopped(graph: Graph, follow: Follow) -> None:
    """It moves; stop it, and let all nodes hear of it before more is said."""
    graph.client.stop(20.0)
    graph.wait(follow.done.is_set, "its end", 20.0)
    time.sleep(1.0)


def test_the_manager_brings_both_up(graph: Graph) -> None:
    assert state(graph, "executor") == state(graph, "vlm") == "active"
    assert planned(graph)


@pytest.mark.parametrize("name", ["executor", "vlm", "arm_server", "manager"])
def test_a_killed_node_is_back_at_work_in_time(graph: Graph, name: str) -> None:
    took_s = back_after_s(graph, name, graph.nodes.kill)
    print(f"\n{name} killed: back at work after {took_s:.1f} s")
    assert state(graph, "executor") == state(graph, "vlm") == "active"
    assert took_s <= LIMIT_S


def test_a_hung_node_is_killed_and_back_at_work(graph: Graph) -> None:
    """Stopped by SIGSTOP it lives on and says nothing, as one in an endless loop does."""
    took_s = back_after_s(graph, "executor", lambda name: os.kill(graph.nodes.pids[name], signal.SIGSTOP))
    print(f"\nexecutor hung: back at work after {took_s:.1f} s")
    assert HUNG_S <= took_s <= LIMIT_S + HUNG_S


def test_what_nobody_starts_again_stays_away(graph: Graph) -> None:
    """The healthy test's twin: it is the process's restart that brings the node back."""
    graph.nodes.kill("executor")
    graph.wait(lambda: graph.client.health and graph.client.health["executor"], "its silence", 20.0)
    time.sleep(2.0)
    assert graph.client.health["executor"] and graph.nodes.dead() == ["executor"]
    tended(graph, lambda: not graph.client.health["executor"], "its return")


@pytest.mark.parametrize("name", ["executor", "arm_server"])
def test_a_death_stops_the_robot_and_nothing_goes_on_by_itself(graph: Graph, name: str) -> None:
    stops: list[float] = []
    node = graph.client.node
    node.create_subscription(Empty, "stop_all", lambda _: stops.append(time.monotonic()), COMMAND)
    speeds = speeds_of(graph)
    beats = beats_of(graph)
    graph.ready()
    follow = moving(graph, "pick up the red cube", speeds)
    assert stops == [], "a stop without a fault"
    killed_s = speeds[-1][0]
    before = beats[name][0]
    graph.nodes.kill(name)
    tended(graph, follow.done.is_set, "the task's end")
    assert follow.error is not None
    tended(graph, lambda: stops and graph.seen("lost", f"'{name}'"), "the manager's stop")
    tended(graph, lambda: beats[name][0] != before, "another life of it")
    tended(graph, lambda: beats[name][1:] in ([], ["active"]), "its activation")
    graph.client.health = None
    graph.ready()
    back_s = speeds[-1][0]
    graph.wait(lambda: speeds[-1][0] > back_s + 2.0, "two more seconds")
    still_s = max(t for t, v in speeds if v > 0.0) - killed_s
    print(f"\n{name} killed in motion: still after {still_s:.2f} simulated s")
    assert still_s <= 0.5
    stopped(graph, moving(graph, "pick up the red cube", speeds))


def test_an_emergency_stop_stays_latched_over_a_kill_until_it_is_reset(graph: Graph) -> None:
    speeds = speeds_of(graph)
    beats = beats_of(graph)
    graph.ready()
    follow = moving(graph, "pick up the red cube", speeds)
    stopped_s = speeds[-1][0]
    graph.client.emergency_stop()
    graph.wait(follow.done.is_set, "the end", 20.0)
    assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
    graph.wait(lambda: (graph.client.health or {}).get("emergency stop"), "its diagnosis")
    refused(graph, WORDS)
    before = beats["executor"][0]
    graph.nodes.kill("executor")
    graph.nodes.revive("executor")
    graph.wait(lambda: beats["executor"][0] != before, "another life of it")
    graph.wait(lambda: beats["executor"][1] == "active", "its activation")
    refused(graph, WORDS)
    # Past the vlm node, which refuses first: the executor itself takes no plan either.
    result = graph.wait(executed(graph), "its refusal", 20.0)
    assert result.error_code == ErrorCode.STOPPED and "emergency stop is latched" in result.error_message
    assert max(t for t, v in speeds if v > 0.0) - stopped_s <= 0.5
    graph.client.emergency_stop(latch=False)
    graph.client.health = None
    graph.ready()
    stopped(graph, moving(graph, "pick up the red cube", speeds))


def refused(graph: Graph, words: str) -> None:
    follow = graph.follow(words, timeout_s=20.0)
    assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
    assert "emergency stop is latched" in follow.error.message and "--reset" in follow.error.fix


def executed(graph: Graph) -> Callable[[], Any]:
    """A plan given to the executor at once; ask for its result until that is there."""
    caller, results = ActionCaller(graph.client.node, ExecutePlan, "execute_plan"), []
    assert caller.wait_ready(10.0)
    plan = ActionPlan(uuid.uuid4().hex, "go home", (PlanStep(0, "home"),), 1, "none")
    caller.send(ExecutePlan.Goal(plan=plan_to_message(plan)), on_end=results.append)
    return lambda: results and results[0]


def test_what_was_deactivated_by_hand_is_left_so(graph: Graph) -> None:
    client = graph.client.node.create_client(ChangeState, "vlm/change_state")
    assert client.wait_for_service(10.0)
    for transition, after in ((Transition.TRANSITION_DEACTIVATE, "inactive"), (3, "active")):
        future = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
        graph.wait(future.done, "the answer", 20.0)
        assert future.result().success
        time.sleep(2.0)
        assert state(graph, "vlm") == after
