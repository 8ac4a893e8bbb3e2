"""The import wall: rooms stand in the order of the flow, and heavy libraries stay in their rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mmrobot"

# A room may import those before it, never those after it; rooms of one row know each other.
ORDER = (
    {"types", "errors"},
    {"config"},
    {"perception"},
    {"vlm"},
    {"grounding"},
    {"command"},
    {"planning"},
    {"safety"},
    {"execution"},
    {"looking"},
    {"locating"},
    {"pointing"},
    {"pipeline"},
    {"conversation"},
    {"audit"},
    {"tabletop"},
    {"voice"},
    {"simulator"},
    {"arm"},
    {"learn"},
    {"console"},
    {"ros"},
    {"replay"},
    {"evals"},
    {"doctor"},
    {"cli"},
)
RANK = {room: rank for rank, row in enumerate(ORDER) for room in row}

# Top-level modules that only these rooms may import.
KEPT_IN = {
    "rclpy": {"ros"},
    "ament_index_python": {"ros"},
    "launch": {"ros"},
    "launch_ros": {"ros"},
    "tf2_ros": {"ros"},
    "torch": {"vlm", "learn"},
    "transformers": {"vlm", "learn"},
    "tokenizers": {"vlm", "learn"},
    "safetensors": {"learn", "vlm", "voice"},
    "onnx": {"vlm"},
    "onnxruntime": {"vlm", "voice"},
    "sounddevice": {"voice"},
    "tensorrt": {"vlm"},
    "tensorrt_bindings": {"vlm"},
    "mujoco": {"simulator", "arm"},
    "mink": {"arm"},
}

# All modules of these can be imported without paying for a model, a simulator or ROS.
LIGHT_ROOMS = {
    "types",
    "errors",
    "config",
    "perception",
    "grounding",
    "command",
    "planning",
    "safety",
    "execution",
} | {"pipeline", "tabletop", "voice", "doctor"}


def is_message_package(name: str) -> bool:
    return name.endswith(("_msgs", "_srvs", "_interfaces"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also within functions and by a literal name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            # `from mmrobot import doctor` names a room only in its list.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def violations(source: str, module: str, package: str) -> list[str]:
    """What a module's source imports against the rules, each as one line."""
    room = (module.split(".") + [""])[1]
    found = []
    for line, name in imported(ast.parse(source), package):
        parts = name.split(".")
        if parts[0] == "mmrobot":
            other = parts[1] if len(parts) > 1 else ""
            if other in RANK and room in RANK and other != room and RANK[other] > RANK[room]:
                found.append(f"{module}:{line} imports {name}: {other} stands after {room}")
            if room == "ros" and other == "learn":
                found.append(f"{module}:{line} imports {name}: no node imports learn")
        elif is_message_package(parts[0]) and room != "ros":
            found.append(f"{module}:{line} imports {name}: messages belong to ros")
        elif parts[0] in KEPT_IN and room not in KEPT_IN[parts[0]]:
            found.append(f"{module}:{line} imports {name}: only {sorted(KEPT_IN[parts[0]])} may")
    return found


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in files()} - {"__init__"}
    assert rooms <= set(RANK), f"rooms without a place in ORDER: {sorted(rooms - set(RANK))}"


def test_no_import_breaks_the_wall() -> None:
    found = []
    for path in files():
        module = module_name(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        found += violations(path.read_text(encoding="utf-8"), module, package)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("mmrobot.planning.planner", "import rclpy"),
        ("mmrobot.planning.planner", "def f():\n    from mmrobot_msgs.msg import ActionPlan"),
        ("mmrobot.planning.planner", "from ..ros import messages"),
        ("mmrobot.planning.planner", "from mmrobot import simulator"),
        ("mmrobot.planning.planner", "import importlib\nimportlib.import_module('torch')"),
        ("mmrobot.grounding.lifting", "import mmrobot.planning.skills"),
        ("mmrobot.ros.vlm_node", "from mmrobot.learn import train"),
        ("mmrobot.ros.vlm_node", "import mujoco"),
        ("mmrobot.tabletop.goals", "import mink"),
    ],
)
def test_the_wall_sees(module: str, source: str) -> None:
    assert violations(source, module, module.rpartition(".")[0])


def test_the_wall_lets_through() -> None:
    source = "import json\nfrom mmrobot.types import PlanStep\nfrom . import skills\nimport numpy as np"
    assert violations(source, "mmrobot.planning.planner", "mmrobot.planning") == []


def reached_from(start: str) -> set[str]:
    """All modules of mmrobot that a module imports, directly or through others."""
    paths = {module_name(path): path for path in files()}
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in seen or module not in paths:
            continue
        seen.add(module)
        path = paths[module]
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for _, name in imported(ast.parse(path.read_text(encoding="utf-8")), package):
            waiting += [name, name.rpartition(".")[0]]
    return seen


@pytest.mark.parametrize("node", ["vlm_node", "executor_node"])
def test_ground_truth_reaches_no_node(node: str) -> None:
    reached = reached_from(f"mmrobot.ros.{node}")
    assert len(reached) > 5, f"{node} reaches only {sorted(reached)}"
    forbidden = ("mmrobot.simulator.", "mmrobot.learn", "mmrobot.tabletop.goals", "mmrobot.evals")
    assert not sorted(name for name in reached if name.startswith(forbidden))


def test_light_rooms_load_nothing_heavy() -> None:
    light = [module_name(path) for path in files() if room_of(path) in LIGHT_ROOMS]
    names = ["mmrobot.vlm.interface", *light]
    code = (
        f"import sys\nfor n in {names!r}: __import__(n)\nprint(*sorted({set(KEPT_IN)!r} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []
