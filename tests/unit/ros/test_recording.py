"""Video, MCAP and overlay: files that others open, pictures that are drawn on."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from mcap.reader import make_reader
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from mmrobot.perception.camera_file import table_camera
from mmrobot.ros.mcap_file import McapFile, schema_text
from mmrobot.ros.overlay import BAR_HEIGHT, Caption, annotate, side_by_side, with_caption
from mmrobot.ros.video_file import VideoFile
from mmrobot.types import ActionPlan, GroundedObject, PlanStep


def test_video_has_its_frames_and_brings_another_size_to_its_own(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "a.mp4")
    for i in range(5):
        video.write(np.full((41, 64, 3), 40 * i, np.uint8))
    video.write(np.full((300, 400, 3), 160, np.uint8))
    video.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == 6 and {f.shape for f in frames} == {(40, 64, 3)}
    assert abs(int(frames[4].mean()) - 160) < 6


def test_mcap_holds_the_message_and_its_whole_definition(tmp_path: Path) -> None:
    message = JointState(name=["a"], position=[1.5])
    with McapFile(tmp_path / "a.mcap") as file:
        file.write("/joint_states", "sensor_msgs/msg/JointState", serialize_message(message), 5)
    with (tmp_path / "a.mcap").open("rb") as stream:
        schema, channel, found = next(iter(make_reader(stream).iter_messages()))
    assert (schema.name, schema.encoding, channel.message_encoding) == (
        "sensor_msgs/msg/JointState",
        "ros2msg",
        "cdr",
    )
    assert found.data == serialize_message(message) and found.log_time == 5
    assert (
        "MSG: std_msgs/Header" in schema.data.decode()
        and "MSG: builtin_interfaces/Time" in schema.data.decode()
    )


def test_schema_of_our_own_plan_names_all_parts() -> None:
    text = schema_text("mmrobot_msgs/msg/ActionPlan")
    for part in (
        "mmrobot_msgs/PlanStep",
        "mmrobot_msgs/GroundedObject",
        "geometry_msgs/Point",
        "std_msgs/Header",
    ):
        assert text.count(f"MSG: {part}\n") == 1


def test_overlay_draws_the_plan_and_leaves_the_picture_alone() -> None:
    camera, pose = table_camera()
    picture = np.full((480, 640, 3), 128, np.uint8)
    cube = GroundedObject(
        "red cube", (200, 200, 240, 240), 0.9, (0.42, 0.1, 0.02), (0.04,) * 3, 0, 0.04, np.eye(3), 0
    )
    bowl = GroundedObject(
        "bowl", (400, 150, 480, 220), 0.8, (0.5, -0.15, 0.03), (0.13,) * 3, 0, 0.01, np.eye(3), 0
    )
    place = PlanStep(1, "place", cube, "in", bowl, (0.5, -0.15, 0.01))
    plan = ActionPlan("p", "put it", (PlanStep(0, "pick", cube), place), 0, "m")
    drawn = annotate(picture, plan, camera, pose)
    assert (picture == 128).all() and drawn.shape == picture.shape
    assert (drawn[195:245, 195:245] != 128).any() and (drawn[145:225, 395:485] != 128).any()
    assert (annotate(picture, None) == picture).all()
    titled = with_caption(
        side_by_side(drawn, np.zeros((540, 960, 3), np.uint8)), Caption("w" * 500, "x" * 900, True)
    )
    assert titled.shape == (480 + BAR_HEIGHT, 640 + 4 + 854, 3)
