"""What is installed, what works, and what to do about what does not.

Every check does the thing itself (renders a picture, sends a message, loads the model) and answers with a
finding, or with a fault and its fix. What needs ROS or a large library runs in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mmrobot.doctor import installation, libraries, machine, own_files
from mmrobot.doctor.findings import Check, examine
from mmrobot.doctor.running import examine_graph

CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("python", machine.check_python),
    ("computer", machine.check_computer),
    ("free memory", machine.check_free_memory),
    ("disk", machine.check_disk),
    ("shared memory", machine.check_shared_memory),
    ("open files", machine.check_open_files),
    ("clock", machine.check_clock),
    ("one ROS", installation.check_one_ros),
    ("rclpy", installation.check_rclpy),
    ("middleware", installation.check_middleware),
    ("ROS domain", installation.check_domain_number),
    ("discovery", installation.check_discovery_range),
    ("mmrobot_msgs", installation.check_messages),
    ("messages current", installation.check_messages_current),
    ("tf2_msgs", installation.check_transforms),
    ("ROS delivery", installation.check_ros_delivery),
    ("mujoco", libraries.check_mujoco),
    ("rendering", libraries.check_rendering),
    ("opencv", libraries.check_opencv),
    ("torch", libraries.check_torch),
    ("onnxruntime", libraries.check_onnxruntime),
    ("model files", libraries.check_model_files),
    ("model", libraries.check_model),
    ("simulation files", own_files.check_simulation_files),
    ("configuration", own_files.check_configuration),
    ("launch files", own_files.check_launch_files),
    ("console port", machine.check_console_port),
)
OPTIONAL: tuple[tuple[str, Callable[[], str]], ...] = (
    ("load", machine.check_load),
    ("socket buffers", machine.check_socket_buffers),
    ("GPU", libraries.check_gpu),
    ("tensorrt", libraries.check_tensorrt),
    ("engine cache", libraries.check_engine_cache),
    ("sound", machine.check_sound),
    ("speech", machine.check_speech),
)


def run_checks(graph: Callable[[], list[Check]] = examine_graph) -> list[Check]:
    """All checks, in the order of CHECKS and OPTIONAL, those of the running graph last; some seconds."""
    tasks = [(name, check, False) for name, check in CHECKS]
    tasks += [(name, check, True) for name, check in OPTIONAL]
    with ThreadPoolExecutor(max_workers=2) as workers:
        found = list(workers.map(lambda task: examine(*task), tasks))
    # Alone, so that the checks of delivery are not taken for a graph.
    return [*found, *graph()]
