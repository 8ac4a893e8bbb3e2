"""The test at activation: a model that misses is refused, with what would have fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mmrobot.errors import ModelUnavailableError
from mmrobot.types import BoxXyxy, ScoredBox
from mmrobot.vlm.chat_vlm import ChatVlm
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.catalogue import CONVENTIONS, family_named
from mmrobot.vlm.families.florence2 import CONVENTION as FLORENCE
from mmrobot.vlm.families.paligemma2 import CONVENTION as PALIGEMMA
from mmrobot.vlm.self_test import SelfTestError, draw_cube, self_test


def find_red(image: np.ndarray) -> BoxXyxy:
    """The bounding box of red pixels: what a model that can see would mean."""
    ys, xs = np.nonzero((image[..., 0] > 120) & (image[..., 1] < 90) & (image[..., 2] < 90))
    return float(xs.min()) - 0.5, float(ys.min()) - 0.5, float(xs.max()) + 0.5, float(ys.max()) + 0.5


class Writes:
    """A model that sees well and writes boxes in one convention."""

    name = "writer"

    def __init__(self, convention: Convention, form: str = '[{{"bbox_2d": [{}], "label": "cube"}}]') -> None:
        self.convention, self.form = convention, form

    def reply(self, image_rgb: np.ndarray, prompt: str, schema: Any, max_tokens: int) -> str:
        height, width = image_rgb.shape[:2]
        numbers = self.convention.from_pixels(find_red(image_rgb), width, height)
        if self.form == "loc":
            return "".join(f"<loc{n:04.0f}>" for n in numbers) + " the red cube"
        if self.form == "loc_":
            return "the red cube" + "".join(f"<loc_{n:.0f}>" for n in numbers)
        return self.form.format(", ".join(f"{n:.4g}" for n in numbers))


class Sees:
    """A model without text, as nano is, whose boxes come out changed."""

    name = "seer"
    operations = frozenset({"ground"})

    def __init__(self, change: Any) -> None:
        self._change = change

    def ground(self, image_rgb: np.ndarray, phrase: str) -> Sequence[ScoredBox]:
        box = self._change(*find_red(image_rgb), image_rgb.shape[1], image_rgb.shape[0])
        return () if box is None else (ScoredBox(phrase, box, 0.9),)


def test_the_picture_is_what_it_says() -> None:
    known = draw_cube()
    assert known.image_rgb.shape == (266, 434, 3)
    assert find_red(known.image_rgb) == known.box_xyxy
    twin = known.mirrored()
    assert find_red(twin.image_rgb) == twin.box_xyxy
    assert twin.box_xyxy[0] < known.box_xyxy[0]
    assert np.array_equal(twin.mirrored().image_rgb, known.image_rgb)


@pytest.mark.parametrize(
    ("family", "form"),
    [
        ("qwen2_5_vl", '[{{"bbox_2d": [{}], "label": "cube"}}]'),
        ("qwen3_vl", '[{{"bbox_2d": [{}], "label": "cube"}}]'),
        ("internvl3", "the red cube[[{}]]"),
        ("gemini", '[{{"box_2d": [{}], "label": "cube"}}]'),
        ("paligemma2", "loc"),
        ("florence2", "loc_"),
    ],
)
def test_a_model_of_its_family_passes(family: str, form: str) -> None:
    chosen = family_named(family)
    report = self_test(ChatVlm(chosen, Writes(chosen.convention, form)))
    assert min(report.ious) > 0.9
    assert len(report.boxes) == 2


@pytest.mark.parametrize("written", CONVENTIONS, ids=lambda c: c.name)
def test_another_convention_is_named(written: Convention) -> None:
    model = ChatVlm(family_named("qwen3_vl"), Writes(written))
    if written.name == "0 to 1000, x first":
        self_test(model)
        return
    with pytest.raises(SelfTestError) as caught:
        self_test(model)
    assert caught.value.fits == written.name
    assert f"'{written.name}', it is read as '0 to 1000, x first'" in caught.value.message


def test_the_family_to_write_is_named() -> None:
    with pytest.raises(SelfTestError) as caught:
        self_test(ChatVlm(family_named("qwen3_vl"), Writes(family_named("gemini").convention)))
    assert caught.value.fix == "write family: gemini into the model's YAML"
    with pytest.raises(SelfTestError) as caught:
        self_test(ChatVlm(family_named("qwen2_5_vl"), Writes(family_named("qwen3_vl").convention)))
    assert "qwen3_vl" in caught.value.fix
    with pytest.raises(SelfTestError) as caught:
        self_test(ChatVlm(family_named("paligemma2"), Writes(FLORENCE, "loc")))
    assert caught.value.fits == "0 to 1000, x first"
    assert isinstance(caught.value, ModelUnavailableError)


def test_a_small_error_of_scale_is_found_although_boxes_overlap() -> None:
    # 1024 bins read as 1000 move a box by a fortieth of the picture only.
    with pytest.raises(SelfTestError) as caught:
        self_test(ChatVlm(family_named("qwen3_vl"), Writes(Convention("w", span=1024))))
    assert caught.value.fits == "0 to 1024, x first"
    assert PALIGEMMA.span == 1024


def test_a_model_that_sees_passes_and_one_that_does_not_is_refused() -> None:
    assert min(self_test(Sees(lambda a, b, c, d, w, h: (a, b, c, d))).ious) == 1.0
    with pytest.raises(SelfTestError, match="got no box"):
        self_test(Sees(lambda *_: None))
    fixed = draw_cube().box_xyxy
    with pytest.raises(SelfTestError, match=r"IoU 1.00.*IoU 0.00"):
        self_test(Sees(lambda *_: fixed))  # right once, by habit
    with pytest.raises(SelfTestError) as caught:
        self_test(Sees(lambda a, b, c, d, w, h: (w - 1 - c, b, w - 1 - a, d)))
    assert caught.value.fits is None
    with pytest.raises(SelfTestError) as caught:
        self_test(Sees(lambda a, b, c, d, w, h: (b, a, d, c)))
    assert caught.value.fits == "pixels of the picture, y first"


def test_a_reply_that_cannot_be_read_is_told() -> None:
    with pytest.raises(SelfTestError, match="no JSON"):
        self_test(ChatVlm(family_named("qwen3_vl"), Writes(Convention("w"), "I see a red cube")))


def test_a_model_that_points_has_to_hit() -> None:
    def reply(shift: float) -> ChatVlm:
        class Points:
            name = "pointer"

            def reply(self, image_rgb: np.ndarray, prompt: str, schema: Any, max_tokens: int) -> str:
                x0, y0, x1, y1 = find_red(image_rgb)
                h, w = image_rgb.shape[:2]
                x, y = (x0 + x1) / 2 / w * 1000 + shift, (y0 + 0.7 * (y1 - y0)) / h * 1000
                return f'<points coords="1 1 {x:.0f} {y:.0f}">cube</points>'

        return ChatVlm(family_named("molmo2"), Points())

    assert self_test(reply(0)).ious == (1.0, 1.0)
    with pytest.raises(SelfTestError):
        self_test(reply(150))


def test_the_picture_can_be_given() -> None:
    small = draw_cube(200, 320)
    assert self_test(Sees(lambda a, b, c, d, w, h: (a, b, c, d)), small).ious == (1.0, 1.0)
