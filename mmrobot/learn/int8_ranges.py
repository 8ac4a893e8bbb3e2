"""Measures the int8 ranges of mmrobot-nano on pairs of training pictures and training sentences.

    mmrobot export --calibrate

What is measured lies beside the weights (int8_ranges.json) and ships with them: a robot needs neither
simulator nor pictures to make its int8 graphs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmrobot.learn.rendering import PictureMaker
from mmrobot.tabletop.language import make_command, make_expression, things_of
from mmrobot.vlm.engines.export_nano import export_nano
from mmrobot.vlm.engines.quantise import Feeds
from mmrobot.vlm.engines.quantise_nano import calibrate
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.families.nano_recording import RecordingParts
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import NanoProcessor
from mmrobot.vlm.onnx_backend import OnnxNano

SEED = 880_000
PICTURES = 48
TEXTS_EACH = 6


def measure(folder: Path, pictures: int = PICTURES, tell: Callable[[int, int], None] | None = None) -> Path:
    """Ranges for the weights in `folder`, written beside them; `tell` hears (done, of) pictures."""
    parts = OnnxNano(folder)
    recorder = RecordingParts(parts)
    vlm = NanoVlm(recorder, NanoProcessor.of(parts.config), "calibration")
    maker = PictureMaker(SEED, NanoConfig(**vars(parts.config)))
    try:
        for index in range(pictures):
            picture = maker(index)
            rng = random.Random(SEED + index)
            things = things_of(picture.scene)
            for turn in range(TEXTS_EACH):
                command = make_command(rng, things, split="train") if turn % 2 else None
                text = command.text if command else make_expression(rng, things).text
                vlm.ground(picture.image, text)
            if picture.crops is not None and picture.crop_index is not None:
                # From the camera's own picture, sharper than what `ground` could cut out of this one.
                shown = np.asarray(picture.crops)[np.asarray(picture.crop_index["object"]) >= 0]
                recorder.crops.extend(NanoProcessor.normalise(crop) for crop in shown)
            if tell is not None:
                tell(index + 1, pictures)
    finally:
        maker.close()
    counts = (pictures, len(recorder.texts))
    return calibrate(export_nano(folder), folder, feeds_of(recorder, parts.buckets), counts)


def feeds_of(recorder: RecordingParts, buckets: tuple[int, ...]) -> dict[str, list[Feeds]]:
    """Each part's inputs by name, batch 1; a text goes to every bucket that it fits."""
    feeds: dict[str, list[Feeds]] = {
        "see": [{"pixel_values": p[None]} for p in recorder.pictures],
        "spell": [{"crops": c[None]} for c in recorder.crops],
    }
    for size in buckets:
        feeds[f"read_{size}"] = [
            {"word_bytes": data[None, :size]}
            for data in recorder.texts
            if int((data[:, 0] > 0).sum()) <= size
        ]
    return {name: given for name, given in feeds.items() if given}
