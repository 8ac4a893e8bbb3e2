"""Do all backends of mmrobot-nano compute the same? Part by part against torch, and reply by reply.

Pictures and sentences are those of unseen scenes. Objects are compared one by one, matched by place:
of two peaks of equal height, either may come first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidConfigError
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.families import EVALUATION_SEED
from mmrobot.tabletop.language import make_command, things_of
from mmrobot.tabletop.sampling import sample_scene
from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects
from mmrobot.vlm.families.nano_replies import write_greedily
from mmrobot.vlm.models.nano.processing import NanoProcessor
from mmrobot.vlm.models.nano.slots import TASK_ID
from mmrobot.vlm.models.nano.vocabulary import CONTROL, GROUND, PLAN
from mmrobot.vlm.words import words

MIN_COSINE = 0.999
PER_PICTURE = 5
_NEAR = 0.02
_SALT = 0x9A21

Backends = dict[str, Callable[[Path], NanoParts]]


@dataclass
class PartParity:
    """One part of one backend against torch: the least cosine and the greatest difference seen."""

    cosine: float = 1.0
    max_abs: float = 0.0
    n: int = 0

    def add(self, ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> None:
        """One more pair of arrays of one shape."""
        a, b = np.asarray(ours, np.float64).ravel(), np.asarray(theirs, np.float64).ravel()
        norm = float(np.linalg.norm(a) * np.linalg.norm(b))
        self.cosine = min(self.cosine, float(a @ b) / norm if norm else float(np.array_equal(a, b)))
        self.max_abs = max(self.max_abs, float(np.abs(a - b).max(initial=0.0)))
        self.n += 1


@dataclass
class BackendParity:
    """One backend: its parts, objects that it missed or added, and prompts with the same tokens."""

    parts: dict[str, PartParity] = field(default_factory=dict)
    objects: int = 0
    objects_differ: int = 0
    prompts: int = 0
    prompts_equal: int = 0

    @property
    def exact(self) -> bool:
        """Whether it may be called the same: every cosine over MIN_COSINE, every object and plan alike."""
        near = all(part.cosine > MIN_COSINE for part in self.parts.values())
        return near and self.objects_differ == 0 and self.prompts_equal == self.prompts > 0

    def part(self, name: str) -> PartParity:
        """The figures of a part, begun when there are none."""
        return self.parts.setdefault(name, PartParity())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        parts = {n: {"cosine": p.cosine, "max_abs": p.max_abs, "n": p.n} for n, p in self.parts.items()}
        return {
            "parts": parts,
            "objects": self.objects,
            "objects_differ": self.objects_differ,
            "prompts": self.prompts,
            "prompts_equal": self.prompts_equal,
            "exact": self.exact,
        }


def known_backends() -> Backends:
    """What can be compared with torch on this machine."""
    import importlib.util

    from mmrobot.vlm.onnx_backend import OnnxNano

    found: Backends = {
        "onnx-fp32": lambda folder: OnnxNano(folder),
        "onnx-int8": lambda folder: OnnxNano(folder, "int8"),
    }
    if importlib.util.find_spec("tensorrt") is not None:
        from mmrobot.vlm.tensorrt_backend import TensorRtNano

        found["tensorrt"] = lambda folder: TensorRtNano(folder)
    return found


def prompts(count: int, seed: int = EVALUATION_SEED) -> Iterator[tuple[NDArray[np.uint8], tuple[str, ...]]]:
    """Pictures of unseen scenes, each with PER_PICTURE instructions; `count` instructions in all."""
    left = count
    with ScenePool(seed, size=(320, 240)) as pool:
        for index in range(-(-count // PER_PICTURE)):
            scene = sample_scene(np.random.default_rng([seed + index, _SALT]), (3, 8))
            picture, _ = pool.render(scene, Randomisation(arm_random=0.0))
            rng = random.Random(seed + index)
            said: list[str] = []
            while len(said) < min(PER_PICTURE, left):
                command = make_command(rng, things_of(scene), split="train")
                if command is not None:
                    said.append(command.text)
            left -= len(said)
            yield picture, tuple(said)


def check_parity(
    reference: NanoParts,
    backends: dict[str, NanoParts],
    asked: Iterator[tuple[NDArray[np.uint8], Sequence[str]]],
    tell: Callable[[int], None] | None = None,
) -> dict[str, BackendParity]:
    """Each backend against the reference over pictures with instructions; `tell` hears how many are done.

    Each part gets the reference's inputs. A prompt counts as equal when its plan and, read as a phrase, its
    logical form are the same token for token.
    Raises InvalidConfigError when there is nothing to compare.
    """
    if not backends:
        raise InvalidConfigError("no backend to compare", "install onnxruntime")
    processor = NanoProcessor.of(reference.config)
    results = {name: BackendParity() for name in backends}
    done = 0
    for picture, instructions in asked:
        pixels, _ = processor.picture(picture)
        seen = reference.see(pixels)
        crops, views, boxes = _cuts(picture, seen, processor, reference.config.object_threshold)
        named = reference.recognise(views, boxes) if len(crops) else None
        spelt = reference.spell(crops) if len(crops) else None
        for name, parts in backends.items():
            _compare_seen(results[name], seen, parts.see(pixels), reference.config.object_threshold)
            if named is not None:
                results[name].part("recognise").add(named, parts.recognise(views, boxes))
            if spelt is not None:
                results[name].part("spell").add(spelt, parts.spell(crops))
        for text in instructions:
            said = words(text)[: processor.max_words]
            data = processor.words(said)
            wanted, first = _replies(reference, data, len(said))
            for name, parts in backends.items():
                result = results[name]
                mine, own_first = _replies(parts, data, len(said))
                result.part("read and write: first token").add(first, own_first)
                result.prompts += 1
                result.prompts_equal += wanted == mine
            done += 1
            if tell is not None:
                tell(done)
    return results


def _cuts(
    picture: NDArray[np.uint8], seen: SeenObjects, processor: NanoProcessor, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Crops and views of what is seen, and boxes (N, 4) in [0, 1]."""
    seen = seen.only(np.flatnonzero(seen.scores > threshold))
    inside = processor.inside(picture, seen.boxes, processor.fit(picture)[1])
    if not inside:
        none = np.zeros((0, 3, 1, 1), np.float32)
        return none, none, np.zeros((0, 4), np.float32)
    crops = [processor.crop(picture, box) for box in inside.values()]
    views = [processor.view(picture, box) for box in inside.values()]
    return np.stack(crops), np.stack(views), seen.boxes[list(inside)]


def _compare_seen(result: BackendParity, ours: SeenObjects, theirs: SeenObjects, threshold: float) -> None:
    here, there = (np.flatnonzero(s.scores > threshold) for s in (ours, theirs))
    result.objects += len(here)
    free = set(there.tolist())
    for i in here:
        near = [j for j in free if np.abs(theirs.boxes[j] - ours.boxes[i]).max() < _NEAR]
        if not near:
            result.objects_differ += 1
            continue
        j = min(near, key=lambda j: float(np.abs(theirs.tokens[j] - ours.tokens[i]).max()))
        free.discard(j)
        result.part("see: tokens").add(ours.tokens[i], theirs.tokens[j])
        result.part("see: boxes").add(ours.boxes[i], theirs.boxes[j])
        result.part("see: scores").add(ours.scores[i : i + 1], theirs.scores[j : j + 1])
        result.part("see: places").add(ours.places[i], theirs.places[j])
    result.objects_differ += len(free)


def _replies(
    parts: NanoParts, data: NDArray[np.int64], said: int
) -> tuple[list[list[int]], NDArray[np.float32]]:
    """What is written about a text as a plan and as a phrase; and the first token's logits."""
    memory = parts.read(data)
    first = parts.writer(memory)(TASK_ID[PLAN], 0)[: len(CONTROL) + said]
    limit = parts.config.max_plan_tokens
    ids = [write_greedily(parts.writer(memory), task, said, limit)[0] for task in (PLAN, GROUND)]
    return ids, first
