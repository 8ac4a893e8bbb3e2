"""The encoder's own tokens of the training pictures, each matched to the thing that it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.learn.distributed import World
from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.vision_training import CONTAINER_SHAPES
from mmrobot.tabletop.language import Thing, things_of, visible_things
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.vision import NanoVision

MATCH_IOU = 0.4


def match(
    boxes: NDArray[Any], groups: NDArray[Any], scores: NDArray[Any], objects: NDArray[Any], config: NanoConfig
) -> NDArray[np.int64]:
    """For each token the row of the object that it shows, or -1; best scores choose first, groups must agree.

    `boxes` (K, 4) in [0, 1]; `objects` rows of OBJECT_DTYPE in pixels of the model's picture.
    """
    scale = np.array([config.image_width, config.image_height] * 2)
    found = np.full(len(boxes), -1)
    containers = [config.shapes.index(s) for s in CONTAINER_SHAPES]
    free = {int(i) for i in np.flatnonzero(objects["pixels"] > 0)}
    for k in np.argsort(-scores):
        if scores[k] <= config.object_threshold:
            continue
        same = [i for i in free if (int(objects["shape"][i]) in containers) == bool(groups[k] > 0.5)]
        if not same:
            continue
        overlaps = iou(boxes[k] * scale, objects["box"][same])
        best = int(overlaps.argmax())
        if overlaps[best] >= MATCH_IOU:
            found[k] = same[best]
            free.remove(same[best])
    return found


def iou(box: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of one box (4,) with others (N, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inner = np.prod(np.maximum(high - low, 0), axis=1)
    area = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(inner / np.maximum(area - inner, 1e-9))


def shown_things(scene: Scene, objects: NDArray[Any]) -> tuple[Thing, ...]:
    """What can be spoken of: the things that the picture shows; `objects` are its rows of OBJECT_DTYPE."""
    seen = {o.id for o, row in zip(scene.objects, objects, strict=False) if row["pixels"] > 0}
    return visible_things(things_of(scene), seen)


class TokenCache:
    """Tokens of a whole picture set, in memory as float16.

    `tokens` (N, K, token_size), `boxes` (N, K, 4) in [0, 1], `scores` (N, K); `ids` (N, K) the scene's object
    that a token shows, or -1; `things` of each picture, those that it shows.
    """

    def __init__(
        self,
        vision: NanoVision,
        pictures: PictureSet,
        batch: int = 32,
        *,
        world: World = World(),  # noqa: B008  (frozen)
        bfloat16: bool = True,
    ) -> None:
        self.config = config = vision.config
        self.things = [shown_things(s, pictures.objects[i]) for i, s in enumerate(pictures.scenes)]
        self._names = [[o.id for o in s.objects] for s in pictures.scenes]
        parts: list[tuple[NDArray[Any], ...]] = []
        ids = []
        vision.eval()
        for start in range(0, len(pictures), batch):
            images = np.asarray(pictures.images[start : start + batch])
            x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
            x = x.to(world.device).contiguous(memory_format=torch.channels_last)
            with torch.inference_mode(), world.autocast(bfloat16):
                t, b, s = (v.float().cpu() for v in vision(x))
            parts.append((t.half().numpy(), b.half().numpy(), s.half().numpy()))
            group = t[..., config.attributes_from - 1].numpy()
            for k in range(len(images)):
                rows = pictures.objects[start + k]
                ids.append(match(b[k].numpy(), group[k], s[k].numpy(), rows, config))
        self.tokens, self.boxes, self.scores = (np.concatenate(v) for v in zip(*parts, strict=True))
        self.ids = np.stack(ids)

    def __len__(self) -> int:
        return len(self.things)

    @property
    def present(self) -> NDArray[np.bool_]:
        """(N, K): the encoder believes that there is something."""
        return np.asarray(self.scores > self.config.object_threshold)

    def shown(self, i: int) -> list[Thing | None]:
        """The thing that each token of picture i shows."""
        by_id = {t.id: t for t in self.things[i]}
        return [by_id.get(self._names[i][j]) if j >= 0 else None for j in self.ids[i]]

    def recall(self, pictures: PictureSet) -> tuple[float, float]:
        """Share of visible objects that have a token, and share of tokens present that show nothing."""
        visible = int((pictures.objects["pixels"] > 0).sum())
        present, nothing = int(self.present.sum()), int(((self.ids < 0) & self.present).sum())
        return float((self.ids >= 0).sum() / max(visible, 1)), nothing / max(present, 1)
