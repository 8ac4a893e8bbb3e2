"""The sums and searches over letters, against all paths counted one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mmrobot.voice.letters_net import BLANK, LETTERS, STRIDE, bands, to_indices
from mmrobot.voice.letters_scores import LetterTexts
from mmrobot.voice.letters_search import LettersSearch
from mmrobot.voice.likely_words import LikelyWords


def _chances(frames: int, seed: int = 0) -> np.ndarray:
    """Of three symbols and almost nothing else."""
    rng = np.random.default_rng(seed)
    made = np.full((frames, len(LETTERS) + 1), -50.0)
    made[:, [BLANK, *to_indices("ab")]] = np.log(rng.dirichlet(np.ones(3), frames))
    return made.astype(np.float32)


def _counted(chances: np.ndarray, text: str, whole: bool) -> float:
    """The logarithm of the sum over every path that spells the text, or begins with it."""
    wanted, total = tuple(to_indices(text)), 0.0
    for path in itertools.product([BLANK, *to_indices("ab")], repeat=len(chances)):
        told = tuple(k for k, _ in itertools.groupby(path) if k != BLANK)
        if told == wanted if whole else told[: len(wanted)] == wanted:
            total += float(np.exp(chances[np.arange(len(path)), list(path)].astype(float).sum()))
    return float(np.log(total))


@pytest.mark.parametrize("text", ["a", "ab", "aab", "abba"])
def test_forward_sums_are_the_sums_over_all_paths(text: str) -> None:
    chances = _chances(6)
    whole, begun = LetterTexts([text], [text]).likelihoods(chances)
    assert whole == pytest.approx(_counted(chances, text, whole=True), abs=1e-4)
    assert begun == pytest.approx(_counted(chances, text, whole=False), abs=1e-4)


def test_texts_side_by_side_do_not_meddle() -> None:
    chances = _chances(7, 3)
    together = LetterTexts(["b", "abab"], ["ba"]).likelihoods(chances)
    alone = [LetterTexts(["b"]), LetterTexts(["abab"]), LetterTexts([], ["ba"])]
    assert together == pytest.approx([float(t.likelihoods(chances)[0]) for t in alone])


def test_an_odd_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="substring"):
        LetterTexts(["naïve"])


@pytest.fixture(scope="module")
def search() -> LettersSearch:
    return LettersSearch(LikelyWords(("robot",), 2000))


def _spelled(text: str, sure: float = 0.9) -> np.ndarray:
    """Each letter for one frame, a pause before each."""
    rest = (1 - sure) / len(LETTERS)
    rows = []
    for index in to_indices(text):
        for said in (BLANK, index):
            row = np.full(len(LETTERS) + 1, rest)
            row[said] = sure
            rows.append(np.log(row))
    return np.array(rows, np.float32)


def test_what_is_spelled_is_found(search: LettersSearch) -> None:
    best = search.best(_spelled("robot put the red cube in the blue bowl"), 3)
    assert " ".join(best[0].said) == "robot put the red cube in the blue bowl"
    assert [c.score for c in best] == sorted((c.score for c in best), reverse=True)


def test_a_candidates_sound_is_that_of_its_text(search: LettersSearch) -> None:
    chances = _spelled("put it back", 0.99)
    best = search.best(chances, 1)[0]
    exact = LetterTexts([" ".join(best.said)]).likelihoods(chances)[0]
    assert best.sound == pytest.approx(exact, abs=0.05)


def test_likely_words_win_where_letters_are_unsure(search: LettersSearch) -> None:
    chances = _spelled("put the red cube in the blue wowl")
    at = 2 * "put the red cube in the blue wowl".index("w") + 1
    chances[at, to_indices("b")[0]] = chances[at].max() - 1.0
    assert search.best(chances, 1)[0].said[-1] == "bowl"


def test_of_silence_no_word_is_found(search: LettersSearch) -> None:
    silence = np.full((30, len(LETTERS) + 1), -20.0, np.float32)
    silence[:, BLANK] = -1e-6
    assert search.best(silence, 3) == []


def test_loudness_and_length_of_bands() -> None:
    rng = np.random.default_rng(0)
    sound = (rng.standard_normal(16_000) * 1000).astype(np.int16)
    assert bands(sound).shape[0] == pytest.approx(16_000 / 160, abs=3)
    assert np.allclose(bands(sound), bands((sound // 4).astype(np.int16)), atol=0.15)
    assert STRIDE == 3


def test_where_sentences_end() -> None:
    likely = LikelyWords(("robot",))
    whole = ("robot put the red cube in the bowl", "how many cubes are there", "put it back", "the left one")
    begun = ("put the red cube", "put the red cube in", "put the red cube in the", "how many cubes", "robot")
    assert all(likely.ends(tuple(text.split())) >= 0.15 for text in whole)
    assert all(likely.ends(tuple(text.split())) < 0.15 for text in begun)
