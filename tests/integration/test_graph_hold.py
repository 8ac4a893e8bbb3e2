"""A node that is silent for a moment holds the arm, and the instruction goes on; for longer, it fails.

SIGSTOP stands for starvation: the process is there, and does nothing. Time is stretched for
the reasons of test_graph_kill.py; MMROBOT_TEST_REAL_TIME=1 measures with the product's own limits.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from std_msgs.msg import Float64MultiArray, String

from mmrobot.errors import ErrorCode
from mmrobot.ros.qos import COMMAND, STATE
from tests.support.graph import PATIENT, Graph, running_graph

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

PACE = 1.0 if os.environ.get("MMROBOT_TEST_REAL_TIME") else 0.4
LIMIT_S = 0.5
PAUSE_S = 0.8
GIVE_UP_S = 3.0
# What DDS could not deliver to a process that stood still it sends again after 3 s: also a stop.
RESENT_S = 3.5
# Each is whole in itself, so that a test tried again does not rest on how the last one ended.
TAKE = "pick up the red cube"
LEFT = "put the red cube left of the green ball"
RIGHT = "put the red cube right of the green ball"

Speeds = list[tuple[float, float]]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    beats = {"timeout_s": 0.35 / PACE, "give_up_s": GIVE_UP_S / PACE}
    config = {**PATIENT, "heartbeat": beats}
    with running_graph(tmp_path_factory.mktemp("hold"), config, real_time_factor=PACE) as running:
        yield running


@pytest.fixture
def speeds(graph: Graph) -> Iterator[Speeds]:
    """(simulated s, commanded rad/s) as they come."""
    heard: Speeds = []
    subscription = graph.client.node.create_subscription(
        Float64MultiArray, "simulator/commanded_speed", lambda m: heard.append(tuple(m.data)), STATE
    )
    yield heard
    graph.client.node.destroy_subscription(subscription)


@contextmanager
def stopped(graph: Graph, name: str) -> Iterator[None]:
    process = graph.nodes.pids[name]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def moving(speeds: Speeds) -> bool:
    return bool(speeds) and speeds[-1][1] > 0.1


def later(speeds: Speeds, time_s: float) -> bool:
    return speeds[-1][0] > time_s


@pytest.mark.parametrize(("name", "words"), [("executor", TAKE), ("vlm", LEFT), ("arm_server", RIGHT)])
def test_a_starved_node_holds_the_arm_and_then_the_instruction_goes_on(
    graph: Graph, speeds: Speeds, name: str, words: str
) -> None:
    follow = graph.start(words)
    graph.wait(partial(moving, speeds), "motion")
    with stopped(graph, name):
        stopped_s = speeds[-1][0]
        graph.wait(partial(later, speeds, stopped_s + PAUSE_S), "the pause")
        resumed_s = speeds[-1][0]
    graph.wait(follow.done.is_set, f"the end of '{words}'", 150.0)
    moved = [t for t, v in speeds if stopped_s < t <= resumed_s and v > 0.0]
    still_after_s = max(moved, default=stopped_s) - stopped_s
    moved_on_s = min(t for t, v in speeds if t > resumed_s and v > 0.0) - resumed_s
    print(f"\n{name} stopped: still after {still_after_s:.3f}, on after {moved_on_s:.3f} simulated s")
    assert still_after_s <= LIMIT_S
    assert follow.error is None, follow.error
    if name != "arm_server":  # which cannot tell of itself: its last window ended
        assert graph.seen("held", f"no heartbeat of {name}") and graph.seen("resumed")
    assert graph.nodes.dead() == []


def test_a_node_silent_for_longer_than_the_limit_ends_the_instruction(graph: Graph, speeds: Speeds) -> None:
    follow = graph.start(RIGHT)
    graph.wait(partial(moving, speeds), "motion")
    with stopped(graph, "executor"):
        stopped_s = time.monotonic()
        graph.wait(follow.done.is_set, "the end", 60.0)
        ended_after_s = time.monotonic() - stopped_s
        assert follow.error is not None and follow.error.code is ErrorCode.ROBOT_UNAVAILABLE
        assert "no heartbeat of executor" in follow.error.message
        assert ended_after_s > 0.8 * GIVE_UP_S / PACE
        assert graph.seen("held", "no heartbeat of executor")
    assert_stays(graph, speeds)


def test_a_stop_in_a_hold_wins(graph: Graph, speeds: Speeds) -> None:
    follow = graph.start(RIGHT)
    graph.wait(partial(moving, speeds), "motion")
    with stopped(graph, "executor"):
        graph.wait(lambda: graph.seen("held"), "the hold")
        words = graph.client.node.create_publisher(String, "instruction", COMMAND)
        graph.wait(lambda: words.get_subscription_count() >= 3, "listeners")
        words.publish(String(data="stop"))
        graph.wait(follow.done.is_set, "the end", 20.0)
        assert follow.error is not None and follow.error.code is ErrorCode.STOPPED, follow.error
    assert_stays(graph, speeds)


def assert_stays(graph: Graph, speeds: Speeds) -> None:
    """All nodes are awake again, and nothing moves any more."""
    told_s = speeds[-1][0]
    time.sleep(RESENT_S)
    graph.wait(partial(later, speeds, told_s + 1.5), "what follows")
    assert [t for t, v in speeds if t > told_s and v > 0.0] == []
    assert not graph.seen("resumed")
