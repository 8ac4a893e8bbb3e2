"""Qwen3-VL: boxes in JSON under bbox_2d, x first, from 0 to 1000 over the picture whatever its size.

The convention is the one of the model's own cookbooks (2D grounding); it differs from Qwen2.5-VL's.
"""

from __future__ import annotations

from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import InstructedFamily

CONVENTION = Convention("0 to 1000, x first", span=1000)


class Qwen3Vl(InstructedFamily):
    """Qwen3-VL, dense and mixture of experts."""

    name = "qwen3_vl"
    convention = CONVENTION
    numbers = "[x_min, y_min, x_max, y_max] from 0 to 1000"
