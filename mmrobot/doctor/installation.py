"""ROS as it is installed and set: one of it, its messages, its domain, who may hear it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mmrobot.doctor.findings import SETUP_FIX, Fault, probe, shared_folder

RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
MAX_DOMAIN, MAX_SAFE_DOMAIN = 232, 101


def check_one_ros() -> str:
    """Two installations of ROS in one process fail in strange ways."""
    places = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if "/ros/" in place]
    in_environment = sys.prefix != sys.base_prefix and any(Path(sys.prefix, "share/rclpy").glob("*"))
    if places and in_environment:
        raise Fault(
            f"this environment has its own ROS, and PYTHONPATH brings another: {places[0]}",
            "use a terminal in which ROS is not sourced, or the colcon build (docs/install.md)",
        )
    return "of the Python environment" if in_environment else "of the system"


def check_rclpy() -> str:
    return probe(
        "import rclpy; rclpy.init(); node = rclpy.create_node('mmrobot_doctor');"
        "print(rclpy.get_rmw_implementation_identifier()); node.destroy_node(); rclpy.try_shutdown()",
        f"{SETUP_FIX}; or on a machine with ROS 2 Jazzy: source /opt/ros/jazzy/setup.bash",
    )


def check_middleware() -> str:
    """What RMW_IMPLEMENTATION asks for must be there; all machines of a robot need the same one."""
    asked = os.environ.get("RMW_IMPLEMENTATION", "")
    if not asked:
        return "the default (rmw_fastrtps_cpp)"
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    if not any(list(Path(p, "lib").glob(f"lib{asked}.so*")) for p in prefixes if p):
        raise Fault(
            f"RMW_IMPLEMENTATION is '{asked}', which is not installed",
            f"unset RMW_IMPLEMENTATION; or: sudo apt-get install ros-jazzy-{asked.replace('_', '-')}",
        )
    return asked


def check_domain_number() -> str:
    text = os.environ.get("ROS_DOMAIN_ID", "") or "0"
    if not text.isdecimal() or int(text) > MAX_DOMAIN:
        raise Fault(f"ROS_DOMAIN_ID is '{text}'", f"give a number from 0 to {MAX_SAFE_DOMAIN}")
    if int(text) > MAX_SAFE_DOMAIN:
        raise Fault(
            f"ROS_DOMAIN_ID is {text}: its ports are those that Linux gives to other programs",
            f"give a number from 0 to {MAX_SAFE_DOMAIN}, the same on all machines of the robot",
        )
    return text


def check_discovery_range() -> str:
    text = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    if text and text not in RANGES:
        raise Fault(f"ROS_AUTOMATIC_DISCOVERY_RANGE is '{text}'", f"choose one of {', '.join(RANGES)}")
    if os.environ.get("ROS_LOCALHOST_ONLY", "0") not in ("", "0"):
        raise Fault(
            "ROS_LOCALHOST_ONLY is set, which Jazzy has replaced: it overrules the discovery range",
            "unset ROS_LOCALHOST_ONLY; export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST",
        )
    if text == "OFF":
        raise Fault(
            "ROS_AUTOMATIC_DISCOVERY_RANGE is OFF: nodes find each other only through ROS_STATIC_PEERS",
            "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST",
        )
    if text == "LOCALHOST":
        return "LOCALHOST: only programs of this machine are heard"
    return (
        f"{text or 'not set, so SUBNET'}: everybody on this network can command the robot; unless it spans "
        "machines: export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST"
    )


def check_messages() -> str:
    # A type, not the package: the folder of the .msg files alone imports as an empty package.
    return probe(
        "from rclpy.serialization import deserialize_message as read, serialize_message as write\n"
        "from mmrobot.errors import ErrorCode\n"
        "from mmrobot_msgs.action import FollowInstruction\n"
        "from mmrobot_msgs.msg import ActionPlan, PlanStep\n"
        "plan = ActionPlan(plan_id='p', steps=[PlanStep(skill='home')])\n"
        "assert read(write(plan), ActionPlan) == plan, 'a plan does not survive serialisation'\n"
        "differ = [c.name for c in ErrorCode if getattr(FollowInstruction.Result, c.name, None) != c.value]\n"
        "assert not differ, f'result codes differ: {differ}'\n"
        "print('types load, result codes agree')",
        f"{SETUP_FIX}; or build mmrobot_msgs with colcon and source install/setup.bash",
    )


def check_messages_current() -> str:
    """Built messages of an older checkout load, and then fail in the middle of a task."""
    try:
        source = shared_folder("mmrobot_msgs")
    except Fault:
        return "no sources here to compare with"
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    built = next((s for p in prefixes if p and (s := Path(p, "share/mmrobot_msgs")).is_dir()), None)
    fix = f"{SETUP_FIX}; or: colcon build --base-paths . mmrobot_msgs"
    if built is None:
        raise Fault("mmrobot_msgs is not built", fix)
    files = sorted(f for kind in ("msg", "srv", "action") for f in source.glob(f"{kind}/*.{kind}"))
    other = [f.name for f in files if _text(built / f.parent.name / f.name) != _text(f)]
    if other:
        raise Fault(f"built from other definitions: {', '.join(other[:4])}", fix)
    return f"{len(files)} definitions are those of {built}"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def check_transforms() -> str:
    return probe(
        "from rclpy.serialization import serialize_message as write\n"
        "from tf2_msgs.msg import TFMessage; write(TFMessage()); print('tf2_msgs/TFMessage loads')",
        f"{SETUP_FIX}; or: sudo apt-get install ros-jazzy-tf2-msgs",
    )


def check_ros_delivery() -> str:
    """Two participants of this domain talk to each other."""
    return probe(
        "import os, time, rclpy\n"
        "from rclpy.executors import SingleThreadedExecutor\n"
        "from std_msgs.msg import String\n"
        "contexts = [rclpy.Context(), rclpy.Context()]\n"
        "[c.init() for c in contexts]\n"
        "talker, listener = [rclpy.create_node(f'mmrobot_doctor_{i}', context=c)"
        " for i, c in enumerate(contexts)]\n"
        "heard = []; topic = f'mmrobot_doctor_{os.getpid()}'\n"
        "listener.create_subscription(String, topic, heard.append, 10)\n"
        "sender = talker.create_publisher(String, topic, 10)\n"
        "executor = SingleThreadedExecutor(context=contexts[1]); executor.add_node(listener)\n"
        "end = time.monotonic() + 10\n"
        "while not heard and time.monotonic() < end:\n"
        "    sender.publish(String(data='?')); executor.spin_once(timeout_sec=0.05)\n"
        "assert heard, 'two nodes do not hear each other'\n"
        "print(f\"two nodes talk on domain {os.environ.get('ROS_DOMAIN_ID', '0')}\")\n"
        "[c.try_shutdown() for c in contexts]",
        "let UDP on the loopback interface pass the firewall, and give /dev/shm room",
    )
