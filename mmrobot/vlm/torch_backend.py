"""The torch backend of mmrobot-nano: its parts on CPU or CUDA, numpy in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.families.nano_parts import SeenObjects, WriteStep
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.writer import WriterMemory


class TorchNano:
    """See, recognise, spell, read and write with torch. Not safe for concurrent calls.

    Raises ModelUnavailableError when the weights are missing, damaged or of another model.
    """

    name = "torch"

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        weights = folder / "model.safetensors"
        if not weights.is_file():
            raise ModelUnavailableError(
                f"no weights at {weights}", "install the package anew, or run `make train`"
            )
        try:
            model, report = NanoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except Exception as error:
            raise ModelUnavailableError(
                f"the weights in {folder} cannot be loaded: {error}",
                "install the package anew, or run `make train`",
            ) from error
        wrong = sorted(report["missing_keys"]) + sorted(report["unexpected_keys"])
        if wrong:
            raise ModelUnavailableError(
                f"the weights in {folder} do not fit the model: {len(wrong)} wrong keys, such as {wrong[0]}",
                "install the package anew, or run `make train`",
            )
        self.device = torch.device(device)
        self.model = model.eval().to(self.device)
        self.config: NanoConfig = model.config

    @torch.inference_mode()
    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """One picture (3, H, W) to its object tokens."""
        return SeenObjects(*(_numpy(t[0]) for t in self.model.see(self._tensor(pixel_values))))

    @torch.inference_mode()
    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views (N, 3, S, S) and boxes (N, 4) to logits (N, colours + shapes + sizes + 1)."""
        return _numpy(self.model.recognise(self._tensor(views)[0], self._tensor(boxes)[0]))

    @torch.inference_mode()
    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crops (N, 3, crop_height, crop_width) to logits (N, label_length, characters + 1)."""
        return _numpy(self.model.spell(self._tensor(crops)[0]))

    @torch.inference_mode()
    def read(self, word_bytes: NDArray[np.int64]) -> WriterMemory:
        """Words (T, L) for the writer to look at; what is past the last one is left out."""
        said = max(1, int((word_bytes[:, 0] > 0).sum()))
        return self.model.read(self._tensor(word_bytes[:said]))

    def writer(self, memory: WriterMemory) -> WriteStep:
        """One token a call, on a cache of full capacity."""
        cache = self.model.writer.empty_cache()

        @torch.inference_mode()
        def step(last: int, position: int) -> NDArray[np.float32]:
            nonlocal cache
            ids, at = (torch.tensor(v, device=self.device) for v in ([[last]], [position]))
            logits, cache = self.model.write_step(ids, at, cache, memory)
            return _numpy(logits[0])

        return step

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None].to(self.device)


def _numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)
