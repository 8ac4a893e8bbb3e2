"""mmrobot-nano behind the VisionLanguageModel interface: words in, boxes in the original's pixels out.

Words become a plan or a logical form, which is then looked for among what the picture shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError, OperationUnsupportedError
from mmrobot.types import DraftStep, PlanDraft, ScoredBox
from mmrobot.vlm.caching import Lru, PictureCache
from mmrobot.vlm.families.nano_answers import Seen, answer_text
from mmrobot.vlm.families.nano_beliefs import SeenScene, calibrated, see_scene
from mmrobot.vlm.families.nano_clauses import Reading, by_clauses
from mmrobot.vlm.families.nano_parts import NanoParts
from mmrobot.vlm.families.nano_replies import parse_plan, write_greedily
from mmrobot.vlm.interface import OPERATIONS, check_picture
from mmrobot.vlm.models.nano.denotation import Denotation
from mmrobot.vlm.models.nano.processing import NanoProcessor
from mmrobot.vlm.models.nano.sizes import NanoSizes
from mmrobot.vlm.models.nano.vocabulary import (
    ANSWER,
    CONTROL,
    CONTROL_ID,
    END,
    GROUND,
    NOT_UNDERSTOOD,
    PLAN,
    VERIFY,
)
from mmrobot.vlm.words import words

Eyes = Callable[[NDArray[np.uint8]], SeenScene]
_LOOKS, _REPLIES = 4, 128
GUESSED = 0.3
"""How sure a guess is called: less than `command.confirm_below`, so that it is read back, and more than
`gate.min_confidence`, so that it can be done after a yes."""
_MAY_BE_MEANT, _CLEAR_IF_MEANT = 0.01, 0.5


@dataclass(frozen=True)
class _Reply:
    """What was written about a text: ids over the words `said`, and the least probability among them."""

    ids: tuple[int, ...]
    said: tuple[str, ...]
    confidence: float

    @property
    def raw(self) -> str:
        """As text."""
        return " ".join(CONTROL[i] if i < len(CONTROL) else self.said[i - len(CONTROL)] for i in self.ids)

    @property
    def understood(self) -> bool:
        return bool(self.ids) and self.ids[0] != CONTROL_ID[NOT_UNDERSTOOD]

    @property
    def cut_off(self) -> bool:
        """Whether a plan did not end."""
        return not self.ids or (self.understood and self.ids[-1] != CONTROL_ID[END])


class NanoVlm:
    """The shipped model. The last pictures' encodings are kept, so that many phrases cost one look, and what
    texts mean, so that words said twice are read once, whatever the picture."""

    operations = frozenset(OPERATIONS)

    def __init__(
        self, parts: NanoParts, processor: NanoProcessor, name: str, ground_threshold: float = 0.5
    ) -> None:
        self.name = name
        self._parts = parts
        self._processor = processor
        self._ground_threshold = ground_threshold
        self._see: Eyes = partial(see_scene, parts, processor)
        self._scenes: PictureCache[SeenScene] = PictureCache(_LOOKS)
        self._replies: Lru[tuple[str, tuple[str, ...]], _Reply] = Lru(_REPLIES)

    @property
    def config(self) -> NanoSizes:
        """The sizes and names that it was made with."""
        return self._parts.config

    def with_eyes(self, see: Eyes) -> NanoVlm:
        """The same reader over what another sees: to measure the words apart from the sight."""
        other = NanoVlm(self._parts, self._processor, self.name, self._ground_threshold)
        other._see = see
        return other

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """Boxes of all things that the phrase names, best first; scores are calibrated probabilities."""
        return tuple(b for b in self.candidates(image_rgb, phrase) if b.score >= self._ground_threshold)

    def candidates(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """Boxes of all things seen, each with the probability that the phrase means it, best first."""
        scene = self._scene(image_rgb)
        reply = self._write(GROUND, phrase)
        meant = self._temper(Denotation(scene.beliefs, reply.ids, reply.said).set()) * reply.confidence
        return self._boxes(image_rgb, scene, [phrase] * len(meant), meant)

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """Steps whose phrases are copied from the instruction's words."""
        if dialogue:
            raise OperationUnsupportedError(
                f"{self.name} plans single instructions; {len(dialogue)} earlier turns were given",
                "say the whole instruction in one sentence",
            )
        check_picture(image_rgb)
        reply = self._write(PLAN, instruction)
        reading = by_clauses(instruction, self._reading(reply), lambda t: self._reading(self._write(PLAN, t)))
        if reading.steps:
            return PlanDraft(reading.steps, confidence=reading.confidence, raw=reply.raw)
        if reply.cut_off:
            raise ModelReplyInvalidError(
                f"the plan did not end within {len(reply.ids)} tokens: {reply.raw[:80]}",
                "give the instruction in parts",
            )
        return PlanDraft((), confidence=reply.confidence, raw=reply.raw, guess=self._guess(reply))

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        """Calibrated probability that the statement holds in the picture."""
        scene, reply = self._scene(image_rgb), self._write(VERIFY, statement)
        return self._sure(Denotation(scene.beliefs, reply.ids, reply.said).claim(), reply)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """A short answer: yes or no, a number, a colour, a shape, a size, a label, or things by name."""
        scene, reply = self._scene(image_rgb), self._write(ANSWER, question)
        asks, holds, about = Denotation(scene.beliefs, reply.ids, reply.said).answer()
        chosen = np.flatnonzero(self._temper(about) >= self._ground_threshold)
        return answer_text(asks, holds, [self._seen(scene, int(i)) for i in chosen])

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Every thing seen, labelled by colour and shape, and by its print where it has one."""
        scene = self._scene(image_rgb)
        labels = [self._seen(scene, i).name for i in range(len(scene.labels))]
        found = self._boxes(image_rgb, scene, labels, scene.beliefs.real)
        return tuple(b for b in found if b.score >= self._ground_threshold)

    def _reading(self, reply: _Reply) -> Reading:
        """Of the reply to PLAN; a plan that was cut off was not read."""
        if reply.cut_off or not reply.understood:
            return Reading((), 0.0)
        return Reading(parse_plan(reply.ids, reply.said, reply.confidence), reply.confidence)

    def _guess(self, reply: _Reply) -> tuple[DraftStep, ...]:
        """What words would mean that were not understood: where it is not quite sure that they are no
        instruction, and quite clear which one they would be."""
        if 1 - reply.confidence < _MAY_BE_MEANT:
            return ()
        guess = self._write(PLAN, " ".join(reply.said), understood=True)
        if guess.cut_off or guess.confidence < _CLEAR_IF_MEANT:
            return ()
        return parse_plan(guess.ids, guess.said, GUESSED)

    def _write(self, task: str, text: str, understood: bool = False) -> _Reply:
        """The reply to a task about a text; `understood` as write_greedily."""
        said = words(text)[: self._processor.max_words]
        key = (task + "!" * understood, said)
        reply = self._replies.get(key)
        if reply is None:
            step = self._parts.writer(self._parts.read(self._processor.words(said)))
            limit = self._parts.config.max_plan_tokens
            ids, confidence = write_greedily(step, task, len(said), limit, understood)
            reply = _Reply(tuple(ids), said, confidence)
            self._replies.put(key, reply)
        return reply

    def _temper(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        return calibrated(p, self._parts.config.point_temperature)

    def _sure(self, holds: float, reply: _Reply) -> float:
        """Where the words may mean something else, neither yes nor no is sure."""
        p = float(calibrated(np.array([holds]), self._parts.config.statement_temperature)[0])
        return 0.5 + (p - 0.5) * reply.confidence

    def _seen(self, scene: SeenScene, i: int) -> Seen:
        config, b = self._parts.config, scene.beliefs
        kinds = ((config.colors, b.colors), (config.shapes, b.shapes), (config.sizes, b.sizes))
        color, shape, size = (names[int(beliefs[i].argmax())] for names, beliefs in kinds)
        x = float(scene.boxes[i, 0] + scene.boxes[i, 2]) / 2
        return Seen(color, shape, size, scene.labels[i], x)

    def _scene(self, image_rgb: NDArray[np.uint8]) -> SeenScene:
        check_picture(image_rgb)
        scene = self._scenes.get(image_rgb)
        if scene is None:
            scene = self._see(image_rgb)
            self._scenes.put(image_rgb, scene)
        return scene

    def _boxes(
        self,
        image_rgb: NDArray[np.uint8],
        scene: SeenScene,
        labels: Sequence[str],
        scores: NDArray[np.floating],
    ) -> tuple[ScoredBox, ...]:
        height, width = image_rgb.shape[:2]
        in_original = partial(
            self._processor.box_in_original, letterbox=scene.letterbox, width=width, height=height
        )
        found = []
        for corners, label, score in zip(scene.boxes.tolist(), labels, scores, strict=True):
            box = in_original(corners)
            if box is not None:
                found.append(ScoredBox(label, box, float(np.clip(score, 0, 1))))
        return tuple(sorted(found, key=lambda b: -b.score))
