"""How many large pictures arrive, and with what gaps, with Fast DDS's defaults and with our file.

    python scripts/bench_picture_transport.py [--megapixels 12] [--rate-hz 30] [--seconds 8]

Another process sends as a camera's driver does, reliably, as fast as asked or as it can; this one listens.
Prints a table, then one line of JSON. On ROS domain 42 unless ROS_DOMAIN_ID says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("ROS_DOMAIN_ID", "42")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import numpy as np
import rclpy
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

FILE = Path(__file__).resolve().parent.parent / "config" / "fastdds_pictures.xml"
PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"
TOPIC = "bench/image"
FOUND_S = 2.0


def send(megapixels: float, rate_hz: float, seconds: float) -> None:
    """Pictures of noise, all the same; how many is printed."""
    rclpy.init()
    node = rclpy.create_node("bench_sender")
    out = node.create_publisher(Image, TOPIC, QoSProfile(depth=5))
    width, height = 4000, round(megapixels * 1e6 / 4000)
    picture = Image(width=width, height=height, step=3 * width, encoding="rgb8")
    picture.data.frombytes(np.random.default_rng(0).integers(0, 255, 3 * width * height, np.uint8).tobytes())
    raw = bytes(serialize_message(picture))
    time.sleep(FOUND_S)
    began_s, sent = time.monotonic(), 0
    while time.monotonic() - began_s < seconds:
        out.publish(raw)
        sent += 1
        time.sleep(max(0.0, began_s + sent / rate_hz - time.monotonic()))
    print(sent / (time.monotonic() - began_s))
    rclpy.shutdown()


def listen(sender: subprocess.Popen[str]) -> list[float]:
    """When each picture came, until the sender has ended."""
    rclpy.init()
    node = rclpy.create_node("bench_listener")
    came_s: list[float] = []
    node.create_subscription(
        Image, TOPIC, lambda _: came_s.append(time.monotonic()), QoSProfile(depth=2), raw=True
    )
    while sender.poll() is None:
        rclpy.spin_once(node, timeout_sec=0.1)
    rclpy.shutdown()
    return came_s


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--rate-hz", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        send(given.megapixels, given.rate_hz, given.seconds)
        return 0
    words = [sys.executable, __file__, "--send", "--megapixels", str(given.megapixels)]
    words += ["--rate-hz", str(given.rate_hz), "--seconds", str(given.seconds)]
    found = {}
    for name, variables in (("defaults", {}), (FILE.name, {PROFILES: str(FILE)})):
        sender = subprocess.Popen(words, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True)
        gaps_s = np.diff(listen(sender))
        assert sender.stdout is not None
        found[name] = {
            "sent_hz": float(sender.stdout.read()),
            "arrived_hz": (len(gaps_s) + 1) / given.seconds if len(gaps_s) else 0.0,
            "longest_gap_s": float(gaps_s.max()) if len(gaps_s) else given.seconds,
        }
        print(name, ", ".join(f"{key} {value:.2f}" for key, value in found[name].items()))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
