"""Teaches the ear's net letters: utterances spoken once, heard in other surroundings each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from mmrobot.learn.distributed import World
from mmrobot.learn.ear_net import EarNet
from mmrobot.learn.ear_sounds import Recordings, Spoken, Surroundings, Texts, prose_of, speak
from mmrobot.learn.loop import LoopSettings, train
from mmrobot.voice.letters_net import BANDS, BLANK, LETTERS, STRIDE, bands, to_indices

DEFAULTS = LoopSettings(steps=6000, batch=24, learning_rate=2e-3, warmup=300, validate_every=500)
UTTERANCES, VALIDATED = 14_000, 150
_PROSE = Path(__file__).resolve().parents[2] / "docs"
_SORTED = 4
"""So many batches are drawn at once and cut by length, so that little of them is filled up."""


def record(path: Path, count: int, seed: int, report: Callable[[str], None]) -> Recordings:
    """`count` utterances, spoken now unless the file has them. Raises VoiceUnavailableError."""
    if path.is_file():
        return Recordings.load(path)
    rng, texts = random.Random(seed), Texts(seed, prose_of(_PROSE))

    def spoken() -> Iterator[Spoken]:
        for k in range(count):
            if k % 2000 == 0:
                report(f"utterance {k} of {count}")
            yield speak(rng, texts)

    recordings = Recordings.of(spoken())
    recordings.save(path)
    return recordings


class Lessons:
    """Batches of sound and letters; the step that it begins with decides what comes."""

    def __init__(self, recordings: Recordings, batch: int, seed: int) -> None:
        self._recordings, self._batch = recordings, batch
        self._rng = random.Random(seed)
        self._surroundings = Surroundings(seed, recordings.babble())
        self._ready: list[list[int]] = []

    def next(self) -> tuple[Tensor, Tensor, list[list[int]]]:
        """Bands (n, t, BANDS), lengths of letters (n,), indices of letters."""
        if not self._ready:
            drawn = self._rng.sample(range(len(self._recordings)), self._batch * _SORTED)
            drawn.sort(key=lambda k: len(self._recordings[k].samples))
            self._ready = [drawn[i : i + self._batch] for i in range(0, len(drawn), self._batch)]
            self._rng.shuffle(self._ready)
        spoken = [self._recordings[k] for k in self._ready.pop()]
        return collate([(self._surroundings.of(s.samples), s.text) for s in spoken])


def collate(heard: list[tuple[np.ndarray, str]]) -> tuple[Tensor, Tensor, list[list[int]]]:
    """Sounds (m,) int16 with their texts as one batch."""
    seen = [bands(samples) for samples, _ in heard]
    filled = np.zeros((len(seen), max(map(len, seen)), BANDS), np.float32)
    for row, one in zip(filled, seen, strict=True):
        row[: len(one)] = one
    lengths = torch.tensor([(len(one) - 1) // STRIDE + 1 for one in seen])
    return torch.from_numpy(filled), lengths, [to_indices(text) for _, text in heard]


def letters_loss(net: EarNet, batch: tuple[Tensor, Tensor, list[list[int]]]) -> Tensor:
    """Per letter, of the CTC."""
    seen, lengths, told = batch
    chances = net(_blotted(seen) if net.training else seen)
    targets = torch.tensor([i for text in told for i in text])
    counts = torch.tensor([len(text) for text in told])
    total = ctc_loss(
        chances.transpose(0, 1), targets, lengths, counts, BLANK, reduction="sum", zero_infinity=True
    )
    return total / counts.sum()


def _blotted(seen: Tensor) -> Tensor:
    """Without some bands and some moments (Park et al. 2019, "SpecAugment")."""
    seen = seen.clone()
    for row in seen:
        low, wide = random.randrange(BANDS), random.randrange(8)
        row[:, low : low + wide] = 0.0
        for _ in range(2):
            start = random.randrange(len(row))
            row[start : start + random.randrange(12)] = 0.0
    return seen


def error_rate(net: EarNet, recordings: Recordings, surroundings: Surroundings | None) -> float:
    """Letters to be put in, out or right of those said, where nothing but the net is asked."""
    wrong = said = 0
    with torch.no_grad():
        for k in range(len(recordings)):
            spoken = recordings[k]
            sound = surroundings.of(spoken.samples) if surroundings else spoken.samples
            best = net(torch.from_numpy(bands(sound))[None])[0].argmax(-1).tolist()
            kept = [i for i, before in zip(best, [BLANK, *best], strict=False) if i not in (BLANK, before)]
            wrong += distance("".join(LETTERS[i - 1] for i in kept), spoken.text)
            said += len(spoken.text)
    return wrong / said


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def train_ear(
    folder: Path,
    out: Path,
    settings: LoopSettings,
    report: Callable[[str], None],
    *,
    utterances: int = UTTERANCES,
    world: World = World(),  # noqa: B008  (frozen)
) -> None:
    """Speaks, teaches and writes the weights to `out`; checkpoint, curves and sound lie in `folder`."""
    recordings = record(folder / "ear_sounds.npz", utterances, settings.seed, report)
    kept = record(folder / "ear_kept.npz", VALIDATED, settings.seed + 1, report)
    net = EarNet()

    def begin(step: int) -> Callable[[], tuple[Tensor, dict[str, float]]]:
        lessons = Lessons(recordings, settings.batch, settings.seed + 7919 * step)

        def loss() -> tuple[Tensor, dict[str, float]]:
            value = letters_loss(net, lessons.next())
            return value, {"letters": value.item()}

        return loss

    def validate() -> dict[str, float]:
        noise = Surroundings(settings.seed + 2, recordings.babble())
        return {"errors": error_rate(net, kept, None), "errors_noise": error_rate(net, kept, noise)}

    train("ear", net, begin, settings, folder / "ear.pt", report, world=world, validate=validate)
    net.save(out)
