"""The training pictures: rendered scenes with every object's visible box and attributes, on disk.

`images.npy` (N, 240, 320, 3) uint8; `objects.npy` (N, MAX_OBJECTS) of OBJECT_DTYPE, row i for the scene's
object i, rows with `pixels` 0 are empty, hidden, or of a distractor; `scenes.jsonl` the scenes, one a line.
Labels cannot be read in pictures so small: `crops.npy` (N, MAX_CROPS, 64, 96, 3) uint8 holds what was cut out
of the camera's own picture around cubes and trays, `crop_index.npy` (N, MAX_CROPS) of CROP_DTYPE what each
shows. `views.npy` (N, MAX_VIEWS, 60, 60, 3) uint8 holds squares of the camera's own picture about things,
distractors and bare places, `view_index.npy` (N, MAX_VIEWS) of VIEW_DTYPE what each shows. Rendering resumes
where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidConfigError
from mmrobot.tabletop.objects import LABELLED
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import VIEW_MARGIN, crop_around, view_around

MAX_OBJECTS = 16
MIN_PIXELS = 10
"""Fewer visible pixels (of the model's picture) and an object counts as hidden."""

OBJECT_DTYPE = np.dtype(
    [
        ("box", "f4", 4),
        ("pixels", "i4"),
        ("color", "i2"),
        ("shape", "i2"),
        ("size", "i2"),
        ("label", "S4"),
    ]
)
MAX_CROPS = 5
CROP_SIZE = (96, 64)
"""Width, height."""
CROP_DTYPE = np.dtype([("object", "i2"), ("text", "S4"), ("box", "f4", 4)])
"""`object` is the row in the picture, -1 where there is no crop; `text` is empty on a thing without a label;
`box` in pixels of the model's picture, as cut out."""

MAX_VIEWS = 16
VIEW_PX = 60
VIEW_SPARE = 1.25
"""Training cuts its views out of larger ones, here and there: the encoder's boxes are a little off."""
BARE_VIEWS = 3
VIEW_DTYPE = np.dtype(
    [("used", "?"), ("named", "?"), ("color", "i2"), ("shape", "i2"), ("size", "i2"), ("box", "f4", 4)]
)
"""`named` is false of distractors and bare places, whose attributes mean nothing; `box` as in CROP_DTYPE."""


@dataclass(frozen=True)
class PictureSet:
    """An opened set; arrays are memory-mapped. Boxes are pixels of the model's picture, x first."""

    images: NDArray[np.uint8]
    objects: NDArray[Any]
    scenes: tuple[Scene, ...]
    crops: NDArray[np.uint8] | None = None
    crop_index: NDArray[Any] | None = None
    views: NDArray[np.uint8] | None = None
    view_index: NDArray[Any] | None = None
    first: int = 0
    """Which picture of the whole set the first one is."""

    def __len__(self) -> int:
        return len(self.scenes)

    @classmethod
    def open(cls, folder: Path) -> PictureSet:
        lines = (folder / "scenes.jsonl").read_text().splitlines()
        scenes = tuple(Scene.from_dict(json.loads(line), str(folder)) for line in lines)
        n = len(scenes)
        images = np.load(folder / "images.npy", mmap_mode="r")[:n]
        objects = np.load(folder / "objects.npy", mmap_mode="r")[:n]
        if not (folder / "crops.npy").is_file():
            return cls(images, objects, scenes)
        names = ("crops", "crop_index", "views", "view_index")
        return cls(images, objects, scenes, *(np.load(folder / f"{f}.npy", mmap_mode="r")[:n] for f in names))

    def part(self, chosen: slice) -> PictureSet:
        """Some of its pictures."""
        parts = {
            f.name: value[chosen]
            for f in fields(self)
            if f.name != "first" and (value := getattr(self, f.name)) is not None
        }
        return PictureSet(**parts, first=self.first + (chosen.start or 0))

    def label_crops(self) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.int64]]:
        """All crops (M, 64, 96, 3), copied, their rows of CROP_DTYPE (M,) and the picture of each (M,)."""
        if self.crops is None or self.crop_index is None:
            none = np.zeros((0, CROP_SIZE[1], CROP_SIZE[0], 3), np.uint8)
            return none, np.zeros(0, CROP_DTYPE), np.zeros(0, np.int64)
        picture, slot = np.nonzero(self.crop_index["object"] >= 0)
        return self.crops[picture, slot], self.crop_index[picture, slot], picture


def label_objects(scene: Scene, mask: NDArray[np.integer[Any]], config: NanoConfig) -> NDArray[Any]:
    """Every object's visible box and attributes; `mask` (H, W) holds the object's index, or -1."""
    rows = np.zeros(MAX_OBJECTS, OBJECT_DTYPE)
    sy, sx = config.image_height / mask.shape[0], config.image_width / mask.shape[1]
    for i, (x0, y0, x1, y1, count) in visible_boxes(mask, len(scene.objects)).items():
        o, pixels = scene.objects[i], int(count * sx * sy)
        if i >= MAX_OBJECTS or pixels < MIN_PIXELS or not o.named:
            continue
        rows[i] = (
            (x0 * sx, y0 * sy, x1 * sx, y1 * sy),
            pixels,
            config.colors.index(o.color),
            config.shapes.index(o.shape),
            config.sizes.index(o.size),
            (o.label or "").encode(),
        )
    return rows


def visible_boxes(mask: NDArray[np.integer[Any]], count: int) -> dict[int, tuple[int, int, int, int, int]]:
    """Of each object that is seen at all: (left, top, right, bottom, pixels), right and bottom exclusive."""
    rows, columns = np.nonzero(mask >= 0)
    owner = mask[rows, columns]
    order = np.argsort(owner, kind="stable")
    rows, columns = rows[order], columns[order]
    edges = np.searchsorted(owner[order], np.arange(count + 1))
    out = {}
    for i in range(count):
        r, c = rows[edges[i] : edges[i + 1]], columns[edges[i] : edges[i + 1]]
        if len(r):
            out[i] = (int(c.min()), int(r.min()), int(c.max()) + 1, int(r.max()) + 1, len(r))
    return out


def cut_labels(
    image_rgb: NDArray[np.uint8], objects: NDArray[Any], config: NanoConfig
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Crops (MAX_CROPS, 64, 96, 3) of visible cubes and trays, those with a label first, and their index."""
    crops = np.zeros((MAX_CROPS, CROP_SIZE[1], CROP_SIZE[0], 3), np.uint8)
    index = np.zeros(MAX_CROPS, CROP_DTYPE)
    index["object"] = -1
    shapes = [config.shapes.index(s) for s in LABELLED]
    rows = np.flatnonzero((objects["pixels"] > 0) & np.isin(objects["shape"], shapes))
    rows = rows[np.argsort(objects["label"][rows] == b"", kind="stable")][:MAX_CROPS]
    scale = image_rgb.shape[1] / config.image_width
    for slot, row in enumerate(rows):
        crops[slot] = crop_around(image_rgb, objects["box"][row] * scale, CROP_SIZE[1], CROP_SIZE[0])
        index[slot] = (row, objects["label"][row], objects["box"][row])
    return crops, index


def cut_views(
    image_rgb: NDArray[np.uint8],
    scene: Scene,
    mask: NDArray[np.integer[Any]],
    objects: NDArray[Any],
    config: NanoConfig,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Views (MAX_VIEWS, VIEW_PX, VIEW_PX, 3) of what is seen, and of a few bare places, and their index."""
    views = np.zeros((MAX_VIEWS, VIEW_PX, VIEW_PX, 3), np.uint8)
    index = np.zeros(MAX_VIEWS, VIEW_DTYPE)
    sy, sx = config.image_height / mask.shape[0], config.image_width / mask.shape[1]
    rows = [(True, o["color"], o["shape"], o["size"], o["box"]) for o in objects if o["pixels"] > 0]
    seen = [r[-1] for r in rows]
    for i, (x0, y0, x1, y1, count) in visible_boxes(mask, len(scene.objects)).items():
        if not scene.objects[i].named and count * sx * sy >= MIN_PIXELS:
            rows.append((False, 0, 0, 0, np.array([x0 * sx, y0 * sy, x1 * sx, y1 * sy])))
            seen.append(rows[-1][-1])
    for _ in range(BARE_VIEWS):
        extent = np.exp(rng.uniform(np.log(10.0), np.log(60.0), 2))
        low = rng.uniform(0, [config.image_width - extent[0], config.image_height - extent[1]])
        box = np.concatenate([low, low + extent])
        if not seen or _overlaps(box, np.array(seen)).max() < 0.2:
            rows.append((False, 0, 0, 0, box))
    scale = image_rgb.shape[1] / config.image_width
    if len(rows) > MAX_VIEWS:
        rows = [rows[i] for i in rng.permutation(len(rows))[:MAX_VIEWS]]
    for slot, row in enumerate(rows):
        views[slot] = view_around(image_rgb, row[-1] * scale, VIEW_PX, VIEW_MARGIN * VIEW_SPARE)
        index[slot] = (True, *row)
    return views, index


def _overlaps(box: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Share of the smaller of two boxes that both hold, of one box (4,) with others (N, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inner = np.prod(np.maximum(high - low, 0), axis=1)
    area = np.minimum(np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1))
    return np.asarray(inner / np.maximum(area, 1e-9))


@dataclass(frozen=True)
class Picture:
    """One picture of the set, as rendered."""

    scene: Scene
    image: NDArray[np.uint8]
    objects: NDArray[Any]
    crops: NDArray[np.uint8] | None = None
    crop_index: NDArray[Any] | None = None
    views: NDArray[np.uint8] | None = None
    view_index: NDArray[Any] | None = None


class PictureWriter:
    """Appends to a set of fixed capacity. What `scenes.jsonl` lists is whole; the rest is written again."""

    def __init__(self, folder: Path, capacity: int, config: NanoConfig) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._scenes = folder / "scenes.jsonl"
        self.done = len(self._scenes.read_text().splitlines()) if self._scenes.exists() else 0
        mode: Literal["r+", "w+"] = "r+" if self.done else "w+"

        def array(name: str, dtype: Any, *shape: int) -> Any:
            path = folder / f"{name}.npy"
            made = np.lib.format.open_memmap(path, mode, dtype, (capacity, *shape) if mode == "w+" else None)
            if len(made) < capacity or made.dtype != dtype:
                raise InvalidConfigError(
                    f"{path} has room for {len(made)} pictures of {made.dtype}, not {capacity} of {dtype}",
                    "render into another folder",
                )
            return made

        self._images = array("images", np.dtype(np.uint8), config.image_height, config.image_width, 3)
        self._objects = array("objects", OBJECT_DTYPE, MAX_OBJECTS)
        self._crops = array("crops", np.dtype(np.uint8), MAX_CROPS, CROP_SIZE[1], CROP_SIZE[0], 3)
        self._crop_index = array("crop_index", CROP_DTYPE, MAX_CROPS)
        self._views = array("views", np.dtype(np.uint8), MAX_VIEWS, VIEW_PX, VIEW_PX, 3)
        self._view_index = array("view_index", VIEW_DTYPE, MAX_VIEWS)
        self._file = self._scenes.open("a")

    def append(self, picture: Picture) -> None:
        self._images[self.done] = picture.image
        self._objects[self.done] = picture.objects
        self._crop_index["object"][self.done] = -1
        if picture.crops is not None and picture.crop_index is not None:
            self._crops[self.done] = picture.crops
            self._crop_index[self.done] = picture.crop_index
        if picture.views is not None and picture.view_index is not None:
            self._views[self.done] = picture.views
            self._view_index[self.done] = picture.view_index
        self._file.write(json.dumps(picture.scene.to_dict()) + "\n")
        self._file.flush()
        self.done += 1

    def close(self) -> None:
        cut = (self._crops, self._crop_index, self._views, self._view_index)
        for made in (self._images, self._objects, *cut):
            made.flush()
        self._file.close()
