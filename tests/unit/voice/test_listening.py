"""The wake word, what is read back, what is dropped."""

from __future__ import annotations

import pytest

from mmrobot.config import VoiceConfig
from mmrobot.voice.listening import Attention, Kind, Understood
from mmrobot.voice.recognition import NOTHING, Heard

CONFIG = VoiceConfig()


def understood(text: str, sure: float = 0.9, addressed: bool = False, **config: object) -> Understood:
    attention = Attention(VoiceConfig(**config))  # type: ignore[arg-type]
    return attention.understand(Heard(text, sure), 0.0, addressed)


@pytest.mark.parametrize("called", ["robot", "hey robot"])
def test_the_wake_word_is_taken_off(called: str) -> None:
    known = understood(f"{called} go home")
    assert (known.kind, known.text) == (Kind.WORDS, "go home")


def test_without_it_nothing_is_meant_for_the_robot() -> None:
    known = understood("go home")
    assert known.kind is Kind.DROPPED and "wake word" in known.why


def test_a_button_needs_no_wake_word() -> None:
    assert understood("go home", addressed=True).kind is Kind.WORDS


def test_no_wake_word_configured_means_all_is_meant() -> None:
    assert understood("go home", wake_words="").kind is Kind.WORDS


def test_a_stop_needs_none_either_unless_it_is_unsure() -> None:
    assert understood("stop").kind is Kind.WORDS
    assert understood("stop", CONFIG.confirm_below / 2).kind is Kind.DROPPED


def test_the_robot_stays_awake_for_a_while() -> None:
    attention = Attention(CONFIG)
    attention.understand(Heard("robot go home", 0.9), 0.0)
    assert attention.understand(Heard("go on", 0.9), CONFIG.awake_s - 0.1).kind is Kind.WORDS
    assert attention.understand(Heard("go on", 0.9), 3 * CONFIG.awake_s).kind is Kind.DROPPED


def test_called_alone_it_listens() -> None:
    attention = Attention(CONFIG)
    assert attention.understand(Heard("robot", 0.9), 0.0).kind is Kind.CALLED
    assert attention.understand(Heard("go home", 0.9), 1.0).kind is Kind.WORDS


def test_nothing_understood_is_nothing() -> None:
    known = Attention(CONFIG).understand(NOTHING, 0.0)
    assert known.kind is Kind.DROPPED and known.why


def test_very_unsure_words_are_dropped() -> None:
    known = understood("robot go home", CONFIG.ignore_below / 2)
    assert known.kind is Kind.DROPPED and "unsurely" in known.why


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ("yes", Kind.WORDS, "go home"),
        ("no", Kind.DROPPED, "go home"),
        ("put it back", Kind.WORDS, "put it back"),
    ],
)
def test_unsure_words_are_read_back_and_wait_for_an_answer(answer: str, kind: Kind, text: str) -> None:
    attention = Attention(CONFIG)
    asked = attention.understand(
        Heard("robot go home", (CONFIG.ignore_below + CONFIG.confirm_below) / 2), 0.0
    )
    assert (asked.kind, asked.text) == (Kind.READ_BACK, "did you say: go home?")
    known = attention.understand(Heard(answer, 0.9), 1.0)
    assert (known.kind, known.text) == (kind, text)


def test_a_late_yes_is_none() -> None:
    config = VoiceConfig(answer_within_s=5.0, awake_s=100.0)
    attention = Attention(config)
    attention.understand(Heard("robot go home", 0.4), 0.0)
    known = attention.understand(Heard("yes", 0.9), 6.0)
    assert (known.kind, known.text) == (Kind.WORDS, "yes")
