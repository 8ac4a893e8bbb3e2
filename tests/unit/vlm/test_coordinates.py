"""Each family's arithmetic: a box to the numbers that the model writes and back, on pictures of any shape."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as reference_resize

from mmrobot.errors import InvalidImageError, ModelReplyInvalidError
from mmrobot.types import BoxXyxy
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.catalogue import CONVENTIONS, family_named
from mmrobot.vlm.families.florence2 import CONVENTION as FLORENCE
from mmrobot.vlm.families.gemini import CONVENTION as GEMINI
from mmrobot.vlm.families.paligemma2 import CONVENTION as PALIGEMMA
from mmrobot.vlm.families.qwen2_5_vl import smart_resize

BOXED = [
    "qwen2_5_vl",
    "qwen3_vl",
    "internvl3",
    "smolvlm2",
    "paligemma2",
    "florence2",
    "phi4_multimodal",
    "gemini",
]
ALL = [family_named(name).convention for name in BOXED] + list(CONVENTIONS)
SIDES = st.integers(60, 2000)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, BoxXyxy]:
    """A picture's size and a box in it, at least a tenth of each side long."""
    width, height = draw(SIDES), draw(SIDES)
    x0 = draw(st.floats(0, 0.85))
    y0 = draw(st.floats(0, 0.85))
    x1 = draw(st.floats(x0 + 0.1, 1.0))
    y1 = draw(st.floats(y0 + 0.1, 1.0))
    return width, height, (x0 * width - 0.5, y0 * height - 0.5, x1 * width - 0.5, y1 * height - 0.5)


@pytest.mark.parametrize("convention", ALL, ids=lambda c: c.name)
@given(case=boxes())
def test_a_box_comes_back_within_the_rounding_of_its_convention(
    convention: Convention, case: tuple[int, int, BoxXyxy]
) -> None:
    width, height, box = case
    span_x, span_y = convention.spans(width, height)
    back = convention.to_pixels(convention.from_pixels(box, width, height), width, height)
    # Half a bin; a bin at the far edge where the last number is one less than the span; two for sizes.
    bins = 0.0 if not convention.whole else 1.0 if convention.most or convention.form == "xywh" else 0.5
    for i, (a, b) in enumerate(zip(box, back, strict=True)):
        side, span = (width, span_x) if i % 2 == 0 else (height, span_y)
        assert abs(a - b) <= bins * side / span + 1e-6


@given(width=st.integers(28, 4000), height=st.integers(28, 4000), budget=st.integers(8, 20000))
def test_smart_resize_is_the_processors(width: int, height: int, budget: int) -> None:
    most = budget * 28 * 28
    ours = smart_resize(width, height, 28, 3136, most)
    assert ours[::-1] == tuple(reference_resize(height, width, 28, 3136, most))


def test_the_default_bounds_are_the_processors() -> None:
    size = Qwen2VLImageProcessorPil(min_pixels=3136, max_pixels=12845056).size
    assert (size["shortest_edge"], size["longest_edge"]) == (3136, 12845056)
    with pytest.raises(InvalidImageError, match="5000x20"):
        smart_resize(5000, 20)


def test_examples_by_hand() -> None:
    # 434 pixels are seen as 448 by Qwen2.5-VL, 266 as 280.
    qwen = family_named("qwen2_5_vl").convention
    assert qwen.to_pixels([0, 0, 224, 140], 434, 266) == (-0.5, -0.5, 216.5, 132.5)
    # Gemini and PaliGemma write y first.
    assert GEMINI.to_pixels([250, 100, 500, 300], 1000, 400) == (99.5, 99.5, 299.5, 199.5)
    assert PALIGEMMA.to_pixels([256, 0, 512, 1023], 1024, 512) == (-0.5, 127.5, 1022.5, 255.5)
    # Florence means the middle of a bin.
    assert FLORENCE.to_pixels([0, 0, 999, 999], 500, 300) == (
        -0.25,
        pytest.approx(-0.35),
        499.25,
        pytest.approx(299.35),
    )


@pytest.mark.parametrize("convention", ALL, ids=lambda c: c.name)
@pytest.mark.parametrize(
    "numbers",
    [[1e9, 1, 2e9, 3], [-900, 0, 10, 10], [math.nan, 1, 2, 3], [0, 0, math.inf, 3], [1, 2, 3], [0] * 5, []],
)
def test_numbers_that_are_no_box_are_refused(convention: Convention, numbers: list[float]) -> None:
    with pytest.raises(ModelReplyInvalidError):
        convention.to_pixels(numbers, 320, 200)


@pytest.mark.parametrize("numbers", [[500, 100, 200, 300], [100, 300, 500, 200], [100, 100, 100, 300]])
def test_corners_in_the_wrong_order_are_not_exchanged(numbers: list[float]) -> None:
    with pytest.raises(ModelReplyInvalidError, match="upper left before lower right"):
        family_named("qwen3_vl").convention.to_pixels(numbers, 640, 360)


def test_a_little_beyond_the_edge_is_cut_and_more_is_refused() -> None:
    convention = family_named("qwen3_vl").convention
    assert convention.to_pixels([-5, 0, 1010, 1000], 640, 360) == (-0.5, -0.5, 639.5, 359.5)
    with pytest.raises(ModelReplyInvalidError, match="leaves the picture: numbers run from 0 to 1000"):
        convention.to_pixels([0, 0, 1100, 1000], 640, 360)
    with pytest.raises(ModelReplyInvalidError, match="thinner than a pixel"):
        convention.to_pixels([10, 10, 11, 500], 640, 360)


@given(numbers=st.lists(st.floats(), max_size=6), width=SIDES, height=SIDES)
def test_whatever_is_accepted_lies_in_the_picture(numbers: list[float], width: int, height: int) -> None:
    for convention in ALL:
        try:
            x0, y0, x1, y1 = convention.to_pixels(numbers, width, height)
        except ModelReplyInvalidError:
            continue
        assert -0.5 <= x0 < x1 <= width - 0.5
        assert -0.5 <= y0 < y1 <= height - 0.5
