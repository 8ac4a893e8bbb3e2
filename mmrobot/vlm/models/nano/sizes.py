"""Sizes and names of mmrobot-nano: plain values, known without torch and transformers."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

COLORS = (
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "purple",
    "white",
    "black",
    "cyan",
    "pink",
    "brown",
    "grey",
)
SHAPES = ("cube", "ball", "cylinder", "bar", "cup", "bowl", "plate", "tray")
SIZES = ("small", "large")


class NanoSizes:
    """Every size of the model; all shapes that follow from it are static.

    `image_height` x `image_width` is what the encoder sees, `num_objects` the most object tokens of a
    picture, `max_words` words of at most `word_bytes` UTF-8 bytes are read, `max_plan_tokens` written.
    Labels of at most `label_length` characters are read from crops of `crop_height` x `crop_width`;
    things are named by views of `view_size` x `view_size`, which weigh `view_weights` (colour, shape, size)
    beside the encoder's own names; a candidate is a thing with a name by `real_weights` of the layout's
    logit, of the recogniser's, and of 1. The
    temperatures divide logits so that probabilities are calibrated (Guo et al. 2017, arXiv:1706.04599).
    `release` is the name under which weights were given out.
    """

    def __init__(
        self,
        image_height: int = 240,
        image_width: int = 320,
        vision_channels: tuple[int, ...] = (48, 64, 96),
        object_channels: int = 64,
        num_objects: int = 20,
        object_threshold: float = 0.06,
        colors: tuple[str, ...] = COLORS,
        shapes: tuple[str, ...] = SHAPES,
        sizes: tuple[str, ...] = SIZES,
        hidden_size: int = 144,
        num_heads: int = 4,
        encoder_layers: int = 4,
        decoder_layers: int = 2,
        max_words: int = 48,
        word_bytes: int = 16,
        max_plan_tokens: int = 64,
        label_characters: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        label_length: int = 2,
        labelled_shapes: tuple[str, ...] = ("cube", "tray"),
        crop_height: int = 64,
        crop_width: int = 96,
        view_size: int = 48,
        view_weights: tuple[float, ...] = (0.8, 0.8, 0.8),
        real_weights: tuple[float, ...] = (0.5, 0.5, 0.0),
        point_temperature: float = 1.0,
        statement_temperature: float = 1.0,
        dropout: float = 0.0,
        release: str = "",
    ) -> None:
        self.image_height = image_height
        self.image_width = image_width
        self.vision_channels = tuple(vision_channels)
        self.object_channels = object_channels
        self.num_objects = num_objects
        self.object_threshold = object_threshold
        self.colors = tuple(colors)
        self.shapes = tuple(shapes)
        self.sizes = tuple(sizes)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.encoder_layers = encoder_layers
        self.decoder_layers = decoder_layers
        self.max_words = max_words
        self.word_bytes = word_bytes
        self.max_plan_tokens = max_plan_tokens
        self.label_characters = label_characters
        self.label_length = label_length
        self.labelled_shapes = tuple(labelled_shapes)
        self.crop_height = crop_height
        self.crop_width = crop_width
        self.view_size = view_size
        self.view_weights = tuple(view_weights)
        self.real_weights = tuple(real_weights)
        self.point_temperature = point_temperature
        self.statement_temperature = statement_temperature
        self.dropout = dropout
        self.release = release

    @classmethod
    def read(cls, folder: Path) -> NanoSizes:
        """Of the config.json beside a model's weights."""
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(**{name: told[name] for name in NAMES if name in told})

    @property
    def attributes_from(self) -> int:
        """Where the attribute probabilities begin in a token."""
        return self.object_channels + 6

    @property
    def token_size(self) -> int:
        """Length of one object token: features, box, score, group, colour, shape and size probabilities."""
        return self.attributes_from + len(self.colors) + len(self.shapes) + len(self.sizes)


NAMES = tuple(inspect.signature(NanoSizes).parameters)
"""Of all its fields."""
