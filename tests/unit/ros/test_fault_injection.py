"""What the relay of faults does to stamps and to time, without a graph."""

from __future__ import annotations

import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

from mmrobot.ros.fault_injection import Injection, Timeline, restamped
from mmrobot.ros.fault_injector_node import _blown_up, _info, _no_depth
from mmrobot.ros.frame_keeper import NS, stamp_of
from mmrobot.ros.messages import from_time, to_time


def test_a_stamp_is_changed_on_the_wire_and_nothing_else() -> None:
    image = Image(height=2, width=1, encoding="rgb8", step=3, data=b"abcdef")
    image.header.frame_id, image.header.stamp = "camera", to_time(7 * NS + 5)
    changed = deserialize_message(restamped(bytes(serialize_message(image)), 9 * NS + 1), Image)
    assert from_time(changed.header.stamp) == 9 * NS + 1
    assert (changed.header.frame_id, bytes(changed.data)) == ("camera", b"abcdef")
    clock = bytes(serialize_message(Clock(clock=to_time(3 * NS))))
    assert from_time(deserialize_message(restamped(clock, -5), Clock).clock) == 0


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="no header"):
        restamped(b"short", 1)


def test_an_injection_travels_whole() -> None:
    injection = Injection(("image",), zero=("depth",), shift_s={"image": 2.0}, pixels=(4, 3), rate_hz=30.0)
    assert Injection.from_json(injection.to_json()) == injection
    assert Injection.from_json(Injection().to_json()) == Injection()
    with pytest.raises(ValueError, match="nonsense"):
        Injection.from_json('{"nonsense": 1}')


def test_stamps_by_topic() -> None:
    injection = Injection(zero=("depth",), shift_s={"image": -5.0})
    assert injection.stamp_ns("image", 7 * NS) == 2 * NS
    assert injection.stamp_ns("depth", 7 * NS) == 0
    assert injection.stamp_ns("camera_info", 7 * NS) == 7 * NS


def test_time_jumps_once_and_stays_there() -> None:
    time = Timeline()
    assert time.of(5 * NS) == 5 * NS
    time.change(Injection(clock_s=10.0), 5 * NS)
    assert time.of(6 * NS) == 16 * NS
    time.change(Injection(), 7 * NS)
    assert time.of(8 * NS) == 18 * NS, "healing is no jump"
    time.change(Injection(clock_s=-100.0), 8 * NS)
    assert time.of(8 * NS) == 1, "never zero, which is no time"


def test_time_loops_until_it_is_healed() -> None:
    time = Timeline()
    time.change(Injection(loop_s=4.0), 10 * NS)
    assert [time.of(t * NS) // NS for t in (10, 13, 14, 17, 18)] == [10, 13, 10, 13, 10]
    time.change(Injection(), 19 * NS)
    assert [time.of(t * NS) // NS for t in (19, 23, 30)] == [11, 15, 22]


def test_contents_are_spoiled_as_asked() -> None:
    k = [500.0, 0, 320, 0, 500, 240, 0, 0, 1]
    info = bytes(serialize_message(CameraInfo(width=640, height=480, k=k)))
    assert _info(info, Injection()) == info
    zoomed = deserialize_message(_info(info, Injection(focal=1.3)), CameraInfo)
    assert (zoomed.k[0], zoomed.width) == (650.0, 640)
    assert deserialize_message(_info(info, Injection(half_info=True)), CameraInfo).width == 320
    depth = Image(height=1, width=2, encoding="32FC1", step=8, data=b"\0" * 8)
    gone = deserialize_message(_no_depth(bytes(serialize_message(depth))), Image)
    assert bytes(gone.data) == b"\x00\x00\xc0\x7f" * 2  # NaN
    picture = bytes(serialize_message(Image(height=1, width=2, encoding="rgb8", step=6, data=b"aaabbb")))
    large, camera = _blown_up(picture, info, (4, 2))
    grown = deserialize_message(large, Image)
    assert (grown.width, grown.height, bytes(grown.data)) == (4, 2, b"aaaaaabbbbbb" * 2)
    assert deserialize_message(camera, CameraInfo).width == 4
    assert stamp_of(large) == 0
