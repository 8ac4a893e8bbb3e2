"""Recordings made of rendered scenes give the same plans again, without ROS; what differs is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as BagWriter
from std_msgs.msg import String

from mmrobot.cli.app import main
from mmrobot.conversation import Conversation
from mmrobot.errors import AmbiguousError, InvalidConfigError, TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.replay.comparison import compare
from mmrobot.replay.recording import read_recording
from mmrobot.replay.replaying import replay
from mmrobot.ros import camera_messages
from mmrobot.ros.messages import plan_to_message
from mmrobot.types import ActionPlan, RgbdFrame
from mmrobot.vlm.registry import load_model
from tests.support.recordings import Writer, rendered

S = 1_000_000_000
SCENE = {
    "seed": 7,
    "objects": [
        {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.42, 0.10], "yaw": 0.3},
        {"id": "green_cube", "shape": "cube", "color": "green", "position": [0.34, 0.20]},
        {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, -0.15]},
    ],
}
WORDS = "put the red cube in the blue bowl"
WITHOUT_ROS = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"rclpy", "mmrobot_msgs", "std_msgs", "sensor_msgs", "builtin_interfaces"}:
            raise ImportError(f"{name} is not to be imported")
sys.meta_path.insert(0, Wall())
from mmrobot.cli.app import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def frame() -> RgbdFrame:
    return rendered(SCENE)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(load_model())


@pytest.fixture(scope="module")
def plan(frame: RgbdFrame, pipeline: Pipeline) -> ActionPlan:
    made = Conversation(pipeline).respond(frame, WORDS)
    assert isinstance(made, ActionPlan)
    return made


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "run.mcap")
    yield made
    made.close()


def one_turn(writer: Writer, frame: RgbdFrame, plan: ActionPlan, **look: object) -> None:
    writer.look(frame, **look)  # type: ignore[arg-type]
    writer.status(frame.stamp_ns, "planning", WORDS)
    writer.plan(frame.stamp_ns + S // 10, plan)
    writer.status(frame.stamp_ns + S, "done", WORDS, "done")
    writer.close()


def test_the_same_picture_gives_the_same_plan_without_ros(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, plan: ActionPlan
) -> None:
    one_turn(writer, frame, plan)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROS, "replay", str(tmp_path / "run.mcap"), "--json"],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["ok"] and (answer["judged"], answer["differ"]) == (1, 0)
    turn = answer["turns"][0]
    assert turn["words"] == WORDS and turn["digest_equal"]
    assert turn["min_iou"] == 1.0 and turn["max_position_mm"] == 0.0


def test_another_picture_under_the_same_stamp_is_told_and_fails(
    tmp_path: Path, writer: Writer, plan: ActionPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = {**SCENE, "objects": [*SCENE["objects"][1:], {**SCENE["objects"][0], "position": [0.30, -0.05]}]}
    one_turn(writer, rendered(moved), plan)
    assert main(["replay", str(tmp_path / "run.mcap"), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["error"]["code"] == "VERIFICATION_FAILED" and answer["differ"] == 1
    told = " ".join(answer["turns"][0]["differences"])
    assert "mm off" in told and "box overlaps" in told


def test_turns_are_one_conversation(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, pipeline: Pipeline
) -> None:
    """A question back, its answer, what is not there, a question: each as it was."""
    talk = Conversation(pipeline)
    writer.look(frame)
    at = frame.stamp_ns
    with pytest.raises(AmbiguousError) as asked:
        talk.respond(frame, "pick up the cube", now_ns=at + 1)
    writer.status(at + 1, "planning", "pick up the cube")
    writer.status(at + 2, "failed", "pick up the cube", asked.value.message, "AMBIGUOUS")
    chosen = talk.respond(frame, "the green one", now_ns=at + 3)
    assert isinstance(chosen, ActionPlan) and "green" in chosen.steps[0].target.label
    writer.status(at + 3, "planning", "the green one")
    writer.plan(at + 4, chosen)
    with pytest.raises(TargetNotFoundError) as missing:
        talk.respond(frame, "pick up the purple cup")
    writer.status(at + 5, "planning", "pick up the purple cup")
    writer.status(at + 6, "failed", "pick up the purple cup", missing.value.message, "TARGET_NOT_FOUND")
    answer = talk.respond(frame, "how many cubes are there?")
    writer.status(at + 7, "planning", "how many cubes are there?")
    writer.status(at + 8, "answered", "how many cubes are there?", answer.text)
    writer.status(at + 9, "planning", WORDS)
    writer.status(at + 10, "failed", WORDS, "stopped", "STOPPED")
    writer.close()
    turns = list(replay(read_recording(tmp_path / "run.mcap"), pipeline))
    assert [t.same for t in turns] == [True, True, True, True, None], turns
    assert "came from the moment" in turns[-1].why


@pytest.mark.parametrize("name", ["", "/arm1"])
def test_topics_of_a_namespace_are_found(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, plan: ActionPlan, name: str, pipeline: Pipeline
) -> None:
    one_turn(writer, frame, plan, name=name)
    (turn,) = replay(read_recording(tmp_path / "run.mcap"), pipeline)
    assert turn.same


def test_topics_of_a_remapped_camera_are_told_by_the_file(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, plan: ActionPlan, pipeline: Pipeline
) -> None:
    at, camera = frame.stamp_ns, frame.camera
    names = {"image": "/cam/color/image_raw", "camera_info": "/cam/color/info", "plan": "/plan"}
    writer.file.note("topics", {**names, "status": "/status"})
    writer.look(frame, name="/decoy")
    rgb = camera_messages.rgb_to_message(frame.rgb, at, camera.frame_id)
    writer.put(names["image"], "sensor_msgs/msg/Image", rgb, at)
    info = camera_messages.camera_to_message(camera, at)
    writer.put(names["camera_info"], "sensor_msgs/msg/CameraInfo", info, at)
    writer.status(at, "planning", WORDS)
    writer.plan(at + 1, plan)
    writer.close()
    (turn,) = replay(read_recording(tmp_path / "run.mcap"), pipeline)
    # Depth is found by its name, since the file does not tell.
    assert turn.same, turn


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_a_rosbag2_folder_of_the_same_topics_is_replayed_too(
    tmp_path: Path,
    writer: Writer,
    frame: RgbdFrame,
    plan: ActionPlan,
    pipeline: Pipeline,
    storage: StoragePlugin,
) -> None:
    one_turn(writer, frame, plan)
    bag = tmp_path / "bag"
    with (
        AnyReader([tmp_path / "run.mcap"]) as reader,
        BagWriter(bag, version=9, storage_plugin=storage) as out,
    ):
        made = {
            c.topic: out.add_connection(c.topic, c.msgtype, typestore=reader.typestore)
            for c in reader.connections
        }
        for connection, time_ns, data in reader.messages():
            out.write(made[connection.topic], time_ns, data)
    (turn,) = replay(read_recording(bag), pipeline)
    assert turn.same and turn.digest_equal


def test_what_cannot_be_judged_is_said(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, plan: ActionPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    one_turn(writer, frame, plan, with_image=False)
    assert main(["replay", str(tmp_path / "run.mcap"), "--json"]) == 1
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert "its picture or its depth is not in the recording" in error["message"] and error["fix"]


def test_damaged_plans_and_statuses_are_left_out_and_named(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, plan: ActionPlan
) -> None:
    writer.look(frame)
    writer.plan(2, plan)
    writer.status(frame.stamp_ns, "planning", WORDS)
    message = plan_to_message(plan)
    message.steps[0].target[0].position.x += 0.01
    writer.put("/plan", "mmrobot_msgs/msg/ActionPlan", message, frame.stamp_ns + 1)
    writer.put("/status", "std_msgs/msg/String", String(data="{no json"), frame.stamp_ns + 2)
    writer.close()
    found = read_recording(tmp_path / "run.mcap")
    assert found.turns == [] and [p.plan_id for p in found.orphans] == [plan.plan_id]
    assert "digest" in found.defects[0] and "status" in found.defects[1]


@pytest.mark.parametrize("content", [None, b"", b"no mcap at all", b"\x89MCAP0\r\n" + bytes(200)])
def test_files_that_are_none_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidConfigError, match="bad.mcap") as error:
        read_recording(path)
    assert error.value.fix


def test_a_recording_without_requests_is_named(
    tmp_path: Path, writer: Writer, frame: RgbdFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.look(frame)
    writer.close()
    assert main(["replay", str(tmp_path / "run.mcap"), "--json"]) == 1
    assert "holds no request" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["message"]


def test_comparison_names_every_difference(plan: ActionPlan) -> None:
    assert compare(plan, plan).same
    pick, place = plan.steps
    assert pick.target is not None and place.goal_position_m is not None
    off = replace(pick.target, position_m=tuple(np.add(pick.target.position_m, (0.004, 0, 0))))
    assert compare(plan, replace(plan, steps=(replace(pick, target=off), place))).same
    far = replace(
        pick.target,
        label="green cube",
        box_xyxy=tuple(np.add(pick.target.box_xyxy, 20)),
        position_m=tuple(np.add(pick.target.position_m, (0.02, 0, 0))),
        size_m=(0.08, 0.04, 0.04),
    )
    found = compare(plan, replace(plan, steps=(replace(pick, target=far), place))).differences
    assert [
        w for w in ("'green cube'", "overlaps", "20.0 mm off", "larger") if w not in " ".join(found)
    ] == []
    cases = [
        (replace(place, relation="on"), "relation"),
        (replace(place, goal_position_m=None), "goal"),
        (replace(place, reference=None), "reference is None"),
        (replace(place, text="x"), "text"),
    ]
    for changed, told in cases:
        assert told in compare(plan, replace(plan, steps=(pick, changed))).differences[0]
    fewer = compare(plan, replace(plan, steps=(pick,)))
    assert fewer.differences == ("steps are pick, were pick, place",)
