"""Families of tasks: an episode from family, level and seed, the same for the same three.

L0 says with trained words what to do in a scene never seen; L1 names attribute pairs kept out of training;
L2 keeps L0's scenes and says it in wordings kept out, with politeness, fillers and typos. Seeds of evaluation
begin at EVALUATION_SEED; training takes those below.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, Expect, Followup, check_episode
from mmrobot.tabletop.families import moves, talk
from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.goals import goals_of, sizes_rise
from mmrobot.tabletop.goals import DIRECTIONS, failed_goals, initial_world
from mmrobot.tabletop.language import (
    CLEAN,
    TRAINING,
    Command,
    Step,
    describe_phrase,
    make_command,
    make_question,
    things_of,
)
from mmrobot.tabletop.objects import nearest_name
from mmrobot.tabletop.sampling import HELD_OUT
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.words import words as words_of_text

EVALUATION_SEED = 1_000_000
LEVELS = ("L0", "L1", "L2")
# By attributes alone: order and relations belong to the family `refer`.
PHRASE_KINDS: dict[str, dict[str, float]] = {
    "L0": {"color_shape": 10.0, "color": 1.5, "shape": 2.0},
    "L1": {"color_shape": 1.0},
    "L2": {"color_shape": 10.0, "color": 1.5, "shape": 2.0},
}
_TRIES = 300
FAMILIES: dict[str, Callable[[np.random.Generator, str], Draft | None]] = {
    "pick": moves.pick,
    "put_in": moves.put_in,
    "put_beside": moves.put_beside,
    "stack": moves.stack,
    "refer": moves.refer,
    "label": moves.label,
    "sequence": moves.sequence,
    "question": talk.question,
    "clarify": talk.clarify,
    "refuse": talk.refuse,
    "twin": talk.twin,
}


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
        draft = FAMILIES[family](rng, level)
        # Drawn apart from the scene: how often words are tried must not change it.
        words = random.Random(int(rng.integers(2**31)))
        if draft is None:
            continue
        episode = _worded(draft, family, level, seed, words)
        if episode is not None:
            return episode
    raise AssertionError("unreachable")


def _worded(draft: Draft, family: str, level: str, seed: int, words: random.Random) -> Episode | None:
    name = f"{family}_{level}_{seed}"
    if draft.family == "question":
        episode = _asked(draft, family, level, name, words)
    else:
        episode = None
        for _ in range(30 if draft.family in ("tower", "sequence") else 1):
            command = _say(draft, level, words)
            if command is not None and (draft.fault or sizes_rise(draft.scene, command)):
                episode = _told(draft, command, family, level, name, words)
                if episode is not None or draft.family == "tower":
                    break
    if episode is not None:
        check_episode(episode, name)
    return episode


def _say(draft: Draft, level: str, words: random.Random) -> Command | None:
    return make_command(
        words,
        things_of(draft.scene),
        family=draft.family,
        target=draft.target,
        reference=draft.reference,
        relation=draft.relation,
        fault=draft.fault,
        split="heldout" if level == "L2" else "train",
        noise=TRAINING if level == "L2" else CLEAN,
        kinds=draft.kinds or PHRASE_KINDS[level],
    )


def _told(
    draft: Draft, command: Command, family: str, level: str, name: str, words: random.Random
) -> Episode | None:
    """An episode of a command. One with a fault ends in a question or a refusal, or goes on with an answer.
    None where what is told cannot be done, or is so already."""
    scene: Scene = draft.scene
    followups: tuple[Followup, ...] = ()
    everything = tuple(o.id for o in scene.objects)
    if draft.fault is not None and draft.fault.startswith("absent"):
        return Episode(name, scene, command.text, family, level, expect=Expect("refuse", (), everything))
    if draft.fault is not None:
        several = next((s for s in command.steps if len(s.target_ids) > 1), None)
        if several is None or _leaves_choice(command, several):
            return None
        if words.random() < 0.5:
            expect = Expect("clarify", (), everything)
            return Episode(name, scene, command.text, family, level, expect=expect)
        meant = frozenset({draft.target or ""})
        followups = (Followup("done", _answer(draft, several.target_ids, words)),)
        steps = tuple(replace(s, target_ids=meant) if s is several else s for s in command.steps)
        command = replace(command, steps=steps)
    goals = goals_of(scene, command)
    if draft.family == "sequence" and not _has_room(scene, command):
        return None
    if not goals or not failed_goals(goals, initial_world(scene), scene):
        return None
    touched = set().union(*(s.target_ids | s.reference_ids for s in command.steps))
    if draft.family == "sequence" and level == "L1":
        named = {scene.by_id[n] for n in touched}
        if not any((o.color, o.shape) in HELD_OUT for o in named):
            return None
    others = tuple(o.id for o in scene.objects if o.id not in touched)
    expect = Expect("success", tuple(goals), others)
    return Episode(name, scene, command.text, family, level, followups, expect=expect)


def _has_room(scene: Scene, command: Command) -> bool:
    """Whether there is a free spot beside each thing that another is put beside, as all stands at first."""
    target = ""
    for step in command.steps:
        if step.skill == "pick":
            target = min(step.target_ids)
        elif step.relation in DIRECTIONS:
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
    return Episode(name, draft.scene, asked.text, family, level, expect=expect)
