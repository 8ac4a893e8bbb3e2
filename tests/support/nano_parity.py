"""One backend of mmrobot-nano against another, part by part: close numbers, the same words."""

from __future__ import annotations

import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.vlm.engines.static_nano import nano_parts
from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects
from mmrobot.vlm.families.nano_replies import write_greedily
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.slots import TASK_ID
from mmrobot.vlm.models.nano.vocabulary import CONTROL, PLAN
from tests.support.onnx_graphs import export_folder, traced

STEPS = 12


def small_nano(folder: Path) -> Path:
    """Weights of a small mmrobot-nano, random but with every part at work."""
    torch.manual_seed(3)
    config = NanoConfig(
        image_height=48,
        image_width=64,
        vision_channels=(8, 8, 16),
        object_channels=16,
        num_objects=6,
        hidden_size=32,
        num_heads=2,
        encoder_layers=2,
        decoder_layers=2,
        max_words=24,
        max_plan_tokens=16,
        object_threshold=0.0,
    )
    model = NanoModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    return folder


def traced_parts(folder: Path, out: Path, half: tuple[str, ...] = ()) -> Path:
    """The parts of the weights in `folder` as graphs, those named in `half` of float16.

    By torch's old exporter: seconds, not a minute.
    """
    graphs = {}
    for part in nano_parts(NanoModel.from_pretrained(folder, local_files_only=True)):
        module, inputs = part.module, dict(part.inputs)
        if part.name in half:
            module = copy.deepcopy(module).half()
            inputs = {name: value.half() for name, value in inputs.items()}
        graphs[part.name] = traced(module, inputs, list(part.outputs))
    return export_folder(out, graphs)


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Of two arrays taken as vectors; 1 for two of zeros."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    norm = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / norm if norm else float(np.array_equal(x, y))


class Parity:
    """`trusted` says what is right, `tested` must say the same. Inputs are random and repeatable."""

    def __init__(self, trusted: NanoParts, tested: Any) -> None:
        self.trusted = trusted
        self.tested = tested
        self.config: NanoConfig = trusted.config
        sizes = ("image_height", "image_width", "num_objects", "max_words", "label_length")
        assert [getattr(tested.config, s) for s in sizes] == [getattr(trusted.config, s) for s in sizes]

    def picture(self, seed: int) -> NDArray[np.float32]:
        """(3, H, W) in [-1, 1], smooth enough to hold something."""
        rng, c = np.random.default_rng(seed), self.config
        coarse = rng.uniform(-1, 1, (3, c.image_height // 8, c.image_width // 8))
        return np.kron(coarse, np.ones((1, 8, 8))).astype(np.float32)

    def text(self, seed: int, count: int) -> NDArray[np.int64]:
        """`count` words (max_words, L)."""
        rng, c = np.random.default_rng(seed), self.config
        words = np.zeros((c.max_words, c.word_bytes), np.int64)
        for i in range(count):
            size = int(rng.integers(1, c.word_bytes))
            words[i, :size] = rng.integers(97, 123, size)
        return words

    def see(self, count: int, cosine: float) -> None:
        """All that is seen in random pictures."""
        for seed in range(count):
            right, found = (p.see(self.picture(seed)) for p in (self.trusted, self.tested))
            for field in fields(SeenObjects):
                self._near(getattr(right, field.name), getattr(found, field.name), cosine, field.name)

    def recognise(self, count: int, cosine: float) -> None:
        """Names of random views; also of none."""
        c, rng = self.config, np.random.default_rng(0)
        views = rng.uniform(-1, 1, (count, 3, c.view_size, c.view_size)).astype(np.float32)
        boxes = np.sort(rng.uniform(0, 1, (count, 2, 2)), 1).reshape(count, 4).astype(np.float32)
        for n in (count, 1):
            right, found = (p.recognise(views[:n], boxes[:n]) for p in (self.trusted, self.tested))
            self._near(right, found, cosine, "recognise")
        assert self.tested.recognise(views[:0], boxes[:0]).shape == (0, right.shape[1])

    def spell(self, count: int, cosine: float) -> None:
        """Characters on random crops; also on none."""
        c = self.config
        shape = (count, 3, c.crop_height, c.crop_width)
        crops = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        for part in (crops, crops[:1]):
            self._near(self.trusted.spell(part), self.tested.spell(part), cosine, "spell")
        assert self.tested.spell(crops[:0]).shape == (0, *self.trusted.spell(crops[:1]).shape[1:])

    def read(self, count: int, cosine: float) -> None:
        """What each task begins with, of texts of all lengths; the memory itself differs in form."""
        for seed in range(count):
            words = self._length(seed, count)
            text = self.text(seed, words)
            for task, first in TASK_ID.items():
                right, found = (
                    parts.writer(parts.read(text))(first, 0)[: len(CONTROL) + words]
                    for parts in (self.trusted, self.tested)
                )
                self._near(right, found, cosine, task)

    def write(self, count: int) -> None:
        """Greedy ids of texts of all lengths are equal, and so are whole replies."""
        for seed in range(count):
            words = self._length(seed, count)
            text = self.text(seed, words)
            assert self._greedy(self.trusted, text, words) == self._greedy(self.tested, text, words)
            for task in TASK_ID:
                right, found = (
                    write_greedily(parts.writer(parts.read(text)), task, words, self.config.max_plan_tokens)
                    for parts in (self.trusted, self.tested)
                )
                assert right[0] == found[0] and abs(right[1] - found[1]) < 1e-2, task

    def write_after_other_texts(self, same_length: bool) -> None:
        """A text that is written about only after another one was read and written about."""
        first, second = self.text(0, 4), self.text(1, 4 if same_length else self.config.max_words)
        ids = []
        for parts in (self.trusted, self.tested):
            early = parts.read(first)
            late = parts.read(second)
            steps = [parts.writer(late), parts.writer(early)]
            ids.append([self._run(steps[1], 4), self._run(parts.writer(parts.read(second)), 4)])
        assert ids[0] == ids[1]

    def _length(self, seed: int, count: int) -> int:
        """From one word to all that can be read."""
        return 1 + seed * (self.config.max_words - 1) // max(count - 1, 1)

    def _greedy(self, parts: Any, text: NDArray[np.int64], words: int) -> list[int]:
        return self._run(parts.writer(parts.read(text)), words)

    def _run(self, step: Any, words: int) -> list[int]:
        ids = [TASK_ID[PLAN]]
        for position in range(STEPS):
            logits = step(ids[-1], position)
            assert logits.ndim == 1 and len(CONTROL) + words <= len(logits)
            assert len(logits) <= len(CONTROL) + self.config.max_words
            # Near ties may fall either way: two decimals of float32 are what backends share.
            ids.append(int(np.round(logits[: len(CONTROL) + words], 3).argmax()))
        return ids

    @staticmethod
    def _near(right: NDArray[Any], found: NDArray[Any], least: float, what: str) -> None:
        assert right.shape == found.shape and found.dtype == np.float32, what
        assert np.isfinite(found).all(), what
        assert cosine(right, found) >= least, f"{what}: cosine {cosine(right, found)}"
