"""Which pictures are recorded exactly: some a second, those that were asked for, each once, bounded."""

from __future__ import annotations

import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mmrobot.ros.frame_keeper import FrameKeeper, stamp_of
from mmrobot.ros.messages import to_time

MS = 1_000_000


def picture(stamp_ns: int, size: int = 100) -> bytes:
    message = Image(header=Header(stamp=to_time(stamp_ns), frame_id="camera"), data=bytes(size))
    return bytes(serialize_message(message))


def test_stamp_is_read_from_the_wire() -> None:
    assert stamp_of(picture(12_345_678_901)) == 12_345_678_901
    with pytest.raises(ValueError, match="4 bytes"):
        stamp_of(b"\0\1\0\0")


def test_some_a_second_with_their_depth() -> None:
    keeper = FrameKeeper(2.0, 0.02)
    written = []
    for i in range(30):
        at = (i + 1) * 100 * MS
        written += keeper.add("depth", picture(at + 5 * MS), at)
        written += keeper.add("image", picture(at), at)
    images = [k.stamp_ns // MS for k in written if k.stream == "image"]
    depths = [k.stamp_ns // MS for k in written if k.stream == "depth"]
    assert images == [100, 600, 1100, 1600, 2100, 2600]
    assert depths == [t + 5 for t in images]


def test_what_a_plan_rests_on_is_given_out_once_and_late_depth_follows() -> None:
    keeper = FrameKeeper(0.0, 0.02)
    for i in range(1, 6):
        assert keeper.add("image", picture(i * 100 * MS), i) == []
    assert [k.stamp_ns for k in keeper.want(300 * MS)] == [300 * MS]
    assert keeper.want(300 * MS) == []
    late = keeper.add("depth", picture(301 * MS), 9)
    assert [(k.stream, k.stamp_ns, k.received_ns) for k in late] == [("depth", 301 * MS, 9)]


def test_memory_is_bounded_and_the_oldest_go() -> None:
    keeper = FrameKeeper(0.0, 0.02, max_bytes=5_000)
    for i in range(1, 50):
        keeper.add("image", picture(i * 100 * MS, 1_000), i)
    assert keeper.want(100 * MS) == []
    assert [k.stamp_ns for k in keeper.want(4900 * MS)] == [4900 * MS]


def test_a_clock_that_jumps_back_starts_anew() -> None:
    keeper = FrameKeeper(1.0, 0.02)
    assert keeper.add("image", picture(100_000 * MS), 1)
    assert keeper.add("image", picture(50 * MS), 2)
    assert not keeper.add("image", picture(150 * MS), 3)
