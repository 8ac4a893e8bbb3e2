"""The families by name, and all ways to write a box that are known of."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from mmrobot.errors import InvalidConfigError
from mmrobot.vlm.chat_vlm import Family
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.florence2 import Florence2
from mmrobot.vlm.families.gemini import Gemini
from mmrobot.vlm.families.internvl3 import InternVl3
from mmrobot.vlm.families.molmo2 import Molmo2
from mmrobot.vlm.families.paligemma2 import PaliGemma2
from mmrobot.vlm.families.phi4_multimodal import Phi4Multimodal
from mmrobot.vlm.families.qwen2_5_vl import Qwen25Vl, smart_resize
from mmrobot.vlm.families.qwen3_vl import Qwen3Vl
from mmrobot.vlm.families.smolvlm2 import SmolVlm2

FAMILIES: dict[str, type[Any]] = {
    family.name: family
    for family in (
        Qwen25Vl, Qwen3Vl, InternVl3, SmolVlm2, PaliGemma2, Florence2, Molmo2, Phi4Multimodal, Gemini,
    )
}  # fmt: skip

CONVENTIONS: tuple[Convention, ...] = (
    Convention("0 to 1000, x first", span=1000),
    Convention("0 to 1000, y first", order="yx", span=1000),
    Convention("pixels of the picture, x first"),
    Convention("pixels of the picture, y first", order="yx"),
    Convention("pixels after the smart resize of Qwen2.5-VL, x first", resized=smart_resize),
    Convention("0 to 1024, x first", span=1024),
    Convention("0 to 1024, y first", order="yx", span=1024),
    Convention("0 to 1, x first", span=1, whole=False),
    Convention("0 to 1, y first", order="yx", span=1, whole=False),
    Convention("0 to 100, x first", span=100),
    Convention("0 to 100, y first", order="yx", span=100),
    Convention("pixels, corner and size", form="xywh"),
    Convention("0 to 1000, corner and size", span=1000, form="xywh"),
)
"""Tried in this order by the self-test to name the one that would have fitted."""


def family_named(name: str, options: Mapping[str, Any] | None = None) -> Family:
    """A family by its name, made with its own options (a model's YAML may hold some).

    Raises InvalidConfigError, which names the nearest known family or the option that it does not take.
    """
    if name not in FAMILIES:
        near = difflib.get_close_matches(name, FAMILIES, 1, 0.3)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise InvalidConfigError(f"there is no model family '{name}'", f"{hint}known: {', '.join(FAMILIES)}")
    try:
        family: Family = FAMILIES[name](**(options or {}))
    except TypeError as error:
        raise InvalidConfigError(
            f"the family '{name}' does not take the options {dict(options or {})}: {error}",
            f"see mmrobot/vlm/families/{name}.py for those that it takes",
        ) from error
    return family
