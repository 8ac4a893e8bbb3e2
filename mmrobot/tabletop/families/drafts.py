"""A scene with what is to be done in it, before it is put into words."""

from __future__ import annotations

from dataclasses import dataclass

from mmrobot.tabletop.scene import Scene


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
