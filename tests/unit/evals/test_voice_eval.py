"""The measure of hearing, with ears that are known: what it counts as right, wrong, a stop, late."""

from __future__ import annotations

import math
import random
import shutil

import numpy as np
import pytest

from mmrobot.cli.evaluate_voice import table
from mmrobot.command.stop_words import is_stop, stop_kind
from mmrobot.config import VoiceConfig
from mmrobot.evals.voice_eval import Hearer, VoiceEval, espeak_samples
from mmrobot.evals.voice_set import (
    CLEAN,
    NOISES,
    OTHER,
    SILENCE_S,
    SPEEDS,
    STOPS,
    VOICES,
    Noise,
    loudness,
    say,
    sentence,
    speech_end_s,
    with_noise,
)
from mmrobot.voice.recognition import NOTHING, Heard
from mmrobot.voice.sound import RATE_HZ

CONFIG = VoiceConfig(end_silence_s=0.4, speech_from=0.5)


def tone(text: str, voice: str, speed: int) -> np.ndarray:
    """A second of a tone whose loudness tells the text."""
    loud = 6000 + 200 * (sum(map(ord, text)) % 100)
    return (np.sin(np.arange(RATE_HZ) * 0.3) * loud).astype(np.int16)


class Loud:
    """Speech is what is loud."""

    def probability(self, window: np.ndarray) -> float:
        return float(np.abs(window.astype(float)).max() > 1000)

    def reset(self) -> None:
        return None


class Always:
    """Hears the same in everything, and counts."""

    def __init__(self, heard: Heard) -> None:
        self.heard, self.asked = heard, 0

    def hear(self, samples: np.ndarray) -> Heard:
        self.asked += 1
        return self.heard


def evaluation(sentence_heard: Heard, stop_heard: Heard = NOTHING, count: int = 4) -> VoiceEval:
    return VoiceEval(Hearer(CONFIG, Always(sentence_heard), Always(stop_heard), Loud), count, 5, tone)


def test_the_set_is_large_enough_and_drawn_by_its_seed() -> None:
    assert len(VOICES) >= 8 and len(set(VOICES)) == len(VOICES) and len(SPEEDS) == 3
    assert {(n.kind, n.snr_db) for n in NOISES[1:]} == {
        (kind, snr) for kind in ("white", "babble") for snr in (20.0, 10.0, 5.0)
    }
    first, again = ([sentence(random.Random(i)) for i in range(50)] for _ in range(2))
    assert first == again and len(set(first)) > 35


def test_stop_words_are_stops_and_other_speech_is_none() -> None:
    assert all(stop_kind(words) == "stop" for words in STOPS)
    assert not any(is_stop(words) for words in OTHER)
    assert not any(stop_kind(sentence(random.Random(i))) == "stop" for i in range(300))


@pytest.mark.parametrize("snr_db", [20.0, 5.0])
@pytest.mark.parametrize("kind", ["white", "babble"])
def test_noise_has_the_ratio_that_is_told(kind: str, snr_db: float) -> None:
    speech = say("hello", "en-us", 165, tone)
    rng = np.random.default_rng(0)
    other = rng.standard_normal(3 * RATE_HZ)
    mixed = with_noise(speech, Noise(kind, snr_db), other, rng)
    noise = mixed.astype(float) - speech
    ratio_db = 20 * math.log10(loudness(speech) / np.sqrt(np.mean(noise**2)))
    assert ratio_db == pytest.approx(snr_db, abs=0.1)


def test_noise_never_clips_and_clean_speech_stays() -> None:
    speech = say("hello", "en-us", 165, lambda *_: np.full(RATE_HZ, 32767, np.int16))
    rng = np.random.default_rng(0)
    loud = with_noise(speech, Noise("white", 0.0), np.ones(9), rng)
    assert np.abs(loud.astype(int)).max() <= 32000
    assert with_noise(speech, CLEAN, np.ones(9), rng) is speech


def test_speech_ends_where_it_does() -> None:
    assert speech_end_s(say("hello", "en-us", 165, tone)) == pytest.approx(SILENCE_S + 1.0, abs=0.011)


def test_right_words_are_right_and_late_by_the_silence_that_ends_them() -> None:
    expected, *_ = next(evaluation(NOTHING)._drawn("commands clean", sentence))
    test = evaluation(Heard(f"robot {expected}", 0.9), count=1)
    cell = test._commands(CLEAN)
    assert (cell["passed"], cell["n"], cell["wrong_commands"], cell["read_back"]) == (1, 1, 0, 0)
    assert 400 <= cell["ms_p50"] <= 480
    low, high = cell["wilson95"]
    assert low < 1.0 and high == pytest.approx(1.0)


def test_other_words_are_wrong_commands_and_unsure_ones_are_read_back() -> None:
    wrong = evaluation(Heard("robot dance", 0.9))._commands(CLEAN)
    assert (wrong["passed"], wrong["wrong_commands"]) == (0, 4)
    unsure = evaluation(Heard("robot dance", 0.1))._commands(CLEAN)
    assert (unsure["read_back"], unsure["wrong_commands"]) == (4, 0)
    deaf = evaluation(NOTHING)._commands(CLEAN)
    assert (deaf["passed"], deaf["wrong_commands"]) == (0, 0)


def test_stops_are_counted_by_the_spotter_or_the_reader_and_missed_ones_named() -> None:
    spotted = evaluation(NOTHING, Heard("stop", 0.9))._stops(CLEAN)
    assert spotted["passed"] == 4 and spotted["missed"] == [] and spotted["ms_p50"] is not None
    read = evaluation(Heard("robot stop", 0.9))._stops(CLEAN)
    assert read["passed"] == 4 and read["ms_p50"] is None
    missed = evaluation(NOTHING)._stops(CLEAN)
    assert missed["passed"] == 0 and len(missed["missed"]) == 4 and "stop" in missed["missed"][0]


def test_false_stops_are_told_by_the_hour() -> None:
    cell = evaluation(NOTHING, Heard("stop", 0.99))._other()
    assert cell["false_stops"] == 8
    assert cell["false_stops_per_hour"] == pytest.approx(8 / (cell["minutes"] / 60), rel=0.01)
    assert evaluation(NOTHING)._other()["false_stops"] == 0


def test_noise_that_becomes_a_command_without_a_wake_word_is_found() -> None:
    # Loud hiss passes this detector, so every command of these ears counts.
    assert evaluation(Heard("go home", 0.9), count=40)._quiet()["commands"] > 0
    assert evaluation(NOTHING, count=40)._quiet()["commands"] == 0


def test_the_table_names_every_figure() -> None:
    text = table(evaluation(Heard("robot go home", 0.9), count=1).run())
    for noise in NOISES:
        assert f"| commands | {noise.name} | 1 |" in text
    assert "| stop words | white_10dB | 1 |" in text and "silence and noise: 0.1 min, 0 false stops" in text


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_speaks_every_voice() -> None:
    sounds = [espeak_samples("stop", voice, 165) for voice in VOICES]
    assert all(0.2 < len(s) / RATE_HZ < 3 and np.abs(s.astype(int)).max() > 1000 for s in sounds)
    assert len({s.tobytes() for s in sounds}) == len(VOICES)
