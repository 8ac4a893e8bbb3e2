"""The catalogue of skills, as data: what each takes, what must hold before, what holds after.

Conditions are predicates in the words of the task domain: `hand_empty`, `held(the red cube)`,
`in(the red cube, the blue bowl)`. They go into the plan's steps for people and programs to read.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from mmrobot.errors import SkillUnknownError
from mmrobot.planning.pushing import NEAR, RELATIONS_OF_PUSH
from mmrobot.types import RELATIONS

# Not a skill: the look after a place, whether the thing is where it was put. It never goes to a robot.
VERIFY = "verify"
# The label of a spot, among a place's obstacles, to which the hand found no way.
BLOCKED = "a blocked spot"


@dataclass(frozen=True)
class Skill:
    """One skill. In conditions, {target}, {relation}, {reference} stand for the step's arguments."""

    name: str
    does: str
    arguments: tuple[str, ...] = ()
    preconditions: tuple[str, ...] = ()
    postconditions: tuple[str, ...] = ()
    relations: tuple[str, ...] = RELATIONS


CATALOGUE: dict[str, Skill] = {
    skill.name: skill
    for skill in (
        Skill(
            "pick",
            "grasp a thing and lift it",
            arguments=("target",),
            preconditions=("hand_empty", "visible({target})"),
            postconditions=("held({target})",),
        ),
        Skill(
            "place",
            "put down what the hand holds, in relation to another thing",
            arguments=("relation", "reference"),
            preconditions=("held({target})", "visible({reference})"),
            postconditions=("hand_empty", "{relation}({target}, {reference})"),
        ),
        Skill(
            "push",
            "push a thing over the table, some way in a direction, or until it is near another",
            arguments=("target", "relation"),
            preconditions=("hand_empty", "visible({target})"),
            postconditions=("pushed({target})",),
            relations=RELATIONS_OF_PUSH,
        ),
        Skill("home", "go to the posture that leaves the camera's view free"),
        Skill("navigate", "drive to a place of the settings, by its name", arguments=("text",)),
        Skill("say", "speak to the person", arguments=("text",)),
    )
}


def skill_named(name: str) -> Skill:
    """The skill of that name; SkillUnknownError names the nearest known one."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.0)
    raise SkillUnknownError(
        f"there is no skill '{name}'", f"did you mean '{near[0]}'? known: {', '.join(CATALOGUE)}"
    )


def missing_arguments(name: str, given: dict[str, object]) -> tuple[str, ...]:
    """Which arguments of the skill are absent, or are not what they may be."""
    missing = [argument for argument in skill_named(name).arguments if not given.get(argument)]
    skill = skill_named(name)
    if "relation" in skill.arguments and given.get("relation") not in skill.relations:
        missing.append("relation")
    if given.get("relation") == NEAR and not given.get("reference"):
        missing.append("reference")
    return tuple(dict.fromkeys(missing))


def conditions(
    name: str, target: str = "it", relation: str = "", reference: str = ""
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Pre- and postconditions of a skill with its arguments filled in."""
    skill = skill_named(name)

    def fill(templates: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(t.format(target=target, relation=relation, reference=reference) for t in templates)

    return fill(skill.preconditions), fill(skill.postconditions)
