"""Templates: parsing, weights, held-out wordings; noise that keeps the words' places."""

import random
from collections import Counter
from difflib import SequenceMatcher

import pytest

from mmrobot.tabletop.language import CLEAN, HEAVY
from mmrobot.tabletop.language.grammar import Grammar, Word
from mmrobot.tabletop.language.noise import MISHEARD, PROTECTED, Noise, _typo, render
from mmrobot.vlm.words import words


def said(grammar: Grammar, n: int, split: str = "train") -> Counter[str]:
    rng, seen = random.Random(1), Counter[str]()
    for _ in range(n):
        spoken = grammar.say("s", rng, {"T": [Word("cube")]}, split)  # type: ignore[arg-type]
        seen[" ".join(w.text + w.mark for w in spoken)] += 1
    return seen


def test_choices_options_rules_slots_and_marks() -> None:
    grammar = Grammar({"s": "<verb> {T} [up] , (now|then)", "verb": "3:take | get"})
    seen = said(grammar, 400)
    verbs, things, ends = ("take", "get"), ("cube,", "cube up,"), ("now", "then")
    assert set(seen) == {f"{v} {t} {e}" for v in verbs for t in things for e in ends}
    takes = sum(n for text, n in seen.items() if text.startswith("take"))
    assert 250 < takes < 350


@pytest.mark.parametrize("broken", ["(a | b", "a )", "[a", "a ]"])
def test_broken_templates_are_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="template"):
        Grammar({"s": broken})


def test_held_out_wordings_are_marked_and_never_trained() -> None:
    grammar = Grammar({"s": "take {T}"}, {"s": "seize {T}"})
    assert set(said(grammar, 50)) == {"take cube"}
    assert set(said(grammar, 50, "heldout")) == {"seize cube"}
    spoken = grammar.say("s", random.Random(0), {"T": [Word("cube")]}, "heldout")
    assert [w.novel for w in spoken] == [True, False]


def test_the_very_words_come_through() -> None:
    cube = Word("cube")
    assert Grammar({"s": "take {T} up"}).say("s", random.Random(0), {"T": [cube]})[1] is cube


def test_noise_keeps_each_word_where_its_indices_say() -> None:
    rng, changed = random.Random(4), Counter[str]()
    sentence = "take the yellow cylinder into the purple container and then place it behind that thing"
    for _ in range(600):
        spoken = [Word(w) for w in sentence.split()]
        _, spans, text = render(spoken, rng, HEAVY)
        split = words(text)
        places = [spans[id(w)] for w in spoken]
        flat = [i for p in places for i in p]
        assert flat == sorted(set(flat))
        assert flat[-1] < len(split)
        for w, p in zip(spoken, places, strict=True):
            written = "".join(split[i] for i in p)
            changed["same" if written == w.text else "other"] += 1
            # A slip keeps most letters; a mishearing is a listed one.
            heard = {m.replace(" ", "") for m in MISHEARD.get(w.text, ())}
            assert any(SequenceMatcher(None, written, x).ratio() > 0.6 for x in (w.text, *heard))
    assert changed["other"] > 150
    assert changed["same"] > 10 * changed["other"]


def test_clean_is_clean() -> None:
    _, spans, text = render([Word("take", ","), Word("it")], random.Random(0), CLEAN)
    assert text == "take it"
    assert list(spans.values()) == [(0,), (1,)]


def test_no_typo_makes_another_word_of_meaning() -> None:
    rng = random.Random(2)
    noise = Noise(typo=1.0)
    for word in ("ball", "bowl", "left", "blue", "cube", "plate", "under", "large"):
        for _ in range(300):
            _, _, text = render([Word(word)], rng, noise, ask=False)
            assert text == word or text not in PROTECTED


def test_typos_change_one_thing() -> None:
    rng = random.Random(2)
    for _ in range(300):
        wrong = _typo("cylinder", rng)
        assert abs(len(wrong) - 8) <= 1
        assert wrong[0] == "c"
