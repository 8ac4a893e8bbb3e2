"""Sound in a file to the voice node: pieces on `audio`, then what was heard of them."""

from __future__ import annotations

import queue
import time
from typing import Any

from std_msgs.msg import String

from mmrobot.errors import DeadlineError, RobotUnavailableError
from mmrobot.ros.client import RobotClient
from mmrobot.ros.qos import SOUND, STATE
from mmrobot.voice.sound import Sound
from mmrobot_msgs.msg import Audio

PIECE_S = 0.1
FIND_S = 10.0
HEAR_S = 15.0


def send_sound(client: RobotClient, sound: Sound, push_to_talk: bool = True, source: str = "file") -> None:
    """As fast as it was spoken. Raises RobotUnavailableError when nobody listens on `audio`."""
    out = client.node.create_publisher(Audio, "audio", SOUND)
    deadline = time.monotonic() + FIND_S
    while out.get_subscription_count() == 0:
        if time.monotonic() > deadline:
            raise RobotUnavailableError(
                "nobody listens on 'audio'", "start the robot with: mmrobot up --voice"
            )
        time.sleep(0.05)
    step = max(1, round(PIECE_S * sound.rate_hz))
    due_s = time.monotonic()
    for at in range(0, len(sound.samples), step):
        message = Audio(
            sample_rate_hz=sound.rate_hz,
            samples=sound.samples[at : at + step].tolist(),
            push_to_talk=push_to_talk,
            last=at + step >= len(sound.samples),
        )
        message.header.frame_id = source
        out.publish(message)
        due_s += step / sound.rate_hz
        time.sleep(max(0.0, due_s - time.monotonic()))


def say_sound(client: RobotClient, sound: Sound) -> str:
    """Send it and wait for the words. Raises DeadlineError where none were understood."""
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def take(message: Any) -> None:
        heard.put(str(message.data))

    client.node.create_subscription(String, "heard", take, STATE)
    send_sound(client, sound)
    try:
        return heard.get(timeout=HEAR_S)
    except queue.Empty:
        raise DeadlineError(
            f"nothing was understood within {HEAR_S:.0f} s",
            "speak as docs/voice.md tells; see the topic status",
        ) from None
