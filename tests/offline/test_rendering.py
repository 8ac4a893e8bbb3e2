"""Training pictures: picture i follows from (seed, i) alone, whoever renders it, and rendering goes on."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.rendering import PictureMaker, render_pictures
from mmrobot.vlm.models.nano import NanoConfig

pytestmark = pytest.mark.slow
CONFIG = NanoConfig()


def test_pictures_follow_from_seed_and_number(tmp_path):
    lines = []
    render_pictures(tmp_path / "one", 3, 7, CONFIG, lines.append)
    one = PictureSet.open(tmp_path / "one")
    maker = PictureMaker(7, CONFIG)
    try:
        again = maker(2)
    finally:
        maker.close()
    assert again.scene == one.scenes[2]
    assert np.array_equal(again.image, one.images[2])
    assert np.array_equal(again.objects, one.objects[2])
    assert np.array_equal(again.crops, one.crops[2])
    assert not np.array_equal(one.images[0], one.images[1])
    assert all((o["pixels"] > 0).any() for o in one.objects)

    # Two processes, and a set broken off before the last picture, whose remains are made anew.
    render_pictures(tmp_path / "two", 3, 7, CONFIG, lines.append, workers=2)
    listed = tmp_path / "two" / "scenes.jsonl"
    listed.write_text("".join(listed.read_text().splitlines(True)[:2]))
    render_pictures(tmp_path / "two", 3, 7, CONFIG, lines.append)
    two = PictureSet.open(tmp_path / "two")
    assert two.scenes == one.scenes
    assert np.array_equal(two.images, one.images)
    assert np.array_equal(two.objects, one.objects)
