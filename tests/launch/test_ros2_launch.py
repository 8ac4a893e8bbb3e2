"""The launch files started by the true `ros2 launch`: order, a task, deaths, the end, bad arguments."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mmrobot.ros.bringup import Supervisor, free_domain
from mmrobot.ros.client import RobotClient
from mmrobot.ros.graph import DEFAULT_SCENE, GraphOptions, graph_nodes, shared_folder
from mmrobot.ros.hung import HUNG_S
from mmrobot.ros.owner import OWNER
from mmrobot.ros.scene_file import load_scene
from mmrobot.tabletop.goals import holds

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]
LOCAL = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
FACTOR = float(os.environ.get("MMROBOT_TEST_TIME_FACTOR", "1"))
BACK_S = 10.0 * FACTOR
END_S = 20.0
WORDS, GOAL = "put the red cube in the blue bowl", "in(red_cube, blue_bowl)"
ASIDE = "pick up the yellow cube"


class Launched:
    """A running `ros2 launch` with a person beside it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, client: RobotClient) -> None:
        self.process, self.log, self.client = process, log, client

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def pids(self) -> dict[str, int]:
        """The living processes of this launch's nodes, by module."""
        return nodes_of(self.process.pid)

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s\n{self.text[-3000:]}"
            time.sleep(0.05)
        return found

    def ready(self, timeout_s: float = 90.0) -> None:
        self.client.health = None
        self.wait(lambda: self.client.health and not any(self.client.health.values()), "ready", timeout_s)

    def carried_out(self, words: str) -> None:
        follow = self.client.follow(words, timeout_s=20.0)
        self.wait(follow.done.is_set, f"the end of '{words}'", 90.0)
        assert follow.error is None, follow.error
        scene, _ = load_scene(shared_folder("sim") / "scenes" / DEFAULT_SCENE, "")
        self.wait(lambda: self.client.world and holds(GOAL, self.client.world, scene), GOAL, 10.0)

    def planned(self) -> bool:
        follow = self.client.follow(ASIDE, plan_only=True, timeout_s=5.0)
        return follow.done.wait(5.0) and follow.error is None


def nodes_of(owner: int) -> dict[str, int]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if f"{OWNER}={owner}".encode() in variables and "-m" in words:
            found[words[words.index("-m") + 1]] = int(folder.name)
    return found


@contextmanager
def launched(ros2: dict[str, str], folder: Path, file: Path, *words: str) -> Iterator[Launched]:
    domain, reserved = free_domain()
    log = folder / "launch.log"
    variables = {**ros2, "ROS_DOMAIN_ID": str(domain), "XDG_DATA_HOME": str(folder / "data")}
    variables["ROS_LOG_DIR"] = str(folder / "ros_logs")
    os.environ.update(LOCAL)  # the client's; the launch opens no more by itself
    variables.pop("ROS_AUTOMATIC_DISCOVERY_RANGE", None)
    with reserved, log.open("wb") as out, RobotClient(domain) as client:
        process = subprocess.Popen(
            ["ros2", "launch", str(file), *words],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        client.watch_truth()
        try:
            yield Launched(process, log, client)
        finally:
            left = [process.pid, *nodes_of(process.pid).values()]
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            process.wait()


def interrupted(graph: Launched) -> int:
    """Ctrl-C in its terminal: SIGINT to all processes of the group. The exit status."""
    os.killpg(graph.process.pid, signal.SIGINT)
    return graph.process.wait(END_S)


@pytest.fixture(scope="module")
def graph(ros2: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    file = Path(__file__).resolve().parents[2] / "launch" / "simulation.launch.py"
    with launched(ros2, tmp_path_factory.mktemp("simulation"), file, "camera_rate_hz:=5.0") as running:
        running.ready()
        yield running


def test_the_manager_brings_the_nodes_up_in_order_and_a_task_is_carried_out(graph: Launched) -> None:
    words = ["configure executor", "activate executor", "activate vlm", "all active"]
    places = [graph.text.find(w) for w in words]
    assert -1 not in places and places == sorted(places), graph.text
    graph.carried_out(WORDS)


def back_after_s(graph: Launched, node: str, number: int) -> float:
    module = f"mmrobot.ros.{node}_node"
    monitor = graph.client.monitor
    lives = graph.wait(lambda: monitor.lives([node]), f"the beat of {node}")
    began_s = time.monotonic()
    os.kill(graph.pids()[module], number)
    graph.wait(lambda: monitor.reborn([node], lives) and not monitor.idle([node]), f"another life of {node}")
    graph.client.health = None
    graph.wait(
        lambda: graph.client.health and not any(graph.client.health.values()) and graph.planned(),
        f"{node} at work again",
    )
    return time.monotonic() - began_s


@pytest.mark.parametrize("node", ["vlm", "arm_server"])
def test_a_killed_node_is_back_at_work(graph: Launched, node: str) -> None:
    took_s = back_after_s(graph, node, signal.SIGKILL)
    print(f"\n{node} killed under ros2 launch: back at work after {took_s:.1f} s")
    assert took_s <= BACK_S
    assert f"{node} died: it is started again" in graph.text


def test_a_hung_node_is_killed_and_back_at_work(graph: Launched) -> None:
    took_s = back_after_s(graph, "executor", signal.SIGSTOP)
    print(f"\nexecutor hung under ros2 launch: back at work after {took_s:.1f} s")
    assert HUNG_S <= took_s <= BACK_S + HUNG_S
    assert "executor hangs: it is killed" in graph.text


def test_ctrl_c_leaves_nothing_behind(graph: Launched) -> None:
    """Last of this graph. One of its nodes is stopped, and hears no signal but SIGKILL."""
    os.kill(graph.pids()["mmrobot.ros.vlm_node"], signal.SIGSTOP)
    assert len(graph.pids()) == 5
    assert interrupted(graph) == 0
    assert graph.pids() == {}
    assert "Traceback" not in graph.text, graph.text


def test_a_robots_topics_are_enough_and_the_nodes_end_with_a_killed_launch(
    ros2: dict[str, str], launch_folder: Path, tmp_path: Path
) -> None:
    """robot.launch.py beside a simulator that stands for camera and arm; kill -9 of `ros2 launch` itself."""
    file = launch_folder / "robot.launch.py"
    with launched(ros2, tmp_path, file, "use_sim_time:=true") as graph:
        simulator = [n for n in graph_nodes(GraphOptions(camera_rate_hz=5.0)) if n.name == "simulator"]
        domain = str(graph.client.node.context.get_domain_id())
        with Supervisor(simulator, {**LOCAL, "ROS_DOMAIN_ID": domain}, tmp_path):
            graph.ready()
            assert len(graph.pids()) == 4
            graph.carried_out(WORDS)
            graph.process.kill()
            graph.process.wait()
            graph.wait(lambda: graph.pids() == {}, "the end of the nodes", END_S)


def run(ros2: dict[str, str], file: Path, *words: str, timeout_s: float = 60.0) -> tuple[int, str]:
    domain, reserved = free_domain()
    with reserved:
        ended = subprocess.run(
            ["ros2", "launch", str(file), *words],
            env={**ros2, **LOCAL, "ROS_DOMAIN_ID": str(domain)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("name", ["simulation", "robot", "gazebo"])
def test_all_arguments_are_shown(ros2: dict[str, str], launch_folder: Path, name: str) -> None:
    status, text = run(ros2, launch_folder / f"{name}.launch.py", "--show-args")
    assert status == 0 and "'namespace'" in text and "namespace of all nodes" in text
    assert ("'scene'" in text) is (name != "robot")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("server:=bogus", ("server is 'bogus'", "choose one of arm, ros2_control")),
        ("bringup:=bogus", ("bringup is 'bogus'", "choose one of manager")),
        ("real_time_factor:=fast", ("real_time_factor:=fast", "give a float")),
        ("headless:=perhaps", ("headless:=perhaps", "give true or false")),
        ("config:=/nowhere/my.yaml", ("/nowhere/my.yaml",)),
        ("scene:=/nowhere/scene.yaml", ("/nowhere/scene.yaml",)),
        ("camera:=bogus", ("camera profile 'bogus'",)),
        ("real_time_facto:=2.0", ("no launch argument 'real_time_facto'", "did you mean 'real_time_factor'")),
    ],
)
def test_a_bad_argument_is_refused_with_the_fix(
    ros2: dict[str, str], launch_folder: Path, word: str, told: tuple[str, ...]
) -> None:
    status, text = run(ros2, launch_folder / "simulation.launch.py", word)
    assert status == 1 and all(words in text for words in told), text
    assert "process started" not in text


def test_a_simulators_argument_is_refused_for_a_robot(ros2: dict[str, str], launch_folder: Path) -> None:
    status, text = run(ros2, launch_folder / "robot.launch.py", "scene:=my.yaml")
    assert status == 1 and "no launch argument 'scene'" in text


def test_a_node_that_cannot_start_ends_the_launch_with_its_error(
    ros2: dict[str, str], launch_folder: Path
) -> None:
    """Started again it would end the same way, for ever."""
    status, text = run(ros2, launch_folder / "simulation.launch.py", "record:=/dev/null/here")
    assert status == 1, text
    assert "node 'recorder' ended with status 1" in text and "/dev/null/here" in text
