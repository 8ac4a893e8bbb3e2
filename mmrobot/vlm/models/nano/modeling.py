"""NanoModel: the static-shape parts (see, recognise, spell, read, write) as one `transformers` model."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.layout import NanoLayout
from mmrobot.vlm.models.nano.reader import NanoReader
from mmrobot.vlm.models.nano.recogniser import NanoRecogniser
from mmrobot.vlm.models.nano.speller import NanoSpeller
from mmrobot.vlm.models.nano.vision import NanoVision
from mmrobot.vlm.models.nano.writer import NanoWriter, WriterMemory


class NanoModel(PreTrainedModel):
    """mmrobot-nano: `see`, `recognise` and `spell` once per picture, `read` once per text, `write_step` per
    token."""

    config_class = NanoConfig
    base_model_prefix = "nano"
    main_input_name = "pixel_values"

    def __init__(self, config: NanoConfig) -> None:
        super().__init__(config)
        self.vision = NanoVision(config)
        self.layout = NanoLayout(config)
        self.recogniser = NanoRecogniser(config)
        self.speller = NanoSpeller(config)
        self.reader = NanoReader(config)
        self.writer = NanoWriter(config)
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Each part initialises itself."""

    def see(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """Picture (B, 3, H, W) in [-1, 1] to tokens (B, K, token_size), boxes (B, K, 4) in [0, 1], scores
        (B, K), and how they lie: real (B, K), places (B, K, 3), rests (B, K, K), see layout.Layout."""
        tokens, boxes, scores = self.vision(pixel_values)
        return tokens, boxes, scores, *self.layout(tokens.to(self.layout.real.weight.dtype))

    def recognise(self, views: Tensor, boxes: Tensor) -> Tensor:
        """Views (N, 3, view_size, view_size) in [-1, 1] with their boxes (N, 4) in [0, 1] to logits
        (N, colours + shapes + sizes + 1), the last of a thing with a name."""
        return self.recogniser(views, boxes)

    def spell(self, crops: Tensor) -> Tensor:
        """Crops (N, 3, crop_height, crop_width) in [-1, 1] to logits (N, label_length, characters + 1)."""
        return self.speller(crops)

    def read(self, word_bytes: Tensor) -> WriterMemory:
        """Bytes of words (B, T, L) to what `write_step` looks at."""
        return self.writer.remember(self.reader(word_bytes))

    def write_step(
        self, last: Tensor, position: Tensor, cache: Tensor, memory: WriterMemory
    ) -> tuple[Tensor, Tensor]:
        """The id (B, 1) at `position` (1,) to logits (B, len(CONTROL) + T) of the next; the grown cache."""
        return self.writer.step(last, position, cache, memory)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (B, K, 4) in [0, 1] of what is seen, and how likely each is a thing with a name (B, K)."""
        _, boxes, scores, real, _, _ = self.see(pixel_values)
        return boxes, torch.sigmoid(real) * (scores > self.config.object_threshold)
