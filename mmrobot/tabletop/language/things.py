"""A symbolic scene: things with names, places and what lies in what. No pictures, no physics."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mmrobot.tabletop.objects import (
    CONTAINERS,
    LABELLED,
    SHAPES,
    SIZES,
    TRAINED_COLORS,
    default_size,
    dimensions,
)
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, SceneObject, fits_inside

_TOUCH_M = 0.01
LABEL_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LABEL_DIGITS = "0123456789"


@dataclass(frozen=True)
class Thing:
    """One object as words know it. `position_m` is its middle in base; `inside`, `on` are ids or None;
    `label` is the print on it, or None; `bulk` how many times its size's usual volume it has."""

    id: str
    shape: str
    color: str
    size: str = "small"
    position_m: tuple[float, float, float] = (0.45, 0.0, 0.0)
    inside: str | None = None
    on: str | None = None
    label: str | None = None
    bulk: float = 1.0


def things_of(scene: Scene) -> tuple[Thing, ...]:
    """A scene's objects as things, without distractors; what lies in a plate counts as on it."""
    return tuple(_thing(o, scene.objects) for o in scene.objects if o.named)


def visible_things(things: Sequence[Thing], shown: Collection[str]) -> tuple[Thing, ...]:
    """Those whose ids are shown; what lies in or on a thing that is hidden lies, for words, nowhere."""

    def known(host: str | None) -> str | None:
        return host if host in shown else None

    return tuple(replace(t, inside=known(t.inside), on=known(t.on)) for t in things if t.id in shown)


def _thing(o: SceneObject, others: Sequence[SceneObject]) -> Thing:
    inside = on = None
    for other in others:
        if other is o or o.underside_z_m <= other.underside_z_m:
            continue
        if fits_inside(o, other):
            if other.shape == "plate":
                on = other.id
            else:
                inside = other.id
        elif _rests_on(o, other):
            on = other.id
    return Thing(o.id, o.shape, o.color, o.size, o.center_m, inside, on, o.label, math.prod(o.stretch))


def _rests_on(upper: SceneObject, lower: SceneObject) -> bool:
    gap = upper.underside_z_m - (lower.underside_z_m + lower.dims.height_m)
    return abs(gap) < _TOUCH_M and lower.footprint.distance_m((upper.position[0], upper.position[1])) <= 0.0


def random_things(
    rng: random.Random,
    count: int | None = None,
    *,
    colors: Sequence[str] = TRAINED_COLORS,
    shapes: Sequence[str] | None = None,
    avoid_pairs: Collection[tuple[str, str]] = (),
) -> tuple[Thing, ...]:
    """A scene for words alone: 3 to 9 things, 8 cm apart or more, some in or on others.

    Half of the scenes have labels on some of what can carry one (LABELLED).
    Some scenes repeat a colour, shape or both, so that attributes alone do not tell things apart.
    `shapes`: the only ones; `avoid_pairs` are (colour, shape) that must not occur.
    """
    count = rng.randint(3, 9) if count is None else count
    hues = rng.sample(list(colors), min(len(colors), rng.randint(2, max(2, count))))
    known = SHAPES if shapes is None else tuple(shapes)
    shapes = rng.sample(SHAPES, rng.randint(2, len(SHAPES))) if shapes is None else known
    print_share = rng.choice((0.0, 0.0, 0.5, 0.9))
    things: list[Thing] = []
    places: list[tuple[float, float]] = []
    for _ in range(count * 12):
        if len(things) == count:
            break
        shape, color = rng.choice(shapes if rng.random() < 0.8 else known), rng.choice(hues)
        if (color, shape) in avoid_pairs:
            continue
        size = default_size(shape) if rng.random() < 0.5 else rng.choice(SIZES)
        thing_id, height = f"thing{len(things)}", dimensions(shape, size).height_m
        label = random_label(rng) if shape in LABELLED and rng.random() < print_share else None
        host = _host(rng, shape, size, things) if rng.random() < 0.2 else None
        if host is not None:
            x, y, z = host.position_m
            on = host.shape == "plate" or host.shape not in CONTAINERS
            inside, under = (None, host.id) if on else (host.id, None)
            things.append(Thing(thing_id, shape, color, size, (x, y, z + height), inside, under, label))
            continue
        place = (rng.uniform(*WORK_AREA_X), rng.uniform(*WORK_AREA_Y))
        if all(math.dist(place, p) > 0.08 for p in places):
            places.append(place)
            things.append(Thing(thing_id, shape, color, size, (*place, height / 2), label=label))
    return tuple(things)


def cubes_of_many_colors(
    rng: random.Random, avoid_pairs: Collection[tuple[str, str]] = ()
) -> tuple[Thing, ...]:
    """A scene of six cubes or more, no two of a colour, as a pyramid needs."""
    while True:
        cubes = random_things(rng, 14, shapes=("cube",), avoid_pairs=avoid_pairs)
        first = {t.color: t for t in reversed(cubes) if not (t.inside or t.on)}
        if len(first) >= 6:
            return tuple(first.values())


def random_label(rng: random.Random) -> str:
    """A print as `labels.sample_label` makes them: mostly a letter and a digit ("B4"), else one alone."""
    x, letter, digit = rng.random(), rng.choice(LABEL_LETTERS), rng.choice(LABEL_DIGITS)
    if x < 0.7:
        return letter + digit
    # By themselves these could be either.
    return (
        digit.replace("0", "7").replace("1", "7") if x < 0.85 else letter.replace("I", "A").replace("O", "A")
    )


def _host(rng: random.Random, shape: str, size: str, things: Sequence[Thing]) -> Thing | None:
    """Something free that a thing of this shape may lie in or on."""
    if shape in ("bowl", "plate", "tray"):
        return None
    used = {t.inside or t.on for t in things}
    hosts = ("bowl", "plate", "tray", *(("cube",) if shape in ("cube", "cylinder", "cup") else ()))
    if size == "small" and shape in ("ball", "cylinder"):
        hosts = (*hosts, "cup")
    free = [t for t in things if t.shape in hosts and t.id not in used and not (t.inside or t.on)]
    return rng.choice(free) if free else None
