"""What mmrobot-nano believes of a picture: its objects as probabilities, and the prints on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.denotation import Beliefs
from mmrobot.vlm.models.nano.processing import Letterbox, NanoProcessor

FEWER_STRANGERS = 2.5
"""Log odds: most training pictures show things that have no name, a table seldom does (prior shift)."""


@dataclass(frozen=True, eq=False)
class SeenScene:
    """The K objects of a picture: what is believed of them, their boxes (K, 4) in [0, 1], their prints as
    text ("" where there is none), and how the picture was fitted."""

    beliefs: Beliefs
    boxes: NDArray[np.float32]
    labels: tuple[str, ...]
    letterbox: Letterbox


def see_scene(parts: NanoParts, processor: NanoProcessor, image_rgb: NDArray[np.uint8]) -> SeenScene:
    """Looks at a picture (H, W, 3); candidates below the configured threshold are left out."""
    config = parts.config
    pixels, letterbox = processor.picture(image_rgb)
    seen = parts.see(pixels)
    seen = seen.only(np.flatnonzero(seen.scores > config.object_threshold))
    prints = np.zeros((len(seen.scores), config.label_length, 1 + len(config.label_characters)))
    crops, index = [], []
    height, width = image_rgb.shape[:2]
    for i in printable(seen, config):
        box = processor.box_in_original(seen.boxes[i].tolist(), letterbox, width, height)
        if box is not None:
            crops.append(processor.crop(image_rgb, box))
            index.append(i)
    if crops:
        prints[index] = _softmax(parts.spell(np.stack(crops)).astype(np.float64))
    beliefs = believe(seen, prints, config)
    return SeenScene(beliefs, seen.boxes, tuple(text_of(p, config) for p in prints), letterbox)


def printable(seen: SeenObjects, config: NanoConfig) -> list[int]:
    """Which objects are of a shape that may carry a print."""
    start = config.attributes_from + len(config.colors)
    shapes = seen.tokens[:, start : start + len(config.shapes)].argmax(1)
    may = [config.shapes.index(s) for s in config.labelled_shapes]
    return [int(i) for i in np.flatnonzero(np.isin(shapes, may))]


def believe(seen: SeenObjects, prints: NDArray[np.float64], config: NanoConfig) -> Beliefs:
    """`prints` (K, label_length, 1 + characters) probabilities, zeros where none was looked for."""
    tokens = seen.tokens.astype(np.float64)
    ends = np.cumsum([len(names) for names in (config.colors, config.shapes, config.sizes)])
    colors, shapes, sizes, _ = np.split(tokens[:, config.attributes_from :], ends, axis=1)
    places = seen.places.astype(np.float64)
    return Beliefs(
        real=_expit(seen.real.astype(np.float64) + FEWER_STRANGERS),
        colors=colors,
        shapes=shapes,
        sizes=sizes,
        places_m=places[:, :2],
        log_volumes=places[:, 2],
        rests=_expit(seen.rests.astype(np.float64)),
        prints=prints,
        label_characters=config.label_characters,
    )


def text_of(prints: NDArray[np.float64], config: NanoConfig) -> str:
    """The likeliest print of (label_length, 1 + characters) probabilities; "" where none was looked for."""
    characters = " " + config.label_characters
    return "".join(characters[c] for c in prints.argmax(-1)).strip()


def calibrated(p: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities whose logits are divided by a temperature (Guo et al. 2017, arXiv:1706.04599)."""
    safe = np.clip(p, 1e-9, 1 - 1e-9)
    return _expit(np.log(safe / (1 - safe)) / temperature)


def _expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))
