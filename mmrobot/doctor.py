"""What is installed, what works, and what to do about what does not.

Every check does the thing itself (renders a picture, sends a message, loads the model), in a process
of its own: a library that crashes is a finding, not the end of the doctor. It knows no ROS graph;
whoever does hands in `other_simulator`.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mmrobot.config import load_config
from mmrobot.errors import MmrobotError

SUPPORTED_PYTHON = ((3, 11), (3, 12))
PROBE_TIMEOUT_S = 60.0
MIN_DISK_GB = 2.0
MIN_MEMORY_GB = 4.0
MIN_SHARED_MEMORY_MB = 32.0
SETUP_FIX = "run: make setup"


@dataclass(frozen=True)
class Check:
    """One finding. `fix` is empty when `ok`; an `optional` thing is `ok` even when it is not there."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    optional: bool = False


class Fault(Exception):
    """What a check found wrong, and the fix."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix


def probe(code: str, fix: str) -> str:
    """Run Python code in a process of its own; its last line of output, or Fault with its last words."""
    try:
        result = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Fault(f"no answer within {PROBE_TIMEOUT_S:.0f} s", fix) from None
    if result.returncode != 0:
        words = [line for line in result.stderr.splitlines() if line.strip()] or ["no words"]
        died = f"crashed by signal {-result.returncode}: " if result.returncode < 0 else ""
        raise Fault(died + words[-1].strip(), fix)
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


def check_python() -> str:
    version = platform.python_version()
    if sys.version_info[:2] not in SUPPORTED_PYTHON:
        raise Fault(f"Python {version} is not supported", "use Python 3.11 or 3.12, then run: make setup")
    return f"{version} at {sys.executable}"


def check_rclpy() -> str:
    return probe(
        "import rclpy; rclpy.init(); node = rclpy.create_node('mmrobot_doctor');"
        "print(rclpy.get_rmw_implementation_identifier()); node.destroy_node(); rclpy.try_shutdown()",
        f"{SETUP_FIX}; or on a machine with ROS 2 Jazzy: source /opt/ros/jazzy/setup.bash",
    )


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


def check_shared_memory() -> str:
    place = Path("/dev/shm")
    if not place.is_dir():
        return "not used on this system"
    free_mb = shutil.disk_usage(place).free / 1e6
    if free_mb < MIN_SHARED_MEMORY_MB:
        raise Fault(
            f"{free_mb:.0f} MB free in {place}, pictures need {MIN_SHARED_MEMORY_MB:.0f}",
            "remove fastrtps_* left there by dead programs, or start the container with --shm-size=256m",
        )
    return f"{free_mb:.0f} MB free in {place}"


def check_mujoco() -> str:
    return probe("import mujoco; print(mujoco.__version__)", SETUP_FIX)


def check_rendering() -> str:
    """A lit box on a dark ground must show as bright and dark."""
    return probe(
        "import os; os.environ.setdefault('MUJOCO_GL', 'egl')\n"
        "import time, mujoco\n"
        'xml = \'<mujoco><visual><quality shadowsize="512" offsamples="0"/></visual><worldbody>'
        '<light pos="0 0 3"/><geom type="box" size=".3 .3 .3" rgba="1 1 1 1"/>'
        '<camera name="c" pos="0 0 2"/></worldbody></mujoco>\'\n'
        "model = mujoco.MjModel.from_xml_string(xml); data = mujoco.MjData(model)\n"
        "mujoco.mj_forward(model, data)\n"
        "renderer = mujoco.Renderer(model, 480, 640)\n"
        "renderer.update_scene(data, camera='c'); picture = renderer.render()\n"
        "assert picture.max() > 60 and picture.min() < 20, 'the picture is empty'\n"
        "start = time.monotonic()\n"
        "[renderer.render() for _ in range(10)]\n"
        "rate = 10 / (time.monotonic() - start)\n"
        "print(os.environ['MUJOCO_GL'] + f', {rate:.0f} pictures of 640x480 a second')",
        "run: sudo apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri; "
        "in a container without a GPU keep MUJOCO_GL=egl",
    )


def check_opencv() -> str:
    return probe(
        "import cv2, numpy as np\n"
        "ok, data = cv2.imencode('.png', np.full((4, 5, 3), 7, np.uint8))\n"
        "assert (cv2.imdecode(data, cv2.IMREAD_COLOR) == 7).all(), 'a PNG does not survive'\n"
        "print(cv2.__version__)",
        f"{SETUP_FIX}; keep one of opencv-python and opencv-python-headless, never both",
    )


def check_torch() -> str:
    return probe(
        "import torch\n"
        "assert torch.ones(3, 4).matmul(torch.ones(4, 2)).eq(4).all(), 'wrong product'\n"
        "cuda = torch.cuda.is_available()\n"
        "print(torch.__version__, '-', torch.cuda.get_device_name(0) if cuda else 'CPU only')",
        SETUP_FIX,
    )


def check_model() -> str:
    """The configured model loads and looks at a picture; on which rung of its ladder, and why not another."""
    return probe(
        "import time, numpy as np\n"
        "from mmrobot.config import default_config_file, load_config\n"
        "from mmrobot.vlm.registry import load_model\n"
        "start = time.monotonic(); model = load_model(config=load_config(default_config_file()))\n"
        "loaded = time.monotonic()\n"
        "model.ground(np.full((480, 640, 3), 128, np.uint8), 'red cube')\n"
        "looked = time.monotonic()\n"
        "print(f'loads in {loaded - start:.1f} s, looks in {looked - loaded:.2f} s: {model.standing.words}')",
        "the weights are part of the package: run git status, then make setup; "
        "or train them anew: make train",
    )


def shared_folder(name: str) -> Path:
    """`sim`, `config` or `launch`: of the checkout, or of the installation's share folder."""
    checkout = Path(__file__).resolve().parent.parent / name
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    places = [checkout, *(Path(p, "share/mmrobot", name) for p in [*prefixes, sys.prefix] if p)]
    found = [place for place in places if place.is_dir()]
    if not found:
        raise Fault(f"no folder '{name}' of mmrobot in {', '.join(map(str, places))}", SETUP_FIX)
    return found[0]


def check_simulation_files() -> str:
    """Worlds and models are there, and are XML."""
    worlds = sorted(shared_folder("sim").glob("worlds/*.sdf"))
    models = sorted(shared_folder("sim").glob("models/*/model.sdf"))
    if not worlds or not models:
        raise Fault(
            f"{len(worlds)} worlds and {len(models)} models found in sim/", "restore sim/: git checkout sim"
        )
    for path in (*worlds, *models):
        try:
            ET.parse(path)
        except ET.ParseError as error:
            raise Fault(f"{path}: {error}", f"restore it: git checkout {path}") from None
    return f"{len(worlds)} worlds, {len(models)} models in {worlds[0].parent.parent}"


def check_configuration() -> str:
    path = shared_folder("config") / "mmrobot.yaml"
    try:
        load_config(path)
    except MmrobotError as error:
        raise Fault(error.message, error.fix) from None
    return f"{path} is valid"


def check_launch_files() -> str:
    files = sorted(shared_folder("launch").glob("*.launch.py"))
    if not files:
        raise Fault("no launch files found", SETUP_FIX)
    return ", ".join(path.name.removesuffix(".launch.py") for path in files)


def check_disk() -> str:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    if free_gb < MIN_DISK_GB:
        raise Fault(f"{free_gb:.1f} GB free here, {MIN_DISK_GB:.0f} needed", "make room on this disk")
    return f"{free_gb:.0f} GB free"


def check_computer() -> str:
    cores = len(os.sched_getaffinity(0))
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if cores < 2 or memory_gb < MIN_MEMORY_GB:
        raise Fault(
            f"{cores} cores and {memory_gb:.1f} GB of memory",
            f"give mmrobot 2 cores and {MIN_MEMORY_GB:.0f} GB; with less the simulator falls behind",
        )
    return f"{cores} cores, {memory_gb:.0f} GB of memory, {platform.machine()}"


def check_tensorrt() -> str:
    try:
        return probe("import tensorrt; print(tensorrt.__version__)", "")
    except Fault:
        return "not installed (optional: NVIDIA GPUs only)"


def check_microphone() -> str:
    cards = Path("/proc/asound/pcm")
    inputs = [line for line in cards.read_text().splitlines() if "capture" in line] if cards.exists() else []
    return f"{len(inputs)} sound inputs" if inputs else "none (optional: type the words instead)"


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("python", check_python),
    ("computer", check_computer),
    ("disk", check_disk),
    ("shared memory", check_shared_memory),
    ("one ROS", check_one_ros),
    ("rclpy", check_rclpy),
    ("mmrobot_msgs", check_messages),
    ("tf2_msgs", check_transforms),
    ("ROS delivery", check_ros_delivery),
    ("mujoco", check_mujoco),
    ("rendering", check_rendering),
    ("opencv", check_opencv),
    ("torch", check_torch),
    ("model", check_model),
    ("simulation files", check_simulation_files),
    ("configuration", check_configuration),
    ("launch files", check_launch_files),
)
OPTIONAL: tuple[tuple[str, Callable[[], str]], ...] = (
    ("tensorrt", check_tensorrt),
    ("microphone", check_microphone),
)


def examine(name: str, check: Callable[[], str], optional: bool = False) -> Check:
    """Carry one check out."""
    try:
        return Check(name, True, check(), optional=optional)
    except Fault as fault:
        return Check(name, False, fault.detail, fault.fix, optional)
    except OSError as error:
        return Check(name, False, str(error), "see whether this user may read and run it", optional)


def run_checks(other_simulator: Callable[[], str | None] | None = None) -> list[Check]:
    """All checks, in the order of CHECKS, some seconds in all.

    `other_simulator` names a simulator that already runs on this ROS domain, or answers None; it
    comes from `mmrobot.ros`, the only room that knows the graph.
    """

    def check_domain() -> str:
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        found = other_simulator() if other_simulator else None
        if found:
            raise Fault(
                f"'{found}' already runs on ROS domain {domain}",
                "end it, or choose another domain: export ROS_DOMAIN_ID=17",
            )
        return f"no simulator on domain {domain}"

    tasks = [(name, check, False) for name, check in CHECKS]
    if other_simulator is not None:
        tasks.append(("ROS domain", check_domain, False))
    tasks += [(name, check, True) for name, check in OPTIONAL]
    with ThreadPoolExecutor(max_workers=2) as workers:
        return list(workers.map(lambda task: examine(*task), tasks))
