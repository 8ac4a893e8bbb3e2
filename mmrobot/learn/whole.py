"""The model as a whole on pictures and sentences that nothing was trained on: what it says, and what is so.

Words are read and written as the product does it, and looked for among the encoder's own objects.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.learn import validation
from mmrobot.learn.distributed import World
from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.rendering import SEED, PictureMaker
from mmrobot.learn.tokens import TokenCache
from mmrobot.tabletop.language import (
    KINDS,
    MIXED_KINDS,
    TRAINING,
    Thing,
    make_expression,
    make_question,
    make_statement,
)
from mmrobot.tabletop.sampling import HELD_OUT
from mmrobot.vlm.families.nano_answers import Seen, answer_text
from mmrobot.vlm.families.nano_beliefs import believe, names_size, text_of
from mmrobot.vlm.families.nano_parts import SeenObjects
from mmrobot.vlm.families.nano_replies import write_greedily
from mmrobot.vlm.models.nano import NanoModel, NanoProcessor
from mmrobot.vlm.models.nano.denotation import Beliefs, Denotation
from mmrobot.vlm.models.nano.vocabulary import ANSWER, GROUND, VERIFY
from mmrobot.vlm.words import words

_ROWS = ("point", "meant", "point_picture", "holds", "true", "holds_picture")
PHRASES, STATEMENTS, QUESTIONS = 6, 4, 3
"""Of each picture."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """`point` probabilities of pairs of a phrase and an object, `meant` whether it was meant; `holds`
    probabilities of statements, `true` whether they were; each with the picture that it belongs to. Shares
    right by kind of thing that was asked."""

    point: NDArray[np.float64]
    meant: NDArray[np.bool_]
    point_picture: NDArray[np.int64]
    holds: NDArray[np.float64]
    true: NDArray[np.bool_]
    holds_picture: NDArray[np.int64]
    figures: dict[str, float]


class WholeModel:
    """The parts of a model over a picture set's stored pictures and crops."""

    def __init__(self, model: NanoModel, pictures: PictureSet, world: World) -> None:
        self.model, self.config = model.eval(), model.config
        self._processor = NanoProcessor.of(model.config)
        self.cache = TokenCache(model.vision, pictures, world=world, bfloat16=False)
        tokens = torch.from_numpy(self.cache.tokens).float().to(world.device)
        with torch.inference_mode():
            self._layout = [x.float().cpu().numpy() for x in model.layout(tokens)]
        self._names = self._recognise(pictures, world)
        self._prints = self._spell(pictures, world)

    def _recognise(self, pictures: PictureSet, world: World) -> NDArray[np.float64]:
        """Logits (N, K, names_size) of every candidate, in views of the camera's own picture."""
        maker = PictureMaker(SEED, self.config)
        out = np.zeros((*self.cache.ids.shape, names_size(self.config)))
        try:
            for i in range(len(pictures)):
                image = maker.camera(pictures.first + i)
                letterbox = self._processor.fit(image)[1]
                present = np.flatnonzero(self.cache.present[i])
                inside = self._processor.inside(image, self.cache.boxes[i, present], letterbox)
                views = [self._processor.view(image, box) for box in inside.values()]
                if views:
                    index = present[list(inside)]
                    boxes = self.cache.boxes[i, index].astype(np.float32)
                    given = [torch.from_numpy(a).to(world.device) for a in (np.stack(views), boxes)]
                    with torch.inference_mode():
                        out[i, index] = self.model.recogniser(*given).float().cpu().numpy()
        finally:
            maker.close()
        return out

    def _spell(self, pictures: PictureSet, world: World) -> NDArray[np.float64]:
        """(N, K, label_length, 1 + characters), zeros where the set has no crop."""
        crops, rows, picture = pictures.label_crops()
        said = validation.spell(self.model.speller, crops, world)
        out = np.zeros((*self.cache.ids.shape, *said.shape[1:]))
        for i, j, p in zip(picture, rows["object"], said, strict=True):
            out[i, self.cache.ids[i] == j] = p
        return out

    def beliefs(self, i: int) -> tuple[Beliefs, list[Thing | None]]:
        """Of picture i, and the thing that each object truly is."""
        seen = SeenObjects(
            *(a[i].astype(np.float32) for a in (self.cache.tokens, self.cache.boxes, self.cache.scores)),
            *(a[i] for a in self._layout),
        )
        index = np.flatnonzero(self.cache.present[i])
        shown = self.cache.shown(i)
        names, prints = self._names[i][index], self._prints[i][index]
        return believe(seen.only(index), names, prints, self.config), [shown[j] for j in index]

    def looks(
        self, picture: NDArray[np.int64], slot: NDArray[np.int64]
    ) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Of candidates, what the encoder says (probabilities of colours, shapes, sizes; the logit of being a
        thing with a name) and what the recogniser says (logits)."""
        c = self.config
        ends = np.cumsum([len(known) for known in (c.colors, c.shapes, c.sizes)])
        tokens = self.cache.tokens[picture, slot][:, c.attributes_from :].astype(np.float64)
        real = self._layout[0][picture, slot].astype(np.float64)
        first = [*np.split(tokens, ends, axis=1)[:3], real[:, None]]
        return first, np.split(self._names[picture, slot], ends, axis=1)

    @torch.inference_mode()
    def write(self, task: str, said: Sequence[str]) -> tuple[list[int], float]:
        """The reply to a text, as the product writes it."""
        model, device = self.model, next(self.model.parameters()).device
        memory = model.read(torch.from_numpy(self._processor.words(said)[: len(said)])[None].to(device))
        cache = model.writer.empty_cache()

        def step(last: int, position: int) -> NDArray[np.float32]:
            nonlocal cache
            ids, at = (torch.tensor(v, device=device) for v in ([[last]], [position]))
            logits, cache = model.write_step(ids, at, cache, memory)
            return np.asarray(logits[0].float().cpu().numpy())

        return write_greedily(step, task, len(said), self.config.max_plan_tokens)


class Phrase(NamedTuple):
    """A phrase about a picture: the form written, over the words `said`, how surely, and what is meant."""

    picture: int
    ids: list[int]
    said: Sequence[str]
    confidence: float
    referents: frozenset[str]
    kind: str


def phrases(whole: WholeModel, rng: random.Random, i: int) -> Iterator[Phrase]:
    """PHRASES of them about one picture."""
    for _ in range(PHRASES):
        kinds = rng.choice((MIXED_KINDS, KINDS))
        e = make_expression(rng, whole.cache.things[i], noise=TRAINING, kinds=kinds, avoid_pairs=HELD_OUT)
        said = words(e.text)
        ids, confidence = whole.write(GROUND, said)
        kind = "absent" if e.kind.startswith("absent") else e.kind
        yield Phrase(i, ids, said, confidence, e.referents, kind)


def pointed(
    phrase: Phrase, beliefs: Beliefs, shown: Sequence[Thing | None]
) -> tuple[NDArray[np.float64], bool]:
    """Probability of each object, and whether those over a half are exactly the things meant."""
    p = np.asarray(Denotation(beliefs, phrase.ids, phrase.said).set() * phrase.confidence)
    found = [t.id if t is not None else "" for t, x in zip(shown, p, strict=True) if x >= 0.5]
    return p, sorted(found) == sorted(phrase.referents)


def whole_outcomes(whole: WholeModel) -> Outcomes:
    """Asks of every picture, in the training grammar's words of a seed of its own."""
    model = whole.model
    rng = random.Random(validation.SEED + 1)
    rows: dict[str, list[Any]] = {name: [] for name in _ROWS}
    right: dict[str, list[bool]] = {}
    for i, things in enumerate(whole.cache.things):
        if not things:
            continue
        beliefs, shown = whole.beliefs(i)
        for phrase in phrases(whole, rng, i):
            p, exact = pointed(phrase, beliefs, shown)
            rows["point"] += p.tolist()
            rows["meant"] += [t is not None and t.id in phrase.referents for t in shown]
            rows["point_picture"] += [i] * len(p)
            for kind in ("phrases", phrase.kind):
                right.setdefault(kind, []).append(exact)
        for _ in range(STATEMENTS):
            s = make_statement(rng, things, noise=TRAINING, avoid_pairs=HELD_OUT)
            said = words(s.text)
            ids, confidence = whole.write(VERIFY, said)
            holds = 0.5 + (Denotation(beliefs, ids, said).claim() - 0.5) * confidence
            rows["holds"].append(holds)
            rows["true"].append(s.holds)
            rows["holds_picture"].append(i)
            right.setdefault("statements", []).append((holds >= 0.5) == s.holds)
        for _ in range(QUESTIONS):
            q = make_question(rng, things, noise=TRAINING, avoid_pairs=HELD_OUT)
            said = words(q.text)
            ids, _ = whole.write(ANSWER, said)
            asks, holds, about = Denotation(beliefs, ids, said).answer()
            seen = [_seen(beliefs, model, int(k)) for k in np.flatnonzero(about >= 0.5)]
            right.setdefault("answers", []).append(answer_text(asks, holds, seen) == q.answer)
    figures = {kind: float(np.mean(v)) for kind, v in sorted(right.items())}
    return Outcomes(figures=figures, **{name: np.array(v) for name, v in rows.items()})


def _seen(b: Beliefs, model: NanoModel, i: int) -> Seen:
    c = model.config
    kinds = ((c.colors, b.colors), (c.shapes, b.shapes), (c.sizes, b.sizes))
    color, shape, size = (names[int(p[i].argmax())] for names, p in kinds)
    return Seen(color, shape, size, text_of(b.prints[i], c), -float(b.places_m[i, 1]))
