"""Replies made types, strictly: what does not fit raises ModelReplyInvalidError, and nothing is guessed.

The one liberty: prose or a markdown fence around exactly one JSON value is passed over, since most
models write some. Messages name the fault in words that the model is shown for its repair.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import RELATIONS, BoxXyxy, DraftStep, PlanDraft, ScoredBox

LONGEST_REPLY = 32_768
DEEPEST_REPLY = 16
LONGEST_PHRASE = 200
LONGEST_TEXT = 1000
MOST_OBJECTS = 256
MOST_STEPS = 64

SKILL_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "pick": ("target",),
    "place": ("relation", "reference"),
    "push": ("target", "relation"),
    "home": (),
    "say": ("text",),
}
"""What each skill takes. Planning's catalogue stands after this room; a test holds both together."""
NEAR = "near"
"""A push has a direction, or this and a reference."""
_RELATIONS_OF = {"push": (*(r for r in RELATIONS if r not in ("in", "on")), NEAR)}

_STEP_KEYS = ("skill", "target", "relation", "reference", "text")


def _nullable(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    # Servers that enforce schemas strictly want every property required and no others.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


PLAN_SCHEMA: dict[str, Any] = _object(
    {
        "steps": {
            "type": "array",
            "items": _object(
                {
                    "skill": {"type": "string", "enum": list(SKILL_ARGUMENTS)},
                    "target": _nullable({"type": "string"}),
                    "relation": _nullable({"type": "string", "enum": [*RELATIONS, NEAR]}),
                    "reference": _nullable({"type": "string"}),
                    "text": _nullable({"type": "string"}),
                }
            ),
        },
        "question": _nullable({"type": "string"}),
        "refusal": _nullable({"type": "string"}),
    }
)
"""JSON schema of a plan: steps over referring phrases, or a question, or a refusal."""


def boxes_schema(box_key: str) -> dict[str, Any]:
    """JSON schema of labelled boxes, each under the key that the family of models was trained on."""
    box = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    return _object(
        {"objects": {"type": "array", "items": _object({box_key: box, "label": {"type": "string"}})}}
    )


BOXES_SCHEMA: dict[str, Any] = boxes_schema("box_2d")


def invalid(fault: str) -> NoReturn:
    """Raise the error of a reply that cannot be read."""
    raise ModelReplyInvalidError(fault, "ask again, or use another model")


def read_json(reply: str) -> Any:
    """The one JSON array or object in a reply.

    Raises ModelReplyInvalidError when there is none, more than one, a repeated key, a number that is
    not finite, or a text too long or too deeply nested to be a reply.
    """
    if len(reply) > LONGEST_REPLY:
        invalid(f"the reply has {len(reply)} characters, more than {LONGEST_REPLY}")
    if _depth(reply) > DEEPEST_REPLY:
        invalid(f"the reply's brackets are nested more than {DEEPEST_REPLY} deep")
    start = min((i for i in (reply.find("{"), reply.find("[")) if i >= 0), default=-1)
    if start < 0:
        invalid(f"there is no JSON in the reply {brief(reply)}")
    decoder = json.JSONDecoder(
        object_pairs_hook=_without_repeats, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
    )
    try:
        value, end = decoder.raw_decode(reply, start)
    except json.JSONDecodeError as error:
        invalid(f"the JSON of the reply is broken or cut off at character {error.pos}: {error.msg}")
    if "{" in reply[end:] or "[" in reply[end:]:
        invalid("the reply holds more than one JSON value")
    return value


def read_boxes(value: Any, box_key: str, label: str | None = None) -> Iterator[tuple[str, list[float]]]:
    """(label, four numbers) of each object of `{"objects": [...]}` or of a bare list of objects.

    `label` stands in where an object has none; without it, each object must bring its own.
    """
    items = value
    if isinstance(value, dict):
        if set(value) == {box_key} or set(value) == {box_key, "label"}:
            items = [value]
        elif set(value) == {"objects"}:
            items = value["objects"]
        else:
            invalid(f"the reply's object has the keys {_keys(value)}, not 'objects' alone")
    if not isinstance(items, list):
        invalid(f"the objects are {type(items).__name__}, not a list")
    if len(items) > MOST_OBJECTS:
        invalid(f"the reply names {len(items)} objects, more than {MOST_OBJECTS}")
    for i, item in enumerate(items):
        if not isinstance(item, dict) or not set(item) <= {box_key, "label"} or box_key not in item:
            invalid(f"object {i} is {brief(json.dumps(item))}, not a '{box_key}' with a 'label'")
        numbers = item[box_key]
        if not isinstance(numbers, list) or len(numbers) != 4 or not all(map(_is_number, numbers)):
            invalid(f"the {box_key} of object {i} is {brief(json.dumps(numbers))}, not four numbers")
        name = item.get("label", label)
        yield phrase_of(name, f"the label of object {i}"), [float(n) for n in numbers]


def scored(found: Sequence[tuple[str, BoxXyxy]]) -> tuple[ScoredBox, ...]:
    """Boxes with score 1, in the model's order; one said twice, word for word, is one."""
    return tuple(ScoredBox(label, box, 1.0) for label, box in dict.fromkeys(found))


def read_plan(reply: str) -> PlanDraft:
    """A plan of PLAN_SCHEMA. Keys that are null may be left out; unknown ones are refused.

    Empty steps without question or refusal are a plan of nothing: the model did not understand.
    """
    value = read_json(reply)
    if (
        not isinstance(value, dict)
        or "steps" not in value
        or not set(value) <= set(PLAN_SCHEMA["properties"])
    ):
        invalid(f"a plan is an object with 'steps', 'question' and 'refusal', not {brief(json.dumps(value))}")
    if not isinstance(value["steps"], list) or len(value["steps"]) > MOST_STEPS:
        invalid(f"'steps' must be a list of at most {MOST_STEPS}")
    steps = tuple(_step(i, step) for i, step in enumerate(value["steps"]))
    question, refusal = (
        None if value.get(key) is None else text_of(value[key], f"'{key}'") for key in ("question", "refusal")
    )
    if sum((bool(steps), question is not None, refusal is not None)) > 1:
        invalid("a plan is either steps, or a question, or a refusal, not several of them")
    return PlanDraft(steps, question, refusal, raw=reply)


def _step(index: int, value: Any) -> DraftStep:
    if not isinstance(value, dict) or not set(value) <= set(_STEP_KEYS):
        invalid(f"step {index} is {brief(json.dumps(value))}; its keys may be {', '.join(_STEP_KEYS)}")
    skill = value.get("skill")
    if not isinstance(skill, str) or skill not in SKILL_ARGUMENTS:
        known = ", ".join(SKILL_ARGUMENTS)
        invalid(f"step {index} has the skill {brief(json.dumps(skill))}; known are {known}")
    given = {key: value[key] for key in _STEP_KEYS[1:] if value.get(key) is not None}
    wanted = SKILL_ARGUMENTS[skill]
    if skill == "push" and given.get("relation") == NEAR:
        wanted = (*wanted, "reference")
    if set(given) != set(wanted):
        invalid(
            f"step {index} ({skill}) gives {_keys(given) or 'nothing'}; "
            f"it takes {' and '.join(wanted) or 'nothing'}"
        )
    relations = _RELATIONS_OF.get(skill, RELATIONS)
    if "relation" in given and given["relation"] not in relations:
        known = ", ".join(relations)
        invalid(f"step {index} has the relation {brief(json.dumps(given['relation']))}; known are {known}")
    for key in ("target", "reference"):
        if key in given:
            given[key] = phrase_of(given[key], f"the {key} of step {index}")
    if "text" in given:
        given["text"] = text_of(given["text"], f"the text of step {index}")
    return DraftStep(skill, **given)


def read_yes_no(reply: str) -> float:
    """1 for yes, 0 for no. Words after the first are passed over only behind a mark: "Yes, it is"."""
    said = reply.strip().strip("*\"'` ").lower()
    word = said.rstrip(".!*\"'` ")
    for sign, probability in (("yes", 1.0), ("no", 0.0)):
        if word == sign or said.startswith(tuple(sign + mark for mark in ",.;:!\n")):
            return probability
    invalid(f"the reply is {brief(reply)}, neither yes nor no")


def read_answer(reply: str) -> str:
    """A short answer in plain text, without surrounding quotes."""
    return text_of(reply.strip().strip('"'), "the answer")


def phrase_of(value: Any, what: str) -> str:
    """A referring phrase: one line of printable text."""
    text = text_of(value, what)
    if len(text) > LONGEST_PHRASE:
        invalid(f"{what} has {len(text)} characters, more than {LONGEST_PHRASE}")
    return text


def text_of(value: Any, what: str) -> str:
    """Text with its white space made single; empty, overlong or unprintable text is refused."""
    if not isinstance(value, str):
        invalid(f"{what} is {brief(json.dumps(value))}, not text")
    text = " ".join(value.split())
    if not text:
        invalid(f"{what} is empty")
    if len(text) > LONGEST_TEXT:
        invalid(f"{what} has {len(text)} characters, more than {LONGEST_TEXT}")
    if not text.isprintable():
        invalid(f"{what} holds characters that cannot be printed: {brief(ascii(text))}")
    return text


def brief(text: str) -> str:
    """The beginning of a text, quoted, for a message."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _depth(text: str) -> int:
    """How deep brackets are nested; those within strings count too, which no real reply notices."""
    depth = deepest = 0
    for c in text:
        depth += (c in "[{") - (c in "]}")
        deepest = max(deepest, depth)
    return deepest


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _keys(value: dict[str, Any]) -> str:
    return ", ".join(brief(key) for key in list(value)[:8])


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        invalid("a key of the reply's JSON is given twice")
    return dict(pairs)


def _no_constant(text: str) -> NoReturn:
    invalid(f"the reply's JSON holds {text}, which is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        invalid(f"the reply's JSON holds the number {brief(text)}, which is too large")
    return value


def _whole(text: str) -> int:
    # Python refuses to read integers of thousands of digits; no coordinate has more than a few.
    if len(text) > 20:
        invalid(f"the reply's JSON holds the number {brief(text)}, which is too large")
    return int(text)
