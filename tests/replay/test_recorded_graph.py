"""The true graph, recorded: others' library reads the file, replay gives the same, failures leave a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rosbags.highlevel import AnyReader
from std_msgs.msg import String

from mmrobot.cli.app import main
from tests.support.graph import PATIENT, running_graph

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]

WHOLE = {
    "/image": "sensor_msgs/msg/Image",
    "/image/compressed": "sensor_msgs/msg/CompressedImage",
    "/camera_info": "sensor_msgs/msg/CameraInfo",
    "/depth": "sensor_msgs/msg/Image",
    "/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/joint_states": "sensor_msgs/msg/JointState",
    "/instruction": "std_msgs/msg/String",
    "/plan": "mmrobot_msgs/msg/ActionPlan",
    "/status": "std_msgs/msg/String",
    "/speech": "std_msgs/msg/String",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
}


def replayed(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    status = main(["replay", str(path), "--json"])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (status == 0) == answer["ok"]
    return answer


def test_a_run_is_recorded_replayed_and_its_failure_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**PATIENT, "recording": {"black_box": True, "directory": str(tmp_path / "box")}}
    record = tmp_path / "record"
    with running_graph(tmp_path, config=config, record=str(record)) as graph:
        put = graph.follow("put the red cube in the blue bowl", plan_only=True)
        assert put.error is None and put.plan is not None
        assert graph.follow("how many cubes are there?").answer == "1"
        words = graph.client.node.create_publisher(String, "instruction", 10)
        graph.wait(lambda: words.get_subscription_count() >= 4, "listeners, the recorder among them")
        assert not list((tmp_path / "box").glob("*")), "nothing has failed yet"
        graph.statuses.clear()
        words.publish(String(data="pick up the purple cup"))
        graph.wait(lambda: graph.seen("failed", "purple cup"), "the failure")
        graph.wait(lambda: list((tmp_path / "box").glob("*.mcap")), "the black box's file", 30.0)
    with AnyReader([record / "run.mcap"]) as reader:
        kinds = {c.topic: c.msgtype for c in reader.connections}
        assert {t: kinds.get(t) for t in WHOLE} == WHOLE
        for connection, _, data in reader.messages():
            reader.deserialize(data, connection.msgtype)
    (box,) = (tmp_path / "box").glob("*.mcap")
    assert "TARGET_NOT_FOUND" in box.name
    for path in (record / "run.mcap", box):
        answer = replayed(path, capsys)
        assert answer["ok"], answer
        told = {t["words"]: t for t in answer["turns"]}
        assert told["put the red cube in the blue bowl"]["digest_equal"]
        assert told["how many cubes are there?"]["again"] == "answer: 1", told
        assert told["pick up the purple cup"]["recorded"] == "TARGET_NOT_FOUND"
        assert answer["judged"] == 3
