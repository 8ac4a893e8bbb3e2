"""Near speech told from what goes on all the time."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.voice.activity import WINDOW
from mmrobot.voice.foreground import ForegroundActivity


class AllSpeech:
    """A detector that hears people everywhere, as in babble."""

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, window: np.ndarray) -> float:
        return 0.9

    def reset(self) -> None:
        self.resets += 1


def near(activity: ForegroundActivity, *parts: tuple[float, int]) -> list[bool]:
    """Whether each window of (root mean square, windows) after another is near speech."""
    rng = np.random.default_rng(0)
    return [
        activity.probability(np.rint(rng.standard_normal(WINDOW) * loud).astype(np.int16)) > 0.5
        for loud, count in parts
        for _ in range(count)
    ]


def test_in_babble_only_what_is_louder_is_near_and_its_end_is_found() -> None:
    told = near(ForegroundActivity(AllSpeech()), (300, 60), (1000, 30), (300, 30))
    assert not any(told[12:60])
    assert all(told[62:90])
    assert not any(told[95:]), "a pause, though the detector hears none"


def test_what_is_hardly_louder_than_the_babble_is_part_of_it() -> None:
    assert not any(near(ForegroundActivity(AllSpeech()), (300, 60), (420, 30))[12:])


def test_the_babble_may_grow_and_is_the_background_again() -> None:
    told = near(ForegroundActivity(AllSpeech()), (300, 60), (1000, 250))
    assert told[70] and not any(told[-50:])


@pytest.mark.parametrize("loud", [0.0, 300.0])
def test_before_anything_was_heard_the_detector_is_believed(loud: float) -> None:
    activity = ForegroundActivity(AllSpeech())
    assert all(near(activity, (loud, 9)))
    near(activity, (300, 60))
    activity.reset()
    assert all(near(activity, (loud, 9)))


def test_what_the_detector_does_not_take_for_speech_is_none_however_loud() -> None:
    class Deaf(AllSpeech):
        def probability(self, window: np.ndarray) -> float:
            return 0.1

    assert not any(near(ForegroundActivity(Deaf()), (300, 30), (8000, 30)))
