"""Where the six blocks of a pyramid come to rest: three side by side, two over the gaps, one on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError, UnsafeError
from mmrobot.planning.table_top import free_spot
from mmrobot.types import GroundedObject, Vector3

BLOCKS = 6
# Between neighbours: fingers close along the other axis, and a block bridges it with enough on both sides.
_GAP_M = 0.012
_LEVEL_M = 0.006


@dataclass(frozen=True)
class Spot:
    """A block's goal, and which block of the six it rests on (None: the table), the left one of two."""

    goal_m: Vector3
    support: int | None = None


def pyramid(
    blocks: Sequence[GroundedObject], others: Sequence[GroundedObject], config: Config
) -> tuple[Spot, ...]:
    """Spots of the blocks in their order: the base from left to right, the middle row, the top.

    Raises NotUnderstoodError unless there are six different ones, UnsafeError where they are of different
    heights or the table has no room.
    """
    distinct = {block.position_m for block in blocks}
    if len(blocks) != BLOCKS or len(distinct) != BLOCKS:
        raise NotUnderstoodError(
            f"a pyramid has {BLOCKS} different blocks, {len(distinct)} were named", "name six blocks"
        )
    heights = [block.size_m[2] for block in blocks]
    if max(heights) - min(heights) > _LEVEL_M:
        raise UnsafeError(
            f"the blocks are {min(heights):.3f} to {max(heights):.3f} m high: none would lie level on them",
            "name blocks of one size",
            rule="level",
        )
    width = max(max(block.size_m[:2]) for block in blocks)
    pitch, height = width + _GAP_M, sum(heights) / BLOCKS
    row = replace(blocks[0], size_m=(width, 3 * width + 2 * _GAP_M, height), yaw_rad=0.0)
    # Where they stand now is free by then, but for those above the base, which are taken last.
    x, y, z = free_spot(row, [*others, *blocks[1:]], config)
    base = [Spot((x, y + k * pitch, z)) for k in (1, 0, -1)]
    middle = [Spot((x, y + k * pitch, z + height), support) for k, support in ((0.5, 0), (-0.5, 1))]
    return (*base, *middle, Spot((x, y, z + 2 * height), 3))
