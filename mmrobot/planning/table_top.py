"""The table itself as a place: "put it on the table" is on a free spot of it. Metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.types import GroundedObject, Vector3

TABLE = "the table"
_NAMES = frozenset({"table", "tabletop", "table top", "desk"})
_UNSAID = frozenset({"the", "a", "my", "your", "this", "that", "free", "on", "of"})
_GRID_M = 0.02
_THICKNESS_M = 0.01
# Spots this much freer than needed are not better still.
_ROOM_M = 0.05
# Footprints seen are a little larger than the things.
_SEEN_M = 0.004


def is_table(phrase: str) -> bool:
    """Whether a phrase names the table itself."""
    return " ".join(w for w in phrase.lower().split() if w not in _UNSAID) in _NAMES


def table_top(config: Config, stamp_ns: int) -> GroundedObject:
    """The work area as a thing: a flat plate, its top at the table's height."""
    area = config.work_area
    middle = ((area.x_min_m + area.x_max_m) / 2, (area.y_min_m + area.y_max_m) / 2)
    size = (area.x_max_m - area.x_min_m, area.y_max_m - area.y_min_m, _THICKNESS_M)
    return GroundedObject(
        TABLE, (0.0, 0.0, 1.0, 1.0), 1.0, (*middle, area.table_z_m - _THICKNESS_M / 2), size, 0.0,
        area.table_z_m, np.eye(3) * 1e-8, stamp_ns,
    )  # fmt: skip


def free_spot(
    target: GroundedObject,
    others: Sequence[GroundedObject],
    config: Config,
    wish: tuple[float, float] | None = None,
) -> Vector3:
    """Where the middle of the target's underside comes to rest on the table: at `wish`, if nothing stands
    there; else near to it (default: to where it is) with room for the hand all round. Raises UnsafeError,
    rule
    "free_place"."""
    area, planning = config.work_area, config.planning
    own, around = footprint_of(target), [footprint_of(o) for o in others]
    x0, y0 = wish or target.position_m[:2]
    best: tuple[float, float, float] | None = None
    for x, y in [(x0, y0), *_grid(config)]:
        spot = own.at(x, y)
        reach_x, reach_y = spot.half_extent(0.0), spot.half_extent(math.pi / 2)
        inside = area.contains(x + reach_x, y + reach_y) and area.contains(x - reach_x, y - reach_y)
        gap = min((gap_m(spot, o) for o in around), default=_ROOM_M)
        if not inside or gap < planning.clearance_m - _SEEN_M:
            continue
        if wish is not None and (x, y) == wish:
            return (x, y, area.table_z_m)
        short_m = max(0.0, planning.hand_clearance_m - gap) + 0.2 * max(0.0, _ROOM_M - gap)
        cost = math.hypot(x - x0, y - y0) + 4.0 * short_m
        if best is None or cost < best[0]:
            best = (cost, x, y)
    if best is None:
        raise UnsafeError(
            f"no free place on the table for '{target.label}'", "clear some room there", rule="free_place"
        )
    return (best[1], best[2], area.table_z_m)


def _grid(config: Config) -> list[tuple[float, float]]:
    area = config.work_area
    xs = np.arange(area.x_min_m, area.x_max_m, _GRID_M)
    ys = np.arange(area.y_min_m, area.y_max_m, _GRID_M)
    return [(float(x), float(y)) for x in xs for y in ys]
