"""mmrobot-nano through torch.compile: the torch backend with its parts compiled by inductor.

Needs a C++ compiler on the CPU; the first calls take a minute. Numbers stay those of the torch backend up
to rounding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.models.nano.writer import WriterMemory
from mmrobot.vlm.torch_backend import TorchNano


def use_threads(threads: int) -> None:
    """How many CPU threads torch takes in this process; 0 leaves its choice."""
    if threads > 0:
        torch.set_num_threads(threads)


class CompiledNano(TorchNano):
    """TorchNano with see, read and write_step compiled; compiles at once, with inputs of their shapes.

    Raises ModelUnavailableError when the weights are bad or nothing can be compiled here.
    """

    name = "torch-compile"

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        super().__init__(folder, device)
        for part in ("see", "read", "write_step"):
            setattr(self.model, part, torch.compile(getattr(self.model, part), dynamic=False))
        try:
            self._warm_up()
        except Exception as error:
            raise ModelUnavailableError(
                f"torch.compile failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}",
                "install g++, or use the torch or onnx backend",
            ) from error

    def read(self, word_bytes: NDArray[np.int64]) -> WriterMemory:
        """Words (T, L), always all of them: each other length would be compiled anew."""
        return self.model.read(self._tensor(word_bytes))

    def _warm_up(self) -> None:
        c = self.config
        self.see(np.zeros((3, c.image_height, c.image_width), np.float32))
        said: NDArray[np.int64] = np.zeros((c.max_words, c.word_bytes), np.int64)
        said[0, 0] = ord("a")
        step = self.writer(self.read(said))
        for position in range(2):
            step(1, position)
