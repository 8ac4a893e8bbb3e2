"""The lifecycle of the vlm and executor nodes on the real graph, without the manager: asked as
`ros2 lifecycle set` asks, through the standard services of lifecycle_msgs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_msgs.msg import Float64MultiArray

from mmrobot.errors import ErrorCode
from mmrobot.ros.qos import STATE
from mmrobot_msgs.srv import Ground
from tests.support.graph import Graph, running_graph

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]
IDS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """Unconfigured, as for another lifecycle manager."""
    folder = tmp_path_factory.mktemp("lifecycle")
    with running_graph(folder, wait=False, bringup="other") as running:
        graph_is_unconfigured(running)
        yield running


def graph_is_unconfigured(graph: Graph) -> None:
    for name in ("executor", "vlm"):
        assert state(graph, name) == "unconfigured"


def call(graph: Graph, kind: Any, name: str, request: Any, timeout_s: float = 90.0) -> Any:
    client = graph.client.node.create_client(kind, name)
    assert client.wait_for_service(60.0)
    future = client.call_async(request)
    graph.wait(future.done, f"answer of {name}", timeout_s)
    return future.result()


def state(graph: Graph, name: str) -> str:
    return str(call(graph, GetState, f"{name}/get_state", GetState.Request()).current_state.label)


def change(graph: Graph, name: str, transition: str) -> bool:
    request = ChangeState.Request(transition=Transition(id=IDS[transition]))
    return bool(call(graph, ChangeState, f"{name}/change_state", request).success)


def bring_up(graph: Graph, *names: str) -> None:
    for name in names:
        if state(graph, name) == "unconfigured":
            assert change(graph, name, "configure")
        if state(graph, name) == "inactive":
            assert change(graph, name, "activate")
    graph.ready()


def resident_mb(graph: Graph, name: str) -> float:
    status = Path(f"/proc/{graph.nodes.pids[name]}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def test_an_invalid_transition_is_refused_and_the_node_lives(graph: Graph) -> None:
    graph_is_unconfigured(graph)
    for name in ("executor", "vlm"):
        assert not change(graph, name, "activate")
        assert not change(graph, name, "cleanup")
        assert state(graph, name) == "unconfigured"
    assert graph.nodes.dead() == []


def test_words_are_refused_until_active_with_the_fix_and_then_planned(graph: Graph) -> None:
    refused = graph.follow("pick up the red cube", plan_only=True)
    assert refused.error is not None and refused.error.code is ErrorCode.MODEL_UNAVAILABLE
    assert "unconfigured" in refused.error.message and "lifecycle set /vlm configure" in refused.error.fix
    assert change(graph, "vlm", "configure")
    refused = graph.follow("pick up the red cube", plan_only=True)
    assert refused.error is not None and "inactive" in refused.error.message
    answer = call(graph, Ground, "ground", Ground.Request(phrase="the red cube"))
    assert answer.error_code == ErrorCode.MODEL_UNAVAILABLE and "inactive" in answer.error_message
    bring_up(graph, "executor", "vlm")
    follow = graph.follow("pick up the red cube", plan_only=True)
    assert follow.error is None, follow.error
    assert call(graph, Ground, "ground", Ground.Request(phrase="the red cube")).error_code == 0


def test_the_executor_deactivated_in_motion_stops_the_arm_and_takes_plans_again(graph: Graph) -> None:
    bring_up(graph, "executor", "vlm")
    speeds: list[tuple[float, float]] = []
    subscription = graph.client.node.create_subscription(
        Float64MultiArray, "simulator/commanded_speed", lambda m: speeds.append(tuple(m.data)), STATE
    )
    follow = graph.start("put the red cube to the left of the blue bowl")
    graph.wait(lambda: speeds and speeds[-1][1] > 0.1, "motion")
    asked_s = speeds[-1][0]
    assert change(graph, "executor", "deactivate")
    graph.wait(lambda: speeds[-1][0] > asked_s + 1.5, "what follows")
    moving = [t for t, v in speeds if t > asked_s and v > 0.0]
    print(f"\nexecutor deactivated: still after {max(moving, default=asked_s) - asked_s:.3f} simulated s")
    assert max(moving, default=asked_s) - asked_s <= 0.5
    graph.wait(follow.done.is_set, "the end", 20.0)
    assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
    refused = graph.follow("go home")
    assert refused.error is not None and "inactive" in refused.error.message
    assert "lifecycle set /executor activate" in refused.error.fix
    assert max((v for t, v in speeds if t > asked_s + 0.5), default=0.0) == 0.0
    assert change(graph, "executor", "activate")
    graph.ready()
    # Healthy twin: the same words move the arm again.
    again = graph.start("put the red cube to the left of the blue bowl")
    graph.wait(lambda: speeds[-1][1] > 0.1, "motion again")
    assert again.error is None
    graph.client.stop(20.0)
    graph.wait(again.done.is_set, "the end of it", 20.0)
    graph.client.node.destroy_subscription(subscription)


def test_the_vlm_deactivated_in_motion_ends_the_task(graph: Graph) -> None:
    bring_up(graph, "executor", "vlm")
    follow = graph.start("put the green ball to the left of the blue bowl")
    assert change(graph, "vlm", "deactivate")
    graph.wait(follow.done.is_set, "the end", 20.0)
    assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
    assert "deactivated" in follow.error.message
    bring_up(graph, "vlm")
    assert graph.follow("how many cubes are there?").answer == "1"


def test_cleanup_frees_the_models_memory_and_configure_takes_it_again(graph: Graph) -> None:
    bring_up(graph, "executor", "vlm")
    assert graph.follow("how many cubes are there?").answer == "1"
    loaded_mb = resident_mb(graph, "vlm")
    assert change(graph, "vlm", "deactivate")
    inactive_mb = resident_mb(graph, "vlm")
    assert change(graph, "vlm", "cleanup")
    freed_mb = resident_mb(graph, "vlm")
    rounds = []
    for _ in range(2):
        assert change(graph, "vlm", "configure")
        again_mb = resident_mb(graph, "vlm")
        assert change(graph, "vlm", "cleanup")
        rounds.append((again_mb, resident_mb(graph, "vlm")))
    print(f"\nloaded {loaded_mb:.0f}, inactive {inactive_mb:.0f}, freed {freed_mb:.0f} MB; again {rounds}")
    weights_mb = 18.0  # of the shipped model: the least that it takes
    assert freed_mb < inactive_mb - weights_mb
    assert abs(inactive_mb - loaded_mb) < weights_mb, "deactivate alone keeps the model"
    assert rounds[0][0] > freed_mb + weights_mb
    assert rounds[1][1] < rounds[0][1] + weights_mb, "a round of configure and cleanup leaks"
    bring_up(graph, "vlm")
    assert graph.follow("how many cubes are there?").answer == "1"


def set_parameter(graph: Graph, node: str, name: str, **value: Any) -> Any:
    parameter = Parameter(name=name, value=ParameterValue(**value))
    request = SetParameters.Request(parameters=[parameter])
    return call(graph, SetParameters, f"{node}/set_parameters", request).results[0]


def test_a_parameter_set_at_run_time_takes_effect_and_a_bad_one_is_refused(graph: Graph) -> None:
    bring_up(graph, "executor", "vlm")
    assert call(graph, Ground, "ground", Ground.Request(phrase="the red cube")).error_code == 0
    assert set_parameter(graph, "vlm", "grounding.threshold", type=3, double_value=1.0).successful
    answer = call(graph, Ground, "ground", Ground.Request(phrase="the red cube"))
    assert answer.error_code == ErrorCode.TARGET_NOT_FOUND
    refused = set_parameter(graph, "vlm", "grounding.threshold", type=3, double_value=1.5)
    assert not refused.successful and "1.5" in refused.reason and "grounding.threshold" in refused.reason
    assert set_parameter(graph, "vlm", "grounding.threshold", type=3, double_value=0.5).successful
    assert call(graph, Ground, "ground", Ground.Request(phrase="the red cube")).error_code == 0
    assert not set_parameter(graph, "vlm", "approval", type=4, string_value="sometimes").successful
    assert set_parameter(graph, "vlm", "approval", type=4, string_value="always").successful
    graph.statuses.clear()
    waiting = graph.client.follow("pick up the red cube")
    graph.wait(lambda: graph.seen("approval"), "the question for approval")
    assert set_parameter(graph, "vlm", "approval", type=4, string_value="").successful
    graph.client.stop(20.0)
    graph.wait(waiting.done.is_set, "its end")
    fixed = set_parameter(graph, "vlm", "config", type=4, string_value="other.yaml")
    assert not fixed.successful and "read-only" in fixed.reason
