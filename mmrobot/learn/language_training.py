"""Words alone: reader and writer learn what is meant, over scenes that were never rendered.

Each batch holds instructions with their plans, and phrases, statements and questions with their logical
forms; the grammar speaks afresh for every sample, so no sentence is seen often.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.sentences import Sample, SentenceMaker
from mmrobot.tabletop.language import Thing, random_things
from mmrobot.tabletop.objects import EXTRA_COLORS, TRAINED_COLORS
from mmrobot.tabletop.sampling import HELD_OUT
from mmrobot.vlm.models.nano.reader import NanoReader
from mmrobot.vlm.models.nano.slots import TASK_ID
from mmrobot.vlm.models.nano.vocabulary import CONTROL_ID, PAD
from mmrobot.vlm.models.nano.writer import NanoWriter

SAMPLES_PER_SCENE = 6
POOL = 6
"""Batches that are made at once."""
IGNORE = CONTROL_ID[PAD]
SMOOTHING = 0.02
"""Of the targets: what the grammar says is right, yet nothing is certain."""

DEFAULTS = LoopSettings(steps=8000, batch=128, learning_rate=1e-3, warmup=300)


class Language(nn.Module):
    """Reader and writer together, as they are trained."""

    def __init__(self, reader: NanoReader, writer: NanoWriter) -> None:
        super().__init__()
        self.reader, self.writer = reader, writer

    def forward(self, words: Tensor, ids: Tensor) -> Tensor:
        """Bytes of words (B, T, L) and the ids written so far (B, N), to logits (B, N, len(CONTROL) + T)."""
        return self.writer(ids, self.reader(words))


def random_scene(rng: random.Random) -> tuple[Thing, ...]:
    """Things to speak of. Some scenes have colours that the rest never shows."""
    colors = (*TRAINED_COLORS, *EXTRA_COLORS) if rng.random() < 0.25 else TRAINED_COLORS
    return random_things(rng, colors=colors, avoid_pairs=HELD_OUT)


class Sentences(IterableDataset[dict[str, Tensor]]):
    """Endless batches. `scene(rng)` gives things to speak of; each worker has a seed of its own."""

    def __init__(
        self,
        maker: SentenceMaker,
        batch: int,
        seed: str,
        scene: Callable[[random.Random], Sequence[Thing]] = random_scene,
    ) -> None:
        self._maker, self._batch, self._seed, self._scene = maker, batch, seed, scene

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        info = torch.utils.data.get_worker_info()
        rng = random.Random(f"{self._seed}/{info.id if info else 0}")
        torch.set_num_threads(1)
        while True:
            pool: list[Sample] = []
            while len(pool) < self._batch * POOL:
                pool += self._maker.samples(self._scene(rng), rng, SAMPLES_PER_SCENE)
            # Texts of about one length share a batch, since short ones would be padded to the longest.
            pool = rng.sample(pool, self._batch * POOL)
            pool.sort(key=lambda sample: int((sample.word_bytes[:, 0] > 0).sum()))
            for start in rng.sample(range(0, len(pool), self._batch), POOL):
                yield collate(pool[start : start + self._batch])


def collate(batch: Sequence[Sample]) -> dict[str, Tensor]:
    """`words` (B, T, L), `ids` (B, N) what is written, task first, and `target` (B, N) what comes next."""
    longest = max(len(s.ids) for s in batch)
    target = np.full((len(batch), longest), IGNORE, np.int64)
    for row, sample in zip(target, batch, strict=True):
        row[: len(sample.ids)] = sample.ids
    tasks = np.array([[TASK_ID[s.task]] for s in batch])
    words = np.stack([s.word_bytes for s in batch])
    words = words[:, : max(1, int((words[..., 0] > 0).sum(1).max()))]
    arrays = {"words": words, "ids": np.concatenate([tasks, target[:, :-1]], 1), "target": target}
    return {k: torch.from_numpy(np.ascontiguousarray(a)) for k, a in arrays.items()}


def language_loss(model: Language, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of the next token; and shares of replies that are right throughout, by task."""
    logits, target = model(batch["words"], batch["ids"]).float(), batch["target"]
    # Words past a text's end are masked by large numbers, which smoothing would multiply.
    written = logits.masked_fill(logits < -1e3, -30.0).transpose(1, 2)
    loss = F.cross_entropy(written, target, ignore_index=IGNORE, label_smoothing=SMOOTHING)
    with torch.no_grad():
        exact = ((logits.argmax(-1) == target) | (target == IGNORE)).all(1)
        figures = {"loss": loss.detach()} | {
            task.strip("<>"): exact[batch["ids"][:, 0] == i].float().mean() for task, i in TASK_ID.items()
        }
    return loss, {k: float(value) for k, value in figures.items()}


def train_language(
    model: Language,
    maker: SentenceMaker,
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    workers: int = 1,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains in place to `settings.steps`; `workers` processes make the sentences."""

    def begin(step: int) -> Loss:
        data = Sentences(maker, settings.batch, f"{settings.seed}/{step}/{world.rank}")
        loader = iter(DataLoader(data, batch_size=None, num_workers=workers))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            batch = {k: v.to(world.device) for k, v in next(loader).items()}
            with world.autocast():
                return language_loss(model, batch)

        return loss_of_batch

    train("language", model, begin, settings, checkpoint, report, world=world, validate=validate)
