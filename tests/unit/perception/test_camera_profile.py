"""Shipped camera profiles are whole and decodable; defective ones are named; nodes get their topics."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from mmrobot.errors import InvalidConfigError
from mmrobot.perception.camera_profile import CameraProfile, load_profile
from mmrobot.perception.image_decoding import decode_depth, decode_image
from mmrobot.ros.graph import GraphOptions, graph_nodes
from mmrobot.ros.recorder_node import REPLAYED

CONFIG = Path(__file__).resolve().parents[3] / "config"
NAMES = sorted(p.stem for p in (CONFIG / "cameras").glob("*.yaml"))
BYTES = {"rgb8": 3, "bgr8": 3, "bgra8": 4, "mono8": 1, "yuv422_yuy2": 2, "16UC1": 2, "32FC1": 4}


def test_the_cameras_that_people_have() -> None:
    assert NAMES == ["oakd", "realsense", "webcam", "zed"]


@pytest.mark.parametrize("name", NAMES)
def test_each_profile_is_valid_and_what_its_driver_publishes_is_decoded(name: str) -> None:
    profile = load_profile(name, CONFIG / "cameras")
    for encoding in profile.encodings["image"]:
        step = 4 * BYTES[encoding]
        assert decode_image(encoding, 2, 4, step, 0, bytes(2 * step)).shape == (2, 4, 3)
    for encoding in profile.encodings.get("depth", []):
        one = {"16UC1": b"\xe8\x03", "32FC1": b"\0\0\x80?"}[encoding]
        depth = decode_depth(encoding, 2, 4, 4 * BYTES[encoding], 0, one * 8)
        # One metre, in the unit that the profile says.
        assert depth[0, 0] == pytest.approx(1.0)
    first = (CONFIG / "cameras" / f"{name}.yaml").read_text()
    assert "not tried with the device" in first


@pytest.mark.parametrize("name", NAMES)
def test_nodes_that_look_get_the_drivers_topics(name: str) -> None:
    nodes = {n.name: n for n in graph_nodes(GraphOptions(camera=name, record="x"), simulate=False)}
    profile = load_profile(name, CONFIG / "cameras")
    for who in ("vlm", "recorder"):
        words = nodes[who].arguments()
        for role, topic in profile.topics.items():
            assert f"{role}:={topic}" in words
    assert not nodes["executor"].remappings


WHOLE = {
    "driver": "ros2 run a b",
    "topics": {"image": "/a", "camera_info": "/b", "depth": "/c"},
    "encodings": {"image": ["rgb8"], "depth": ["16UC1"]},
    "depth_unit": "millimetres",
    "optical_frame": "a",
    "base_frame": "a",
    "reliability": "reliable",
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": {"image": "/a"}}, "camera_info"),
        ({"topics": {**WHOLE["topics"], "colour": "/x"}}, "colour"),
        ({"topics": {**WHOLE["topics"], "image": "no topic!"}}, "no topic!"),
        ({"depth_unit": "metres"}, "16UC1"),
        ({"depth_unit": ""}, "depth_unit"),
        ({"encodings": {"image": ["rgb8"]}}, "depth"),
        ({"reliability": "perhaps"}, "reliability"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict, told: str) -> None:
    CameraProfile.model_validate(WHOLE)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**WHOLE, **changes}))
    with pytest.raises(InvalidConfigError, match=re.escape(told)) as error:
        load_profile("mine", tmp_path)
    assert "mine.yaml" in error.value.message


def test_an_unknown_camera_gets_the_nearest_name() -> None:
    with pytest.raises(InvalidConfigError) as error:
        graph_nodes(GraphOptions(camera="realsens"))
    assert "'realsense'" in error.value.fix


def test_views_show_topics_that_exist() -> None:
    """RViz's and Foxglove's files name topics of the graph, or of its recordings."""
    own = {
        *REPLAYED,
        "plan/markers",
        "image_annotated",
        "joint_states",
        "instruction",
        "stop_all",
        "diagnostics",
    }
    own |= {"image/compressed", "image_annotated/compressed"}
    displays = yaml.safe_load((CONFIG / "rviz/mmrobot.rviz").read_text())["Visualization Manager"]["Displays"]
    shown = [d["Topic"]["Value"] for d in displays if "Topic" in d]
    shown += [d[k] for d in displays for k in ("Color Image Topic", "Depth Map Topic") if k in d]
    assert len(shown) >= 5 and set(shown) <= own
    text = (CONFIG / "foxglove/mmrobot.json").read_text()
    layout = json.loads(text)
    topics = set(re.findall(r'"/([a-z_/]+)', text)) - {
        "clicked_point",
        "initialpose",
        "move_base_simple/goal",
    }
    assert len(topics) >= 8 and topics <= own
    placed = set(re.findall(r'"(\w+!\w+)"', json.dumps(layout["layout"])))
    assert placed == set(layout["configById"])
