"""Ports of the dead are held, those of the living left alone, and not all for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mmrobot.ros import spent_ports
from mmrobot.ros.spent_ports import SpentPorts, port_of

DOMAIN = 101


@contextmanager
def bound(port: int) -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", port))
        yield


def free(port: int) -> bool:
    try:
        with bound(port):
            return True
    except OSError:
        return False


def test_the_port_of_a_dead_participant_is_held_until_the_end(tmp_path: Path) -> None:
    (tmp_path / f"fastrtps_port{port_of(DOMAIN, 2) + 1}").touch()
    spent = SpentPorts(DOMAIN, tmp_path)
    assert spent.hold() == 1 == spent.hold()
    assert not free(port_of(DOMAIN, 2)) and free(port_of(DOMAIN, 1))
    spent.close()
    assert free(port_of(DOMAIN, 2))


def test_a_living_participant_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / f"fastrtps_port{port_of(DOMAIN, 0) + 1}").touch()
    with bound(port_of(DOMAIN, 0)):
        assert SpentPorts(DOMAIN, tmp_path).hold() == 0


def test_the_oldest_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spent_ports, "HELD", 2)
    for participant in range(3):
        (tmp_path / f"fastrtps_port{port_of(DOMAIN, participant) + 1}").touch()
    spent = SpentPorts(DOMAIN, tmp_path)
    assert spent.hold() == 2
    assert free(port_of(DOMAIN, 0)) and not free(port_of(DOMAIN, 2))
    spent.close()


def test_without_shared_memory_nothing_is_held(tmp_path: Path) -> None:
    assert SpentPorts(DOMAIN, tmp_path / "nowhere").hold() == 0
