"""Speech drives the graph: a spoken sentence on `audio` is carried out, a spoken stop ends the motion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from std_msgs.msg import Empty, Float64MultiArray, String

from mmrobot.ros.qos import COMMAND, SOUND, STATE
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from mmrobot.voice.sound import RATE_HZ, Sound, as_int16
from mmrobot.voice.synthesis import Espeak
from mmrobot_msgs.msg import Audio
from tests.support.graph import PATIENT, SCENE, Graph, running_graph

pytestmark = pytest.mark.timeout(300)
PIECE_S = 0.1
AFTER_S = 1.0


class Person:
    """Speaks to the robot's ear by `audio`, and hears what it publishes."""

    def __init__(self, graph: Graph) -> None:
        self.graph, node = graph, graph.client.node
        self.heard: list[str] = []
        self.replies: list[Audio] = []
        self.speaks_until_s = 0.0
        self.stopped_s: list[float] = []
        self.speeds: list[float] = []
        self._out = node.create_publisher(Audio, "audio", SOUND)
        for kind, topic, take, qos in (
            (String, "heard", lambda m: self.heard.append(m.data), STATE),
            (Audio, "speech/audio", self._listen, STATE),
            (Empty, "stop_all", lambda _: self.stopped_s.append(time.monotonic()), COMMAND),
            (Float64MultiArray, "simulator/commanded_speed", lambda m: self.speeds.append(m.data[1]), STATE),
        ):
            group = MutuallyExclusiveCallbackGroup()
            node.create_subscription(kind, topic, take, qos, callback_group=group)
        graph.wait(lambda: self._out.get_subscription_count() > 0, "the voice node", 60.0)
        # Until then the robot says that it is ready.
        time.sleep(1.0)

    def say(self, text: str, push_to_talk: bool = False) -> None:
        """As fast as a person, with a second of silence at the end; not while the robot speaks."""
        self.graph.wait(lambda: time.monotonic() > self.speaks_until_s, "the robot silent")
        spoken = as_int16(Espeak("en-us", 165).speak(text).at(RATE_HZ).samples * 0.3)
        silence = np.zeros(RATE_HZ, np.int16)
        self.play(Sound(np.concatenate([silence[:4000], spoken, silence]), RATE_HZ), push_to_talk)

    def play(self, sound: Sound, push_to_talk: bool = False) -> None:
        """Publish a sound in pieces, in real time."""
        step = round(PIECE_S * sound.rate_hz)
        for start in range(0, len(sound.samples), step):
            piece = sound.samples[start : start + step]
            message = Audio(sample_rate_hz=sound.rate_hz, samples=piece.tolist(), push_to_talk=push_to_talk)
            message.header.frame_id = "person"
            message.last = push_to_talk and start + step >= len(sound.samples)
            self._out.publish(message)
            time.sleep(PIECE_S)

    def command(self, text: str, words: str) -> None:
        """Say it; where the robot asks back, say yes."""
        self.graph.statuses.clear()
        self.say(text)
        answer = self.graph.wait(self._told, f"an ear for '{text}'", 20.0)
        if answer["state"] == "read_back":
            assert words in answer["message"], answer
            time.sleep(3.0)
            self.say("yes", push_to_talk=True)
        self.graph.wait(lambda: words in self.heard, f"'{words}' heard; last: {answer}", 20.0)

    def _listen(self, reply: Audio) -> None:
        self.replies.append(reply)
        self.speaks_until_s = time.monotonic() + len(reply.samples) / reply.sample_rate_hz + AFTER_S

    def _told(self) -> dict[str, Any] | None:
        """What the voice node made of the last sentence."""
        states = ("heard", "read_back", "not_heard")
        return next((s for s in self.graph.statuses if s["state"] in states), None)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    voice = {"microphone": "none", "loudspeaker": "none", "wake_words": "robot"}
    config = {**PATIENT, "voice": voice}
    with running_graph(tmp_path_factory.mktemp("voice"), config=config, voice=True) as graph:
        yield Person(graph)


def test_silence_and_other_speech_command_nothing(person: Person) -> None:
    person.graph.statuses.clear()
    person.say("the weather was rather fine and we went to the market")
    person.say("put the green ball in the blue bowl")
    person.graph.wait(lambda: person.graph.seen("not_heard"), "words without a wake word dropped", 20.0)
    assert person.heard == [] and person.stopped_s == []


def test_a_spoken_sentence_is_carried_out_and_answered_aloud(person: Person) -> None:
    graph = person.graph
    person.command("robot put the red cube in the blue bowl", "put the red cube in the blue bowl")
    scene = Scene.from_dict(SCENE)

    def inside() -> bool:
        return holds("in(red_cube, blue_bowl)", graph.client.world, scene)

    graph.wait(lambda: graph.seen("done", "red cube"), "the end of it", 180.0)
    graph.wait(inside, "the cube inside", 20.0)
    graph.wait(lambda: person.replies, "the robot's words as sound", 20.0)
    reply = person.replies[-1]
    assert reply.sample_rate_hz >= 8000 and np.abs(np.array(reply.samples, int)).max() > 1000


def test_a_spoken_stop_ends_the_motion(person: Person) -> None:
    graph = person.graph
    graph.wait(lambda: person.speeds[-1] < 1e-6, "the arm at rest", 60.0)
    person.command("robot pick up the green ball", "pick up the green ball")
    graph.wait(lambda: person.speeds[-1] > 0.1, "motion", 90.0)
    before = len(person.stopped_s)
    person.say("stop")
    graph.wait(lambda: len(person.stopped_s) > before, "the spoken stop", 5.0)
    graph.wait(lambda: person.speeds[-1] < 1e-6, "the arm at rest", 5.0)
