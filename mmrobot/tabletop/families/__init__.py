"""Families of tasks: an episode from family, level and seed, the same for the same three.

L0 says with trained words what to do in a scene never seen; L1 names attribute pairs kept out of training;
L2 keeps L0's scenes and says it in wordings kept out, with politeness, fillers and typos. L3 shows sizes,
proportions, clutter and nameless things never trained on, and says now and then what a new word means. L4
keeps
L0's scenes and words and changes how they look (the runner sees to it). L5 joins two families in one
sentence.
Seeds of evaluation begin at EVALUATION_SEED; training takes those below.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, Expect, Followup, check_episode
from mmrobot.tabletop.families import composed, deeds, moves, sets, talk, turns
from mmrobot.tabletop.families.defining import with_definition
from mmrobot.tabletop.families.drafts import Draft, Story, say
from mmrobot.tabletop.families.feasible import feasible
from mmrobot.tabletop.families.goals import flat, goals_of, sizes_rise
from mmrobot.tabletop.goals import DIRECTIONS, failed_goals, initial_world
from mmrobot.tabletop.language import (
    CLEAN,
    TRAINING,
    Command,
    Step,
    describe_phrase,
    make_question,
    things_of,
)
from mmrobot.tabletop.objects import nearest_name
from mmrobot.tabletop.plan_meaning import Meaning, meaning_of
from mmrobot.tabletop.sampling import HELD_OUT, NoRoomError
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.words import words as words_of_text

EVALUATION_SEED = 1_000_000
LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")
_TRIES = 600
_WORD_TRIES = 30
FAMILIES: dict[str, Callable[[np.random.Generator, str], Draft | Story | None]] = {
    "pick": moves.pick,
    "put_in": moves.put_in,
    "put_beside": moves.put_beside,
    "stack": moves.stack,
    "push": deeds.push,
    "refer": moves.refer,
    "all": sets.all,
    "negation": sets.negation,
    "sort": sets.sort,
    "sequence": moves.sequence,
    "conditional": deeds.conditional,
    "label": moves.label,
    "question": talk.question,
    "clarify": talk.clarify,
    "refuse": talk.refuse,
    "twin": talk.twin,
    "dialogue": turns.dialogue,
    "interrupt": turns.interrupt,
    "disturbed": turns.disturbed,
}
# Families whose words are drawn freely over the scene, so that some cannot be done there.
_FREELY_WORDED = {
    "tower", "sequence", "swap", "put_back", "pyramid", "all", "some", "negation", "sort", "different",
    "conditional",
    *(f"composed_{name}" for name in composed.JOINED),
}  # fmt: skip


def offers(family: str, level: str) -> bool:
    """Whether a family has episodes of a level: L5 joins only some of them."""
    return level != "L5" or family in composed.JOINED


def _check_names(family: str, level: str, seed: int) -> None:
    for kind, value, known in (("family", family, tuple(FAMILIES)), ("level", level, LEVELS)):
        if value not in known:
            raise InvalidSceneError(
                f"'{value}' is no known {kind}",
                f"Did you mean '{nearest_name(value, known)}'? Known: {', '.join(known)}.",
            )
    if seed < 0:
        raise InvalidSceneError(f"seed {seed} is below 0", "Use a seed of 0 or more.")


def generate_episode(family: str, level: str, seed: int) -> Episode:
    """One episode, always the same for the same arguments. Raises InvalidSceneError for unknown names."""
    _check_names(family, level, seed)
    # The level is left out, so that L0 and L2 of one seed share their scene.
    rng = np.random.default_rng([seed, zlib.crc32(family.encode())])
    for attempt in itertools.count():
        if attempt == _TRIES:
            raise InvalidSceneError(f"no episode of {family} {level} with seed {seed}", "Take another seed.")
        try:
            draft = composed.begin(family, rng) if level == "L5" else FAMILIES[family](rng, level)
        except NoRoomError:
            draft = None
        # Drawn apart from the scene: how often words are tried must not change it.
        words = random.Random(int(rng.integers(2**31)))
        if draft is None:
            continue
        episode = _worded(draft, family, level, seed, words)
        if episode is not None:
            return episode
    raise AssertionError("unreachable")


def _worded(draft: Draft | Story, family: str, level: str, seed: int, words: random.Random) -> Episode | None:
    name = f"{family}_{level}_{seed}"
    if isinstance(draft, Story):
        episode = _story(draft, family, level, name, words)
    elif draft.family == "question":
        episode = _asked(draft, family, level, name, words)
    else:
        episode = None
        for _ in range(_WORD_TRIES if draft.family in _FREELY_WORDED else 1):
            command = say(draft, level, words)
            if command is not None and (draft.fault or _possible(draft, command)):
                episode = _told(draft, command, family, level, name, words)
                if episode is not None or draft.family == "tower":
                    break
    if episode is not None and level == "L3":
        episode = with_definition(episode, words)
    if episode is not None:
        check_episode(episode, name)
    return episode


def _possible(draft: Draft, command: Command) -> bool:
    return sizes_rise(draft.scene, command) and feasible(draft.scene, command)


def _story(draft: Story, family: str, level: str, name: str, words: random.Random) -> Episode | None:
    told = draft.tell(level, words)
    if told is None or not told.goals:
        return None
    others = tuple(o.id for o in draft.scene.objects if o.id not in told.involved)
    return Episode(
        name, draft.scene, told.instruction, family, level, told.followups, told.disturb,
        Expect("success", told.goals, others), told.meant,
    )  # fmt: skip


def _told(
    draft: Draft, command: Command, family: str, level: str, name: str, words: random.Random
) -> Episode | None:
    """An episode of a command. One with a fault ends in a question or a refusal, or goes on with an answer.
    None where what is told cannot be done, or is so already."""
    scene: Scene = draft.scene
    followups: tuple[Followup, ...] = ()
    meant: tuple[Meaning, ...] = (meaning_of(command.text, command.steps),)
    everything = tuple(o.id for o in scene.objects)
    if draft.fault is not None and draft.fault.startswith("absent"):
        expect = Expect("refuse", (), everything)
        return Episode(name, scene, command.text, family, level, expect=expect, meant=meant)
    if draft.fault is not None:
        several = next((s for s in command.steps if len(s.target_ids) > 1), None)
        if several is None or _leaves_choice(command, several):
            return None
        if words.random() < 0.5:
            expect = Expect("clarify", (), everything)
            return Episode(name, scene, command.text, family, level, expect=expect, meant=meant)
        wanted = frozenset({draft.target or ""})
        meant = (*meant, ())
        followups = (Followup("done", _answer(draft, several.target_ids, words)),)
        steps = tuple(replace(s, target_ids=wanted) if s is several else s for s in command.steps)
        command = replace(command, steps=steps)
    if draft.family == "put_back" and command.steps[0].skill != "pick":
        return None
    goals = goals_of(scene, command)
    if any(s.skill == "if" for s in command.steps):
        done = [s for c in command.steps for s in (c.then if c.holds else c.otherwise) if c.skill == "if"]
    else:
        done = list(command.steps)
    if draft.family in _FREELY_WORDED and not _has_room(scene, done):
        return None
    if not goals or not failed_goals(goals, initial_world(scene), scene):
        return None
    touched: set[str] = {
        n for s in flat(command.steps) for n in (*s.target_ids, *s.reference_ids, *s.part_ids)
    }
    # What must not be touched stays where it is, as all else does.
    touched -= {n for s in command.steps if s.skill == "avoid" for n in s.target_ids}
    if draft.family == "sequence" and level == "L1":
        named = {scene.by_id[n] for n in touched}
        if not any((o.color, o.shape) in HELD_OUT for o in named):
            return None
    others = tuple(o.id for o in scene.objects if o.id not in touched)
    expect = Expect("success", tuple(goals), others)
    return Episode(name, scene, command.text, family, level, followups, expect=expect, meant=meant)


def _has_room(scene: Scene, steps: Sequence[Step]) -> bool:
    """Whether there is a free spot beside each thing that another is put beside, as all stands at first."""
    target = ""
    for step in steps:
        if step.skill == "pick":
            target = min(step.target_ids)
        elif step.skill == "place" and step.relation in DIRECTIONS:
            a, b = scene.by_id[target], scene.by_id[min(step.reference_ids)]
            if not moves.free(moves.spot(a, b, step.relation), scene, a.id):
                return False
    return True


def _leaves_choice(command: Command, step: Step) -> bool:
    """Whether "a ball" was said: then any will do, and to ask would be wrong."""
    at = min(step.target or (0,))
    before = words_of_text(command.text)[max(at - 2, 0) : at + 1]
    return not {"a", "an", "any", "some", "either", "one"}.isdisjoint(before)


def _answer(draft: Draft, candidates: frozenset[str], words: random.Random) -> str:
    """What somebody says who was asked which one: by colour where that tells, or by a phrase of its own."""
    thing = draft.scene.by_id[draft.target or ""]
    colors = [draft.scene.by_id[c].color for c in candidates]
    if colors.count(thing.color) == 1 and words.random() < 0.5:
        return words.choice((f"the {thing.color} one", f"{thing.color}", f"the {thing.color} one, please"))
    things = things_of(draft.scene)
    return "the " + describe_phrase(next(t for t in things if t.id == thing.id), things)


def _asked(draft: Draft, family: str, level: str, name: str, words: random.Random) -> Episode:
    asked = make_question(
        words,
        things_of(draft.scene),
        split="heldout" if level == "L2" else "train",
        noise=TRAINING if level == "L2" else CLEAN,
    )
    everything = tuple(o.id for o in draft.scene.objects)
    expect = Expect("answer", (), everything, (asked.answer,))
    return Episode(name, draft.scene, asked.text, family, level, expect=expect, meant=((),))
