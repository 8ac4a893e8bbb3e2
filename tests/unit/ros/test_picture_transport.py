"""Who publishes pictures gets Fast DDS's file, and who has chosen for himself, or has no room, does not."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import namedtuple
from pathlib import Path

import pytest

from mmrobot.evals.faults_rig import SETTINGS, nodes_of
from mmrobot.ros import picture_transport
from mmrobot.ros.graph import GraphOptions, graph_nodes, shared_folder
from mmrobot.ros.picture_transport import CHOSEN, PROFILES, ROOM, SEGMENT_BYTES, picture_environment

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    free = ROOM * SEGMENT_BYTES
    monkeypatch.setattr(picture_transport.shutil, "disk_usage", lambda _: Usage(2 * free, free, free))


def test_the_file_is_there_and_says_what_the_room_is_reckoned_for(room: None, tmp_path: Path) -> None:
    found = picture_environment(shared_folder("config"), {}, tmp_path)
    text = ET.parse(found[PROFILES])
    name = "{http://www.eprosima.com}segment_size"
    assert [int(e.text or 0) for e in text.iter(name)] == [SEGMENT_BYTES]


@pytest.mark.parametrize("name", CHOSEN)
def test_who_has_chosen_is_left_alone(room: None, tmp_path: Path, name: str) -> None:
    assert picture_environment(tmp_path, {name: "mine"}, tmp_path) == {}


def test_another_middleware_little_room_or_no_shared_memory_leave_the_defaults(
    room: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert picture_environment(tmp_path, {"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}, tmp_path)
    assert picture_environment(tmp_path, {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, tmp_path) == {}
    assert picture_environment(tmp_path, {}, tmp_path / "none") == {}
    little = ROOM * SEGMENT_BYTES - 1
    monkeypatch.setattr(picture_transport.shutil, "disk_usage", lambda _: Usage(little, 0, little))
    assert picture_environment(tmp_path, {}, tmp_path) == {}


def test_the_simulator_and_the_relay_of_a_good_driver_get_it(
    monkeypatch: pytest.MonkeyPatch, room: None
) -> None:
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    having = {n.name for n in graph_nodes(GraphOptions()) if n.environment}
    assert having == {"simulator"}
    for setting, expected in (("plain_driver", False), ("camera", True)):
        relay = nodes_of(SETTINGS[setting], GraphOptions())[-1]
        assert bool(relay.environment) is expected
