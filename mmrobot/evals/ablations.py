"""What is taken from the robot to see what its success rests on: sight, words or depth."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

import numpy as np

from mmrobot.types import RgbdFrame

ABLATIONS = ("blind", "text", "depth")
GREY = 128
_SYLLABLES = "ba ko ti mu re la fo ni ze gu pa so di ve chu".split()


def ablate_frame(frame: RgbdFrame, ablation: str) -> RgbdFrame:
    """The picture as the robot gets it: grey when blind, without depth, or as it is."""
    if ablation == "blind":
        return replace(frame, rgb=np.full_like(frame.rgb, GREY))
    if ablation == "depth":
        return replace(frame, depth_m=None)
    return frame


def ablate_words(words: str, ablation: str) -> str:
    """The words as the robot gets them: gibberish of the same number of words when deaf, always the same
    for the same words."""
    if ablation != "text":
        return words
    rng = random.Random(zlib.crc32(words.encode()))
    return " ".join("".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3))) for _ in words.split()) or "ba"
