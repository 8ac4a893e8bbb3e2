"""Gemini-style JSON, as remote models of that school write it: box_2d, y first, from 0 to 1000.

The convention is that of the Gemini API's documentation (image understanding, object detection).
"""

from __future__ import annotations

from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import InstructedFamily

CONVENTION = Convention("0 to 1000, y first", order="yx", span=1000)


class Gemini(InstructedFamily):
    """Models that write {"box_2d": [y_min, x_min, y_max, x_max], "label": ...}."""

    name = "gemini"
    convention = CONVENTION
    box_key = "box_2d"
    numbers = "[y_min, x_min, y_max, x_max] from 0 to 1000"
