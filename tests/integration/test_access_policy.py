"""`mmrobot policy` beside the true graph: it names what the contract names, of each node, and of people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.graph import LOCAL, running_graph

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def written(domain: int, path: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from mmrobot.cli import main; sys.exit(main())"
    variables = {**os.environ, **LOCAL, "ROS_DOMAIN_ID": str(domain), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "policy", "--out", str(path), "--json"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


def rules(path: Path) -> dict[str, dict[tuple[str, str], set[str]]]:
    found: dict[str, dict[tuple[str, str], set[str]]] = {}
    for profile in ET.parse(path).getroot().iter("profile"):
        mine = found.setdefault(str(profile.get("node")), {})
        for group in profile:
            mine[(group.tag, next(iter(group.attrib)))] = {str(one.text) for one in group}
    return found


def test_the_policy_holds_the_names_that_the_graph_uses(tmp_path: Path) -> None:
    path = tmp_path / "policy.xml"
    with running_graph(tmp_path) as graph:
        said = written(graph.domain, path)
        assert said.returncode == 0, said.stderr
        told = json.loads(said.stdout.splitlines()[-1])
        names = set(graph.nodes.pids)
        of = rules(path)
        assert {f"/mmrobot/{name}" for name in names} <= set(told["enclaves"]) and names <= set(of)
        # Each topic that somebody tells has a node that may; those of actions are the actions' own.
        node = graph.client.node
        told_of = {topic for n in of for topic in of[n].get(("topics", "publish"), ())}
        for topic, _ in node.get_topic_names_and_types():
            assert topic in told_of or "/_action/" in topic or not node.count_publishers(topic), topic
    vlm, executor, person = of["vlm"], of["executor"], of["mmrobot_client"]
    assert vlm["actions", "execute"] == {"/follow_instruction"}
    assert vlm["actions", "call"] == {"/execute_plan"} == executor["actions", "execute"]
    assert executor["actions", "call"] == {"/execute_skill"} == of["arm_server"]["actions", "execute"]
    assert {"/image", "/camera_info", "/depth", "/instruction", "/stop_all"} <= vlm["topics", "subscribe"]
    assert {"/plan", "/plan/markers", "/image_annotated", "/status"} <= vlm["topics", "publish"]
    assert {"/ground", "/ask", "/approve_plan"} <= vlm["services", "reply"]
    assert {"/stop", "/emergency_stop"} <= executor["services", "reply"]
    assert "/joint_trajectory" in of["arm_server"]["topics", "publish"]
    assert "/joint_trajectory" not in vlm["topics", "publish"] | person["topics", "publish"]
    assert person["actions", "call"] == {"/follow_instruction"}
    assert {"/vlm/change_state", "/executor/change_state"} <= of["manager"]["services", "request"]


def test_without_a_graph_nothing_is_written(tmp_path: Path) -> None:
    said = written(101, tmp_path / "policy.xml")
    assert said.returncode == 1 and not (tmp_path / "policy.xml").exists()
    error = json.loads(said.stdout.splitlines()[-1])["error"]
    assert error["code"] == "ROBOT_UNAVAILABLE" and "mmrobot up" in error["fix"]
