"""Who may publish, hear, ask and serve what: an SROS2 policy (version 0.2.0) of the nodes of a running graph.

Read off the graph itself, so that it holds what the nodes really use: whatever it does not name is denied
once security is enforced. Each node gets an enclave of its own. SECURITY.md has the steps around it.
"""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from mmrobot.ros.enclave import enclave_of

_ACTION = "/_action/"


@dataclass(frozen=True)
class Access:
    """What one node uses: fully resolved names, those of actions as ROS hides them below `_action`."""

    name: str
    namespace: str
    publishes: frozenset[str] = field(default_factory=frozenset)
    subscribes: frozenset[str] = field(default_factory=frozenset)
    serves: frozenset[str] = field(default_factory=frozenset)
    asks: frozenset[str] = field(default_factory=frozenset)

    @property
    def enclave(self) -> str:
        """Path of its keys in a keystore."""
        return enclave_of(self.name, self.namespace)


def read_graph(node: Node) -> list[Access]:
    """All nodes that `node` has discovered, itself among them, in order of their names.

    Programs of the ros2 command line, whose names begin with `_`, are left out.
    """
    pairs = sorted(set(node.get_node_names_and_namespaces()))
    found = []
    for name, space in pairs:
        if not name.startswith("_"):
            # One that has just ended is still listed for a moment.
            with contextlib.suppress(rclpy_implementation.NodeNameNonExistentError):
                found.append(_access(node, name, space))
    return found


def _access(node: Node, name: str, space: str) -> Access:
    return Access(
        name,
        space,
        _names(node.get_publisher_names_and_types_by_node(name, space)),
        _names(node.get_subscriber_names_and_types_by_node(name, space)),
        _names(node.get_service_names_and_types_by_node(name, space)),
        _names(node.get_client_names_and_types_by_node(name, space)),
    )


def _names(found: Iterable[tuple[str, list[str]]]) -> frozenset[str]:
    return frozenset(name for name, _ in found)


def policy_xml(accesses: Iterable[Access]) -> str:
    """The policy of these nodes, as `ros2 security create_permission` reads it."""
    policy = ET.Element("policy", version="0.2.0")
    enclaves = ET.SubElement(policy, "enclaves")
    for access in accesses:
        profiles = ET.SubElement(ET.SubElement(enclaves, "enclave", path=access.enclave), "profiles")
        profile = ET.SubElement(profiles, "profile", ns=access.namespace, node=access.name)
        _rules(profile, "actions", "action", "execute", _actions(access.serves))
        _rules(profile, "actions", "action", "call", _actions(access.asks))
        _rules(profile, "services", "service", "reply", _plain(access.serves))
        _rules(profile, "services", "service", "request", _plain(access.asks))
        _rules(profile, "topics", "topic", "publish", _plain(access.publishes))
        _rules(profile, "topics", "topic", "subscribe", _plain(access.subscribes))
    ET.indent(policy)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(policy, encoding="unicode") + "\n"


def _rules(profile: ET.Element, group: str, kind: str, may: str, names: set[str]) -> None:
    if names:
        listed = ET.SubElement(profile, group, {may: "ALLOW"})
        for name in sorted(names):
            ET.SubElement(listed, kind).text = name


def _actions(names: Iterable[str]) -> set[str]:
    return {name.split(_ACTION)[0] for name in names if _ACTION in name}


def _plain(names: Iterable[str]) -> set[str]:
    return {name for name in names if _ACTION not in name}
