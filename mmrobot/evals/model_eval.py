"""How well a model sees and reads, without an arm: every operation over unseen scenes of each level.

One picture, many questions; the simulator's masks and the language's own meaning are the truth. Scene i of a
level follows from (seed + i, level) alone. Every fifth scene is asked again over a grey picture: what is then
still right was guessed. With a folder, scenes already asked are not asked again.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.config import GroundingConfig
from mmrobot.errors import InvalidConfigError, ModelReplyInvalidError
from mmrobot.evals.boxes import Seen, exactly, matches, middle_in, seen_objects
from mmrobot.evals.model_figures import summarize_level
from mmrobot.evals.model_queries import Query, make_queries
from mmrobot.evals.plan_eval import reply
from mmrobot.evals.row_store import RowStore
from mmrobot.planning.referents import present
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.families import EVALUATION_SEED
from mmrobot.tabletop.language import Thing, things_of, visible_things
from mmrobot.tabletop.levels import LEVELS, sample_scene_for_level
from mmrobot.tabletop.plan_meaning import text_of
from mmrobot.tabletop.scene import Scene
from mmrobot.types import box_iou
from mmrobot.vlm.interface import VisionLanguageModel

BLIND_EVERY = 5
_GREY = 128
Row = dict[str, Any]
Progress = Callable[[str, int, int], None]


def evaluate_model(
    vlm: VisionLanguageModel,
    levels: Sequence[str] = LEVELS,
    count: int = 200,
    *,
    seed: int = EVALUATION_SEED,
    folder: Path | None = None,
    config: GroundingConfig | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Figures by level over `count` scenes each, as `summarize_level` has them.

    `folder` keeps what was answered, and goes on from there. Raises InvalidConfigError for unknown levels,
    a count under 1, or a folder with answers of another model or seed.
    """
    if count < 1:
        raise InvalidConfigError(f"{count} scenes a level", "give 1 or more")
    unknown = [level for level in levels if level not in LEVELS]
    if unknown or not levels:
        raise InvalidConfigError(
            f"unknown level '{unknown[0]}'" if unknown else "no level", f"known: {', '.join(LEVELS)}"
        )
    figures: dict[str, Any] = {}
    mark = fingerprint(vlm) if folder is not None else ""
    with ScenePool() as pool:
        for level in levels:
            store = RowStore(folder, level, {"model": vlm.name, "answers": mark, "seed": seed})
            for index in range(count):
                if index not in store:
                    blind = index % BLIND_EVERY == 0
                    rows = ask_scene(vlm, pool, level, seed + index, blind, config or GroundingConfig())
                    store.add(index, rows)
                if progress is not None:
                    progress(level, index + 1, count)
            figures[level] = summarize_level(store.rows(count), vlm.operations)
    return figures


def scene_of(level: str, seed: int) -> tuple[Scene, np.random.Generator]:
    """The scene of a level and seed, half of them with labels, and the generator to render it with."""
    rng = np.random.default_rng([seed, int(level[1:]), 0x6E0D])
    return sample_scene_for_level(level, rng, labels=bool(rng.random() < 0.5)), rng


def ask_scene(
    vlm: VisionLanguageModel, pool: ScenePool, level: str, seed: int, blind: bool, config: GroundingConfig
) -> list[Row]:
    """Everything that is asked about one scene, and how it was answered."""
    scene, rng = scene_of(level, seed)
    vary = Randomisation.unseen(rng) if level == "L4" else Randomisation()
    image, indices = pool.render(scene, vary, rng)
    seen = seen_objects(indices, [o.id for o in scene.objects])
    things = visible_things(things_of(scene), frozenset(seen))
    if not things:
        return []
    strange = [
        Thing(o.id, o.shape, o.color, o.size, o.center_m)
        for o in scene.objects
        if not o.named and o.id in seen
    ]
    queries = make_queries(level, things, strange, random.Random(f"{level} {seed}"))
    rows = [row for query in queries for row in _ask(vlm, image, query, seen, config)]
    if "describe" in vlm.operations:
        rows.append(_describe(vlm, image, things, seen))
    if blind:
        grey = np.full_like(image, _GREY)
        rows += [{**row, "blind": True} for q in queries for row in _ask(vlm, grey, q, seen, config)]
    return rows


def _ask(
    vlm: VisionLanguageModel,
    image: NDArray[np.uint8],
    query: Query,
    seen: dict[str, Seen],
    config: GroundingConfig,
) -> Iterator[Row]:
    """A row, or none when the model does not offer that."""
    if query.operation not in vlm.operations:
        return
    begin = time.perf_counter()
    try:
        row = _ASK[query.operation](vlm, image, query, seen, config)
    except ModelReplyInvalidError as error:
        row = {"ok": False, "got": f"invalid: {error.message[:80]}"}
    row |= {"op": query.operation, "kind": query.kind, "ms": round(1000 * (time.perf_counter() - begin), 2)}
    if not row["ok"]:
        row["said"] = query.text
    yield row


def _ground(
    vlm: VisionLanguageModel,
    image: NDArray[np.uint8],
    query: Query,
    seen: dict[str, Seen],
    config: GroundingConfig,
) -> Row:
    # Where a model tells the probability of every thing seen, calibration counts the unlikely ones as well.
    ask = getattr(getattr(vlm, "model", vlm), "candidates", vlm.ground)
    answered = ask(image, query.text)
    boxes = present(answered, config)
    assert isinstance(query.truth, frozenset)
    meant = [seen[name] for name in sorted(query.truth)]
    truths = [m.box for m in meant]
    best = boxes[0] if boxes else None
    return {
        "ok": exactly(boxes, truths),
        "want": query.want,
        "hit": best is not None and any(middle_in(best, m.mask) for m in meant),
        "iou": round(max((box_iou(best.box_xyxy, t) for t in truths), default=0.0), 3) if best else 0.0,
        "pairs": said_and_true(answered, truths, seen),
        "got": len(boxes),
    }


def said_and_true(answered: Sequence[Any], truths: Sequence[Any], seen: dict[str, Seen]) -> list[list[float]]:
    """What probability the model gave to each visible object of being meant (0 where it gave none), and
    whether it is; boxes of nothing are meant by nobody."""
    everything = [s.box for s in seen.values()]
    fits = matches(answered, everything)
    said = {at: box.score for at, box in zip(fits, answered, strict=True) if at is not None}
    pairs = [[round(said.get(i, 0.0), 4), float(box in truths)] for i, box in enumerate(everything)]
    return pairs + [[round(b.score, 4), 0.0] for at, b in zip(fits, answered, strict=True) if at is None]


def _plan(
    vlm: VisionLanguageModel, image: NDArray[np.uint8], query: Query, seen: object, config: object
) -> Row:
    got = reply(vlm, image, query.text)
    assert isinstance(query.truth, tuple)
    return {"ok": got == query.truth, "got": text_of(got), "meant": text_of(query.truth)}


def _verify(
    vlm: VisionLanguageModel, image: NDArray[np.uint8], query: Query, seen: object, config: object
) -> Row:
    p = vlm.verify(image, query.text)
    return {"ok": (p >= 0.5) == query.truth, "p": round(p, 4), "holds": bool(query.truth)}


def _answer(
    vlm: VisionLanguageModel, image: NDArray[np.uint8], query: Query, seen: object, config: object
) -> Row:
    got = vlm.answer(image, query.text)
    return {"ok": same_answer(got, str(query.truth)), "got": got, "meant": query.truth}


_ASK: dict[str, Callable[..., Row]] = {
    "ground": _ground,
    "plan": _plan,
    "verify": _verify,
    "answer": _answer,
}


def same_answer(got: str, meant: str) -> bool:
    """Alike but for case, full stops, articles and the order of a list."""
    return _answer_parts(got) == _answer_parts(meant)


def _answer_parts(text: str) -> list[str]:
    parts = re.split(r",| and ", text.lower().strip().rstrip("."))
    return sorted(" ".join(w for w in part.split() if w not in ("the", "a", "an")) for part in parts)


def _describe(
    vlm: VisionLanguageModel, image: NDArray[np.uint8], things: Sequence[Thing], seen: dict[str, Seen]
) -> Row:
    begin = time.perf_counter()
    boxes = vlm.describe(image)
    milliseconds = 1000 * (time.perf_counter() - begin)
    fits = matches(boxes, [seen[t.id].box for t in things])
    named = [
        f"{things[at].color} {things[at].shape}" in box.label
        for at, box in zip(fits, boxes, strict=True)
        if at is not None
    ]
    return {
        "op": "describe",
        "kind": "describe",
        "ok": len(named) == len(boxes) == len(things) and all(named),
        "objects": len(things),
        "found": len(named),
        "named": sum(named),
        "boxes": len(boxes),
        "ms": round(milliseconds, 2),
    }


def fingerprint(vlm: VisionLanguageModel) -> str:
    """What the model says about one fixed picture: another training of the same name says another thing."""
    y, x = np.mgrid[:480, :640]
    picture = np.stack([x % 256, y % 256, (x + y) % 256], -1).astype(np.uint8)
    picture[200:260, 300:380] = (200, 20, 20)
    scores: list[float] = []
    for phrase in ("the red cube", "the leftmost thing"):
        try:
            scores += [v for b in vlm.ground(picture, phrase) for v in (*b.box_xyxy, b.score)]
        except ModelReplyInvalidError:
            scores.append(-1.0)
    if "verify" in vlm.operations:
        scores.append(vlm.verify(picture, "there is a red cube"))
    return " ".join(f"{v:.3f}" for v in scores)
