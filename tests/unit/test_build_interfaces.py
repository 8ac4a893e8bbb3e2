"""Which files of which packages are built, in which order."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def builder():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location(
            "build_interfaces", ROOT / "scripts/build_interfaces.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_types_in_a_definition(builder) -> None:
    text = "# geometry_msgs/Point old\nint8 A=1\nOther[] others\nstd_msgs/Header header\nstring<=5 s\n"
    assert builder.named_types(text, "mine") == {"mine/msg/Other", "std_msgs/msg/Header"}


def test_what_is_needed_in_its_order(builder) -> None:
    packages = builder.sources([ROOT / "tests/interfaces"])
    files, needs = builder.closure(["moveit_msgs/msg/CollisionObject"], packages, [Path(sys.prefix)])
    assert files["object_recognition_msgs"] == {"msg/ObjectType.msg"}
    assert files["moveit_msgs"] == {"msg/CollisionObject.msg"}
    order = builder.in_order(files, needs)
    assert order.index("object_recognition_msgs") < order.index("moveit_msgs")


def test_what_is_missing_is_named(builder) -> None:
    with pytest.raises(builder.SetupError, match="no package 'nothing_msgs'"):
        builder.closure(["nothing_msgs/msg/A"], {}, [])
    packages = builder.sources([ROOT / "tests/interfaces"])
    with pytest.raises(builder.SetupError, match="Fly.action"):
        builder.closure(["nav2_msgs/action/Fly"], packages, [])
    with pytest.raises(builder.SetupError, match="need each other"):
        builder.in_order({"a": set(), "b": set()}, {"a": {"b"}, "b": {"a"}})
