"""Commands and expressions: meaning in the right words, through all noise, with variety, repeatably."""

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest

from mmrobot.command.text import MAX_WORDS
from mmrobot.tabletop.language import (
    CLEAN,
    FAMILIES,
    FAULTS,
    HANDWRITTEN,
    HEAVY,
    TRAINING,
    Command,
    Kind,
    Step,
    Thing,
    cubes_of_many_colors,
    describe_phrase,
    is_clear,
    make_command,
    make_expression,
    random_things,
    referents,
    vocabulary,
)
from mmrobot.tabletop.language.drafts import WordSpan
from mmrobot.tabletop.objects import GRASPABLE
from mmrobot.types import RELATIONS
from mmrobot.vlm.words import words

THINGS = (
    Thing("red_cube", "cube", "red", "small", (0.35, 0.2, 0.02)),
    Thing("blue_cube", "cube", "blue", "small", (0.45, 0.05, 0.02)),
    Thing("green_cube", "cube", "green", "large", (0.55, -0.1, 0.026)),
    Thing("ball", "ball", "yellow", "small", (0.3, -0.25, 0.021)),
    Thing("bowl", "bowl", "blue", "large", (0.6, 0.25, 0.027)),
)


def phrase(command: Command, span: WordSpan | None) -> str:
    split = words(command.text)
    return " ".join(split[i] for i in span or ())


def plan(command: Command) -> list[tuple[str, str]]:
    return [(s.relation or s.skill, phrase(command, s.target or s.reference)) for s in command.steps]


@pytest.mark.parametrize("split", ["train", "heldout"])
@pytest.mark.parametrize("noise", [CLEAN, TRAINING, HEAVY])
def test_steps_are_well_formed_in_every_noise(split: str, noise: object) -> None:
    rng = random.Random(7)
    for _ in range(150):
        things = random_things(rng)
        command = make_command(rng, things, split=split, noise=noise)  # type: ignore[arg-type]
        assert command is not None
        split_words, by_id = words(command.text), {t.id: t for t in things}
        assert command.kind in FAMILIES
        assert len(split_words) <= MAX_WORDS
        assert bool(command.steps) == (command.kind != "none")
        check_steps(command.steps, len(split_words), by_id)


ACTS = {"again", "instead", "other", "not_that", "resume"}


def check_steps(steps: Sequence[Step], words_said: int, by_id: dict[str, Thing]) -> None:
    """Spans lie in the text; a hand that is full picks nothing."""
    full = False
    for s in steps:
        for span in (s.target, s.reference, *s.parts):
            assert span is None or (len(set(span)) == len(span) > 0 and max(span) < words_said)
        if s.skill == "pick":
            assert not full and s.target is not None
            assert all(by_id[i].shape in GRASPABLE for i in s.target_ids)
        elif s.skill in ("place", "instead") and s.relation:
            assert s.relation in RELATIONS and s.reference is not None
        elif s.skill == "each":
            assert not full and s.target_ids and (s.count is None or 1 < s.count <= len(s.target_ids))
        elif s.skill == "push":
            assert not full and (s.relation == "near") == (s.reference is not None)
        elif s.skill == "if":
            assert s.holds is not None and (s.then or s.otherwise)
            check_steps(s.then, words_said, by_id)
            check_steps(s.otherwise, words_said, by_id)
        else:
            assert s.skill in {"home", "swap", "pyramid", "put_back", "avoid", *ACTS}
        full = s.skill in ("pick", "each") or (full and s.skill not in ("place", "put_back"))


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"pyramid", "none"}))
def test_each_family_says_things_in_trained_and_in_held_out_words(family: str) -> None:
    rng, said = random.Random(family), {"train": set(), "heldout": set()}
    for split, texts in said.items():
        for _ in range(400):
            command = make_command(rng, random_things(rng), family=family, split=split, noise=CLEAN)
            if command is not None:
                texts.add(command.text)
            if len(texts) == 2:
                break
        assert len(texts) == 2, (family, split)
    assert not said["train"] & said["heldout"]


def test_a_pyramid_names_six_cubes() -> None:
    rng, made = random.Random(2), 0
    for _ in range(40):
        command = make_command(rng, cubes_of_many_colors(rng), family="pyramid", noise=CLEAN)
        if command is not None:
            made += 1
            (step,) = command.steps
            assert len(step.parts) == len(set(step.part_ids)) == 6
    assert made > 10


def test_a_set_leaves_out_where_it_goes_and_what_is_excepted() -> None:
    rng, seen = random.Random(3), 0
    for _ in range(300):
        things = random_things(rng)
        command = make_command(rng, things, family="negation", noise=CLEAN)
        if command is None:
            continue
        each, place = command.steps
        seen += 1
        assert each.target_ids and not each.target_ids & place.reference_ids
    assert seen > 100


def test_phrases_mean_their_things() -> None:
    """Clean, plain phrases are read back by their words alone."""
    rng = random.Random(11)
    for _ in range(300):
        command = make_command(rng, THINGS, family="put_in", noise=CLEAN, plain=True)
        assert command is not None
        pick, place = command.steps
        for span, ids in ((pick.target, pick.target_ids), (place.reference, place.reference_ids)):
            said = phrase(command, span).split()
            (thing,) = (t for t in THINGS if t.id in ids)
            assert not {"red", "blue", "green", "yellow"}.intersection(said) - {thing.color}
            nouns = {"cube", "ball", "bowl"}.intersection(said)
            assert nouns <= {thing.shape}


def test_one_is_the_noun_before_it() -> None:
    rng, seen = random.Random(1), 0
    for _ in range(600):
        command = make_command(rng, THINGS[:3], family="stack", noise=CLEAN, plain=True)
        assert command is not None
        split = words(command.text)
        target = phrase(command, command.steps[0].target).split()
        if "one" in split and "cube" in target:
            seen += 1
            reference = command.steps[1].reference
            assert reference is not None
            assert split[reference[-1]] == "cube"
            assert split[reference[0]] == split[split.index("one") - 1]
            assert "one" not in phrase(command, reference)
            assert reference[-1] in (command.steps[0].target or ())
    assert seen > 60


def test_it_in_a_tower_is_what_was_moved() -> None:
    rng, seen = random.Random(2), 0
    for _ in range(300):
        command = make_command(rng, THINGS[:3], family="tower", noise=CLEAN)
        assert command is not None
        steps = command.steps
        assert [s.skill for s in steps] == ["pick", "place", "pick", "place"]
        assert steps[3].reference_ids == steps[0].target_ids
        assert len({*steps[0].target_ids, *steps[1].reference_ids, *steps[2].target_ids}) == 3
        seen += words(command.text)[-1] == "it"
    assert seen > 30


def test_what_is_asked_for_is_what_is_meant() -> None:
    rng = random.Random(3)
    for relation in ("left_of", "right_of", "behind", "in_front_of"):
        command = make_command(
            rng, THINGS, family="put_beside", target="ball", reference="green_cube", relation=relation
        )
        assert command is not None
        pick, place = command.steps
        assert (pick.target_ids, place.relation, place.reference_ids) == ({"ball"}, relation, {"green_cube"})
    assert make_command(rng, THINGS[:1], family="put_in") is None
    assert make_command(rng, (), family="pick") is None
    with pytest.raises(ValueError, match="unknown family 'fly'"):
        make_command(rng, THINGS, family="fly")


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_what_they_say(fault: str) -> None:
    rng, made = random.Random(5), 0
    while made < 60:
        things = random_things(rng, 6)
        command = make_command(rng, things, family="put_beside", fault=fault)
        if command is None:
            continue
        made += 1
        ids = command.steps[0].target_ids if fault.endswith("target") else command.steps[1].reference_ids
        assert len(ids) == 0 if fault.startswith("absent") else len(ids) > 1
        assert plan(command)[0][1]
        assert plan(command)[1][1]


def test_one_text_has_one_plan() -> None:
    rng = random.Random(9)
    scenes = [random_things(rng, 4, colors=("red", "blue")) for _ in range(60)]
    plans: defaultdict[tuple[str, ...], set[object]] = defaultdict(set)
    for i in range(1500):
        command = make_command(rng, scenes[i % 60], noise=CLEAN)
        assert command is not None
        meant = tuple((s.skill, s.relation, s.target, s.reference) for s in command.steps)
        plans[words(command.text)].add(meant)
    assert sum(len(p) > 1 for p in plans.values()) <= len(plans) // 500


def test_variety() -> None:
    rng = random.Random(13)
    texts = set()
    for _ in range(1500):
        command = make_command(rng, random_things(rng))
        assert command is not None
        texts.add(words(command.text))
    assert len(texts) > 1400
    pinned = set()
    for _ in range(500):
        command = make_command(rng, THINGS, family="put_in", target="red_cube", reference="bowl", noise=CLEAN)
        assert command is not None
        pinned.add(command.text)
    assert len(pinned) > 400


def test_held_out_wordings_are_not_trained() -> None:
    rng = random.Random(17)
    trained = vocabulary("train")
    new = vocabulary("heldout") - trained
    assert {"slide", "beyond", "leftward"} <= new
    for _ in range(600):
        command = make_command(rng, random_things(rng), noise=CLEAN, split="train")
        assert command is not None
        assert not new.intersection(words(command.text))
    seen: set[str] = set()
    for _ in range(200):
        command = make_command(rng, random_things(rng), noise=CLEAN, split="heldout")
        assert command is not None
        seen |= new.intersection(words(command.text))
    assert len(seen) > 15


def without_labels(text: str) -> set[str]:
    """The words of a clean text but for prints, which are the only ones in capitals."""
    return set(words(" ".join(w for w in text.split() if not w.isupper() and not w.isdigit())))


def test_the_vocabulary_holds_what_is_said() -> None:
    rng, known = random.Random(19), vocabulary("heldout")
    for _ in range(500):
        things = random_things(rng)
        command = make_command(rng, things, noise=CLEAN, split=rng.choice(("train", "heldout")))
        assert command is not None
        if command.kind != "none":
            assert without_labels(command.text) <= known, set(words(command.text)) - known
        expression = make_expression(rng, things)
        assert without_labels(expression.text) <= known, set(words(expression.text)) - known


def test_same_seed_same_words() -> None:
    def run() -> list[object]:
        rng = random.Random(23)
        out: list[object] = []
        for _ in range(200):
            things = random_things(rng)
            out += [make_command(rng, things), make_expression(rng, things)]
        return out

    assert run() == run()


@pytest.mark.parametrize("want", ["one", "none", "several"])
def test_expressions_mean_what_is_wanted(want: str) -> None:
    rng, right = random.Random(29), 0
    for _ in range(200):
        things = random_things(rng)
        e = make_expression(rng, things, want=want, noise=TRAINING)
        assert e.referents == referents(e.expr, things)
        assert is_clear(e.expr, things) or e.kind in ("shortest", "ambiguous")
        count = len(e.referents)
        right += {"one": count == 1, "none": count == 0, "several": count > 1}[want]
    assert right > 175


def test_absent_pairs_can_be_kept_out() -> None:
    rng, avoid = random.Random(31), {("red", "cube"), ("blue", "ball")}
    for _ in range(400):
        things = random_things(rng, avoid_pairs=avoid)
        assert not any((t.color, t.shape) in avoid for t in things)
        e = make_expression(rng, things, want="none", avoid_pairs=avoid)
        if isinstance(e.expr, Kind) and e.kind.startswith("absent"):
            assert not any((e.expr.color, s) in avoid for s in e.expr.shapes or ())


def test_shortest_phrases() -> None:
    assert describe_phrase(THINGS[3], THINGS) == "ball"
    assert describe_phrase(THINGS[0], THINGS) == "red cube"
    twins = (*THINGS, Thing("twin", "cube", "red", "small", (0.5, -0.3, 0.02)))
    assert describe_phrase(THINGS[0], twins) == "leftmost cube"


def test_handwritten_phrases_are_words_of_their_sentence() -> None:
    assert len(HANDWRITTEN) > 100
    for sentence, steps in HANDWRITTEN:
        for skill, said in steps:
            known = {"pick", "home", "each", "push", "swap", "pyramid", "if", "then", "else", "avoid"}
            known |= {"put_back"}
            assert skill.split()[0] in {*known, *ACTS, *RELATIONS}
            assert bool(said) == (skill not in ("home", "other", "not_that", "resume"))
            assert set(said.split()) <= {*words(sentence), "and"}, sentence
