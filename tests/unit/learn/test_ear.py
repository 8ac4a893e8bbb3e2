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
from mmrobot.learn.ear_net import EarNet
from mmrobot.learn.ear_sounds import (
    ACCENTS,
    KEPT_APART,
    VARIANTS,
    Recordings,
    Spoken,
    Surroundings,
    Texts,
    speak,
)
from mmrobot.learn.ear_training import DEFAULTS, Lessons, distance, letters_loss, train_ear
from mmrobot.voice.letters_net import LETTERS, LettersNet, LettersSize, bands
from mmrobot.voice.sound import RATE_HZ

PROSE = tuple("the quick brown fox jumps over the lazy dog and then some more of it".split())
SMALL = LettersSize(16, 2, 5, 5)


def _tones(count: int = 8) -> Recordings:
    rng = np.random.default_rng(0)
    made = [(rng.standard_normal(RATE_HZ) * 3000).astype(np.int16) for _ in range(count)]
    return Recordings.of(Spoken(samples, "stop the cup") for samples in made)


def test_numpy_runs_what_torch_taught(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = EarNet(SMALL).eval()
    net.save(tmp_path / "net.safetensors")
    sound = (np.random.default_rng(1).standard_normal(20_000) * 2000).astype(np.int16)
    with torch.no_grad():
        wanted = net.half().float()(torch.from_numpy(bands(sound))[None])[0].numpy()
    got = LettersNet(tmp_path / "net.safetensors").letters(sound)
    assert got.shape == wanted.shape == (len(wanted), len(LETTERS) + 1)
    assert np.allclose(got, wanted, atol=1e-3)


def test_no_voice_of_the_evaluation_teaches() -> None:
    accents = {voice.split("+")[0] for voice in VOICES if "+" not in voice} - {"en-us"}
    assert {voice.split("+")[1] for voice in VOICES if "+" in voice} == set(KEPT_APART)
    assert not set(VARIANTS) & set(KEPT_APART)
    assert not set(ACCENTS) & accents


def test_surroundings_change_sound_and_are_drawn_by_the_seed() -> None:
    one = _tones()[0].samples
    babble = _tones(40).babble()
    heard = [Surroundings(seed, babble).of(one) for seed in (1, 1, 2)]
    assert np.array_equal(heard[0], heard[1])
    assert heard[0].shape != heard[2].shape or not np.array_equal(heard[0], heard[2])
    assert heard[0].dtype == np.int16


def test_letters_are_learned(tmp_path: Path) -> None:
    recordings = _tones(40)
    lessons = Lessons(recordings, 4, 0)
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
    train_ear(tmp_path, tmp_path / "letters.safetensors", settings, lines.append, utterances=12)
    assert LettersNet(tmp_path / "letters.safetensors").letters(spoken.samples).shape[1] == len(LETTERS) + 1
    assert any("errors_noise" in line for line in lines)
