"""Renders the training pictures: random scenes over a wide range of looks, in one process or several.

Picture i follows from (seed, i) alone, whoever renders it and whenever.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmrobot.learn.pictures import Picture, PictureWriter, cut_labels, cut_views, label_objects
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.levels import training_scene
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import NanoProcessor

SEED = 1
"""Of the pictures that training renders."""
_CHUNK = 16


class PictureMaker:
    """Makes picture i of a seed; close it when done."""

    def __init__(self, seed: int, config: NanoConfig) -> None:
        self._seed, self._config = seed, config
        self._processor = NanoProcessor(
            config.image_height, config.image_width, config.max_words, config.word_bytes
        )
        self._pool = ScenePool(mask_shrink=2)

    def __call__(self, index: int) -> Picture:
        rng = np.random.default_rng([self._seed, index])
        scene = training_scene(rng)
        rgb, mask = self._pool.render(scene, Randomisation.training(), rng)
        image, _ = self._processor.fit(rgb)
        objects = label_objects(scene, mask, self._config)
        labels = cut_labels(rgb, objects, self._config)
        views = cut_views(rgb, scene, mask, objects, self._config, rng)
        return Picture(scene, image, objects, *labels, *views)

    def camera(self, index: int) -> NDArray[np.uint8]:
        """Picture i alone, as large as the camera's own."""
        rng = np.random.default_rng([self._seed, index])
        return self._pool.render(training_scene(rng), Randomisation.training(), rng)[0]

    def close(self) -> None:
        self._pool.close()


def render_pictures(
    folder: Path,
    count: int,
    seed: int,
    config: NanoConfig,
    report: Callable[[str], None],
    *,
    workers: int = 1,
) -> None:
    """Fills `folder` up to `count` pictures, with `workers` processes. Resumes."""
    writer = PictureWriter(folder, count, config)
    started, first = time.monotonic(), writer.done
    try:
        with _pictures(range(first, count), seed, config, workers) as pictures:
            for picture in pictures:
                writer.append(picture)
                if writer.done % 500 == 0:
                    rate = (writer.done - first) / (time.monotonic() - started)
                    report(f"pictures {writer.done}/{count} {rate:.0f}/s")
    finally:
        writer.close()


@contextmanager
def _pictures(indices: range, seed: int, config: NanoConfig, workers: int) -> Iterator[Iterator[Picture]]:
    """The pictures in order."""
    if workers <= 1:
        maker = PictureMaker(seed, config)
        try:
            yield map(maker, indices)
        finally:
            maker.close()
        return
    # A forked child cannot use its parent's graphics context.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _begin, (seed, config)) as pool:
        yield pool.imap(_make, indices, chunksize=_CHUNK)


_maker: PictureMaker | None = None


def _begin(seed: int, config: NanoConfig) -> None:
    global _maker
    _maker = PictureMaker(seed, config)


def _make(index: int) -> Picture:
    assert _maker is not None
    return _maker(index)
