"""The policy's text: one enclave a node, actions as actions, nothing that the node does not use."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from mmrobot.ros.access_policy import Access, policy_xml
from mmrobot.ros.enclave import ENABLED, enclave_arguments, enclave_of
from mmrobot.ros.graph import GraphOptions, graph_nodes

EXECUTOR = Access(
    "executor",
    "/arm1",
    frozenset({"/arm1/status", "/arm1/execute_plan/_action/feedback"}),
    frozenset({"/arm1/stop_all", "/clock"}),
    frozenset({"/arm1/stop", "/arm1/execute_plan/_action/send_goal"}),
    frozenset({"/arm1/execute_skill/_action/send_goal", "/arm1/execute_skill/_action/get_result"}),
)


def test_each_name_is_allowed_in_its_own_way_and_no_other() -> None:
    text = policy_xml([EXECUTOR, Access("vlm", "/")])
    root = ET.fromstring(text.split("\n", 1)[1])
    assert root.attrib == {"version": "0.2.0"}
    assert [e.get("path") for e in root.iter("enclave")] == ["/mmrobot/arm1/executor", "/mmrobot/vlm"]
    executor, vlm = root.iter("profile")
    assert executor.attrib == {"ns": "/arm1", "node": "executor"} and len(vlm) == 0
    rules = {(group.tag, *group.attrib): [one.text for one in group] for group in executor}
    assert rules == {
        ("actions", "execute"): ["/arm1/execute_plan"],
        ("actions", "call"): ["/arm1/execute_skill"],
        ("services", "reply"): ["/arm1/stop"],
        ("topics", "publish"): ["/arm1/status"],
        ("topics", "subscribe"): ["/arm1/stop_all", "/clock"],
    }
    assert "DENY" not in text and {g.get(k) for g in executor for k in g.attrib} == {"ALLOW"}


@pytest.mark.parametrize("value", ["true", "TRUE"])
def test_nodes_name_their_enclave_where_security_is_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert enclave_of("vlm") == "/mmrobot/vlm" and enclave_of("vlm", "/arm1/") == "/mmrobot/arm1/vlm"
    assert enclave_arguments("vlm", "arm1", {ENABLED: value}) == ["--enclave", "/mmrobot/arm1/vlm"]
    assert enclave_arguments("vlm", "", {ENABLED: "false"}) == enclave_arguments("vlm", "", {}) == []
    node = graph_nodes(GraphOptions(namespace="arm1"))[-1]
    monkeypatch.delenv(ENABLED, raising=False)
    assert "--enclave" not in node.arguments()
    monkeypatch.setenv(ENABLED, value)
    assert f"/mmrobot/arm1/{node.name}" in node.arguments()
