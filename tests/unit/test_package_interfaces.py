"""mmrobot_msgs agrees with the types and errors that it mirrors, and comments every field."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mmrobot import types
from mmrobot.errors import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
INTERFACES = sorted(
    path for folder in ("msg", "action", "srv") for path in (ROOT / "mmrobot_msgs" / folder).iterdir()
)
FIELD = re.compile(r"^(?P<type>[\w/]+(\[[<=\d]*\])?)\s+(?P<name>[a-z]\w*)\s*(?P<comment>#.*)?$")
CONSTANT = re.compile(r"^uint16 (?P<name>[A-Z_]+)=(?P<value>\d+)$", re.MULTILINE)

# Where a dataclass's field is called otherwise in its message.
RENAMED = {
    "GroundedObject": {
        "position_m": "position",
        "size_m": "size",
        "yaw_rad": "yaw",
        "surface_z_m": "surface_z",
        "stamp_ns": "header",
        "frame_id": "header",
    },
    "Pointing": {"stamp_ns": "stamp"},
    "PlanStep": {"goal_position_m": "goal_position"},
    "ActionPlan": {"stamp_ns": "header", "frame_id": "header", "timings_ms": "timings"},
}


def field_lines(path: Path) -> list[re.Match[str]]:
    return [match for line in path.read_text().splitlines() if (match := FIELD.match(line))]


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_every_field_is_commented(path: Path) -> None:
    found = field_lines(path)
    assert found
    assert [match["name"] for match in found if not match["comment"]] == []


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_no_line_is_neither_field_nor_constant_nor_comment(path: Path) -> None:
    strange = [
        line
        for line in path.read_text().splitlines()
        if line.strip()
        and not (line.lstrip().startswith("#") or line == "---")
        and not FIELD.match(line)
        and not re.match(r"uint16 [A-Z_]+=\d+", line)
    ]
    assert strange == []


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_result_codes_are_those_of_errors(path: Path) -> None:
    text = path.read_text()
    codes = {match["name"]: int(match["value"]) for match in CONSTANT.finditer(text)}
    if not re.search(r"^uint16 error_code", text, re.MULTILINE):
        assert path.parent.name == "msg", f"{path.name} tells nobody what went wrong"
        return
    assert codes == {code.name: code.value for code in ErrorCode}


@pytest.mark.parametrize("name", sorted(RENAMED))
def test_messages_mirror_the_types(name: str) -> None:
    in_message = {match["name"] for match in field_lines(ROOT / f"mmrobot_msgs/msg/{name}.msg")}
    wanted = {RENAMED[name].get(field.name, field.name) for field in fields(getattr(types, name))}
    assert wanted <= in_message, f"{name}.msg lacks {sorted(wanted - in_message)}"


def test_every_interface_is_built() -> None:
    text = (ROOT / "mmrobot_msgs/CMakeLists.txt").read_text()
    assert [path.name for path in INTERFACES if f'"{path.parent.name}/{path.name}"' not in text] == []


def test_transform_message_is_that_of_a_real_ros() -> None:
    """The type's hash on the wire (REP-2016), as ROS 2 Jazzy's own tf2_msgs has it."""
    places = [
        Path(p) / "tf2_msgs/msg/TFMessage.json" for p in (f"{sys.prefix}/share", "/opt/ros/jazzy/share")
    ]
    description = json.loads(next(p for p in places if p.is_file()).read_text())
    hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
    assert hashes["tf2_msgs/msg/TFMessage"] == (
        "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    )
