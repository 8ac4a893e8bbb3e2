"""The ear's net: torch teaches what numpy runs, from voices that the evaluation does not use."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmrobot.evals.voice_set import VOICES
from mmrobot.learn.ear_net import EarNet, bands_of
from mmrobot.learn.ear_sounds import ACCENTS, KEPT_APART, VARIANTS, Recordings, Spoken, Texts, speak
from mmrobot.learn.ear_surroundings import Surroundings
from mmrobot.learn.ear_training import DEFAULTS, Lessons, distance, letters_loss, train_ear
from mmrobot.voice.letters_net import LETTERS, LettersNet, LettersSize, bands
from mmrobot.voice.sound import RATE_HZ

PROSE = tuple("the quick brown fox jumps over the lazy dog and then some more of it".split())
SMALL = LettersSize(16, 2, 5, 5)
CPU = torch.device("cpu")


def _tones(count: int = 8) -> Recordings:
    rng = np.random.default_rng(0)
    made = [(rng.standard_normal(RATE_HZ) * 3000).astype(np.int16) for _ in range(count)]
    return Recordings.of([Spoken(samples, "stop the cup") for samples in made])


def test_numpy_runs_what_torch_taught(tmp_path: Path) -> None:
    """Each sound of a batch, the shorter one too, is to numpy what it is to torch."""
    torch.manual_seed(0)
    net = EarNet(SMALL).eval()
    net.save(tmp_path / "net.safetensors")
    sounds = (np.random.default_rng(1).standard_normal((2, 20_000)) * 2000).astype(np.int16)
    lengths = torch.tensor([20_000, 11_000])
    said = torch.from_numpy(sounds).float() * (torch.arange(20_000) < lengths[:, None])
    seen, counts = bands_of(said, lengths)
    with torch.no_grad():
        wanted = net.half().float()(seen, counts).numpy()
    numpy = LettersNet(tmp_path / "net.safetensors")
    for row, length in enumerate(lengths.tolist()):
        assert np.allclose(bands(sounds[row, :length]), seen[row, : counts[row]].numpy(), atol=1e-3)
        got = numpy.letters(sounds[row, :length])
        assert got.shape[1] == len(LETTERS) + 1
        assert np.allclose(got, wanted[row, : len(got)], atol=1e-3)


def test_no_voice_of_the_evaluation_teaches() -> None:
    accents = {voice.split("+")[0] for voice in VOICES if "+" not in voice} - {"en-us"}
    assert {voice.split("+")[1] for voice in VOICES if "+" in voice} == set(KEPT_APART)
    assert not set(VARIANTS) & set(KEPT_APART)
    assert not set(ACCENTS) & accents


def test_surroundings_change_sound_and_are_drawn_by_the_seed() -> None:
    recordings = _tones()
    samples, ends = torch.from_numpy(recordings.samples), torch.from_numpy(recordings.ends)
    starts = torch.from_numpy(recordings.starts)
    heard = [Surroundings(recordings, CPU, seed).of(samples, starts, ends) for seed in (1, 1, 2)]
    assert torch.equal(heard[0][0], heard[1][0]) and torch.equal(heard[0][1], heard[1][1])
    assert not torch.equal(heard[0][1], heard[2][1])
    sounds, lengths = heard[0]
    assert sounds.shape == (len(recordings), int(lengths.max())) and bool(sounds.isfinite().all())
    assert all(not sound[length:].any() for sound, length in zip(sounds, lengths.tolist(), strict=True))
    assert bool((lengths > 0.8 * RATE_HZ).all())


def test_letters_are_learned(tmp_path: Path) -> None:
    recordings = _tones(40)
    lessons = Lessons(recordings, 4, 0, CPU)
    torch.manual_seed(0)
    net = EarNet(SMALL)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = letters_loss(net, lessons.next())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_distance_of_words() -> None:
    pairs = (("stop", "stop", 0), ("stop", "step", 1), ("", "cup", 3), ("cups", "cup", 1), ("ab", "ba", 2))
    assert all(distance(a, b) == apart for a, b, apart in pairs)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_stage_speaks_teaches_and_writes(tmp_path: Path) -> None:
    texts = Texts(1, PROSE, 200)
    spoken = speak(random.Random(0), texts)
    assert spoken.text and len(spoken.samples) > 1000
    lines: list[str] = []
    settings = replace(DEFAULTS, steps=2, batch=2, seed=1, validate_every=2)
    for name, count in (("sounds", 12), ("kept", 3)):
        Recordings.of([speak(random.Random(k), texts) for k in range(count)]).save(
            tmp_path / f"ear_{name}.npz"
        )
    train_ear(tmp_path, tmp_path / "letters.safetensors", settings, lines.append, net=EarNet(SMALL))
    assert LettersNet(tmp_path / "letters.safetensors").letters(spoken.samples).shape[1] == len(LETTERS) + 1
    assert any("errors_noise" in line for line in lines)
