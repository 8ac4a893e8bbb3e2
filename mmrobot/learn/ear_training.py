"""Teaches the ear's net letters: utterances spoken once, heard in other surroundings each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from mmrobot.learn.distributed import World
from mmrobot.learn.ear_net import EarNet, bands_of, letter_counts
from mmrobot.learn.ear_sounds import Recordings, record
from mmrobot.learn.ear_surroundings import LOUD, Surroundings
from mmrobot.learn.loop import LoopSettings, train
from mmrobot.voice.letters_net import BANDS, BLANK, LETTERS, to_indices

DEFAULTS = LoopSettings(steps=6000, batch=24, learning_rate=2e-3, warmup=300, validate_every=500)
UTTERANCES, VALIDATED = 14_000, 192
_SORTED = 4
"""So many batches are drawn at once and cut by length, so that little of them is filled up."""
_AT_ONCE = 64

Batch = tuple[Tensor, Tensor, list[list[int]]]
"""Bands (n, t, BANDS), how many each has (n,), indices of letters."""


class Lessons:
    """Draws batches by the seed."""

    def __init__(self, recordings: Recordings, batch: int, seed: int, device: torch.device) -> None:
        self._batch = batch
        self._random = random.Random(seed)
        self._sounds = Sounds(recordings, device)
        self._surroundings = Surroundings(recordings, device, seed)
        self._ready: list[list[int]] = []

    def next(self) -> Batch:
        """A fresh one."""
        lengths = self._sounds.lengths
        if not self._ready:
            count = min(self._batch * _SORTED, len(lengths))
            drawn = sorted(self._random.sample(range(len(lengths)), count), key=lengths.__getitem__)
            self._ready = [drawn[i : i + self._batch] for i in range(0, count, self._batch)]
            self._random.shuffle(self._ready)
        return self._sounds.heard(self._ready.pop(), self._surroundings)


class Sounds:
    """Recordings on a device."""

    def __init__(self, recordings: Recordings, device: torch.device) -> None:
        self._samples = torch.from_numpy(recordings.samples).to(device)
        self._starts = torch.from_numpy(recordings.starts).to(device)
        self._ends = torch.from_numpy(recordings.ends).to(device)
        self.letters = [to_indices(text) for text in recordings.texts]
        self.lengths: list[int] = (recordings.ends - recordings.starts).tolist()

    def heard(self, chosen: list[int], surroundings: Surroundings | None) -> Batch:
        """Some of them; without surroundings as they were spoken."""
        at = torch.tensor(chosen, device=self._samples.device)
        starts, ends = self._starts[at], self._ends[at]
        if surroundings is not None:
            sounds, lengths = surroundings.of(self._samples, starts, ends)
        else:
            lengths = ends - starts
            time = torch.arange(int(lengths.max()), device=at.device)
            said = time < lengths[:, None]
            sounds = self._samples[torch.where(said, starts[:, None] + time, 0)].float() * said
            sounds = LOUD * sounds / sounds.square().mean().sqrt()
        bands, counts = bands_of(sounds, lengths)
        return bands, counts, [self.letters[k] for k in chosen]


def letters_loss(net: EarNet, batch: Batch) -> Tensor:
    """Per letter, of the CTC."""
    bands, counts, told = batch
    device = bands.device
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        chances = net(_blotted(bands) if net.training else bands, counts)
    targets = torch.tensor([i for text in told for i in text], device=device)
    lengths = torch.tensor([len(text) for text in told], device=device)
    total = ctc_loss(
        chances.transpose(0, 1), targets, letter_counts(counts), lengths, BLANK, "sum", zero_infinity=True
    )
    return total / lengths.sum()


def _blotted(bands: Tensor) -> Tensor:
    """Without some bands and some moments (Park et al. 2019, "SpecAugment")."""
    n, frames = bands.shape[:2]
    device = bands.device
    low, wide = (torch.randint(m, (n, 1), device=device) for m in (BANDS, 8))
    band = torch.arange(BANDS, device=device)
    kept = ~((band >= low) & (band < low + wide))[:, None, :]
    time = torch.arange(frames, device=device)
    for _ in range(2):
        start, length = (torch.randint(m, (n, 1), device=device) for m in (frames, 12))
        kept = kept & ~((time >= start) & (time < start + length))[:, :, None]
    return bands * kept


def error_rate(net: EarNet, sounds: Sounds, surroundings: Surroundings | None) -> float:
    """Letters to be put in, out or right of those said, where nothing but the net is asked."""
    wrong = said = 0
    for first in range(0, len(sounds.lengths), _AT_ONCE):
        chosen = list(range(first, min(first + _AT_ONCE, len(sounds.lengths))))
        bands, counts, told = sounds.heard(chosen, surroundings)
        with torch.no_grad():
            best = net(bands, counts).argmax(-1)
        for row, count, letters in zip(best.tolist(), letter_counts(counts).tolist(), told, strict=True):
            heard = row[:count]
            kept = [i for i, before in zip(heard, [BLANK, *heard], strict=False) if i not in (BLANK, before)]
            wrong += distance(_text(kept), _text(letters))
            said += len(letters)
    return wrong / said


def _text(indices: list[int]) -> str:
    return "".join(LETTERS[i - 1] for i in indices)


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
    workers: int = 1,
    net: EarNet | None = None,
    world: World = World(),  # noqa: B008  (frozen)
) -> None:
    """Speaks, teaches and writes the weights to `out`; checkpoint, curves and sound lie in `folder`."""
    recordings = record(folder / "ear_sounds.npz", utterances, settings.seed, workers, report)
    kept = record(folder / "ear_kept.npz", VALIDATED, settings.seed + 1, workers, report)
    settings = replace(settings, batch=min(settings.batch, len(recordings)))
    net = net or EarNet()

    def begin(step: int) -> Callable[[], tuple[Tensor, dict[str, float]]]:
        lessons = Lessons(recordings, settings.batch, settings.seed + 7919 * step, world.device)

        def loss() -> tuple[Tensor, dict[str, float]]:
            value = letters_loss(net, lessons.next())
            return value, {"letters": value.item()}

        return loss

    def validate() -> dict[str, float]:
        sounds = Sounds(kept, world.device)
        noise = Surroundings(recordings, world.device, settings.seed + 2)
        return {"errors": error_rate(net, sounds, None), "errors_noise": error_rate(net, sounds, noise)}

    train("ear", net, begin, settings, folder / "ear.pt", report, world=world, validate=validate)
    net.save(out)
