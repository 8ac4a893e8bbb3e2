"""A latched emergency stop outlives its process, and in doubt it is latched."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.errors import ErrorCode, StoppedError
from mmrobot.safety import emergency_latch
from mmrobot.safety.emergency_latch import EmergencyLatch, latch_file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return latch_file("domain_7_executor")


def test_it_is_free_at_first_and_stays_latched_over_new_starts_until_reset(file: Path) -> None:
    first = EmergencyLatch(file)
    first.check()
    first.latch("the button was pressed")
    first.keep()
    for latch in (first, EmergencyLatch(file)):
        with pytest.raises(StoppedError, match="latched: the button was pressed") as caught:
            latch.check()
        assert caught.value.code is ErrorCode.STOPPED and "--reset" in caught.value.fix
    EmergencyLatch(file).reset()
    EmergencyLatch(file).check()


def test_a_reset_of_what_is_free_does_nothing(file: Path) -> None:
    latch = EmergencyLatch(file)
    latch.reset()
    latch.check()


def test_each_robot_has_its_own(file: Path) -> None:
    latch = EmergencyLatch(file)
    latch.latch("here")
    latch.keep()
    EmergencyLatch(latch_file("domain_8_executor")).check()


def test_what_cannot_be_read_counts_as_latched(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StoppedError, match="cannot be read"):
        EmergencyLatch(file).check()
    other = file.with_name("other")
    other.write_bytes(b"\xff\xfe")
    with pytest.raises(StoppedError, match="cannot be read"):
        EmergencyLatch(other).check()


def test_a_file_without_words_counts_as_latched(file: Path) -> None:
    """As on a full disk, or after a power cut between the file and its words."""
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(StoppedError, match="by whom is not known"):
        EmergencyLatch(file).check()


def test_it_is_latched_on_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(emergency_latch.os, "fsync", full)
    latch = EmergencyLatch(file)
    latch.latch("here")
    with pytest.raises(OSError, match="No space"):
        latch.keep()
    for one in (latch, EmergencyLatch(file)):
        with pytest.raises(StoppedError):
            one.check()


def test_what_cannot_be_removed_stays_latched(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latch = EmergencyLatch(file)
    latch.latch("here")
    latch.keep()

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OSError, match="Read-only"):
        latch.reset()
    with pytest.raises(StoppedError):
        latch.check()
