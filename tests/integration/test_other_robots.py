"""Other robots than the shipped arm: the template, ros2_control, MoveIt's and Nav2's true interfaces.

Their servers are small stand-ins (tests/support/other_robots.py); the interfaces are the true ones.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from std_msgs.msg import String

from mmrobot.errors import ErrorCode
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from tests.support.graph import PATIENT, SCENE, Graph, running_graph
from tests.support.interfaces import ROOT, built_interfaces, with_interfaces

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


@pytest.fixture(scope="session")
def interfaces() -> dict[str, str]:
    return with_interfaces(built_interfaces())


@contextmanager
def process(graph: Graph, log: Path, *command: str, env: dict[str, str] | None = None) -> Iterator[Path]:
    """A program on the graph's domain; its output goes to `log`."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **(env or {}),
        "ROS_DOMAIN_ID": str(graph.domain),
    }
    with log.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield log
    finally:
        running.terminate()
        try:
            running.wait(5)
        except subprocess.TimeoutExpired:
            # rclpy's own shutdown waits for callbacks, and a stand-in's may take a minute.
            running.kill()
            running.wait(5)


def notes(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def answer(graph: Graph, content: dict) -> None:
    out = graph.client.node.create_publisher(String, "answer", 10)
    graph.wait(lambda: out.get_subscription_count() >= 1, "the stand-in")
    out.publish(String(data=json.dumps(content)))
    time.sleep(0.5)


def test_the_template_is_a_robot(tmp_path: Path) -> None:
    config = {**PATIENT, "runner": {"verify_place": False}}
    with (
        running_graph(tmp_path, config=config, wait=False, server="none") as graph,
        process(
            graph, tmp_path / "robot.log", "examples/my_robot.py", "--ros-args", "-p", "use_sim_time:=true"
        ) as log,
    ):
        graph.ready()
        truth = graph.wait(lambda: graph.client.world, "the truth").objects["red_cube"].position_m
        put = graph.follow("put the red cube in the blue bowl")
        assert put.error is None, put.error
        assert put.steps_done == put.steps_total == 2
        moves = [line.split("moving to ")[1] for line in log.read_text().splitlines() if "moving to" in line]
        first = [float(v) for v in moves[0].split()]
        assert math.dist(first[:2], truth[:2]) < 0.02 and len(moves) == 5
        # It has no method for this one, and says so.
        pushed = graph.follow("push the green ball to the left")
        assert pushed.error is not None and pushed.error.code is ErrorCode.SKILL_UNKNOWN, pushed.error
        assert "push" in pushed.error.message and "motors hold" in log.read_text()


def test_a_skill_of_ones_own_ends_at_once_when_somebody_says_stop(tmp_path: Path) -> None:
    with (
        running_graph(tmp_path, wait=False, server="none") as graph,
        process(
            graph, tmp_path / "robot.log", "-m", "tests.support.slow_robot",
            "--ros-args", "-p", "use_sim_time:=true",
        ) as log,
    ):  # fmt: skip
        graph.ready()
        follow = graph.client.follow("pick up the red cube", timeout_s=20.0)
        graph.wait(lambda: graph.seen("phase", "dawdle"), "the skill")
        graph.client.stop(timeout_s=20.0)
        graph.wait(follow.done.is_set, "the end", 30.0)
        assert follow.error is not None and follow.error.code is ErrorCode.STOPPED
        graph.wait(lambda: "halted after" in log.read_text(), "the robot's own halt")
        told = next(line for line in log.read_text().splitlines() if "halted after" in line)
        assert float(told.split("halted after ")[1].split()[0]) < 30.0
        # It serves again.
        graph.statuses.clear()
        again = graph.client.follow("pick up the red cube", timeout_s=20.0)
        graph.wait(lambda: graph.seen("phase", "dawdle"), "the next skill")
        again.call.cancel()
        graph.wait(again.done.is_set, "its end", 30.0)


def test_the_arm_server_drives_a_joint_trajectory_controller(
    tmp_path: Path, interfaces: dict[str, str]
) -> None:
    """Words to physics, with every motion an action goal of ros2_control's own type."""
    with (
        running_graph(tmp_path, wait=False, server="ros2_control", environment=interfaces) as graph,
        process(
            graph, tmp_path / "controller.log", "-m", "tests.support.other_robots", "controller",
            "--ros-args", "-p", "use_sim_time:=true", env=interfaces,
        ),
    ):  # fmt: skip
        graph.ready()
        put = graph.follow("put the red cube in the blue bowl", timeout_s=400.0)
        assert put.error is None, put.error
        graph.wait(
            lambda: holds("in(red_cube, blue_bowl)", graph.client.world, Scene.from_dict(SCENE)), "physics"
        )
        moving = graph.start("pick up the green ball")
        graph.client.stop(timeout_s=20.0)
        graph.wait(moving.done.is_set, "the end", 60.0)
        assert moving.error is not None and moving.error.code is ErrorCode.STOPPED


def test_moveit_is_asked_for_the_way_of_every_motion(tmp_path: Path, interfaces: dict[str, str]) -> None:
    file = tmp_path / "move_group.jsonl"
    config = {**PATIENT, "runner": {"verify_place": False, "grasp_retries": 0, "place_retries": 0}}
    with (
        running_graph(
            tmp_path, config=config, wait=False, server="moveit", environment=interfaces
        ) as graph,
        process(
            graph, tmp_path / "moveit.log", "-m", "tests.support.other_robots", "move_group", str(file),
            env=interfaces,
        ),
    ):  # fmt: skip
        graph.ready()
        truth = graph.wait(lambda: graph.client.world, "the truth").objects["red_cube"].position_m
        put = graph.follow("put the red cube in the blue bowl")
        assert put.error is None, put.error
        said = notes(file)
        moves = [n for n in said if "to" in n]
        assert [("to" in n, n.get("gripper")) for n in said] == [
            (False, 0.04), (True, None), (True, None), (False, 0.0), (True, None),
            (True, None), (True, None), (False, 0.04), (True, None),
        ]  # fmt: skip
        assert all(n["link"] == "tool0" and n["group"] == "manipulator" for n in moves)
        grasp = moves[1]
        assert math.dist(grasp["to"][:2], truth[:2]) < 0.02
        # The tips, a tool's length below the link, are in the cube's height.
        assert 0.0 < grasp["to"][2] - 0.12 < 0.04
        # Straight down: half a turn about an axis in the plane.
        assert abs(grasp["turn"][2]) < 1e-6 and abs(grasp["turn"][3]) < 1e-6
        assert moves[0]["boxes"], "what else is seen goes along"
        answer(graph, {"code": -31})
        unreachable = graph.follow("pick up the green ball")
        assert unreachable.error is not None and unreachable.error.code is ErrorCode.UNREACHABLE
        assert "NO_IK_SOLUTION" in unreachable.error.message
        answer(graph, {"holds": False})
        empty = graph.follow("pick up the green ball")
        assert empty.error is not None and empty.error.code is ErrorCode.GRASP_FAILED
        answer(graph, {"seconds": 60.0})
        slow = graph.client.follow("pick up the green ball", timeout_s=20.0)
        before = len(notes(file))
        graph.wait(lambda: any("to" in n for n in notes(file)[before:]), "the motion's goal")
        graph.client.stop(timeout_s=20.0)
        graph.wait(slow.done.is_set, "the end", 30.0)
        assert slow.error is not None and slow.error.code is ErrorCode.STOPPED
        graph.wait(lambda: {"cancelled": True} in notes(file), "the cancelled goal")
        assert {"event": "stop"} in notes(file)


def test_words_send_the_base_to_a_place_by_nav2(tmp_path: Path, interfaces: dict[str, str]) -> None:
    file = tmp_path / "nav2.jsonl"
    config = {**PATIENT, "navigation": {"places": {"kitchen": [2.0, -0.5, math.pi / 2]}}}
    with (
        running_graph(tmp_path, config=config, wait=False, server="nav2", environment=interfaces) as graph,
        process(
            graph, tmp_path / "nav2.log", "-m", "tests.support.other_robots", "nav2", str(file),
            env=interfaces,
        ),
    ):  # fmt: skip
        graph.ready()
        driven = graph.follow("please drive to the kitchen")
        assert driven.error is None, driven.error
        (goal,) = notes(file)
        assert goal["frame"] == "map" and goal["to"] == [2.0, -0.5]
        assert goal["turn"] == pytest.approx([math.sqrt(0.5), math.sqrt(0.5)])
        answer(graph, {"code": 9003, "why": "the way is blocked"})
        blocked = graph.follow("drive to the kitchen")
        assert blocked.error is not None and "the way is blocked" in blocked.error.message
        # No arm is there: other skills name what is missing.
        pick = graph.follow("pick up the red cube")
        assert pick.error is not None and "arm/execute_skill" in pick.error.message
