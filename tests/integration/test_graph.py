"""The whole graph, once up: instructions to their ends, bad input to clear errors, stop, pre-emption."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_msgs.msg import String

from mmrobot.errors import ErrorCode
from mmrobot.planning.planner import distance_m
from mmrobot.ros.client import Follow
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from mmrobot_msgs.srv import Ask, Ground
from tests.support.graph import SCENE, Graph, running_graph

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with running_graph(
        tmp_path_factory.mktemp("graph"), record=str(tmp_path_factory.mktemp("record"))
    ) as running:
        yield running


def positions(graph: Graph) -> list[float]:
    return [v for o in graph.client.world.objects.values() for v in o.position_m]


def call(graph: Graph, kind, name: str, request):
    client = graph.client.node.create_client(kind, name)
    assert client.wait_for_service(20.0)
    future = client.call_async(request)
    graph.wait(future.done, f"answer of {name}")
    return future.result()


def set_simulator(graph: Graph, name: str, value: bool) -> None:
    parameter = Parameter(name=name, value=ParameterValue(type=1, bool_value=value))
    answer = call(
        graph, SetParameters, "simulator/set_parameters", SetParameters.Request(parameters=[parameter])
    )
    assert answer.results[0].successful


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("", ErrorCode.INVALID_INSTRUCTION, "empty"),
        ("x" * 200_000, ErrorCode.INVALID_INSTRUCTION, "200000 characters"),
        ("\x00\x01\x02put", ErrorCode.INVALID_INSTRUCTION, ""),
        ("pon el cubo rojo en el tazon azul", ErrorCode.INVALID_INSTRUCTION, "Spanish"),
        ("把红色方块放进碗里", ErrorCode.INVALID_INSTRUCTION, "script"),
        ("colourless dreams sleep", ErrorCode.NOT_UNDERSTOOD, "colourless"),
        ("pick up the purple cup", ErrorCode.TARGET_NOT_FOUND, "purple cup"),
    ],
)
def test_bad_words_get_their_own_error_and_nothing_moves(
    graph: Graph, words: str, code: ErrorCode, text: str
) -> None:
    before = positions(graph)
    graph.statuses.clear()
    if "\x00" in words:
        # A C string ends at its zero: rclpy cannot carry it, so it arrives as empty.
        words = words.replace("\x00", "\x01")
    follow = graph.follow(words)
    assert follow.error is not None
    assert follow.error.code is code, follow.error.message
    assert text in follow.error.message
    assert follow.error.fix
    assert graph.wait(
        lambda: [s for s in graph.statuses if s.get("error", {}).get("code") == code.name], "status"
    )
    assert not graph.seen("executing")
    assert positions(graph) == pytest.approx(before, abs=1e-4)


def test_ground_answers_in_metres_and_pixels(graph: Graph) -> None:
    answer = call(graph, Ground, "ground", Ground.Request(phrase="the red cube"))
    assert answer.error_code == ErrorCode.NONE
    thing = answer.objects[0]
    truth = graph.client.world.objects["red_cube"].position_m
    assert thing.located
    assert (thing.position.x, thing.position.y) == pytest.approx(truth[:2], abs=0.015)
    absent = call(graph, Ground, "ground", Ground.Request(phrase="the yellow bar"))
    assert absent.error_code == ErrorCode.TARGET_NOT_FOUND
    assert "yellow bar" in absent.error_message and absent.fix


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how many cubes are there?", "1"),
        ("what color is the bowl?", "blue"),
        ("is there a yellow cup?", "no"),
        ("is the cube red?", "yes"),
    ],
)
def test_questions_about_the_picture_are_answered(graph: Graph, question: str, answer: str) -> None:
    response = call(graph, Ask, "ask", Ask.Request(question=question))
    assert (response.error_code, response.answer) == (0, answer)


def test_a_question_said_as_an_instruction_is_answered_in_words(graph: Graph) -> None:
    graph.statuses.clear()
    graph.client.speech.clear()
    follow = graph.follow("how many cubes are there?")
    assert follow.error is None and follow.plan is None
    assert follow.answer == "1"
    graph.wait(lambda: "1" in graph.client.speech, "the spoken answer")
    assert graph.seen("answered") and not graph.seen("executing")


def test_plan_only_moves_nothing(graph: Graph) -> None:
    graph.statuses.clear()
    follow = graph.follow("put the red cube in the blue bowl", plan_only=True)
    assert follow.error is None
    assert follow.plan is not None and [s.skill for s in follow.plan.steps] == ["pick", "place"]
    assert follow.plan.digest
    assert not graph.seen("executing")


def test_silent_camera_is_told_with_its_age(graph: Graph) -> None:
    set_simulator(graph, "publish_camera", False)
    try:
        graph.wait(lambda: graph.client.health and graph.client.health["camera"], "the camera's silence")
        follow = graph.follow("pick up the red cube")
    finally:
        set_simulator(graph, "publish_camera", True)
    assert follow.error is not None and follow.error.code is ErrorCode.NO_CAMERA
    assert "s old" in follow.error.message and follow.error.fix
    graph.ready()


def test_without_depth_things_are_located_by_their_outlines(graph: Graph) -> None:
    sure = graph.follow("pick up the red cube", plan_only=True)
    set_simulator(graph, "publish_depth", False)
    try:
        for _ in range(10):  # until depth counts as gone, which is told in simulated time
            time.sleep(1.0)
            unsure = graph.follow("pick up the red cube", plan_only=True)
            if unsure.plan is None or spread_m2(unsure) > spread_m2(sure):
                break
    finally:
        set_simulator(graph, "publish_depth", True)
    assert sure.plan is not None and unsure.plan is not None, unsure.error
    known, estimated = sure.plan.steps[0].target, unsure.plan.steps[0].target
    assert known is not None and estimated is not None
    assert distance_m(known.position_m, estimated.position_m) < 0.02
    assert spread_m2(unsure) > spread_m2(sure)
    graph.ready()


def spread_m2(follow: Follow) -> float:
    assert follow.plan is not None and follow.plan.steps[0].target is not None
    return float(np.trace(follow.plan.steps[0].target.covariance))


def test_second_simulator_is_refused(graph: Graph) -> None:
    import os

    environment = {**os.environ, "ROS_DOMAIN_ID": str(graph.domain)}
    command = [sys.executable, "-m", "mmrobot.ros.simulator_node"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150)
    assert second.returncode == 1
    assert "ALREADY_RUNNING" in second.stderr and "ROS_DOMAIN_ID" in second.stderr


def test_stop_word_holds_the_arm_and_names_the_reason(graph: Graph) -> None:
    follow = graph.start("pick up the red cube")
    words = graph.client.node.create_publisher(String, "instruction", 10)
    graph.wait(lambda: words.get_subscription_count() >= 3, "listeners")
    words.publish(String(data="stop!"))
    graph.wait(follow.done.is_set, "the end", 20.0)
    assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
    assert "stop" in follow.error.message


def test_a_question_is_answered_while_the_arm_moves(graph: Graph) -> None:
    moving = graph.start("put the red cube to the left of the blue bowl")
    asked = graph.client.follow("what color is the bowl?")
    graph.wait(asked.done.is_set, "the answer", 30.0)
    assert asked.error is None and asked.answer == "blue"
    assert not moving.done.is_set()
    graph.wait(moving.done.is_set, "the plan's end", 150.0)
    assert moving.error is None, moving.error


def test_newer_instruction_takes_the_place_of_the_older_and_succeeds(graph: Graph) -> None:
    older = graph.start("pick up the green ball")
    newer = graph.client.follow("put the red cube in the blue bowl")
    graph.wait(older.done.is_set, "the older one's end", 30.0)
    assert older.error is not None and older.error.code is ErrorCode.PREEMPTED
    assert "put the red cube" in older.error.message
    graph.wait(newer.done.is_set, "the newer one's end", 150.0)
    assert newer.error is None, newer.error
    assert newer.steps_done == newer.steps_total == 2
    assert holds("in(red_cube, blue_bowl)", graph.client.world, Scene.from_dict(SCENE))
