"""How good each part is on pictures and sentences that nothing was trained on; always the same ones.

The last pictures of a set are kept out of training. Sentences are the training grammar's, of a seed of
their own: how well held-out words are understood is for `mmrobot eval-model` to say, never for training.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.errors import InvalidConfigError
from mmrobot.learn import blur
from mmrobot.learn.distributed import World
from mmrobot.learn.label_training import blur_crops, characters
from mmrobot.learn.language_training import IGNORE, Language, collate, random_scene
from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.sentences import Sample, SentenceMaker
from mmrobot.learn.tokens import TokenCache, iou
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.speller import NanoSpeller
from mmrobot.vlm.models.nano.vision import NanoVision
from mmrobot.vlm.models.nano.vocabulary import GROUND, TASKS

VALIDATION = 400
"""Pictures at the end of the set that nothing learns from; a fifth of a set of fewer than 2,000."""
SEED = 990_000
SCENES = 300
PER_SCENE = 6
BATCH = 128
GROUPS = {
    "attributes": frozenset({"color_shape", "color", "shape", "size", "category", "shortest"}),
    "labels": frozenset({"label"}),
    "order": frozenset({"extreme", "rank", "middle"}),
    "relations": frozenset({"relation", "nearest", "in", "under", "not"}),
    "several": frozenset({"conjunction", "plural", "ambiguous", "except"}),
    "strange": frozenset({"foreign", "nonsense"}),
}


def split(pictures: PictureSet) -> tuple[PictureSet, PictureSet]:
    """Those to train on and those to validate on. Raises InvalidConfigError where there are too few."""
    n = len(pictures)
    kept = min(VALIDATION, n // 5)
    if kept == 0:
        raise InvalidConfigError(
            f"{n} pictures cannot be split into training and validation",
            "render more: mmrobot train pictures --pictures 12000",
        )
    return pictures.part(slice(0, n - kept)), pictures.part(slice(n - kept, n))


def vision_figures(vision: NanoVision, pictures: PictureSet, world: World) -> dict[str, float]:
    """Shares of objects found, of tokens that show nothing, of found ones told right; their mean IoU."""
    cache, config = TokenCache(vision, pictures, world=world), vision.config
    recall, false = cache.recall(pictures)
    picture, slot = np.nonzero(cache.ids >= 0)
    if len(picture) == 0:
        return {"recall": recall, "false": false}
    rows = pictures.objects[picture, cache.ids[picture, slot]]
    tokens = cache.tokens[picture, slot].astype(np.float32)
    geometry = (
        (tokens[:, config.object_channels :][:, :4] + 1) / 2 * ([config.image_width, config.image_height] * 2)
    )
    half = geometry[:, 2:] / 8
    boxes = np.concatenate([geometry[:, :2] - half, geometry[:, :2] + half], 1)
    figures = {
        "recall": recall,
        "false": false,
        "box_iou": float(np.mean([iou(b, r[None])[0] for b, r in zip(boxes, rows["box"], strict=True)])),
    }
    start = config.attributes_from
    for name, known in (("color", config.colors), ("shape", config.shapes), ("size", config.sizes)):
        believed = tokens[:, start : start + len(known)].argmax(1)
        figures[name] = float((believed == rows[name]).mean())
        start += len(known)
    return figures


def spell(
    speller: NanoSpeller, crops: NDArray[np.uint8], world: World
) -> NDArray[np.float64]:
    """Probabilities (N, label_length, 1 + characters) of crops (N, height, width, 3)."""
    speller.eval()
    parts = []
    for start in range(0, len(crops), 4 * BATCH):
        part = np.ascontiguousarray(crops[start : start + 4 * BATCH].transpose(0, 3, 1, 2))
        x = torch.from_numpy(part).to(world.device).float() / 127.5 - 1
        with torch.inference_mode():
            parts.append(speller(x).softmax(-1).double().cpu().numpy())
    classes = 1 + len(speller.characters)
    return np.concatenate(parts) if parts else np.zeros((0, speller.places, classes))


def speller_figures(
    speller: NanoSpeller, config: NanoConfig, pictures: PictureSet, world: World
) -> dict[str, float]:
    """Shares of prints read exactly, sharp and blurred as much as in training, and of things without one
    on which none is read."""
    crops, rows, _ = pictures.label_crops()
    wanted = characters(rows, config)
    printed = wanted.any(1)
    right = (spell(speller, crops, world).argmax(-1) == wanted).all(1)
    pixels = torch.from_numpy(crops[printed]).permute(0, 3, 1, 2).float()
    blurred = blur_crops(pixels, rows[printed], np.full(len(pixels), blur.MOST_CAMERA_PX))
    as_bytes = blurred.round().permute(0, 2, 3, 1).to(torch.uint8).numpy()
    still = (spell(speller, as_bytes, world).argmax(-1) == wanted[printed]).all(1)
    return _means({"read": right[printed], "blurred": still, "blank": right[~printed]})


def spoken(maker: SentenceMaker, scenes: int = SCENES, each: int = PER_SCENE) -> list[Sample]:
    """Always the same sentences over scenes of a seed that training never draws."""
    rng = random.Random(SEED)
    return [sample for _ in range(scenes) for sample in maker.samples(random_scene(rng), rng, each)]


def language_figures(model: Language, samples: Sequence[Sample], world: World) -> dict[str, float]:
    """Shares of replies right throughout, each token given the true ones before it: by task and, of phrases,
    by group of kinds."""
    model.eval()
    right: list[NDArray[np.bool_]] = []
    for start in range(0, len(samples), BATCH):
        batch = {k: t.to(world.device) for k, t in collate(samples[start : start + BATCH]).items()}
        with torch.inference_mode(), world.autocast():
            written = model(batch["words"], batch["ids"]).argmax(-1)
        target = batch["target"]
        right.append(((written == target) | (target == IGNORE)).all(1).cpu().numpy())
    exact = np.concatenate(right)
    tasks, kinds = np.array([s.task for s in samples]), np.array([s.kind for s in samples])
    parts = {task.strip("<>"): exact[tasks == task] for task in TASKS}
    phrases = tasks == GROUND
    parts |= {name: exact[phrases & np.isin(kinds, sorted(g))] for name, g in GROUPS.items()}
    return _means(parts)


def _means(parts: dict[str, NDArray[Any]]) -> dict[str, float]:
    """Nothing is said of what there is none of."""
    return {name: float(v.mean()) for name, v in parts.items() if len(v)}
