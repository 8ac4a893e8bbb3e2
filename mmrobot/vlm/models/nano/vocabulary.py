"""The words that the decoder can write of itself; all others it copies from the person's text.

It writes plans (steps over copied phrases) and logical forms: what a phrase, a statement or a question
means, in prefix notation over attributes, orders, relations and numbers. The first token says which.
"""

from __future__ import annotations

from mmrobot.vlm.models.nano.sizes import COLORS, SHAPES, SIZES

PAD, END, NOT_UNDERSTOOD = "<pad>", "<end>", "<not_understood>"
PLAN, GROUND, VERIFY, ANSWER = "<plan>", "<ground>", "<verify>", "<answer>"
TASKS = (PLAN, GROUND, VERIFY, ANSWER)
"""What the writer is asked for: the token that it begins with."""

PICK, HOME = "<pick>", "<home>"
PLACE = {
    "in": "<place_in>",
    "on": "<place_on>",
    "left_of": "<place_left_of>",
    "right_of": "<place_right_of>",
    "behind": "<place_behind>",
    "in_front_of": "<place_in_front_of>",
}
RELATION_OF = {token: relation for relation, token in PLACE.items()}
EACH, SOME = "<pick_each>", "<pick_some>"
"""Picks of a set: all that the phrase means, or, after a number, exactly so many; what follows is done
with each."""
OWN_COLOR, DIFFERENT = "<own_color>", "<different>"
"""Before the reference of a set's place: the one of its own colour; another one for each."""
MATCHES = {"own_color": OWN_COLOR, "different": DIFFERENT}
PUSH = {
    "left_of": "<push_left>",
    "right_of": "<push_right>",
    "behind": "<push_away>",
    "in_front_of": "<push_here>",
    "near": "<push_near>",
}
PUSH_OF = {token: relation for relation, token in PUSH.items()}
PUT_BACK, SWAP, PYRAMID, AND = "<put_back>", "<swap>", "<pyramid>", "<and>"
"""AND stands between the things of one step: what is pushed and where to, the two that are swapped."""
IF, ELSE, AVOID = "<if>", "<else>", "<avoid>"
"""IF is followed by the words of a claim; what may never be touched by those of its name."""
AGAIN, OTHER, INSTEAD, NOT_THAT, RESUME = "<again>", "<other>", "<instead>", "<not_that>", "<resume>"
"""What is said of the request before: the same with another thing, with the one that is left, a correction,
not the one that was taken, go on."""
ACTS = {
    AGAIN: "again", OTHER: "other", INSTEAD: "instead", NOT_THAT: "not_that", RESUME: "resume",
}  # fmt: skip
NEEDS_PHRASE = frozenset({
    PICK, EACH, SOME, *PLACE.values(), *PUSH.values(), PUT_BACK, SWAP, PYRAMID, IF, AVOID, AGAIN, INSTEAD,
})  # fmt: skip
"""Tokens that are followed by copied words."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "dish": ("bowl", "plate"),
    "container": ("bowl", "cup", "tray"),
    "box": ("cube", "tray"),
    "thing": SHAPES,
    "unknown": (),
}
"""Nouns of several shapes, or of none: "unknown" is what no noun of this table means."""
NOUNS = (*SHAPES, *CATEGORIES)
ORDERS = ("left", "right", "near", "far", "large", "small")
RANKS = ("second", "third", "fourth")
RELATIONS = ("left_of", "right_of", "behind", "in_front_of", "in", "on", "under")
TESTS = ("exactly", "at_least", "at_most", "more_than", "fewer_than")
COMPARISONS = ("larger", "smaller", "same_color", "same_shape")
NUMBERS = tuple(range(10))
QUESTION_KINDS = ("yes_no", "count", "color", "shape", "size", "name", "label")

NOUN = {name: f"<{name}>" for name in NOUNS}
COLOR = {name: f"<{name}>" for name in COLORS}
SIZE = {name: f"<{name}>" for name in SIZES}
MARKED = "<marked>"
"""Before the copied print of a thing."""
ORDER = {name: f"<{name}_most>" for name in ORDERS}
RANK = {name: f"<{name}>" for name in RANKS}
MIDDLE, NEAREST, WITHOUT, BOTH = "<middle>", "<nearest>", "<without>", "<both>"
RELATION = {name: f"<{name}>" for name in RELATIONS}
TEST = {name: f"<{name}>" for name in TESTS}
NUMBER = {n: f"<{n}>" for n in NUMBERS}
COMPARISON = {name: f"<{name}>" for name in COMPARISONS}
IS, NOT = "<is>", "<not>"
QUESTION = {name: f"<ask_{name}>" for name in QUESTION_KINDS}

CONTROL = (
    PAD, END, NOT_UNDERSTOOD, *TASKS, PICK, HOME, *PLACE.values(),
    *NOUN.values(), *COLOR.values(), *SIZE.values(), MARKED, *ORDER.values(), *RANK.values(),
    MIDDLE, NEAREST, WITHOUT, BOTH, *RELATION.values(),
    *TEST.values(), *NUMBER.values(), *COMPARISON.values(), IS, NOT, *QUESTION.values(),
    # New tokens come last: the rows of models that knew fewer keep their places.
    EACH, SOME, *MATCHES.values(), *PUSH.values(), PUT_BACK, SWAP, PYRAMID, AND, IF, ELSE, AVOID, *ACTS,
)  # fmt: skip
CONTROL_ID = {token: i for i, token in enumerate(CONTROL)}
