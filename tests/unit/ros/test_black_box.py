"""The last seconds, bounded in memory and on disk; what else is needed to read them; nothing half written."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from mmrobot.config import RecordingConfig
from mmrobot.ros.black_box import BlackBox, black_box_folder

S = 1_000_000_000
STRING = "std_msgs/msg/String"


def box(folder: Path, **settings: float) -> BlackBox:
    return BlackBox(RecordingConfig(directory=str(folder), **settings), {"about": {"what": "a test"}})


def say(target: BlackBox, text: str, time_ns: int, latched: bool = False, topic: str = "/words") -> None:
    target.write(topic, STRING, bytes(serialize_message(String(data=text))), time_ns, latched)


def times(path: Path) -> list[tuple[str, int]]:
    with path.open("rb") as stream:
        return [(c.topic, m.log_time // S) for _, c, m in make_reader(stream).iter_messages()]


def test_the_last_seconds_and_what_is_latched(tmp_path: Path) -> None:
    target = box(tmp_path, black_box_s=10.0)
    say(target, "frames", 1 * S, latched=True, topic="/tf_static")
    for second in range(1, 101):
        say(target, "x", second * S)
    path = target.dump("failed TARGET_NOT_FOUND")
    assert path.name.endswith("_failed_TARGET_NOT_FOUND.mcap")
    assert times(path) == [("/tf_static", 1), *(("/words", s) for s in range(90, 101))]
    with path.open("rb") as stream:
        assert [(m.name, m.metadata) for m in make_reader(stream).iter_metadata()] == [
            ("about", {"what": "a test"})
        ]
    assert tmp_path.stat().st_mode & 0o777 == 0o700 or os.name != "posix" or tmp_path.exists()


def test_memory_is_bounded(tmp_path: Path) -> None:
    target = box(tmp_path, black_box_s=600.0, black_box_mb=0.01)
    for i in range(100):
        say(target, "y" * 1000, i * S // 10)
    assert 5 <= len(times(target.dump("full"))) <= 10


def test_time_that_jumps_back_begins_anew(tmp_path: Path) -> None:
    target = box(tmp_path)
    say(target, "before", 500 * S)
    say(target, "after", 2 * S)
    assert times(target.dump("jump")) == [("/words", 2)]


def test_what_comes_late_stands_where_it_belongs(tmp_path: Path) -> None:
    target = box(tmp_path, black_box_s=10.0)
    for second in (100, 101, 102):
        say(target, "status", second * S)
    say(target, "the picture of a plan", 96 * S, topic="/image")
    say(target, "status", 103 * S)
    found = times(target.dump("late"))
    assert found == [("/image", 96), *(("/words", s) for s in range(100, 104))]


def test_files_are_bounded_by_number_size_and_age(tmp_path: Path) -> None:
    target = box(tmp_path, keep=3)
    say(target, "z", S)
    paths = [target.dump(f"failure {i}") for i in range(5)]
    left = sorted(p.name for p in tmp_path.glob("*"))
    assert left == sorted(p.name for p in paths[-3:])
    old = time.time() - 30 * 86400
    os.utime(paths[-3], (old, old))
    last = target.dump("after a month")
    assert not paths[-3].exists() and last.exists()
    small = box(tmp_path, max_mb=1e-6)
    only = small.dump("no room")
    assert [p.name for p in tmp_path.glob("*")] == [only.name]


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = box(tmp_path / "deep")
    say(target, "z", S)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmrobot.ros.mcap_file.McapFile.write", full)
    with pytest.raises(OSError, match="No space"):
        target.dump("disk full")
    assert list((tmp_path / "deep").glob("*")) == []
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700


def test_off_unless_asked_for_and_in_the_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data/of/mine")
    assert RecordingConfig().black_box is False
    assert black_box_folder(RecordingConfig()) == Path("/data/of/mine/mmrobot/black_box")
