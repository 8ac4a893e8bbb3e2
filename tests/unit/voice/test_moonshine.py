"""The recogniser of sentences and of stops, with its own weights, on speech made by espeak-ng."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from mmrobot.config import VoiceConfig
from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.endpointing import Began, Ended, Went
from mmrobot.voice.likely_words import LikelyWords, beginnings
from mmrobot.voice.moonshine_model import BEGIN, the_model, weights_folder
from mmrobot.voice.recognition import NOTHING, Heard, Recogniser, make_recogniser
from mmrobot.voice.sound import RATE_HZ, as_int16
from mmrobot.voice.stop_chances import HALTS, make_stops
from mmrobot.voice.stop_spotter import StopSpotter
from mmrobot.voice.synthesis import Espeak

QUIET = np.zeros(RATE_HZ // 3, np.int16)


def spoken(text: str, voice: str = "en-us") -> np.ndarray:
    """With silence at both ends; (n,) int16."""
    sound = as_int16(Espeak(voice, 150).speak(text).at(RATE_HZ).samples * 0.3)
    return np.concatenate([QUIET, sound, QUIET])


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return make_recogniser(VoiceConfig())


@pytest.fixture(scope="module")
def stops() -> Recogniser:
    return make_stops(VoiceConfig())


@pytest.fixture(scope="module")
def likely() -> LikelyWords:
    return LikelyWords(("robot", "hey robot"), 500)


def test_espeak_is_installed() -> None:
    assert shutil.which("espeak-ng"), "make setup installs it"


@pytest.mark.parametrize("text", ["Put the blue ball away.", "Don't move!", "What is it?", "caf\u00e9"])
def test_tokens_hold_a_text(text: str) -> None:
    tokens = the_model().tokens
    ids = tokens.encode(text)
    assert tokens.decode(ids) == text
    assert len(ids) <= len(text)


def test_what_is_likely_are_chances(likely: LikelyWords) -> None:
    for said in ((), ("robot",), ("hey",), ("put", "the"), ("nonsense", "words")):
        assert np.exp(likely.after(said)).sum() == pytest.approx(1.0, abs=1e-6)
    word = {w: i for i, w in enumerate(likely.vocabulary)}
    assert likely.after(("hey",))[word["robot"]] > np.log(0.9)
    assert (likely.after(("hey", "robot")) == likely.after(("robot",))).all(), "a name changes nothing"
    assert likely.after(("put", "the"))[word["red"]] > likely.after(("put", "the"))[word["put"]]


def test_what_is_said_first(likely: LikelyWords) -> None:
    begun = beginnings(30)
    assert len(begun) == 30 and any(b.startswith("put ") for b in begun)


@pytest.mark.parametrize(
    "text",
    [
        "robot put the red cube in the blue bowl",
        "stack the green cube on the yellow cube",
        "how many balls are there",
        "put it back",
    ],
)
@pytest.mark.parametrize("voice", ["en-us", "en-us+m3"])
def test_sentences_are_heard(recogniser: Recogniser, text: str, voice: str) -> None:
    heard = recogniser.hear(spoken(text, voice))
    assert heard.text == text
    assert heard.confidence > VoiceConfig().ignore_below


def test_words_that_no_robot_was_told_are_heard_too(recogniser: Recogniser) -> None:
    heard = recogniser.hear(spoken("the museum opens on wednesday morning"))
    assert "museum" in heard.text and "wednesday" in heard.text


def test_silence_and_less_than_a_sound_are_nothing(recogniser: Recogniser) -> None:
    assert recogniser.hear(np.zeros(100, np.int16)) == NOTHING
    for seconds in (0.5, 1.0, 3.0):
        count = round(seconds * RATE_HZ)
        hiss = np.random.default_rng(0).standard_normal(count) * 300
        assert recogniser.hear(np.zeros(count, np.int16)).confidence < VoiceConfig().confirm_below
        assert recogniser.hear(as_int16(hiss)).confidence < VoiceConfig().confirm_below


@pytest.mark.parametrize("halt", HALTS)
def test_stops_are_likely_stops(stops: Recogniser, halt: str) -> None:
    assert stops.hear(spoken(halt)).confidence >= VoiceConfig().stop_from


@pytest.mark.parametrize(
    "other",
    [
        "put it in the bowl",
        "go home",
        "yes",
        "the left one",
        "hello",
        "robot",
        "step",
        "shop",
        "start",
        "stack",
        "three",
    ],
)
def test_other_words_are_none(stops: Recogniser, other: str) -> None:
    assert stops.hear(spoken(other)).confidence < VoiceConfig().stop_from


def test_as_long_as_anything_may_be_said_is_read() -> None:
    """From 9.3 s on the net's own thinning of the mask left two of it, for 384 pieces of sound or more."""
    model = the_model()
    heard = model.listen(spoken("put the red cube in the blue bowl " * 6)[: round(12 * RATE_HZ)])
    assert heard.shape[1] > 384
    reading = model.begin(heard)
    for token in (BEGIN, 100):
        assert np.isfinite(model.step(reading, np.array([[token]]))).any()


class Sure:
    """A recogniser that hears one thing."""

    def __init__(self, confidence: float) -> None:
        self.confidence, self.heard_s = confidence, []

    def hear(self, samples: np.ndarray) -> Heard:
        self.heard_s.append(len(samples) / RATE_HZ)
        return Heard("stop", self.confidence)


def told(ear: Sure, seconds: float, pause_at_s: float | None) -> list[float]:
    """When a spotter told a stop, s, of speech that pauses for 0.2 s at most once."""
    spotter, window, found = StopSpotter(ear, 0.2), np.ones(512, np.int16), []
    at_s = 0.0
    spotter.feed(Began(window))
    while at_s < seconds:
        at_s += 0.032
        silent = pause_at_s is not None and pause_at_s <= at_s < pause_at_s + 0.2
        if spotter.feed(Went(window, at_s - pause_at_s if silent and pause_at_s else 0.0)):
            found.append(at_s)
    if spotter.feed(Ended(window, 0.0, True)):
        found.append(at_s)
    return found


def test_a_stop_is_told_once_and_at_the_first_pause() -> None:
    assert told(Sure(0.5), 1.5, 0.5) == [pytest.approx(0.6, abs=0.05)]


def test_without_a_pause_it_must_be_surer_for_words_are_cut_there() -> None:
    assert told(Sure(0.5), 2.0, None) == [pytest.approx(2.0, abs=0.05)], "at its end"
    assert told(Sure(0.99), 2.0, None) == [pytest.approx(1.0, abs=0.05)]


def test_long_speech_is_not_read_for_stops() -> None:
    ear = Sure(0.0)
    told(ear, 9.0, 5.0)
    assert ear.heard_s and max(ear.heard_s) < 2.7


def test_missing_weights_are_named_with_what_to_do() -> None:
    with pytest.raises(VoiceUnavailableError, match="moonshine-voice") as error:
        weights_folder("no_such_package")
    assert "pip install" in error.value.fix
