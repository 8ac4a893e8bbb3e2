"""config/gz_bridge.yaml against both of its sides: our nodes' topics, and the world's systems."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
import yaml
from rclpy.context import Context
from rclpy.node import Node

from mmrobot.ros import gazebo_companion_node
from mmrobot.ros.topic_arm_port import TopicArmPort
from mmrobot.simulator.gazebo.world import gazebo_world
from mmrobot.tabletop.scene import Scene

FILE = Path(__file__).resolve().parents[3] / "config" / "gz_bridge.yaml"
ENTRIES = yaml.safe_load(FILE.read_text())

# ros_gz_bridge's table of pairs (its README, Jazzy), as far as it concerns us.
PAIRS = {
    "rosgraph_msgs/msg/Clock": "gz.msgs.Clock",
    "sensor_msgs/msg/Image": "gz.msgs.Image",
    "sensor_msgs/msg/CameraInfo": "gz.msgs.CameraInfo",
    "sensor_msgs/msg/JointState": "gz.msgs.Model",
    "trajectory_msgs/msg/JointTrajectory": "gz.msgs.JointTrajectory",
    "std_msgs/msg/Float64": "gz.msgs.Double",
}
KEYS = {
    *("ros_topic_name", "gz_topic_name", "ros_type_name", "gz_type_name"),
    *("direction", "publisher_queue", "subscriber_queue", "lazy"),
}


def gazebo_topics() -> dict[str, tuple[str, str]]:
    """Topic: (type, direction) of the generated world, as gz-sim 8 and gz-sensors 8 make them."""
    topics = {"clock": ("gz.msgs.Clock", "GZ_TO_ROS")}
    for element in ET.fromstring(gazebo_world(Scene())).iter():
        topic = (element.findtext("topic") or "").strip()
        name = element.get("name", "")
        if element.tag == "sensor" and element.get("type") == "rgbd_camera":
            # RgbdCameraSensor.cc: Topic() + "/image", "/depth_image", "/camera_info".
            topics |= {
                f"{topic}/image": ("gz.msgs.Image", "GZ_TO_ROS"),
                f"{topic}/depth_image": ("gz.msgs.Image", "GZ_TO_ROS"),
                f"{topic}/camera_info": ("gz.msgs.CameraInfo", "GZ_TO_ROS"),
            }
        elif name.endswith("::JointTrajectoryController"):
            topics[topic] = ("gz.msgs.JointTrajectory", "ROS_TO_GZ")
        elif name.endswith("::JointPositionController"):
            topics[topic] = ("gz.msgs.Double", "ROS_TO_GZ")
        elif name.endswith("::JointStatePublisher"):
            topics[topic] = ("gz.msgs.Model", "GZ_TO_ROS")
    return topics


def test_every_entry_is_one_that_the_bridge_knows() -> None:
    for entry in ENTRIES:
        assert set(entry) <= KEYS
        assert PAIRS[entry["ros_type_name"]] == entry["gz_type_name"], entry
        assert entry["direction"] in ("GZ_TO_ROS", "ROS_TO_GZ")


def test_gazebos_side_is_what_the_worlds_elements_say_and_hear() -> None:
    offered = gazebo_topics()
    bridged = {e["gz_topic_name"]: (e["gz_type_name"], e["direction"]) for e in ENTRIES}
    assert bridged == offered


@pytest.fixture
def node() -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context)
    made = rclpy.create_node("bridge_test", context=context)
    yield made
    made.destroy_node()
    context.try_shutdown()


def topics_of(node: Node, published: bool) -> dict[str, str]:
    list_of = node.get_publisher_names_and_types_by_node if published else None
    list_of = list_of or node.get_subscriber_names_and_types_by_node
    return {name.lstrip("/"): types[0] for name, types in list_of(node.get_name(), node.get_namespace())}


def test_ros_side_is_what_the_arm_server_says_and_hears(node: Node) -> None:
    TopicArmPort(node, lambda _: None)
    types = {e["ros_topic_name"].lstrip("/"): e["ros_type_name"] for e in ENTRIES}
    assert types["joint_trajectory"] == topics_of(node, published=True)["joint_trajectory"]
    assert types["joint_states"] == topics_of(node, published=False)["joint_states"]


def test_ros_side_has_the_cameras_four_topics_and_the_clock() -> None:
    """As the vlm node subscribes to them (SensorSubscription), which the graph tests see in flesh."""
    types = {e["ros_topic_name"]: e["ros_type_name"] for e in ENTRIES if e["direction"] == "GZ_TO_ROS"}
    assert types == {
        "/clock": "rosgraph_msgs/msg/Clock",
        "image": "sensor_msgs/msg/Image",
        "camera_info": "sensor_msgs/msg/CameraInfo",
        "depth": "sensor_msgs/msg/Image",
        "depth/camera_info": "sensor_msgs/msg/CameraInfo",
        "joint_states": "sensor_msgs/msg/JointState",
    }


def test_the_companion_speaks_to_both_fingers() -> None:
    fingers = [e["gz_topic_name"] for e in ENTRIES if e["ros_topic_name"] == "gripper_finger_position"]
    assert fingers == ["gripper_left_position", "gripper_right_position"]
    source = Path(gazebo_companion_node.__file__).read_text()
    assert 'create_publisher(Float64, "gripper_finger_position"' in source
