"""What is kept of a picture: distractors without a row, crops of what may carry a print, and room for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mmrobot.errors import InvalidConfigError
from mmrobot.learn.pictures import (
    MAX_CROPS,
    MAX_OBJECTS,
    MAX_VIEWS,
    OBJECT_DTYPE,
    VIEW_DTYPE,
    VIEW_PX,
    Picture,
    PictureSet,
    PictureWriter,
    cut_labels,
    cut_views,
    label_objects,
    visible_boxes,
)
from mmrobot.learn.view_training import Views, cut_out
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.models.nano.processing import view_around

CONFIG = NanoConfig()
SCENE = Scene(
    1,
    (
        SceneObject("plain", "cube", "red", position=(0.3, 0.2)),
        SceneObject("cone", "cone", "blue", position=(0.3, 0.0)),
        SceneObject("marked", "tray", "green", position=(0.5, 0.2), label="A7"),
        SceneObject("ball", "ball", "blue", position=(0.5, -0.2)),
    ),
)


def seen() -> tuple[np.ndarray, np.ndarray]:
    mask = np.full((480, 640), -1, np.int16)
    for i, (x, y) in enumerate(((100, 100), (200, 100), (300, 200), (500, 300))):
        mask[y : y + 40, x : x + 60] = i
    image = np.full((480, 640, 3), 90, np.uint8)
    image[mask == 2] = (10, 200, 10)
    return image, mask


def test_visible_boxes() -> None:
    _, mask = seen()
    mask[mask == 3] = -1
    assert visible_boxes(mask, 4) == {
        0: (100, 100, 160, 140, 2400),
        1: (200, 100, 260, 140, 2400),
        2: (300, 200, 360, 240, 2400),
    }


def test_a_distractor_has_no_row_and_a_label_is_kept() -> None:
    rows = label_objects(SCENE, seen()[1], CONFIG)
    assert list(rows["pixels"][:4] > 0) == [True, False, True, True]
    assert rows["label"][2] == b"A7" and rows["label"][0] == b""
    assert tuple(rows["box"][2]) == (150, 100, 180, 120)


def test_crops_show_prints_first_and_only_what_may_carry_one() -> None:
    image, mask = seen()
    crops, index = cut_labels(image, label_objects(SCENE, mask, CONFIG), CONFIG)
    assert crops.shape == (MAX_CROPS, 64, 96, 3)
    assert list(index["object"]) == [2, 0, -1, -1, -1]
    assert list(index["text"][:2]) == [b"A7", b""]
    # Mostly the thing itself, with a margin of the table.
    assert (crops[0][16:-16, 16:-16] == (10, 200, 10)).all()
    assert (crops[0][0, 0] == 90).all()


def test_crops_are_read_back(tmp_path: Path) -> None:
    image, mask = seen()
    rows = label_objects(SCENE, mask, CONFIG)
    writer = PictureWriter(tmp_path, 3, CONFIG)
    small = np.zeros((CONFIG.image_height, CONFIG.image_width, 3), np.uint8)
    writer.append(Picture(SCENE, small, rows))
    writer.append(Picture(SCENE, small, rows, *cut_labels(image, rows, CONFIG)))
    writer.close()
    crops, index, picture = PictureSet.open(tmp_path).label_crops()
    assert crops.shape == (2, 64, 96, 3)
    assert (list(picture), list(index["object"]), list(index["text"])) == ([1, 1], [2, 0], [b"A7", b""])


def test_views_show_every_thing_and_bare_places_too() -> None:
    image, mask = seen()
    rows = label_objects(SCENE, mask, CONFIG)
    views, index = cut_views(image, SCENE, mask, rows, CONFIG, np.random.default_rng(0))
    assert views.shape == (MAX_VIEWS, VIEW_PX, VIEW_PX, 3)
    named = index[index["used"] & index["named"]]
    assert [tuple(v) for v in named["box"]] == [tuple(r) for r in rows["box"][rows["pixels"] > 0]]
    assert list(named["shape"]) == list(rows["shape"][rows["pixels"] > 0])
    bare = index["used"] & ~index["named"]
    assert bare.any() and (views[np.flatnonzero(bare)][:, 20:40, 20:40] == 90).any()


def test_views_are_read_back_cut_smaller_and_never_stretched(tmp_path: Path) -> None:
    image, mask = seen()
    rows = label_objects(SCENE, mask, CONFIG)
    writer = PictureWriter(tmp_path, 1, CONFIG)
    small = np.zeros((CONFIG.image_height, CONFIG.image_width, 3), np.uint8)
    cut = cut_views(image, SCENE, mask, rows, CONFIG, np.random.default_rng(0))
    writer.append(Picture(SCENE, small, rows, *cut_labels(image, rows, CONFIG), *cut))
    writer.close()
    views = Views.of(PictureSet.open(tmp_path))
    assert len(views) == cut[1]["used"].sum()
    size = CONFIG.view_size
    named = np.flatnonzero(views.index["named"])
    cpu = torch.device("cpu")
    plain, boxes = views.batch(named, CONFIG, None, cpu)
    assert plain.shape == (len(named), 3, size, size) and ((boxes >= 0) & (boxes <= 1)).all()
    scale = image.shape[1] / CONFIG.image_width
    direct = view_around(image, views.index["box"][named[0]] * scale, size)
    cut_here = plain[0].permute(1, 2, 0).numpy()
    assert np.abs(cut_here - direct).mean() < 12, "what the product would have cut"
    moved, _ = views.batch(named, CONFIG, np.random.default_rng(1), cpu)
    assert moved.shape == plain.shape and (moved != plain).any()


def test_a_mirrored_view_is_the_other_way_round_and_so_is_its_box() -> None:
    class Always(np.random.Generator):
        """Nothing is off, everything is mirrored, nothing is blurred."""

        draws = 0

        def normal(self, *_: object, **__: object) -> np.ndarray:  # type: ignore[override]
            return np.zeros(1)

        def random(self, n: int) -> np.ndarray:  # type: ignore[override]
            Always.draws += 1
            return np.full(n, 0.0 if Always.draws == 1 else 1.0)

    rows = np.zeros(1, VIEW_DTYPE)
    rows["box"] = (32, 60, 64, 90)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, VIEW_PX, VIEW_PX, 3), np.uint8))
    plain, boxes = cut_out(images, rows, CONFIG, None)
    turned, mirrored = cut_out(images, rows, CONFIG, Always(np.random.PCG64(0)))
    assert torch.allclose(turned, plain.flip(3), atol=1e-3)
    assert torch.allclose(mirrored, torch.tensor([[0.8, 0.25, 0.9, 0.375]]))
    assert torch.allclose(boxes, torch.tensor([[0.1, 0.25, 0.2, 0.375]]))


def test_a_view_beyond_the_edge_repeats_it() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 0] = (9, 8, 7)
    view = view_around(image, (0, 10, 6, 30), 20)
    assert view.shape == (20, 20, 3)
    assert (view[:, 0] == (9, 8, 7)).all() and (view[:, -1] == 0).all()


def test_a_set_without_crops_has_none() -> None:
    rows = np.zeros((1, MAX_OBJECTS), OBJECT_DTYPE)
    crops, index, picture = PictureSet(np.zeros((1, 2, 2, 3), np.uint8), rows, (SCENE,)).label_crops()
    assert len(crops) == len(index) == len(picture) == 0


def test_another_capacity_or_layout_is_refused(tmp_path: Path) -> None:
    rows = np.zeros(MAX_OBJECTS, OBJECT_DTYPE)
    writer = PictureWriter(tmp_path, 1, CONFIG)
    writer.append(Picture(SCENE, np.zeros((CONFIG.image_height, CONFIG.image_width, 3), np.uint8), rows))
    writer.close()
    with pytest.raises(InvalidConfigError, match="room for 1"):
        PictureWriter(tmp_path, 2, CONFIG)
