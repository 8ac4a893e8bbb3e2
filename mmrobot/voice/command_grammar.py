"""What may be said to the robot, made of the language of the table: its verbs, nouns, colours, relations.

Small enough to be quick and sure: of every rule of the typed language the commonest wordings, one or two
requests to a sentence, no labels (single letters sound alike). Whoever wants to say more freely chooses
another recogniser, or types.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from mmrobot.tabletop.language.deed_wording import DEEDS
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, NOUNS, SIZE_WORDS
from mmrobot.tabletop.language.wording import WORDING
from mmrobot.voice.spoken_grammar import SpokenGrammar

# How many wordings of a rule are taken. More cost certainty: words that sound alike compete.
_MOST_NOUNS = {"cube": 2, "ball": 1, "cylinder": 2, "bar": 2, "cup": 2}
_LEFT_OUT = frozenset({"crimson", "violet", "turquoise", "gray", "pick"})


HALTS = "stop | halt | freeze | stop it | stop now | stop stop | stop moving | stop robot | emergency stop | do not move"
"""What stops the robot at once, in English; mmrobot.command.stop_words knows each of them."""


def _often(wording: str, times: int) -> str:
    """An alternative that is said so many times as often as its fellows."""
    return " | ".join([wording] * times)


def _any(phrases: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(phrases))


def _nouns(column: int) -> list[str]:
    return [
        entry[column]
        for shapes, (entries, _) in NOUNS.items()
        for entry in entries[: _MOST_NOUNS.get(" ".join(shapes), 1)]
    ]


def _plain(grammar: object, rule: str, most: int) -> str:
    return _any(w for w in grammar.common(rule, most) if w not in _LEFT_OUT)  # type: ignore[attr-defined]


def rules() -> dict[str, str]:
    """The rules by name, each made of those before it; the last is what may be said."""
    return {
        "color": _any(w[0] for entries, _ in COLOR_WORDS.values() for w in entries[:1]),
        "size": _any(w[0] for entries, _ in SIZE_WORDS.values() for w in entries[:2]),
        "noun": _any([*_nouns(0), "one", "thing", "object"]),
        "nouns": _any([*_nouns(1), "things", "objects"]),
        "number": "two | three | four",
        "extreme": "leftmost | rightmost | nearest | farthest | largest | smallest | other | middle | left | right",
        "in": _plain(WORDING, "in", 3),
        "on": _plain(WORDING, "on", 3),
        "left": _plain(WORDING, "left_of", 3),
        "right": _plain(WORDING, "right_of", 3),
        "behind": _plain(WORDING, "behind", 1),
        "front": _plain(WORDING, "in_front_of", 1),
        "near": _plain(WORDING, "next_to", 4),
        "rel": "<in> | <on> | <left> | <right> | <behind> | <front> | <near>",
        "bare": f"{_often('<color> <noun>', 8)} | <noun> | <size> [<color>] <noun> | <extreme> [<color>] <noun>",
        "some": f"{_often('<color> <nouns>', 3)} | <nouns> | <size> [<color>] <nouns>",
        "det": f"{_often('the', 20)} | a | that | this",
        "simple": "<det> <bare>",
        "thing": f"{_often('<simple>', 8)} | <simple> [that is] <rel> <simple>",
        "sets": "all [the] <some> | every <bare> | <number> <some> | everything",
        "place": "<rel> <simple> | on the table",
        "set": _plain(WORDING, "set", 5),
        "take": _any([*WORDING.common("take", 3), "get", "lift"]),
        "lift": _any([*WORDING.common("lift", 6), "hold", "give me", "bring me"]),
        "shove": _plain(DEEDS, "shove", 3),
        "direction": _any(
            "to the left|to the right|left|right|away|back|forward|closer|to me|to you|towards you".split("|")
        ),
        "move": """<set> <thing> <place> | <set> (it|that|this|them) <place> | <set> <sets> <place>
            | <take> <simple> and <set> it <place> | pick <simple> up and <set> it <place>""",
        "pick": "<lift> <thing> | pick (<simple>|it) up | <lift> (it|that|this) | put (it|that|this) down",
        "stack": "stack <simple> <on> <simple> | stack <some> | build a tower",
        "push": "<shove> (<simple>|it) <direction> | <shove> (<simple>|it) (towards|to) <simple>",
        "swap": "(swap|exchange) <simple> (and|with) <simple>",
        "home": "go [back] home | return home | move home | go back",
        "deed": "<move> | <pick> | <stack> | <push> | <swap> | <home>",
        "ask": """how many <some> are there [on the table] | how many <some> do you see | what color is <simple>
            | (is|are) there (a <bare>|any <some>) [on the table] | is <simple> <rel> <simple>
            | is <simple> <color> | what is <rel> <simple> | where is <simple> | what do you see
            | what is on the table | which <noun> is <rel> <simple> | what are you doing | what did you do
            | what are you holding | what shape is <simple> | is <simple> empty | why | what is (that|this)""",
        "same": "do the same (with|for) <simple> | the same (with|for) <simple> | now <simple> [too]",
        "answer": """yes [please] | no [thanks] | [no] <simple> | no not (that|this) one | no i meant <simple>
            | the one <rel> <simple> | the one on the (left|right) | not there [<place>] | <place> | both | neither""",
        "manage": _any(
            [
                "put (it|that) back [where it was]",
                "put <simple> back",
                *DEEDS.common("resume", 6),
                "undo [that]",
                "take (it|that) back",
                "again",
                "do it again",
                "do that again",
                "approve [the plan]",
                "reject [the plan]",
                "cancel [that]",
                "never mind",
                "forget it",
                "wait",
                "hold on",
                "pause",
                "hold still",
            ]
        ),  # fmt: skip
        "join": "and then | then | and | after that",
        "polite": "please | now | could you | can you",
        "request": f"""{_often("<deed>", 10)} | <polite> <deed> | <deed> please | {_often("<deed> <join> <deed>", 2)}
            | (then|after that) <deed> | {_often("<ask>", 5)} | <same> | {_often("<answer>", 2)}
            | {_often("<manage>", 3)}""",
        "halt": HALTS,
        "wake": f"{_often('robot', 3)} | hey robot | ok robot",
        "bare_utterance": f"{_often('<request>', 16)} | <halt> | stop <request>",
        "utterance": f"{_often('<wake> <bare_utterance>', 6)} | {_often('<bare_utterance>', 4)} | <wake>",
    }


@cache
def command_grammar() -> SpokenGrammar:
    """The one grammar of commands, questions and answers."""
    return SpokenGrammar(rules())
