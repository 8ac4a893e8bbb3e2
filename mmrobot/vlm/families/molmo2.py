"""Molmo 2: points, not boxes. `<points coords="1 1 512 300 2 700 310">label</points>`: the picture's
index, then an object's number, x and y, each from 0 to 1000, x first (the model card's example).

The way from a point to a box, since the robot needs extents: the patch of even colour around the point
is grown (at most half of each side), and the box is what bounds it. Where the patch is tiny or runs
over, the box is a square of a fixed share of the picture around the point. The box tells where the model
points and is only an estimate of how large the thing is; depth corrects it when it is lifted.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.types import BoxXyxy, ScoredBox
from mmrobot.vlm import replies
from mmrobot.vlm.chat_vlm import Ask
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import DESCRIBE_TOKENS, GROUND_TOKENS, InstructedFamily
from mmrobot.vlm.prompts import quoted

CONVENTION = Convention("points from 0 to 1000, x first", span=1000)
WINDOW_SHARE = 0.08  # of the shorter side: a tabletop thing in an overview picture
MOST_SHARE = 0.5
COLOUR_STEP = 12  # 8-bit levels between neighbours within one face of a thing

_TAG = re.compile(r"<points?\s([^<>]*)>([^<>]*)</points?>")
_COORDS = re.compile(r'coords="([0-9 ]+)"')
_NONE = re.compile(r"(?:there (?:are|is) none|none)[.!]?", re.IGNORECASE)


def read_points(reply: str) -> list[tuple[str, float, float]]:
    """(label, x, y) of each point, from 0 to 1000.

    Raises ModelReplyInvalidError for a tag that cannot be read, one of another picture, a number out of
    range, or a reply with no tag that does not say that there are none.
    """
    if len(reply) > replies.LONGEST_REPLY:
        replies.invalid(f"the reply has {len(reply)} characters, more than {replies.LONGEST_REPLY}")
    tags = list(_TAG.finditer(reply))
    if not tags and _NONE.fullmatch(reply.strip()):
        return []
    if not tags or "<" in _TAG.sub("", reply):
        replies.invalid(f'the reply {replies.brief(reply)} is not <points coords="1 1 x y">label</points>')
    found = []
    for tag in tags:
        coords = _COORDS.search(tag[1])
        values = [float(v) for v in coords[1].split()] if coords else []
        if len(values) < 4 or len(values) % 3 != 1 or values[0] not in (0, 1):
            replies.invalid(f"the points {replies.brief(tag[1])} are not a picture's index and triples")
        for k in range(1, len(values), 3):
            x, y = values[k + 1 : k + 3]
            if max(x, y) > 1000:
                replies.invalid(f"the point {x:g} {y:g} leaves the picture: both run from 0 to 1000")
            found.append((tag[2].strip(), x, y))
    if len(found) > replies.MOST_OBJECTS:
        replies.invalid(f"the reply holds {len(found)} points, more than {replies.MOST_OBJECTS}")
    return found


def box_around(image_rgb: NDArray[np.uint8], x: float, y: float) -> BoxXyxy:
    """The box, in pixels of the picture, of the even patch around a point (0 to 1000), or a fixed window."""
    height, width = image_rgb.shape[:2]
    px = min(max(round(x / 1000 * width - 0.5), 0), width - 1)
    py = min(max(round(y / 1000 * height - 0.5), 0), height - 1)
    half = max(1.0, WINDOW_SHARE / 2 * min(width, height))
    smooth = cv2.medianBlur(np.ascontiguousarray(image_rgb), 3)
    step = (COLOUR_STEP,) * 3
    area, _, _, (left, top, w, h) = cv2.floodFill(
        smooth, np.zeros((height + 2, width + 2), np.uint8), (px, py), 0, step, step,
        4 | cv2.FLOODFILL_MASK_ONLY,
    )  # fmt: skip
    if area >= half * half and w <= MOST_SHARE * width and h <= MOST_SHARE * height:
        return left - 0.5, top - 0.5, left + w - 0.5, top + h - 0.5
    return (
        max(px - half, -0.5), max(py - half, -0.5), min(px + half, width - 0.5), min(py + half, height - 0.5),
    )  # fmt: skip


class Molmo2(InstructedFamily):
    """Molmo 2. The MolmoPoint checkpoints write special tokens instead, and are not supported."""

    name = "molmo2"
    convention = CONVENTION
    points = True  # the self-test asks it to hit a thing, not to match its box

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask:
        """The pointing question."""
        return Ask(f"Point to every {quoted(phrase)}. If there is none, reply none.", GROUND_TOKENS)

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes around the points, labelled with the phrase asked for."""
        return replies.scored([(phrase, box_around(image_rgb, x, y)) for _, x, y in read_points(reply)])

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask:
        """Points with labels for every object."""
        return Ask(
            "Point to every object on the table, each in a tag of its own with a short phrase that names "
            "it. Leave out the table and the robot. If there is none, reply none.",
            DESCRIBE_TOKENS,
        )

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes around the points, labelled by the model."""
        return replies.scored(
            [
                (replies.phrase_of(label, "a label"), box_around(image_rgb, x, y))
                for label, x, y in read_points(reply)
            ]
        )
