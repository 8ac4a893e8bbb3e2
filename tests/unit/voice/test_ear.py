"""From pieces of sound to utterances: endpoints, reading ahead, stop words, the robot's own speech."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.config import VoiceConfig
from mmrobot.errors import InvalidAudioError
from mmrobot.voice.activity import WINDOW
from mmrobot.voice.ear import Ear, Pause, Utterance
from mmrobot.voice.endpointing import Began, Ended, Endpointer, Went
from mmrobot.voice.gate import Hearing, SpeechGate, sounds_like_stop
from mmrobot.voice.reader import Reader
from mmrobot.voice.recognition import Heard
from mmrobot.voice.sound import RATE_HZ

CONFIG = VoiceConfig()


class LoudIsSpeech:
    """Every loud window is speech."""

    def probability(self, window: np.ndarray) -> float:
        return 0.9 if np.abs(window).max() > 100 else 0.05

    def reset(self) -> None:
        return


class NoStops:
    """Hears none."""

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        return None


class Words:
    """Hears the length in windows, and counts."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def hear(self, samples: np.ndarray) -> Heard:
        self.read.append(len(samples) // WINDOW)
        return Heard("go home", 0.9)


def sound(*parts: tuple[int, int]) -> np.ndarray:
    """(loudness, windows) one after another, (n,) int16."""
    return np.concatenate([np.full(n * WINDOW, loud, np.int16) for loud, n in parts])


def ear(config: VoiceConfig = CONFIG) -> Ear:
    return Ear(LoudIsSpeech(), NoStops(), config)


def test_an_utterance_has_the_sound_before_it_and_ends_with_silence() -> None:
    events = list(ear().feed(sound((0, 40), (1000, 20), (0, 40)), RATE_HZ))
    (whole,) = [e for e in events if isinstance(e, Utterance)]
    assert np.count_nonzero(whole.samples) == 20 * WINDOW
    assert not whole.samples[: 5 * WINDOW].any()
    assert whole.silent_s == pytest.approx(CONFIG.end_silence_s, abs=0.04)


def test_a_click_is_no_utterance() -> None:
    events = list(ear().feed(sound((0, 40), (1000, 2), (0, 40)), RATE_HZ))
    assert not [e for e in events if isinstance(e, Utterance)]


def test_speech_without_end_is_cut() -> None:
    config = VoiceConfig(longest_s=2.0)
    events = list(ear(config).feed(sound((0, 10), (1000, 200)), RATE_HZ))
    cut = [e for e in events if isinstance(e, Utterance)]
    assert len(cut) >= 2 and all(len(u.samples) <= 2.1 * RATE_HZ for u in cut)


def test_while_the_button_is_held_no_silence_ends_it() -> None:
    listening = ear()
    pieces = sound((1000, 10), (0, 60), (1000, 10))
    assert not [e for e in listening.feed(pieces, RATE_HZ, push_to_talk=True) if isinstance(e, Utterance)]
    last = list(listening.feed(np.zeros(0, np.int16), RATE_HZ, push_to_talk=True, last=True))
    assert [e.push_to_talk for e in last if isinstance(e, Utterance)] == [True]


def test_what_is_read_ahead_is_not_read_again() -> None:
    words = Words()
    reader = Reader(words)
    for event in ear().feed(sound((0, 20), (1000, 20), (0, 40)), RATE_HZ):
        if isinstance(event, Pause):
            reader.ahead(event)
        elif isinstance(event, Utterance):
            assert event.read_ahead and reader.read(event).text == "go home"
    assert len(words.read) == 1


def test_speech_after_the_pause_is_read_too() -> None:
    words = Words()
    reader = Reader(words)
    for event in ear().feed(sound((0, 20), (1000, 20), (0, 8), (1000, 20), (0, 40)), RATE_HZ):
        if isinstance(event, Pause):
            reader.ahead(event)
        elif isinstance(event, Utterance):
            reader.read(event)
    assert len(words.read) == 2 and words.read[1] > words.read[0] + 20


def test_an_odd_rate_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match="4000 Hz"):
        list(ear().feed(np.zeros(100, np.int16), 4000))


def test_deaf_forgets_what_was_begun() -> None:
    listening = ear()
    list(listening.feed(sound((0, 10), (1000, 20)), RATE_HZ))
    assert listening.speaking
    listening.deaf()
    assert not listening.speaking
    assert not [e for e in listening.feed(sound((0, 40)), RATE_HZ) if isinstance(e, Utterance)]


def test_the_endpointer_tells_every_window_once() -> None:
    endpointer = Endpointer(LoudIsSpeech(), CONFIG)
    events = list(endpointer.feed(sound((1000, 5))))
    assert [type(e) for e in events] == [Began, Went, Went, Went, Went]


def test_the_robot_is_deaf_while_it_speaks_but_for_stops() -> None:
    gate = SpeechGate(echo_s=0.5)
    assert gate.hearing(0.0) is Hearing.ALL
    gate.speaks("pick up the red cube", 2.0, 10.0)
    assert gate.hearing(11.9) is Hearing.STOPS and gate.hearing(12.4) is Hearing.STOPS
    assert gate.hearing(12.6) is Hearing.ALL
    gate.speaks("I have stopped", 1.0, 20.0)
    assert gate.hearing(20.5) is Hearing.NOTHING


def test_what_sounds_like_a_stop() -> None:
    assert sounds_like_stop("stopped: the robot holds still") and sounds_like_stop("on top of it")
    assert not sounds_like_stop("put the red cube in the blue bowl: done")


@pytest.mark.parametrize(("silent_windows", "utterances"), [(30, 2), (6, 1)])
def test_what_seems_whole_ends_sooner_unless_more_is_said(silent_windows: int, utterances: int) -> None:
    listening, ended = ear(), []
    heard = sound((0, 20), (1000, 20), (0, silent_windows), (1000, 20), (0, 40))
    for window in heard.reshape(-1, WINDOW):
        for event in listening.feed(window, RATE_HZ):
            if isinstance(event, Pause):
                listening.seems_whole(event)
            elif isinstance(event, Utterance):
                ended.append(event.silent_s)
    assert ended == [pytest.approx(CONFIG.whole_end_silence_s, abs=0.04)] * utterances
