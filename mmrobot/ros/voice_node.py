"""The robot's ear and mouth: sound from the microphone and `audio` in, words to `follow_instruction`; what is
said on `speech` is spoken.

    python -m mmrobot.ros.voice_node

Three threads: the ear (endpoints and stop words, never delayed by a sentence), the reader (sentences), the
mouth. Without a microphone, a recogniser or a speech engine it says what is missing, and the rest runs on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Empty, String

from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.errors import InvalidAudioError, MmrobotError, RobotUnavailableError, VoiceUnavailableError
from mmrobot.ros.action_caller import ActionCaller
from mmrobot.ros.health import HealthReporter
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.qos import COMMAND, SOUND, STATE
from mmrobot.ros.status import StatusPublisher
from mmrobot.voice.activity import SileroActivity
from mmrobot.voice.ear import Ear, Pause, Stop, Utterance
from mmrobot.voice.gate import Hearing, SpeechGate
from mmrobot.voice.listening import Attention, Kind, Understood
from mmrobot.voice.reader import Reader
from mmrobot.voice.recognition import Recogniser, make_recogniser
from mmrobot.voice.sound import RATE_HZ, Sound, check_rate
from mmrobot.voice.sound_devices import Loudspeaker, Microphone
from mmrobot.voice.stop_chances import make_stops
from mmrobot.voice.stop_spotter import StopSpotter
from mmrobot.voice.synthesis import Synthesiser, make_synthesiser
from mmrobot_msgs.action import FollowInstruction
from mmrobot_msgs.msg import Audio

T = TypeVar("T")
MICROPHONE = "microphone"
NONE = "none"
MOST_SOURCES = 4
# Pieces that wait: half a minute at 32 ms. A reader that is that far behind is given up.
MOST_PIECES = 1000
MOST_SPOKEN = 8
MAX_PIECE_S = 30.0
MAX_SPOKEN_CHARACTERS = 400
CLOSE_S = 2.0


@dataclass(frozen=True)
class _Piece:
    source: str
    samples: np.ndarray
    rate_hz: int
    push_to_talk: bool = False
    last: bool = False


class VoiceNode(Node):
    """The composition of ear, reader and mouth."""

    def __init__(self) -> None:
        super().__init__("voice")
        self._config = declare_config(self).voice
        self._status = StatusPublisher(self)
        self._problems: dict[str, MmrobotError | None] = {}
        self._gate = SpeechGate(self._config.echo_s)
        self._attention = Attention(self._config)
        self._pieces: queue.Queue[_Piece | None] = queue.Queue(MOST_PIECES)
        self._said: queue.SimpleQueue[tuple[Pause | Utterance, Ear] | None] = queue.SimpleQueue()
        self._to_speak: queue.Queue[str | None] = queue.Queue(MOST_SPOKEN)
        self._ears: OrderedDict[str, Ear] = OrderedDict()
        self._tainted: dict[str, bool] = {}
        self._closing = threading.Event()
        self._stop_ear: Recogniser | None = self._made("stop words", lambda: make_stops(self._config))
        self._recogniser = self._made("recogniser", lambda: make_recogniser(self._config))
        if self._made("speech detector", SileroActivity) is None:
            self._stop_ear = None
        engine = self._config.speech_engine
        self._synthesiser: Synthesiser | None = None
        if engine != NONE:
            self._synthesiser = self._made("speech engine", lambda: make_synthesiser(self._config))
        self._loudspeaker: Loudspeaker | None = None
        if engine != NONE and self._config.loudspeaker != NONE:
            self._loudspeaker = self._made("loudspeaker", lambda: Loudspeaker(self._config.loudspeaker))
        self._connect()
        self._threads = [
            guarded_thread(self._hear, "ear"),
            guarded_thread(self._read, "reader"),
            guarded_thread(self._speak, "mouth"),
        ]
        self._microphone: Microphone | None = None
        if self._config.microphone != NONE:
            self._microphone = self._made(
                MICROPHONE, lambda: Microphone(self._config.microphone, self._take_microphone)
            )

    def close(self) -> None:
        """End the threads and let go of the sound card."""
        self._closing.set()
        if self._microphone is not None:
            self._microphone.close()
        self._said.put(None)
        for waiting in (self._pieces, self._to_speak):
            _put_newest(waiting, None)
        for thread in self._threads:
            thread.join(CLOSE_S)

    def problems(self) -> list[tuple[str, MmrobotError | None]]:
        """(part, what is wrong with it) of all that voice needs."""
        if self._microphone is not None and not self._microphone.alive:
            self._problems[MICROPHONE] = VoiceUnavailableError(
                "the microphone gives no sound any more", "plug it in and start the voice node again"
            )
        return list(self._problems.items())

    def _connect(self) -> None:
        groups = [MutuallyExclusiveCallbackGroup() for _ in range(3)]
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
        self._words_out = self.create_publisher(String, "instruction", COMMAND)
        self._heard_out = self.create_publisher(String, "heard", STATE)
        self._sound_out = self.create_publisher(Audio, "speech/audio", STATE)
        self._follow = ActionCaller(self, FollowInstruction, "follow_instruction")
        self.create_subscription(Audio, "audio", self._take_audio, SOUND, callback_group=groups[0])
        self.create_subscription(String, "speech", self._take_speech, STATE, callback_group=groups[1])
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        health = HealthReporter(self, self._status, self.problems, ready="voice is ready")
        self.create_timer(1.0, health.report, callback_group=groups[2], clock=steady)

    def _made(self, part: str, make: Callable[[], T]) -> T | None:
        """What `make` gives, or None with the problem noted: the rest runs on."""
        self._problems[part] = None
        try:
            return make()
        except VoiceUnavailableError as error:
            self._problems[part] = error
            self._status.report("voice_missing", f"{part}: {error.message}", error)
            return None

    # -- sound in --------------------------------------------------------------------------------

    def _take_microphone(self, samples: np.ndarray) -> None:
        _put_newest(self._pieces, _Piece(MICROPHONE, samples, RATE_HZ))

    def _take_audio(self, message: Audio) -> None:
        rate = int(message.sample_rate_hz)
        samples = np.array(message.samples, np.int16)
        try:
            check_rate(rate)
            if len(samples) > MAX_PIECE_S * rate:
                raise InvalidAudioError(
                    f"a piece of {len(samples) / rate:.0f} s on 'audio'",
                    f"send at most {MAX_PIECE_S:.0f} s at once",
                )
        except InvalidAudioError as error:
            self._status.report("bad_audio", error.message, error)
            return
        source = f"audio/{message.header.frame_id}"
        _put_newest(self._pieces, _Piece(source, samples, rate, message.push_to_talk, message.last))

    def _hear(self) -> None:
        """The ear's thread."""
        while not self._closing.is_set():
            piece = self._pieces.get()
            if piece is None or self._stop_ear is None:
                continue
            ear = self._ear(piece.source)
            hearing = self._gate.hearing(time.monotonic())
            if hearing is Hearing.NOTHING:
                ear.deaf()
                continue
            deaf_to_words = hearing is Hearing.STOPS
            for event in ear.feed(piece.samples, piece.rate_hz, piece.push_to_talk, piece.last):
                if isinstance(event, Stop):
                    self._stop(event.heard.text, event.heard.confidence)
                elif not (deaf_to_words or self._tainted.get(piece.source)):
                    self._said.put((event, ear))
                elif isinstance(event, Utterance):
                    self._tainted[piece.source] = False
            # What began while the robot spoke is never read, though it may end later.
            self._tainted[piece.source] = ear.speaking and (
                deaf_to_words or self._tainted.get(piece.source, False)
            )

    def _ear(self, source: str) -> Ear:
        if source not in self._ears:
            if len(self._ears) >= MOST_SOURCES:
                oldest, _ = self._ears.popitem(last=False)
                self._tainted.pop(oldest, None)
            assert self._stop_ear is not None
            spotter = StopSpotter(self._stop_ear, self._config.stop_from)
            self._ears[source] = Ear(SileroActivity(), spotter, self._config)
        self._ears.move_to_end(source)
        return self._ears[source]

    # -- words out -------------------------------------------------------------------------------

    def _stop(self, text: str, confidence: float) -> None:
        self._stop_out.publish(Empty())
        self._heard_out.publish(String(data=text))
        self._status.report("heard_stop", f"heard '{text}'", heard=text, confidence=round(confidence, 3))

    def _read(self) -> None:
        """The reader's thread."""
        if self._recogniser is None:
            return
        reader = Reader(self._recogniser)
        while not self._closing.is_set():
            said = self._said.get()
            if said is None:
                continue
            event, ear = said
            if isinstance(event, Pause):
                # A reading ahead that is late already would only delay what follows.
                if self._said.empty() and reader.ahead(event).whole:
                    ear.seems_whole(event)
                continue
            heard = reader.read(event)
            known = self._attention.understand(heard, time.monotonic(), event.push_to_talk)
            self._act(known, event)

    def _act(self, known: Understood, utterance: Utterance) -> None:
        facts: dict[str, Any] = {"heard": known.text, "confidence": round(known.confidence, 3)}
        if known.kind is Kind.DROPPED:
            if not utterance.stopped:
                self._status.report("not_heard", f"'{known.text}' was dropped: {known.why}", **facts)
        elif known.kind is Kind.CALLED:
            self._status.report("called", "listening", **facts)
        elif known.kind is Kind.READ_BACK:
            self._status.report("read_back", known.text, **facts)
            self._status.say(known.text)
        else:
            self._command(known, utterance, facts)

    def _command(self, known: Understood, utterance: Utterance, facts: dict[str, Any]) -> None:
        kind = stop_kind(known.text)
        if kind is StopKind.STOP:
            if not utterance.stopped:
                self._stop(known.text, known.confidence)
            return
        self._heard_out.publish(String(data=known.text))
        self._status.report("heard", f"heard '{known.text}'", **facts)
        if kind is not None:
            # Hold and cancel act at once too, on the topic where all nodes tell them apart.
            self._words_out.publish(String(data=known.text))
            return
        if not self._follow.ready:
            error = RobotUnavailableError("nobody serves 'follow_instruction'", "start the robot: mmrobot up")
            self._status.report("error", error.message, error)
            self._status.say("the robot is not ready")
            return
        # What comes of it is told by the vlm node on `status` and `speech`.
        self._follow.send(FollowInstruction.Goal(instruction=known.text), on_end=lambda _: None)

    # -- the mouth -------------------------------------------------------------------------------

    def _take_speech(self, message: String) -> None:
        _put_newest(self._to_speak, message.data[:MAX_SPOKEN_CHARACTERS])

    def _speak(self) -> None:
        """The mouth's thread."""
        while not self._closing.is_set():
            text = self._to_speak.get()
            if text is None or not text.strip() or self._synthesiser is None:
                continue
            try:
                sound = self._synthesiser.speak(text)
                self._problems["speech engine"] = None
            except VoiceUnavailableError as error:
                self._problems["speech engine"] = error
                continue
            self._say(text, sound)

    def _say(self, text: str, sound: Sound) -> None:
        began_s = time.monotonic()
        self._gate.speaks(text, sound.seconds, began_s)
        message = Audio(sample_rate_hz=sound.rate_hz, samples=sound.samples.tolist(), last=True)
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self.get_name()
        self._sound_out.publish(message)
        if self._loudspeaker is not None:
            try:
                self._loudspeaker.play(sound)
            except VoiceUnavailableError as error:
                self._problems["loudspeaker"] = error
                self._loudspeaker = None
            # The card's own delay comes on top.
            self._gate.speaks(text, 0.0, time.monotonic())
        # A browser plays it meanwhile: the next sentence waits for its end.
        self._closing.wait(max(0.0, began_s + sound.seconds - time.monotonic()))


def _put_newest(waiting: queue.Queue[Any], item: object) -> None:
    """Put an item without waiting; the oldest makes place."""
    while True:
        try:
            waiting.put_nowait(item)
            return
        except queue.Full:
            try:
                waiting.get_nowait()
            except queue.Empty:
                continue


def main() -> int:
    """Run the node."""
    return run_node(VoiceNode, threads=4)


if __name__ == "__main__":
    raise SystemExit(main())
