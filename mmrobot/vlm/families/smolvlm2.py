"""SmolVLM2 and Idefics3: JSON boxes, x first, from 0 to 1000, as asked for in the prompt.

Neither model's publication names a box convention of its own: both are asked for one in words, and
the self-test at activation decides whether a checkpoint follows. Many small ones will not, and are then
refused by name; they can still be used where only words are needed (plan, verify, answer).
"""

from __future__ import annotations

from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import InstructedFamily

CONVENTION = Convention("0 to 1000, x first", span=1000)


class SmolVlm2(InstructedFamily):
    """SmolVLM, SmolVLM2 and Idefics3."""

    name = "smolvlm2"
    convention = CONVENTION
    numbers = "[x_min, y_min, x_max, y_max] from 0 to 1000, where 1000 is the full width or height"
