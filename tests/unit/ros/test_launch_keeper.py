"""What a launch's processes are told to the keeper, and what it does with them; without launch and ROS."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mmrobot.ros import launch_keeper
from mmrobot.ros.launch_keeper import RANGE, LaunchKeeper, NodeEndedError, node_environment
from mmrobot.ros.launching import check_known
from mmrobot.ros.owner import OWNER


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keeper(told: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[LaunchKeeper]:
    monkeypatch.setattr(LaunchKeeper, "_begin", lambda self: threading.Thread(target=lambda: None))
    monkeypatch.setattr(LaunchKeeper, "close", lambda self: None)
    yield LaunchKeeper("", told.append)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    one = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield one
    one.kill()
    one.wait()


def test_what_hangs_is_killed_by_name(
    keeper: LaunchKeeper, told: list[str], process: subprocess.Popen[bytes]
) -> None:
    keeper.started("vlm", process.pid)
    keeper.kill(["executor"])
    assert process.poll() is None and told == []
    keeper.kill(["vlm"])
    assert process.wait(5.0) == -9 and told == ["vlm hangs: it is killed"]
    keeper.ended("vlm", -9)
    assert told[-1] == "vlm died: it is started again"
    keeper.kill(["vlm"])
    assert len(told) == 2, "the process of that name is gone"


def test_a_node_that_ends_at_its_start_ends_the_launch_in_words(
    keeper: LaunchKeeper, process: subprocess.Popen[bytes]
) -> None:
    keeper.started("recorder", process.pid)
    with pytest.raises(NodeEndedError, match="'recorder' ended with status 1.*see its output") as caught:
        keeper.ended("recorder", 1)
    assert "output above" in str(caught.value)


@pytest.mark.parametrize(("status", "fails"), [(0, False), (1, True), (-9, True)])
def test_the_simulator_is_not_started_again_and_its_fault_is_one_of_the_launch(
    keeper: LaunchKeeper, told: list[str], status: int, fails: bool
) -> None:
    if fails:
        with pytest.raises(NodeEndedError, match="simulator"):
            keeper.ended("simulator", status, respawns=False)
    else:
        keeper.ended("simulator", status, respawns=False)
    assert told == []


def test_nodes_stay_on_this_machine_unless_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RANGE, raising=False)
    assert node_environment()[RANGE] == "LOCALHOST" and int(node_environment()[OWNER]) > 0
    with launch_keeper._nodes_range():
        pass
    assert RANGE not in launch_keeper.os.environ
    monkeypatch.setenv(RANGE, "SUBNET")
    assert RANGE not in node_environment()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["ros2", "launch", "mmrobot", "robot.launch.py", "camera:=zed"], ""),
        (["ros2", "launch", "/a/robot.launch.py", "camra:=zed"], "did you mean 'camera'"),
        (["ros2", "launch", "mmrobot", "robot.launch.py", "--debug", "zzz:=1"], "see --show-args"),
        (["ros2", "launch", "mine", "cell.launch.py", "rviz:=true"], ""),
        (["ros2", "launch", "mine", "rviz:=true", "robot.launch.py"], ""),
    ],
)
def test_an_unknown_argument_of_the_files_own_command_line_is_refused(words: list[str], fault: str) -> None:
    def check() -> None:
        check_known(words, "/somewhere/robot.launch.py", ["camera", "server"])

    if not fault:
        check()
        return
    with pytest.raises(launch_keeper.MmrobotError) as caught:
        check()
    assert fault in caught.value.fix and "no launch argument" in caught.value.message
