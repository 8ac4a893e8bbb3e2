"""Greedy text by a static-shape decoder: prefill once, then steps that never wait for the host.

The cache lies at one address for good. The decode engine reads it there; the new row of keys and values that
it gives is written into its place by the same CUDA graph (one engine must not write where it reads, see
`aliased_input`). The greatest logit is found on the device, and token, slot and positions move on there, so
the host only replays the graph and looks from time to time whether the text has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_device import Device
from mmrobot.vlm.engines.trt_runner import Engine, EngineLoader

LOOK_EVERY = 8
"""Steps between two looks at what was written: a look waits for the device, a step too many costs little."""


def cache_updates(engine: Engine, pairs: Mapping[str, str]) -> list[tuple[Any, Any, int | None]]:
    """(cache, what is new of it, axis) for {input: output}; axis None when the output is the whole cache.

    Outputs that the engine itself writes in place need no update and are left out.
    Raises ModelUnavailableError when shapes do not fit.
    """
    updates: list[tuple[Any, Any, int | None]] = []
    for name, output in pairs.items():
        if engine.in_place.get(output) == name:
            continue
        cache, new = engine.buffers[name], engine.buffers[output]
        differ = [i for i, (a, b) in enumerate(zip(cache.shape, new.shape, strict=False)) if a != b]
        if cache.ndim != new.ndim or len(differ) > 1 or any(new.shape[i] != 1 for i in differ):
            raise ModelUnavailableError(
                f"'{output}' {list(new.shape)} of {engine.name} is neither the cache '{name}' "
                f"{list(cache.shape)} nor one row of it",
                "export the decoder anew",
            )
        updates.append((cache, new, differ[0] if differ else None))
    return updates


class GreedyDecoder:
    """Prefill engines, one for each length, and a decode engine, on common caches.

    Names of inputs and outputs are those of engines/export_decoder.py. Not safe for concurrent calls.
    """

    def __init__(
        self, device: Device, loader: EngineLoader, decode: Path, prefills: Mapping[int, Path]
    ) -> None:
        if not prefills:
            raise ModelUnavailableError("a decoder has no prefill engine", "export the model with a length")
        self._device = device
        self.decode = loader.load(decode, "decode")
        buffers = self.decode.buffers
        shared = {name: buffers[name] for name in ("cache_k", "cache_v")}
        shared["next_id"] = buffers["token_id"]
        self.prefills: dict[int, Engine] = {}
        for length, path in sorted(prefills.items()):
            self.prefills[length] = loader.load(path, f"prefill_{length}", shared)
            # One picture for all lengths.
            shared.setdefault("image_embeds", self.prefills[length].buffers["image_embeds"])
        pairs = {
            f"cache_{kind}": next(name for name in self.decode.outputs if name.endswith(f"_{kind}"))
            for kind in ("k", "v")
        }
        self._updates = cache_updates(self.decode, pairs)
        self.capacity = int(buffers["cache_k"].shape[2])
        self._written = device.tensor((self.capacity,), "int64")
        self._count = device.tensor((1,), "int64")
        self._step = device.repeatable(self._advance)

    @property
    def image_embeds(self) -> Any:
        """The device tensor (1, N, D) that a vision engine writes and every prefill reads."""
        return next(iter(self.prefills.values())).buffers["image_embeds"]

    def generate(
        self,
        input_ids: Sequence[int],
        positions: NDArray[np.int64],
        next_position: int,
        limit: int,
        stop: Collection[int] = (),
    ) -> list[int]:
        """The greedy continuation of a prompt: at most `limit` ids, up to and with the first of `stop`.

        `positions` (rope rows, len(input_ids)) are the prompt's rope positions, `next_position` that of
        the first new token; `image_embeds` must hold the prompt's picture.
        Raises ModelUnavailableError for a prompt longer than every prefill.
        """
        n = len(input_ids)
        engine = self._prefill_for(n)
        size = engine.buffers["input_ids"].shape[1]
        ids = np.zeros((1, size), np.int64)
        ids[0, :n] = input_ids
        padded = np.zeros((positions.shape[0], size), np.int64)
        padded[:, :n] = positions
        for name, values in (("input_ids", ids), ("positions", padded), ("length", np.array([n], np.int64))):
            engine.put(name, values)
        self.decode.put("slot", np.array([n], np.int64))
        shape = tuple(self.decode.buffers["positions"].shape)
        self.decode.put("positions", np.full(shape, next_position, np.int64))
        with self._device.working():
            engine.launch()
            self._written[:1].copy_(self.decode.buffers["token_id"].view(1))
            self._count.fill_(1)
        # The last id needs no row of its own in the cache.
        return self._decode(min(limit, self.capacity - n + 1), frozenset(stop))

    def _decode(self, limit: int, stop: frozenset[int]) -> list[int]:
        written = 1
        while written < limit:
            if (written - 1) % LOOK_EVERY == 0 and stop.intersection(self._read(written)):
                break
            self._step()
            written += 1
        ids = self._read(written)[: max(limit, 0)]
        end = next((i + 1 for i, token in enumerate(ids) if token in stop), len(ids))
        return ids[:end]

    def _advance(self) -> None:
        buffers = self.decode.buffers
        self.decode.launch()
        for cache, new, axis in self._updates:
            if axis is None:
                cache.copy_(new)
            else:
                cache.index_copy_(axis, buffers["slot"], new)
        self._written.index_copy_(0, self._count, buffers["next_id"].view(1))
        self._count.add_(1)
        buffers["token_id"].copy_(buffers["next_id"])
        buffers["slot"].add_(1)
        buffers["positions"].add_(1)

    def _prefill_for(self, n: int) -> Engine:
        fitting = [engine for length, engine in self.prefills.items() if length >= n]
        if not fitting or n < 1:
            raise ModelUnavailableError(
                f"a prompt of {n} tokens does not fit: prefill takes 1 to {max(self.prefills)}",
                "export the model with a longer length, or say it shorter",
            )
        return fitting[0]

    def _read(self, count: int) -> list[int]:
        with self._device.working():
            self._device.synchronize()
            return [int(i) for i in self._written[:count].cpu().tolist()]
