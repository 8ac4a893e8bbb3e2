"""A scene with what is to be done in it, before it is put into words."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from mmrobot.tabletop.episode import Disturbance, Followup
from mmrobot.tabletop.language import CLEAN, TRAINING, Command, make_command, things_of
from mmrobot.tabletop.plan_meaning import Meaning
from mmrobot.tabletop.scene import Scene

# By attributes alone: order and relations belong to the family `refer`.
ATTRIBUTES = {"color_shape": 10.0, "color": 1.5, "shape": 2.0}
PHRASE_KINDS: dict[str, dict[str, float]] = {"L1": {"color_shape": 1.0}}


@dataclass(frozen=True)
class Draft:
    """`family`, `target`, `reference`, `relation`, `fault` are what the language is asked for (see
    make_command), `kinds` of phrases where the level's own are not meant; `family` "question" asks."""

    scene: Scene
    family: str
    target: str | None = None
    reference: str | None = None
    relation: str | None = None
    kinds: dict[str, float] | None = None
    fault: str | None = None


def say(draft: Draft, level: str, words: random.Random) -> Command | None:
    """The draft as somebody says it at a level; None where the scene has nothing for it."""
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
        kinds=draft.kinds or PHRASE_KINDS.get(level, ATTRIBUTES),
    )


@dataclass(frozen=True)
class Told:
    """What is said, what happens meanwhile, what must hold in the end; `involved` may move, all else not;
    `meant` as Episode has it."""

    instruction: str
    goals: tuple[str, ...]
    involved: frozenset[str]
    meant: tuple[Meaning, ...]
    followups: tuple[Followup, ...] = ()
    disturb: tuple[Disturbance, ...] = ()


@dataclass(frozen=True)
class Story:
    """An episode of several turns, or in which something happens meanwhile; `tell(level, words)` words it."""

    scene: Scene
    tell: Callable[[str, random.Random], Told | None]
