"""Any model that reads a picture with a prompt and writes text, behind the VisionLanguageModel interface.

Three things meet here. A `ChatEngine` runs the model: in this process (transformers_backend) or on a
server (remote_backend). A `Family` knows how that kind of model wants to be asked and how it writes
boxes. `ChatVlm` puts the question, has the reply read, and asks once more when it could not be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError, OperationUnsupportedError
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.interface import check_picture
from mmrobot.vlm.prompts import quoted

Schema = Mapping[str, Any]
T = TypeVar("T")

# Below this share of the first token, "yes" and "no" are not what the model was about to say.
LEAST_YES_NO_SHARE = 0.05


class ChatEngine(Protocol):
    """Runs one model: a picture and words in, words out. Not safe for concurrent calls."""

    @property
    def name(self) -> str:
        """Model and version, as it goes into plans."""

    def reply(self, image_rgb: NDArray[np.uint8], prompt: str, schema: Schema | None, max_tokens: int) -> str:
        """The model's reply, chosen greedily, at most `max_tokens` tokens of it.

        `image_rgb` is (H, W, 3) uint8 RGB; the engine must not resize it in a way that the family
        does not know of. `schema` is a JSON schema that the reply shall fit; an engine that cannot
        enforce it ignores it, since the reply is checked anyway. Raises ModelUnavailableError,
        DeadlineError.
        """


@runtime_checkable
class GivesProbabilities(Protocol):
    """An engine that also tells how likely the reply's first token is. Optional."""

    def first_token_probability(
        self, image_rgb: NDArray[np.uint8], prompt: str, words: Sequence[str]
    ) -> tuple[float, ...] | None:
        """For each word the total probability, in [0, 1], that the reply begins with it.

        Case and a leading space do not matter. None when the engine cannot tell this time.
        """


@runtime_checkable
class GivesConfidence(Protocol):
    """An engine that knows how sure the model was of its last reply. Optional."""

    @property
    def last_confidence(self) -> float | None:
        """Geometric mean of the probabilities of the last reply's tokens, in [0, 1]; None if unknown."""


@dataclass(frozen=True)
class Ask:
    """One question to the model. `schema` None means that the family reads a form of its own."""

    prompt: str
    max_tokens: int
    schema: Schema | None = None


class Family(Protocol):
    """How one kind of model is asked, and how its replies become types.

    The `read_` methods raise ModelReplyInvalidError, whose message names the fault in words that the
    model itself is shown for its one repair. `image_rgb` is the picture (H, W, 3) asked about.
    """

    name: str
    operations: frozenset[str]
    convention: Convention
    # Whether a model of this kind understands "your reply was refused because ...".
    repairs: bool
    # How a local engine feeds it: through the chat template, or the bare prompt.
    chat: bool
    # Whether coordinates are special tokens, which decoding must keep.
    keep_special_tokens: bool

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask: ...

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]: ...

    def ask_plan(self, instruction: str, dialogue: Sequence[str]) -> Ask: ...

    def read_plan(self, reply: str) -> PlanDraft: ...

    def ask_verify(self, statement: str) -> Ask: ...

    def read_verify(self, reply: str) -> float: ...

    def ask_answer(self, question: str) -> Ask: ...

    def read_answer(self, reply: str) -> str: ...

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask: ...

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]: ...


class ChatVlm:
    """A family on an engine. Scores are the engine's confidence in its whole reply, 1 when it gives none:
    such models state boxes, they do not weigh them.

    `last_reply` is what the model last wrote, for the self-test and for logs.
    """

    def __init__(self, family: Family, engine: ChatEngine) -> None:
        self.family = family
        self.engine = engine
        self.last_reply = ""

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def operations(self) -> frozenset[str]:
        return self.family.operations

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """Boxes of all things that the phrase names; empty when the model says that there are none."""
        self._check("ground", image_rgb)
        boxes = self._ask(
            image_rgb,
            self.family.ask_ground(phrase, image_rgb),
            lambda reply: self.family.read_ground(reply, phrase, image_rgb),
        )
        return self._scored(boxes)

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """Steps over referring phrases, or a question, or a refusal."""
        self._check("plan", image_rgb)
        draft = self._ask(image_rgb, self.family.ask_plan(instruction, dialogue), self.family.read_plan)
        confidence = self._confidence()
        steps = tuple(replace(step, confidence=confidence) for step in draft.steps)
        return replace(draft, steps=steps, confidence=confidence, raw=self.last_reply)

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        """Probability that the statement holds: yes against no as the reply's first token.

        Where the engine gives no probabilities, 1 or 0 by the model's word.
        """
        self._check("verify", image_rgb)
        ask = self.family.ask_verify(statement)
        if isinstance(self.engine, GivesProbabilities):
            shares = self.engine.first_token_probability(image_rgb, ask.prompt, ("yes", "no"))
            if shares is not None:
                return _yes_share(*shares)
        return self._ask(image_rgb, ask, self.family.read_verify)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """A short answer to a question about the picture."""
        self._check("answer", image_rgb)
        return self._ask(image_rgb, self.family.ask_answer(question), self.family.read_answer)

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Every object in the picture, as far as the model names them."""
        self._check("describe", image_rgb)
        boxes = self._ask(
            image_rgb,
            self.family.ask_describe(image_rgb),
            lambda reply: self.family.read_describe(reply, image_rgb),
        )
        return self._scored(boxes)

    def _ask(self, image_rgb: NDArray[np.uint8], ask: Ask, read: Callable[[str], T]) -> T:
        """The reply, read; asked once more with the fault named when it cannot be."""
        self.last_reply = self.engine.reply(image_rgb, ask.prompt, ask.schema, ask.max_tokens)
        try:
            return read(self.last_reply)
        except ModelReplyInvalidError as fault:
            if not self.family.repairs:
                raise
            first = fault.message
        repair = (
            f"{ask.prompt}\n\nYour earlier reply was refused: {quoted(first)}. "
            "Reply again, in the form asked for and nothing else."
        )
        self.last_reply = self.engine.reply(image_rgb, repair, ask.schema, ask.max_tokens)
        try:
            return read(self.last_reply)
        except ModelReplyInvalidError as fault:
            raise ModelReplyInvalidError(
                f"{self.name} replied twice in a form that cannot be read: {first}; then {fault.message}",
                "say it in other words, or use another model",
            ) from fault

    def _check(self, operation: str, image_rgb: NDArray[np.uint8]) -> None:
        if operation not in self.operations:
            raise OperationUnsupportedError(
                f"{self.name} ({self.family.name}) does not offer '{operation}'",
                f"it offers {', '.join(sorted(self.operations))}; use another model for the rest",
            )
        check_picture(image_rgb)

    def _confidence(self) -> float:
        known = self.engine.last_confidence if isinstance(self.engine, GivesConfidence) else None
        return 1.0 if known is None else min(max(known, 0.0), 1.0)

    def _scored(self, boxes: tuple[ScoredBox, ...]) -> tuple[ScoredBox, ...]:
        confidence = self._confidence()
        return tuple(replace(box, score=confidence) for box in boxes)


def _yes_share(yes: float, no: float) -> float:
    total = yes + no
    if not math.isfinite(total) or total < LEAST_YES_NO_SHARE:
        raise ModelReplyInvalidError(
            f"the model gives yes and no together only {total:.2g} of its reply's first token",
            "ask for something that can be answered with yes or no, or use another model",
        )
    return yes / total
