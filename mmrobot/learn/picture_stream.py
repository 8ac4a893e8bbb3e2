"""Pictures without end: processes render them into shared memory, as fast as they are taken out.

For machines with more cores than a folder of pictures is worth: nothing is written to disk, and no picture
comes twice. Picture i follows from (seed, i) alone, as in `rendering`.
"""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.learn.pictures import (
    CROP_DTYPE,
    CROP_SIZE,
    MAX_CROPS,
    MAX_OBJECTS,
    MAX_VIEWS,
    OBJECT_DTYPE,
    VIEW_DTYPE,
    VIEW_PX,
    Picture,
)
from mmrobot.learn.rendering import PictureMaker
from mmrobot.vlm.models.nano.configuration import NanoConfig

SEED = 2
"""Not that of the pictures on disk: all of those stay unseen."""
BLOCK = 32
"""Pictures handed over at once."""
SLOTS = 3
"""Blocks of a process: one is filled while others are taken."""
PATIENCE_S = 120.0
"""For the first pictures: a process first builds its world."""


@dataclass(frozen=True, eq=False)
class Block:
    """BLOCK pictures as arrays, named and shaped as in `pictures`, first axis the picture."""

    images: NDArray[np.uint8]
    objects: NDArray[Any]
    crops: NDArray[np.uint8]
    crop_index: NDArray[Any]
    views: NDArray[np.uint8]
    view_index: NDArray[Any]

    @classmethod
    def over(cls, memory: SharedMemory, config: NanoConfig) -> Block:
        """Laid over memory of `size_of(config)` bytes."""
        arrays, start = [], 0
        for dtype, shape in _fields(config):
            arrays.append(np.ndarray((BLOCK, *shape), dtype, memory.buf, start))
            start += arrays[-1].nbytes
        return cls(*arrays)

    @staticmethod
    def size_of(config: NanoConfig) -> int:
        """Bytes of a block."""
        return sum(BLOCK * dtype.itemsize * int(np.prod(shape)) for dtype, shape in _fields(config))

    def write(self, row: int, picture: Picture) -> None:
        """Puts one picture in, with all that was cut out of it."""
        assert picture.crops is not None and picture.crop_index is not None
        assert picture.views is not None and picture.view_index is not None
        self.images[row], self.objects[row] = picture.image, picture.objects
        self.crops[row], self.crop_index[row] = picture.crops, picture.crop_index
        self.views[row], self.view_index[row] = picture.views, picture.view_index


def _fields(config: NanoConfig) -> tuple[tuple[np.dtype[Any], tuple[int, ...]], ...]:
    pixel = np.dtype(np.uint8)
    return (
        (pixel, (config.image_height, config.image_width, 3)),
        (OBJECT_DTYPE, (MAX_OBJECTS,)),
        (pixel, (MAX_CROPS, CROP_SIZE[1], CROP_SIZE[0], 3)),
        (CROP_DTYPE, (MAX_CROPS,)),
        (pixel, (MAX_VIEWS, VIEW_PX, VIEW_PX, 3)),
        (VIEW_DTYPE, (MAX_VIEWS,)),
    )


class PictureStream:
    """`workers` processes that render until the stream is closed. Used as a context."""

    def __init__(self, config: NanoConfig, workers: int, seed: int = SEED) -> None:
        # A forked child cannot use its parent's graphics context.
        context = multiprocessing.get_context("spawn")
        self._memory = [SharedMemory(create=True, size=Block.size_of(config)) for _ in range(workers * SLOTS)]
        self._blocks = [Block.over(m, config) for m in self._memory]
        self._ready, self._ends = context.Queue(), context.Event()
        self._free = [context.Queue() for _ in range(workers)]
        self._patience_s = PATIENCE_S
        self._processes = []
        for worker, free in enumerate(self._free):
            slots = range(worker * SLOTS, (worker + 1) * SLOTS)
            names = {slot: self._memory[slot].name for slot in slots}
            for slot in slots:
                free.put(slot)
            given = (worker, workers, seed, config, names, free, self._ready, self._ends)
            self._processes.append(context.Process(target=_render, args=given, daemon=True))
            self._processes[-1].start()

    @contextmanager
    def block(self) -> Iterator[Block]:
        """The next block; it is filled anew when the body ends. Raises ModelUnavailableError where no
        picture comes any more."""
        worker, slot = self._next()
        self._patience_s = PATIENCE_S / 4
        yield self._blocks[slot]
        self._free[worker].put(slot)

    def _next(self) -> tuple[int, int]:
        ends = time.monotonic() + self._patience_s
        while True:
            try:
                worker, slot = self._ready.get(timeout=1.0)
                return worker, slot
            except queue.Empty:
                alive = sum(p.is_alive() for p in self._processes)
                if alive and time.monotonic() < ends:
                    continue
            raise ModelUnavailableError(
                f"no picture came; {alive} of {len(self._processes)} processes that render still run",
                "see what they print above; try `mmrobot train pictures --pictures 8`",
            )

    def close(self) -> None:
        """Ends the processes and frees the memory."""
        self._ends.set()
        for process in self._processes:
            process.join(2.0)
            if process.is_alive():
                process.terminate()
        self._blocks.clear()
        for memory in self._memory:
            with suppress(BufferError):  # where somebody still holds a view, it goes with the process
                memory.close()
            memory.unlink()

    def __enter__(self) -> PictureStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _render(
    worker: int,
    workers: int,
    seed: int,
    config: NanoConfig,
    names: dict[int, str],
    free: multiprocessing.Queue[int],
    ready: multiprocessing.Queue[tuple[int, int]],
    ends: Event,
) -> None:
    """What each process does: every `workers`-th picture."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    memory = {slot: SharedMemory(name=name) for slot, name in names.items()}
    blocks = {slot: Block.over(m, config) for slot, m in memory.items()}
    maker = PictureMaker(seed, config)
    indices = count(worker, workers)
    while not ends.is_set():
        try:
            slot = free.get(timeout=1.0)
        except queue.Empty:
            continue
        for row in range(BLOCK):
            blocks[slot].write(row, maker(next(indices)))
            if ends.is_set():
                return
        ready.put((worker, slot))
