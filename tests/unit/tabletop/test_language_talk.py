"""Statements and questions: true as they say, as often true as false, and not to be guessed from words."""

import math
import random
from collections import Counter

import pytest

from mmrobot.tabletop.language import (
    ANSWER_KINDS,
    CLEAN,
    HEAVY,
    QUESTION_KINDS,
    STATEMENT_KINDS,
    Kind,
    Question,
    Related,
    Statement,
    Thing,
    answer_text,
    make_expression,
    make_question,
    make_statement,
    random_things,
    referents,
)
from mmrobot.tabletop.language.claims import Amount, Claim, Denied, Is, Stands, compares, passes
from mmrobot.tabletop.language.grammar import MARKS, Grammar, _Choice
from mmrobot.tabletop.language.noise import COURTESY
from mmrobot.tabletop.language.phrases import PHRASES
from mmrobot.tabletop.language.referring import other_label
from mmrobot.tabletop.language.talk_wording import TALK
from mmrobot.tabletop.language.wording import WORDING
from mmrobot.tabletop.objects import dimensions
from mmrobot.vlm.words import words
from tests.unit.tabletop.test_language_meaning import brute

Things = tuple[Thing, ...]
SCENE = (
    Thing("bowl", "bowl", "blue", "large", (0.5, 0.2, 0.027)),
    Thing("ball", "ball", "red", "small", (0.5, 0.2, 0.03), inside="bowl"),
    Thing("tray", "tray", "white", "large", (0.35, -0.2, 0.015), label="A7"),
    Thing("cube", "cube", "red", "small", (0.6, -0.05, 0.02), label="B2"),
    Thing("cube2", "cube", "red", "large", (0.3, 0.05, 0.026)),
)


def brute_true(claim: Claim, things: Things) -> bool:
    """Each claim spelled out, over the definitions of the expressions in it."""
    if isinstance(claim, Denied):
        return not brute_true(claim.claim, things)
    if isinstance(claim, Amount):
        n, said = len(labelled_brute(claim.expr, things)), claim.number
        return {
            "exactly": n == said, "at_least": n >= said, "at_most": n <= said, "more_than": n > said,
            "fewer_than": n < said,
        }[claim.test]  # fmt: skip
    (subject,) = labelled_brute(claim.subject, things)
    if isinstance(claim, Is):
        return subject in labelled_brute(claim.what, things)
    if isinstance(claim, Stands):
        return subject in labelled_brute(Related(Kind(), claim.relation, claim.reference), things)
    (reference,) = labelled_brute(claim.reference, things)
    t, r = (next(o for o in things if o.id == i) for i in (subject, reference))
    size, other = (math.prod(dimensions(o.shape, o.size).size_m) for o in (t, r))
    return {
        "larger": size > other, "smaller": size < other, "same_color": t.color == r.color,
        "same_shape": t.shape == r.shape,
    }[claim.comparison]  # fmt: skip


def labelled_brute(expr: object, things: Things) -> set[str]:
    if isinstance(expr, Kind) and expr.label is not None:
        rest = brute(Kind(expr.shapes, expr.color, expr.size), things)
        return {t.id for t in things if t.id in rest and t.label == expr.label}
    if isinstance(expr, Related) and isinstance(expr.reference, Kind) and expr.reference.label is not None:
        # The definitions know no labels: name the reference by what it is instead.
        marked = labelled_brute(expr.reference, things)
        alone = tuple(t for t in things if t.id in marked) + tuple(t for t in things if t.id not in marked)
        return {
            t.id for t in alone for r in marked if t.id not in marked and holds_between(expr, t, r, things)
        } & labelled_brute(expr.base, things)
    return brute(expr, things)  # type: ignore[arg-type]


def holds_between(expr: Related, t: Thing, ref_id: str, things: Things) -> bool:
    ref = next(o for o in things if o.id == ref_id)
    if expr.relation in ("left_of", "right_of", "behind", "in_front_of"):
        axis = 1 if expr.relation in ("left_of", "right_of") else 0
        sign = 1 if expr.relation in ("left_of", "behind") else -1
        return sign * (t.position_m[axis] - ref.position_m[axis]) > 0
    if expr.relation == "under":
        return t.id in (ref.inside, ref.on)
    held = {"in": t.inside, "on": t.on}[expr.relation] == ref.id
    return held or (ref.shape == "tray" and ref.id in (t.inside, t.on))


def test_statements_hold_as_they_say_over_many_scenes() -> None:
    rng, kinds = random.Random(3), Counter[str]()
    for i in range(2000):
        things = random_things(rng)
        s = make_statement(rng, things, split="heldout" if i % 5 == 0 else "train")
        kinds[s.kind] += 1
        assert s.holds == brute_true(s.claim, things), s
    assert set(kinds) == set(STATEMENT_KINDS)


def made(kind: str, count: int, seed: int) -> list[Statement]:
    rng, out = random.Random(seed), list[Statement]()
    while len(out) < count:
        s = make_statement(rng, random_things(rng, 9), kind=kind, noise=CLEAN)
        if s.kind == kind:
            out.append(s)
    return out


@pytest.mark.parametrize("kind", STATEMENT_KINDS)
def test_words_alone_do_not_tell_the_truth(kind: str) -> None:
    """Naive Bayes over each statement's words, trained on some, is near chance on the rest."""
    statements = made(kind, 1000, 5)
    trained, asked = statements[:600], statements[600:]
    assert 0.45 < sum(s.holds for s in statements) / len(statements) < 0.55
    seen = {True: Counter[str](), False: Counter[str]()}
    total = Counter(s.holds for s in trained)
    for s in trained:
        seen[s.holds].update(set(words(s.text)))
    right = 0
    for s in asked:
        odds = math.log(total[True] / total[False])
        for w in set(words(s.text)):
            odds += math.log((seen[True][w] + 1) / (total[True] + 2))
            odds -= math.log((seen[False][w] + 1) / (total[False] + 2))
        right += (odds > 0) == s.holds
    assert right / len(asked) <= 0.6


def test_yes_is_as_frequent_as_no() -> None:
    rng = random.Random(7)
    asked = [make_question(rng, random_things(rng), kind="yes_no") for _ in range(1200)]
    answers = Counter(q.answer for q in asked if q.answer_kind == "yes_no")
    assert sum(answers.values()) > 1100
    assert 0.45 < answers["yes"] / sum(answers.values()) < 0.55


def test_questions_have_the_answers_of_their_referents() -> None:
    rng, kinds = random.Random(9), Counter[str]()
    for i in range(2000):
        things = random_things(rng)
        q = make_question(rng, things, split="heldout" if i % 5 == 0 else "train")
        kinds[q.answer_kind] += 1
        about = [t for t in things if t.id in q.referent_ids]
        assert len(about) == len(q.referent_ids)
        if q.answer_kind == "yes_no":
            assert q.answer in ("yes", "no")
            continue
        assert q.answer == answer_text(q.answer_kind, about)
        if q.answer_kind in ("color", "shape", "size", "label"):
            assert len(about) == 1
        if q.answer_kind == "nothing":
            assert not about
    assert set(kinds) == set(ANSWER_KINDS) == set(QUESTION_KINDS)


def test_answers_as_text() -> None:
    by_id = {t.id: t for t in SCENE}
    bowl, ball, tray, cube, cube2 = (by_id[i] for i in ("bowl", "ball", "tray", "cube", "cube2"))
    assert answer_text("count", SCENE) == "5"
    assert answer_text("count", ()) == "0"
    assert answer_text("color", [ball]) == "red"
    assert answer_text("shape", [bowl]) == "bowl"
    assert answer_text("size", [cube2]) == "large"
    assert answer_text("label", [tray]) == "A7"
    assert answer_text("label", [bowl]) == "nothing"
    assert answer_text("name", []) == "nothing"
    assert answer_text("nothing", []) == "nothing"
    assert answer_text("name", [tray, bowl]) == "the blue bowl and the white tray"
    assert answer_text("name", [cube, tray, bowl, cube2]) == "the blue bowl, two red cubes and the white tray"
    assert (answer_text("yes_no", [ball]), answer_text("yes_no", [])) == ("yes", "no")
    with pytest.raises(ValueError, match="unknown kind 'poem'"):
        answer_text("poem", [ball])


def test_known_scene_known_answers() -> None:
    rng, answers = random.Random(2), dict[str, set[str]]()
    for _ in range(4000):
        q = make_question(rng, SCENE, noise=CLEAN)
        answers.setdefault(q.text, set()).add(q.answer)
    assert all(len(a) == 1 for a in answers.values())
    assert answers["how many cubes are there"] == {"2"}
    assert answers["what is in the blue bowl"] == {"the red ball"}
    assert answers["what does it say on the tray"] == {"A7"}
    assert answers["is the bowl empty"] == {"no"}


def test_no_things_at_all() -> None:
    rng = random.Random(4)
    for _ in range(200):
        s = make_statement(rng, ())
        assert s.kind == "exists"
        assert s.holds == isinstance(s.claim, Denied)
        assert make_question(rng, (), kind="count").answer == "0"
        q = make_question(rng, ())
        assert q.answer in ("0", "no", "yes", "nothing")


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind 'poem'"):
        make_statement(random.Random(0), SCENE, kind="poem")
    with pytest.raises(ValueError, match="unknown kind 'poem'"):
        make_question(random.Random(0), SCENE, kind="poem")
    with pytest.raises(ValueError, match="unknown test 'about'"):
        passes(2, "about", 2)
    assert not compares(SCENE[3], "larger", SCENE[4])


def test_pairs_kept_out_are_not_named() -> None:
    rng, avoid = random.Random(6), {("red", "cube"), ("blue", "ball")}
    for _ in range(800):
        s = make_statement(rng, random_things(rng, avoid_pairs=avoid), noise=CLEAN, avoid_pairs=avoid)
        if isinstance(s.claim, Amount) and isinstance(s.claim.expr, Kind):
            assert not any((s.claim.expr.color, shape) in avoid for shape in s.claim.expr.shapes or ())


@pytest.mark.parametrize("noise", [CLEAN, HEAVY])
def test_same_seed_same_talk(noise: object) -> None:
    def run() -> list[Statement | Question]:
        rng = random.Random(8)
        out: list[Statement | Question] = []
        for _ in range(100):
            things = random_things(rng)
            out += [make_statement(rng, things, noise=noise), make_question(rng, things, noise=noise)]  # type: ignore[arg-type]
        return out

    assert run() == run()


def test_phrases_by_label_mean_what_carries_it() -> None:
    rng, said = random.Random(10), set[str]()
    for _ in range(300):
        e = make_expression(rng, SCENE, want="one", kinds={"label": 1.0}, noise=CLEAN)
        assert e.kind == "label"
        (thing,) = (t for t in SCENE if t.id in e.referents)
        assert thing.label is not None
        assert thing.label in e.text.split()
        said.add(e.text)
        absent = make_expression(rng, SCENE, want="none", kinds={"label": 1.0}, noise=CLEAN)
        assert absent.referents == referents(absent.expr, SCENE) == frozenset()
    assert len(said) > 60
    assert all(other_label("A7", SCENE, rng) != "A7" for _ in range(100))
    assert {t.label for t in random_things(rng, 9) if t.shape not in ("cube", "tray")} <= {None}


def expansions(choice: _Choice) -> set[tuple[str, ...]]:
    out: set[tuple[str, ...]] = set()
    for sequence in choice.options:
        said: list[tuple[str, ...]] = [()]
        for node in sequence:
            ends = expansions(node) if isinstance(node, _Choice) else {() if node in MARKS else (node,)}
            said = [s + e for s in said for e in ends]
        out.update(said)
    return out


@pytest.mark.parametrize("grammar", [TALK, WORDING, PHRASES, COURTESY])
def test_no_held_out_wording_is_a_trained_one(grammar: Grammar) -> None:
    for rule, choice in grammar._heldout.items():
        assert not expansions(choice) & expansions(grammar._train[rule]), rule


def test_held_out_talk_is_new() -> None:
    rng = random.Random(12)
    new = TALK.words("heldout") - TALK.words("train")
    assert len(new) > 30
    said = Counter[bool]()
    for _ in range(300):
        things = random_things(rng)
        text = make_question(rng, things, split="heldout", noise=CLEAN).text
        said[bool(new & set(words(text)))] += 1
        trained = make_question(rng, things, split="train", noise=CLEAN).text
        assert "am i right" not in trained
    assert said[True] > 150
