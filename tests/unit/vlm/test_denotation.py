"""What forms mean: exactly what the grammar meant where all is certain, brute force where it is not."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.learn.language_training import random_scene
from mmrobot.learn.logical_forms import FormWriter, UnsayableError, form_ids
from mmrobot.tabletop.language import (
    CLEAN,
    KINDS,
    QUESTION_KINDS,
    STATEMENT_KINDS,
    Thing,
    make_expression,
    make_question,
    make_statement,
)
from mmrobot.tabletop.language.meaning import volume_m3
from mmrobot.tabletop.objects import LABELLED
from mmrobot.vlm.families.nano_answers import Seen, answer_text
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.denotation import PRINT_TRUST, Answered, Beliefs, Denotation
from mmrobot.vlm.models.nano.slots import OpenSlots
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID
from mmrobot.vlm.words import words

CONFIG = NanoConfig()
SAID = ("put", "the", "a7", "there")


def certain(things: Sequence[Thing]) -> Beliefs:
    """What one who knew everything would believe."""
    n, characters = len(things), CONFIG.label_characters
    colors, shapes, sizes = (
        np.array([[float(getattr(t, name) == x) for x in known] for t in things])
        for name, known in (("color", CONFIG.colors), ("shape", CONFIG.shapes), ("size", CONFIG.sizes))
    )
    prints = np.zeros((n, CONFIG.label_length, 1 + len(characters)))
    for i, t in enumerate(things):
        for place in range(CONFIG.label_length if t.shape in LABELLED else 0):
            prints[i, place, 1 + characters.index(t.label[place]) if (t.label or "")[place:] else 0] = 1
    return Beliefs(
        real=np.ones(n),
        colors=colors,
        shapes=shapes,
        sizes=sizes,
        places_m=np.array([t.position_m[:2] for t in things]),
        log_volumes=np.array([math.log(volume_m3(t)) for t in things]),
        rests=np.array([[float(o.id in (t.inside, t.on)) for o in things] for t in things]),
        prints=prints,
        label_characters=characters,
    )


def meant(things: Sequence[Thing], p: np.ndarray) -> frozenset[str]:
    assert ((p >= 0) & (p <= 1)).all()
    return frozenset(t.id for t, x in zip(things, p, strict=True) if x >= 0.5)


def sayable(form: Callable[[FormWriter], list[str | int]], said: Sequence[str]) -> list[int] | None:
    try:
        return form_ids(form(FormWriter(said)))
    except UnsayableError:
        return None


@pytest.mark.parametrize("want", ["one", "none", "several"])
def test_phrases_mean_what_the_grammar_meant(want: str) -> None:
    rng, kinds = random.Random(f"phrases/{want}"), Counter[str]()
    for turn in range(600):
        things = random_scene(rng)
        kind = list(KINDS)[turn % len(KINDS)]
        e = make_expression(rng, things, want=want, kinds={kind: 1.0}, noise=CLEAN)
        said = words(e.text)
        ids = sayable(lambda w, e=e: w.expr(e.expr), said)
        if ids is not None:
            found = meant(things, Denotation(certain(things), ids, said).set())
            assert found == e.referents, (e, things)
            kinds[e.kind] += 1
    assert kinds.total() > 550
    missing = {"one": set(KINDS), "none": {f"absent_{k}" for k in KINDS} - {"absent_under"}}
    assert not missing.get(want, {"plural", "conjunction", "ambiguous"}) - set(kinds)


def test_statements_hold_where_they_hold() -> None:
    rng, seen = random.Random("statements"), Counter[tuple[str, bool]]()
    for turn in range(1000):
        things = random_scene(rng)
        kind = list(STATEMENT_KINDS)[turn % len(STATEMENT_KINDS)]
        s = make_statement(rng, things, kind=kind, noise=CLEAN)
        said = words(s.text)
        ids = sayable(lambda w, s=s: w.claim(s.claim), said)
        if ids is not None:
            holds = Denotation(certain(things), ids, said).claim()
            assert 0 <= holds <= 1 and (holds >= 0.5) is s.holds, (s, holds, things)
            seen[s.kind, s.holds] += 1
    assert seen.total() > 950
    assert all(seen[kind, holds] >= 10 for kind in STATEMENT_KINDS for holds in (True, False))


def test_questions_are_answered_as_the_grammar_would() -> None:
    rng, seen = random.Random("questions"), Counter[str]()
    for turn in range(1000):
        things = random_scene(rng)
        kind = list(QUESTION_KINDS)[turn % len(QUESTION_KINDS)]
        q = make_question(rng, things, kind=kind, noise=CLEAN)
        said = words(q.text)
        ids = sayable(lambda w, q=q: w.question(q), said)
        if ids is not None:
            answered = Denotation(certain(things), ids, said).answer()
            assert told(things, answered) == q.answer, (q, answered, things)
            if q.answer_kind != "yes_no":
                assert meant(things, answered.about) == q.referent_ids, (q, answered, things)
            seen[q.answer_kind] += 1
    assert seen.total() > 950
    assert all(seen[kind] >= 50 for kind in QUESTION_KINDS)


def told(things: Sequence[Thing], answered: Answered) -> str:
    chosen = [t for t, p in zip(things, answered.about, strict=True) if p >= 0.5]
    seen = [Seen(t.color, t.shape, t.size, t.label or "", -t.position_m[1]) for t in chosen]
    return answer_text(answered.asks, answered.holds, seen)


def believed(p: Sequence[float], x: Sequence[float] = (), y: Sequence[float] = ()) -> Beliefs:
    """Things that are cubes with these probabilities, and balls otherwise; 10 cm apart from left to right
    where no places (m) are given."""
    n = len(p)
    b = certain([Thing(str(i), "cube", "red") for i in range(n)])
    shapes = np.zeros((n, len(v.SHAPES)))
    shapes[:, v.SHAPES.index("cube")] = p
    shapes[:, v.SHAPES.index("ball")] = 1 - np.array(p)
    places = np.stack([list(x) or np.full(n, 0.45), list(y) or 0.4 - 0.1 * np.arange(n)], 1)
    return Beliefs(
        b.real, b.colors, shapes, b.sizes, places, b.log_volumes, b.rests, b.prints, b.label_characters
    )


def form(*tokens: str) -> list[int]:
    return [CONTROL_ID[t] for t in (*tokens, v.END)]


CUBE, BALL = v.NOUN["cube"], v.NOUN["ball"]
SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def worlds(p: Sequence[float]) -> list[tuple[float, tuple[int, ...]]]:
    """All ways which of the things are cubes, from left to right, each with its probability."""
    return [
        (math.prod(q if here else 1 - q for q, here in zip(p, way, strict=True)),
         tuple(i for i, here in enumerate(way) if here))
        for way in product((False, True), repeat=len(p))
    ]  # fmt: skip


def expected(p: Sequence[float], chosen: Callable[[tuple[int, ...]], int | None]) -> np.ndarray:
    """How likely each thing is the one `chosen` of the cubes."""
    out = np.zeros(len(p))
    for weight, cubes in worlds(p):
        one = chosen(cubes)
        if one is not None:
            out[one] += weight
    return out


@settings(max_examples=40, deadline=None)
@given(SHARES, st.sampled_from(v.TESTS), st.integers(0, 7))
def test_counts_are_those_of_all_worlds(p: list[float], test: str, number: int) -> None:
    passing = {
        "exactly": lambda n: n == number, "at_least": lambda n: n >= number,
        "at_most": lambda n: n <= number, "more_than": lambda n: n > number,
        "fewer_than": lambda n: n < number,
    }[test]  # fmt: skip
    wanted = sum(weight for weight, cubes in worlds(p) if passing(len(cubes)))
    ids = form(v.TEST[test], v.NUMBER[number], CUBE)
    assert Denotation(believed(p), ids, ()).claim() == pytest.approx(wanted, abs=1e-9)
    denied = form(v.NOT, v.TEST[test], v.NUMBER[number], CUBE)
    assert Denotation(believed(p), denied, ()).claim() == pytest.approx(1 - wanted, abs=1e-9)


def test_halves_are_counted_like_coins() -> None:
    for n in range(1, 7):
        for k in range(n + 1):
            ids = form(v.TEST["exactly"], v.NUMBER[k], CUBE)
            said = Denotation(believed([0.5] * n), ids, ()).claim()
            assert said == pytest.approx(math.comb(n, k) / 2**n)


@settings(max_examples=40, deadline=None)
@given(SHARES, st.integers(0, 3), st.booleans())
def test_the_one_at_a_rank_is_that_of_all_worlds(p: list[float], rank: int, right: bool) -> None:
    order = "right" if right else "left"
    ranked = [v.RANK[v.RANKS[rank - 1]]] if rank else []
    found = Denotation(believed(p), form(v.ORDER[order], *ranked, CUBE), ()).set()
    wanted = expected(p, lambda c: c[:: -1 if right else 1][rank] if len(c) > rank else None)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(SHARES)
def test_the_middle_one_is_that_of_all_worlds(p: list[float]) -> None:
    found = Denotation(believed(p), form(v.MIDDLE, CUBE), ()).set()
    wanted = expected(p, lambda c: c[len(c) // 2] if len(c) % 2 and len(c) > 2 else None)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(SHARES)
def test_the_nearest_one_is_that_of_all_worlds(p: list[float]) -> None:
    """To what stands at the far right, which is certainly no cube."""
    last = v.ORDER["right"], v.NOUN["thing"]
    found = Denotation(believed([*p, 0.0]), form(v.NEAREST, CUBE, *last), ()).set()
    wanted = expected([*p, 0.0], lambda c: c[-1] if c else None)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_no_thing_is_nearest_to_itself_and_without_a_reference_nothing_is() -> None:
    b = believed([1, 1, 0.5], x=[0.3, 0.4, 0.6], y=[0.0] * 3)
    thing = v.NOUN["thing"]
    to_first = Denotation(b, form(v.NEAREST, thing, v.ORDER["near"], thing), ()).set()
    np.testing.assert_allclose(to_first, [0, 1, 0], atol=1e-5)
    to_ball = Denotation(b, form(v.NEAREST, v.ORDER["near"], CUBE, BALL), ()).set()
    np.testing.assert_allclose(to_ball, [0.5, 0, 0], atol=1e-5)
    assert Denotation(b, form(v.NEAREST, thing, v.NOUN["bowl"]), ()).set().tolist() == [0, 0, 0]


def test_what_lies_even_is_even() -> None:
    """Of two at one place, neither is further left; and certain ones are not spoilt by what is unlikely."""
    even = Denotation(believed([1, 1], y=[0.1, 0.1]), form(v.ORDER["left"], CUBE), ()).set()
    np.testing.assert_allclose(even, [0.5, 0.5])
    near = Denotation(believed([1, 1], x=[0.40, 0.42], y=[0.0, 0.0]), form(v.ORDER["near"], CUBE), ()).set()
    assert near[0] > 0.9 and near[1] < 0.1
    ghost = Denotation(believed([0.01, 1, 1]), form(v.ORDER["left"], CUBE), ()).set()
    assert ghost[1] > 0.98 and ghost[0] < 0.02


def test_ranks_beyond_what_is_there_mean_nothing() -> None:
    found = Denotation(believed([1, 1]), form(v.ORDER["left"], v.RANK["fourth"], CUBE), ()).set()
    assert found.tolist() == [0, 0]


def test_a_relation_to_several_is_a_relation_to_any_and_never_to_itself() -> None:
    b = believed([1, 0.3, 0.6])
    found = Denotation(b, form(v.RELATION["right_of"], v.NOUN["thing"], CUBE), ()).set()
    np.testing.assert_allclose(found, [0, 1, 1 - 0.7 * 0], atol=1e-5)
    left = Denotation(b, form(v.RELATION["left_of"], v.NOUN["thing"], CUBE), ()).set()
    np.testing.assert_allclose(left, [1 - 0.7 * 0.4, 0.6, 0], atol=1e-5)


def test_sets_are_joined_and_lessened() -> None:
    b = believed([0.5, 0.2])
    both = Denotation(b, form(v.BOTH, CUBE, CUBE), ()).set()
    np.testing.assert_allclose(both, [0.75, 0.36])
    less = Denotation(b, form(v.WITHOUT, v.NOUN["thing"], CUBE), ()).set()
    np.testing.assert_allclose(less, [0.5, 0.8])


def test_prints_are_believed_character_by_character() -> None:
    marked = [Thing("a", "cube", "red", label="A7"), Thing("b", "cube", "red", label="A")]
    things = [*marked, Thing("c", "ball", "red")]
    b = certain(things)
    copied = [CONTROL_ID[v.MARKED], len(CONTROL) + 2, CONTROL_ID[CUBE], CONTROL_ID[v.END]]
    assert meant(things, Denotation(b, copied, SAID).set()) == {"a"}
    assert b.printed("a").tolist() == [0, 1, 0]
    for unreadable in ("", "A7B", "?"):
        assert b.printed(unreadable).tolist() == [0, 0, 0]
    b.prints[0, 1] = 0.5 * b.prints[1, 1] + 0.5 * b.prints[0, 1]
    np.testing.assert_allclose(b.printed("A7"), [0.5**PRINT_TRUST, 0, 0])
    assert pytest.approx(0.5, abs=0.01) == 0.05**PRINT_TRUST


def test_what_was_not_understood_means_nothing_and_is_neither_true_nor_false() -> None:
    b, ids = believed([1, 1]), [CONTROL_ID[v.NOT_UNDERSTOOD]]
    assert Denotation(b, ids, ()).set().tolist() == [0, 0]
    assert Denotation(b, ids, ()).claim() == 0.5
    answered = Denotation(b, ids, ()).answer()
    assert (answered.asks, answered.holds, answered.about.tolist()) == ("name", 0.5, [0, 0])


def test_of_no_objects_nothing_is_said() -> None:
    b = none()
    for tokens in ((CUBE,), (v.ORDER["left"], v.RANK["second"], CUBE), (v.MIDDLE, CUBE),
                   (v.NEAREST, CUBE, BALL), (v.RELATION["in"], CUBE, BALL)):  # fmt: skip
        assert Denotation(b, form(*tokens), ()).set().shape == (0,)
    assert Denotation(b, form(v.TEST["exactly"], v.NUMBER[0], CUBE), ()).claim() == 1
    assert Denotation(b, form(v.IS, CUBE, BALL), ()).claim() == 0


def none() -> Beliefs:
    empty = believed([1])
    arrays = (empty.real, empty.colors, empty.shapes, empty.sizes, empty.places_m, empty.log_volumes)
    kept = [a[:0] for a in arrays]
    return Beliefs(*kept, empty.rests[:0, :0], empty.prints[:0], empty.label_characters)


def unsure(rng: np.random.Generator, n: int) -> Beliefs:
    """Anything may be anything, anywhere, even in itself."""
    kinds = [rng.dirichlet(np.full(k, 0.5), n) for k in (len(v.COLOR), len(v.SHAPES), len(v.SIZE))]
    places = np.stack([rng.uniform(0.2, 0.7, n), rng.uniform(-0.4, 0.4, n)], 1)
    prints = rng.dirichlet(np.full(1 + len(CONFIG.label_characters), 0.5), (n, CONFIG.label_length))
    volumes = rng.normal(-9, 1.5, n)
    return Beliefs(
        rng.random(n), *kinds, places, volumes, rng.random((n, n)), prints, CONFIG.label_characters
    )


def random_form(task: str, rng: np.random.Generator) -> list[int]:
    """Any reply to a task, mostly short."""
    slots, ids = OpenSlots(task), list[int]()
    while not slots.done:
        free = np.flatnonzero(slots.allowed(len(SAID)))
        # Few choices of what opens more slots; none at all when it is already long.
        nouns = [i for i in free if i < len(CONTROL) and CONTROL[i] in v.NOUN.values()]
        ids.append(int(rng.choice(nouns if nouns and (len(ids) > 12 or rng.random() < 0.3) else free)))
        slots.write(ids[-1])
    return ids


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 7))
def test_probabilities_stay_probabilities(seed: int, n: int) -> None:
    """Whatever is written about whatever is believed."""
    rng = np.random.default_rng(seed)
    b = unsure(rng, n) if n else none()
    for _ in range(4):
        found = Denotation(b, random_form(v.GROUND, rng), SAID).set()
        assert found.shape == (n,) and ((found >= -1e-9) & (found <= 1 + 1e-9)).all()
        assert -1e-9 <= Denotation(b, random_form(v.VERIFY, rng), SAID).claim() <= 1 + 1e-9
        answered = Denotation(b, random_form(v.ANSWER, rng), SAID).answer()
        assert answered.asks in v.QUESTION_KINDS and -1e-9 <= answered.holds <= 1 + 1e-9
        assert ((answered.about >= -1e-9) & (answered.about <= 1 + 1e-9)).all()
