"""Phi-4 multimodal: JSON boxes, x first, from 0 to 1000, as asked for in the prompt.

The model's report (arXiv:2503.01743) names no box convention: it is asked for one in words, and the
self-test at activation decides whether the checkpoint follows.
"""

from __future__ import annotations

from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import InstructedFamily

CONVENTION = Convention("0 to 1000, x first", span=1000)


class Phi4Multimodal(InstructedFamily):
    """Phi-4-multimodal-instruct; its hearing is not used."""

    name = "phi4_multimodal"
    convention = CONVENTION
    numbers = "[x_min, y_min, x_max, y_max] from 0 to 1000, where 1000 is the full width or height"
