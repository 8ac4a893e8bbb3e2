"""What mmrobot-nano believes of a picture: its objects as probabilities, and the prints on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects
from mmrobot.vlm.models.nano.denotation import Beliefs
from mmrobot.vlm.models.nano.processing import Letterbox, NanoProcessor
from mmrobot.vlm.models.nano.sizes import NanoSizes


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
    inside = processor.inside(image_rgb, seen.boxes, letterbox)
    seen, boxes = seen.only(np.array(list(inside), np.int64)), list(inside.values())
    views = [processor.view(image_rgb, box) for box in boxes]
    names = parts.recognise(np.stack(views), seen.boxes) if views else np.zeros((0, names_size(config)))
    prints = np.zeros((len(seen.scores), config.label_length, 1 + len(config.label_characters)))
    index = printable(attributes(seen, names, config)[1], config)
    if index:
        crops = np.stack([processor.crop(image_rgb, boxes[i]) for i in index])
        prints[index] = _softmax(parts.spell(crops).astype(np.float64))
    beliefs = believe(seen, names, prints, config)
    return SeenScene(beliefs, seen.boxes, tuple(text_of(p, config) for p in prints), letterbox)


def printable(shapes: NDArray[np.float64], config: NanoSizes) -> list[int]:
    """Which objects are of a shape that may carry a print; `shapes` (K, shapes) probabilities."""
    may = [config.shapes.index(s) for s in config.labelled_shapes]
    return [int(i) for i in np.flatnonzero(np.isin(shapes.argmax(1), may))]


def names_size(config: NanoSizes) -> int:
    """Length of what the recogniser says of one view."""
    return len(config.colors) + len(config.shapes) + len(config.sizes) + 1


def attributes(
    seen: SeenObjects, names: NDArray[np.floating], config: NanoSizes
) -> list[NDArray[np.float64]]:
    """Probabilities of colours, shapes and sizes (K, ...) from both looks.

    The encoder's are in the tokens, the recogniser's logits in `names` (K, names_size); config.view_weights
    tells how much the recogniser's weigh.
    """
    ends = np.cumsum([len(known) for known in (config.colors, config.shapes, config.sizes)])
    first = np.split(seen.tokens.astype(np.float64)[:, config.attributes_from :], ends, axis=1)
    second = np.split(names.astype(np.float64), ends, axis=1)
    return [pooled(a, b, w) for a, b, w in zip(first[:3], second[:3], config.view_weights, strict=True)]


def pooled(
    probabilities: NDArray[np.float64], logits: NDArray[np.float64], weight: float
) -> NDArray[np.float64]:
    """Two looks (K, n) in one: a weighted sum of their logs (a logarithmic opinion pool, Genest & Zidek 1986,
    doi:10.1214/ss/1177013825), `weight` of it the second's."""
    return _softmax((1 - weight) * np.log(np.maximum(probabilities, 1e-6)) + weight * logits)


def believe(
    seen: SeenObjects, names: NDArray[np.floating], prints: NDArray[np.float64], config: NanoSizes
) -> Beliefs:
    """Everything of the K objects. `names` as for `attributes`; `prints` (K, label_length, 1 + characters)
    probabilities, zeros where none was looked for."""
    colors, shapes, sizes = attributes(seen, names, config)
    real, view_real = seen.real.astype(np.float64), names[:, -1].astype(np.float64)
    of_layout, of_view, bias = config.real_weights
    real = of_layout * real + of_view * view_real + bias
    places = seen.places.astype(np.float64)
    return Beliefs(
        real=expit(real),
        colors=colors,
        shapes=shapes,
        sizes=sizes,
        places_m=places[:, :2],
        log_volumes=places[:, 2],
        rests=expit(seen.rests.astype(np.float64)),
        prints=prints,
        label_characters=config.label_characters,
    )


def text_of(prints: NDArray[np.float64], config: NanoSizes) -> str:
    """The likeliest print of (label_length, 1 + characters) probabilities; "" where none was looked for."""
    characters = " " + config.label_characters
    return "".join(characters[c] for c in prints.argmax(-1)).strip()


def calibrated(p: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities whose logits are divided by a temperature (Guo et al. 2017, arXiv:1706.04599)."""
    safe = np.clip(p, 1e-9, 1 - 1e-9)
    return expit(np.log(safe / (1 - safe)) / temperature)


def expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))
