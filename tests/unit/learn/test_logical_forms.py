"""What the writer should write: forms that fit their task, prints that were said, nouns of other worlds."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from mmrobot.learn.foreign_words import NOUNS, foreign_noun, made_up_word
from mmrobot.learn.language_training import random_scene
from mmrobot.learn.logical_forms import NOT_UNDERSTOOD_IDS, FormWriter, UnsayableError, form_ids, plan_ids
from mmrobot.learn.sentences import SHARES, SentenceMaker
from mmrobot.learn.validation import GROUPS
from mmrobot.tabletop.language import (
    KINDS,
    QUESTION_KINDS,
    STATEMENT_KINDS,
    Both,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Question,
    Related,
    Without,
    lexicon,
    make_command,
    vocabulary,
)
from mmrobot.tabletop.language.claims import Amount, Compared, Denied, Is, Stands
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.slots import fits
from mmrobot.vlm.models.nano.vocabulary import CONTROL

CONFIG = NanoConfig()
CUBE, RED, BOWL = Kind(frozenset(("cube",))), Kind(None, "red"), Kind(frozenset(("bowl",)), "blue")
MARKED = Kind(frozenset(("cube", "tray")), "red", "small", "A7")
SAID = ("the", "small", "red", "box", "marked", "a7")


def written(form: list[str | int]) -> str:
    return " ".join(SAID[t] if isinstance(t, int) else t for t in form)


@pytest.mark.parametrize(
    ("expr", "form"),
    [
        (Kind(), "<thing>"),
        (RED, "<red> <thing>"),
        (MARKED, "<small> <red> <marked> a7 <box>"),
        (Kind(frozenset(("bowl", "plate"))), "<dish>"),
        (Kind(frozenset(("bowl", "cup", "tray"))), "<container>"),
        (Without(CUBE, RED), "<without> <cube> <red> <thing>"),
        (Extreme(CUBE, "left"), "<left_most> <cube>"),
        (Extreme(CUBE, "small", 3), "<small_most> <fourth> <cube>"),
        (Middle(CUBE), "<middle> <cube>"),
        (Related(CUBE, "under", BOWL), "<under> <cube> <blue> <bowl>"),
        (Nearest(CUBE, Extreme(RED, "far", 1)), "<nearest> <cube> <far_most> <second> <red> <thing>"),
        (Both((CUBE, RED, BOWL)), "<both> <cube> <both> <red> <thing> <blue> <bowl>"),
        (Both((CUBE,)), "<cube>"),
    ],
)
def test_phrases_are_written_in_prefix_notation(expr: object, form: str) -> None:
    said = FormWriter(SAID).expr(expr)  # type: ignore[arg-type]
    assert written(said) == form
    assert fits(v.GROUND, form_ids(said))


@pytest.mark.parametrize(
    ("claim", "form"),
    [
        (Amount(CUBE, "at_least", 1), "<at_least> <1> <cube>"),
        (Is(MARKED, RED), "<is> <small> <red> <marked> a7 <box> <red> <thing>"),
        (Stands(CUBE, "in", BOWL), "<in> <cube> <blue> <bowl>"),
        (Compared(CUBE, "same_color", BOWL), "<same_color> <cube> <blue> <bowl>"),
        (Denied(Denied(Amount(RED, "exactly", 0))), "<not> <not> <exactly> <0> <red> <thing>"),
    ],
)
def test_statements_are_written_and_asked(claim: object, form: str) -> None:
    said = FormWriter(SAID).claim(claim)  # type: ignore[arg-type]
    assert written(said) == form
    assert fits(v.VERIFY, form_ids(said))
    question = Question("", "yes_no", "yes", frozenset(), "yes_no", claim)  # type: ignore[arg-type]
    asked = FormWriter(SAID).question(question)
    assert written(asked) == f"<ask_yes_no> {form}" and fits(v.ANSWER, form_ids(asked))


def test_questions_say_what_is_wanted_whatever_the_answer_is() -> None:
    nothing = Question("", "nothing", "nothing", frozenset(), "color", CUBE)
    assert written(FormWriter(SAID).question(nothing)) == "<ask_color> <cube>"


@pytest.mark.parametrize(
    ("expr", "told"),
    [
        (Kind(None, None, None, "B4"), "B4 is not said"),
        (Related(CUBE, "in", Kind(None, None, None, "A")), "A is not said"),
        (Extreme(CUBE, "left", 4), "rank 4"),
        (Kind(frozenset(("cube", "ball"))), "no noun"),
    ],
)
def test_what_cannot_be_written_is_told(expr: object, told: str) -> None:
    with pytest.raises(UnsayableError, match=told):
        FormWriter(SAID).expr(expr)  # type: ignore[arg-type]


def test_all_that_the_grammar_speaks_of_can_be_written() -> None:
    assert {*lexicon.SHAPE_SETS} == {
        *(frozenset((s,)) for s in v.SHAPES), *(frozenset(c) for n, c in v.CATEGORIES.items() if n not in
        ("thing", "unknown")),
    }  # fmt: skip
    assert (set(v.COLOR), set(v.SIZE)) == (set(lexicon.COLOR_WORDS), set(lexicon.SIZE_WORDS))


def test_every_sample_fits_its_task_and_copies_only_what_was_said() -> None:
    """Instructions, phrases, statements, questions and nonsense, with all noise."""
    rng, maker = random.Random("samples"), SentenceMaker(CONFIG)
    seen = Counter[tuple[str, str]]()
    for _ in range(900):
        for s in maker.samples(random_scene(rng), rng, 6):
            assert fits(s.task, s.ids), [CONTROL[i] for i in s.ids if i < len(CONTROL)]
            assert len(s.ids) < CONFIG.max_plan_tokens
            assert max(s.ids) < len(CONTROL) + int((s.word_bytes[:, 0] > 0).sum())
            seen[s.task, s.kind] += 1
    of = {task: sum(n for (t, _), n in seen.items() if t == task) / seen.total() for task in v.TASKS}
    assert [of[t] for t in v.TASKS] == pytest.approx(SHARES, abs=0.06)
    kinds = {task: {k for t, k in seen if t == task} for task in v.TASKS}
    assert set(KINDS) | {"foreign", "nonsense"} <= kinds[v.GROUND]
    assert set(STATEMENT_KINDS) <= kinds[v.VERIFY] and set(QUESTION_KINDS) <= kinds[v.ANSWER]
    plain = {k for k in kinds[v.GROUND] if not k.startswith("absent_")}
    assert plain <= set().union(*GROUPS.values()), "each kind of phrase is in a group of the figures"
    assert not maker.samples((), rng, 6)


def test_prints_that_noise_changed_are_not_spoken_of() -> None:
    """A copy must be of the word that was said: its letters are the print's."""
    rng, maker = random.Random("prints"), SentenceMaker(CONFIG)
    prints = 0
    for _ in range(300):
        things = random_scene(rng)
        labels = {(t.label or "").lower().encode() for t in things}
        for s in maker.samples(things, rng, 6):
            for before, after in zip(s.ids, s.ids[1:], strict=False):
                if before < len(CONTROL) and CONTROL[before] == v.MARKED:
                    word = bytes(s.word_bytes[after - len(CONTROL)].tolist()).rstrip(b"\0")
                    assert word.isalnum() and 1 <= len(word) <= CONFIG.label_length
                    prints += word in labels
    assert prints > 15


def test_plans_fit_and_what_has_no_plan_is_not_understood() -> None:
    rng, empty = random.Random("plans"), 0
    for _ in range(600):
        command = make_command(rng, random_scene(rng))
        if command is not None:
            assert fits(v.PLAN, plan_ids(command))
            empty += not command.steps
            assert (plan_ids(command) == NOT_UNDERSTOOD_IDS) is (not command.steps)
    assert empty > 5


def test_nonsense_is_not_understood_whatever_is_asked() -> None:
    rng, maker = random.Random("nonsense"), SentenceMaker(CONFIG)
    made = [maker.nonsense(rng) for _ in range(200)]
    assert {s.task for s in made if s} == set(v.TASKS)
    for s in made:
        assert s is not None and s.ids == NOT_UNDERSTOOD_IDS and s.kind == "nonsense"
        assert fits(s.task, s.ids)


def words_of_the_table() -> set[str]:
    """Every word of every noun, colour and size, generic ones too."""
    tables = (*lexicon.NOUNS.values(), *lexicon.COLOR_WORDS.values(), *lexicon.SIZE_WORDS.values())
    entries = {word for table in tables for entry in table[0] for word in entry}
    return {part for entry in entries | lexicon.GENERIC_WORDS for part in entry.split()}


def test_foreign_nouns_are_no_words_of_this_table() -> None:
    taken, rng = words_of_the_table(), random.Random("foreign")
    assert not set(NOUNS) & taken
    drawn = [foreign_noun(rng) for _ in range(20_000)]
    assert not set(drawn) & taken
    assert 0.6 < sum(n in NOUNS for n in drawn) / len(drawn) < 0.8 and len(set(drawn)) > 1000
    assert any(n.removesuffix("s") in NOUNS and n not in NOUNS for n in drawn)


def test_made_up_words_are_no_words_of_this_table() -> None:
    rng = random.Random("made up")
    drawn = {made_up_word(rng) for _ in range(50_000)}
    assert not drawn & (words_of_the_table() | vocabulary("heldout"))
    assert all(3 <= len(w) <= 9 and w.isalpha() for w in drawn)


def test_foreign_things_keep_their_colour_and_size_and_are_nothing() -> None:
    rng, maker = random.Random("things"), SentenceMaker(CONFIG)
    for _ in range(300):
        sample = maker._foreign(rng)
        assert sample is not None and fits(v.GROUND, sample.ids) and sample.kind == "foreign"
        *attributes, noun, end = (CONTROL[i] for i in sample.ids)
        assert (noun, end) == (v.NOUN["unknown"], v.END)
        assert set(attributes) <= {*v.SIZE.values(), *v.COLOR.values()}
