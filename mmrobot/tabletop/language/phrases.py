# ruff: noqa: E501 (wordings read best as long lines)
"""From meaning to words: a tree spoken as a noun phrase, with its head noun kept apart for "one"."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mmrobot.tabletop.language.grammar import Grammar, Split, Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, SIZE_WORDS, noun, pick_word
from mmrobot.tabletop.language.meaning import Both, Expr, Extreme, Kind, Middle, Nearest, Related, Without

TRAIN = {
    "left": """4:leftmost {X} | left most {X} | 2:{X} on the left | left {X} | left hand {X} | {X} (furthest|farthest) to the left | {X} on the far left | far left {X}
        | {X} that is furthest (left|to the left) | {X} to the (very|extreme) left | {X} at the left (edge|end|side) | {X} on the left side [of the table]
        | {X} on the left hand side | {X} (farthest|furthest) left | {X} that is [the] leftmost | {X} (that|which) is on the left | {X} most to the left
        | leftmost of the {P} | leftmost of all the {P} | {X} (that|which) is the furthest to the left | leftmost one of the {P} | {X} to the left of all others
        | extreme left {X} | {X} which is leftmost""",
    "right": """4:rightmost {X} | right most {X} | 2:{X} on the right | right {X} | right hand {X} | {X} (furthest|farthest) to the right | {X} on the far right | far right {X}
        | {X} that is furthest (right|to the right) | {X} to the (very|extreme) right | {X} at the right (edge|end|side) | {X} on the right side [of the table]
        | {X} on the right hand side | {X} (farthest|furthest) right | {X} that is [the] rightmost | {X} (that|which) is on the right | {X} most to the right
        | rightmost of the {P} | rightmost of all the {P} | {X} (that|which) is the furthest to the right | rightmost one of the {P} | {X} to the right of all others
        | extreme right {X} | {X} which is rightmost""",
    "near": """3:nearest {X} | 3:closest {X} | 2:{X} (nearest|closest) to (you|the robot|the arm) | {X} in the front | front {X}
        | {X} at the front | {X} that is (nearest|closest) (|to you|to the robot) | frontmost {X} | {X} nearest the robot
        | {X} at the front of the table | {X} (closest|nearest) to (your|the) base | nearest of the {P} | closest of the {P} | {X} (that|which) is the (nearest|closest) | {X} which is (nearest|closest) [to you] | {X} (nearest|closest) to your (hand|arm)
        | {X} most in front | {X} at the front (edge|side) | {X} with the (smallest|shortest) distance [to you] | {X} right in front of (you|the robot) | closest one of the {P} | {X} at the near side | {X} on the near side [of the table]""",
    "far": """3:farthest {X} | 3:furthest {X} | 2:{X} (farthest|furthest) (away|from you|from the robot|away from you) | back {X} | {X} (at|in) the back
        | {X} that is (furthest|farthest) (|away|from the robot) | rearmost {X} | most distant {X} | {X} at the back of the table | {X} at the rear
        | {X} (furthest|farthest) back | furthest of the {P} | farthest of the {P} | {X} (that|which) is the (furthest|farthest) [away]
        | {X} which is (furthest|farthest) [from you] | {X} at the back (edge|side) | {X} with the (largest|greatest) distance [to you]
        | {X} (furthest|farthest) from (your|the) base | furthest one of the {P} | {X} at the far side | {X} on the far side [of the table] | {X} at the far end""",
    "large": """4:largest {X} | 4:biggest {X} | {X} that is (largest|biggest) | larger {X} | bigger {X} | {X} with the (largest|biggest) size | {X} that is the (largest|biggest)
        | {X} which is [the] (largest|biggest) | (largest|biggest) of the {P} | (largest|biggest) of all the {P} | (largest|biggest) one of the {P}
        | {X} bigger than all others | {X} larger than the others | very biggest {X} | {X} that is bigger than the rest""",
    "small": """4:smallest {X} | {X} that is smallest | smaller {X} | littlest {X} | tiniest {X} | {X} with the smallest size | {X} that is the smallest
        | {X} which is [the] (smallest|tiniest) | (smallest|tiniest) of the {P} | smallest of all the {P} | smallest one of the {P} | {X} smaller than all others
        | very smallest {X} | {X} that is smaller than the rest""",
    "middle": """2:middle {X} | {X} in the (middle|center|centre) | central {X} | center {X} | {X} (that|which) is in the (middle|center|centre) | centre {X} | middle one of the {P}
        | {X} that is (central|in between the others) | middle of the {P} | {X} standing in the middle | {X} at the middle""",
    "from_left": """3:from the left | counting from the left | from left
        | starting from the left | counted from the left | from the left side | from the left hand side | as seen from the left | if you count from the left | beginning at the left | going from left to right | from left to right""",
    "from_right": """3:from the right | counting from the right | from right
        | starting from the right | counted from the right | from the right side | from the right hand side | as seen from the right | if you count from the right | beginning at the right | going from right to left | from right to left""",
    "from_near": """from the front | from you | counting from the front
        | starting from the front | counted from the front | from the front side | as seen from the front | if you count from the front | from the robot | going from front to back""",
    "from_far": """from the back | counting from the back
        | starting from the back | counted from the back | from the back side | from behind | if you count from the back | going from back to front | from the rear""",
    "rank": """14:{N} {X} {F} | 2:{X} that is {N} {F} | 2:{X} {N} {F} | {X} which is {N} {F} | 2:{N} of the {P} {F} | {X} that comes {N} {F}
        | {F} the {N} {X} | {X} in {N} place {F} | {N} one of the {P} {F} | {X} which comes {N} {F} | {N} {X} in line {F} | {N} {X} if you look {F} | {X} that stands {N} {F}""",
    "having_left_of": "3:{X} with {R} (on|to) the right [of it] | {X} that has {R} (on|to) the right | {X} which has {R} to the right of it | {X} having {R} to the right | {X} that is left with {R} on the right",
    "having_right_of": "3:{X} with {R} (on|to) the left [of it] | {X} that has {R} (on|to) the left | {X} which has {R} to the left of it | {X} having {R} to the left | {X} that is right with {R} on the left",
    "having_behind": "3:{X} with {R} in front [of it] | {X} that has {R} in front of it | {X} which has {R} in front",
    "having_in_front_of": "3:{X} with {R} behind it | {X} that has {R} behind it | {X} which has {R} behind",
    "holding_in": "4:{X} with {R} (in|inside) it | 2:{X} that has {R} (in|inside) it | {X} that holds {R} | {X} which holds {R} | {X} holding {R} | {X} in which {R} is | {X} with {R} inside",
    "holding_on": "4:{X} with {R} on it | 2:{X} that has {R} on it | {X} that carries {R} | {X} which carries {R} | {X} carrying {R} | {X} on which {R} is | {X} with {R} on top",
    "that": """2: | 3:that is | which is | thats | standing | lying | sitting
        | that stands | which stands | that sits | which sits | placed | which is placed | that is placed | that you see | that you find | , the one | seen | found | which you see | that i see | now | that is now""",
    "left_of": """2:left of | 3:to the left of | on the left of | on the left side of | to the left side of | at the left of | on the left hand side of | to the left hand side of
        | just left of | just to the left of | directly left of | over to the left of""",
    "right_of": """2:right of | 3:to the right of | on the right of | on the right side of | to the right side of | at the right of | on the right hand side of
        | to the right hand side of | just right of | just to the right of | directly right of | over to the right of""",
    "behind": """4:behind | in back of | at the back of | right behind | directly behind | just behind | to the back of | to the rear of | at the rear of | in the back of
        | on the far side of""",
    "in_front_of": """4:in front of | before | right in front of | directly in front of | just in front of | to the front of | on the near side of""",
    "in": """3:in | 2:inside | inside of | within
        | held by | kept in | right inside | contained in""",
    "on": """4:on | 2:on top of | upon
        | right on | placed on | put on | standing on | sitting on top of | right on top of""",
    "under": """3:under | underneath | below | beneath
        | right under | directly below | directly under | carrying | holding up | supporting""",
    "nearest": """3:next to | 2:beside | closest to | nearest to | 2:near | close to | by
        | right next to | right beside | directly next to | nearest | standing next to | directly beside | in the neighbourhood of | at the side of""",
    "related": "{X} <that> {REL} {R}",
    "not": """4:{X} that is not {E} | 2:{X} that isnt {E} | {X} which is not {E} | 2:{X} which isnt {E} | {X} but not {E} | {X} thats not {E} | {X} other than {E} | {X} , not {E}
        | {X} , but not {E} | {X} which happens not to be {E} | {X} that cannot be called {E}""",
    "postfix_color": """2:{X} that is {C} | {X} which is {C} | {X} in {C} | {X} of {C} color | {X} with {C} color | {X} thats {C} | {X} that has a {C} color | {X} (that|which) looks {C}
        | {X} painted {C} | {X} of the color {C} | {X} that happens to be {C} | {X} , the {C} one | {X} having a {C} color | {X} with the color {C} | {X} which has {C} color
        | {X} in the color {C} | {X} , a {C} one | {X} made {C} | {C} one of the {P} | {X} that appears {C}""",
    "prefix_color": """30:{C} | {C} colored | {C} coloured
        | {C} color | {C} looking | {C} painted""",
    "label": """3:{X} marked {L} | 3:{X} (labelled|labeled) {L} | 3:{X} with {L} on it | 2:{X} {L} | {X} with the label {L}
        | {X} (that|which) says {L} | {X} with label {L} | {X} with {L} written on it | {X} that is (marked|labelled|labeled) {L}
        | {X} with the (letters|sign|print) {L} | {X} tagged {L} | {X} that reads {L} | {X} bearing {L} | {X} which has {L} on it""",
    "all": """4:all {X} | 3:all the {X} | all of the {X} | 3:the {X} | every one of the {X} | {X} | each and every {X} | every last one of the {X} | whatever {X} there are
        | all {X} on the table | all {X} there are | all those {X} | all these {X} | the whole lot of {X} | any and all {X} | the complete set of {X}""",
    "but": """4:except | 2:except for | 3:but | apart from | other than | besides | excluding | aside from | but not | save for | leaving out | not counting | without | minus | only not""",
    "each": """every {X} | each {X} | each and every {X} | any {X}""",
    "everything": """4:everything | all things | all objects | all the things | all of the objects | all of them | every thing
        | everything on the table | all of it | all things on the table | all that is on the table | everything that is there | all objects on the table | all items | every object | all there is | everything you see""",
}
HELDOUT = {
    "left": "{X} that is most to the left | {X} at the far left | {X} all the way to the left",
    "right": "{X} that is most to the right | {X} at the far right | {X} all the way to the right",
    "near": "{X} at the very front | {X} close to you | {X} in the front row",
    "far": "{X} all the way at the back | {X} at the very back | {X} in the back row",
    "large": "{X} bigger than the others | {X} of the largest size",
    "small": "{X} smaller than the others | {X} of the smallest size",
    "middle": "{X} right in the middle | {X} at the center",
    "left_of": "at the left side of | further left than",
    "right_of": "at the right side of | further right than",
    "behind": "at the back side of | further back than",
    "in_front_of": "at the front of | on the front side of",
    "in": "that lies in | that is located inside",
    "on": "that rests on | that lies on",
    "not": "{X} that is anything but {E} | {X} that is definitely not {E}",
    "postfix_color": "{X} colored {C} | {X} whose color is {C}",
    "all": "each of the {X} | every single one of the {X}",
    "but": "with the exception of | barring",
}
PLAIN = {
    "left": "leftmost {X}",
    "right": "rightmost {X}",
    "near": "nearest {X}",
    "far": "farthest {X}",
    "large": "largest {X}",
    "small": "smallest {X}",
    "middle": "middle {X}",
    "from_left": "from the left",
    "from_right": "from the right",
    "from_near": "from the front",
    "from_far": "from the back",
    "that": "",
    "left_of": "left of",
    "right_of": "right of",
    "behind": "behind",
    "in_front_of": "in front of",
    "in": "in",
    "on": "on",
    "under": "under",
    "nearest": "next to",
    "not": "{X} that is not {E}",
    "prefix_color": "{C}",
    "label": "{X} marked {L}",
    "all": "all {X}",
    "but": "except",
    "each": "each {X}",
    "everything": "everything",
}
_LABEL_HELDOUT = {
    "label": "{X} carrying {L} | {X} with {L} printed on top | {X} whose label is {L} | {X} that has {L} painted on it"
}
PHRASES = Grammar(TRAIN, {**HELDOUT, **_LABEL_HELDOUT})
PLAIN_PHRASES = Grammar(PLAIN)

NUMBERS = (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"))
# Words of a relation that stand badly after another verb.
_VERBS = frozenset("held kept contained placed put standing sitting carrying holding supporting".split())
_TURNED_SHARE = 0.12
_DETERMINERS = ("the",) * 16 + ("that", "this", "a", "my", "your") + ("",) * 4


@dataclass
class Phrase:
    """A noun phrase: `words` without its determiner. `head` is the noun that a later "one" stands for;
    None when there is no plain one (generic noun, or more than attributes). `said` is what is spoken
    where that differs from the words meant ("the blue one" for blue cube)."""

    expr: Expr
    words: list[Word]
    head: list[Word] | None = None
    determiner: str = "the"
    said: list[Word] | None = None

    @property
    def spoken(self) -> list[Word]:
        """With the determiner."""
        if self.said is not None:
            return self.said
        return [Word(self.determiner), *self.words] if self.determiner else list(self.words)


@dataclass(frozen=True)
class Style:
    """How to speak: which split, and whether only plain words are used."""

    split: Split = "train"
    plain: bool = False

    def say(self, rule: str, rng: random.Random, slots: dict[str, list[Word]] | None = None) -> list[Word]:
        """One wording of a rule of phrases."""
        return (PLAIN_PHRASES if self.plain else PHRASES).say(rule, rng, slots or {}, self.split)


def words_of(text: str) -> list[Word]:
    return [Word(w) for w in text.split()]


def speak(expr: Expr, rng: random.Random, style: Style = Style(), *, plural: bool = False) -> Phrase:
    """A noun phrase for an expression. Plural ones carry their own "all"."""
    if isinstance(expr, Both):
        return _both(expr, rng, style, plural)
    words, head = _core(expr, rng, style, plural)
    if not plural:
        determiner = "the" if style.plain else _DETERMINERS[int(rng.random() * len(_DETERMINERS))]
        return Phrase(expr, words, head, determiner)
    if expr == Kind():
        return Phrase(expr, style.say("everything", rng), None, "")
    return Phrase(expr, style.say("all", rng, {"X": words}), None, "")


def bare(expr: Expr, rng: random.Random, style: Style = Style(), *, plural: bool = False) -> list[Word]:
    """The words of an expression without determiner or "all": "red cube", "red cubes"."""
    return _core(expr, rng, style, plural)[0]


def with_article(words: list[Word]) -> list[Word]:
    """ "a" or "an" before a noun phrase without determiner."""
    return [Word("an" if words[0].text[:1].lower() in "aeiou" else "a"), *words]


def every(expr: Expr, rng: random.Random, style: Style = Style()) -> Phrase:
    """All of an expression said one by one: "each red cube"."""
    words, _ = _core(expr, rng, style, False)
    return Phrase(expr, style.say("each", rng, {"X": words}), None, "")


def one_by_one(expr: Expr, rng: random.Random, style: Style = Style()) -> Phrase:
    """All of an expression, never "any", which leaves the choice to the robot in a command."""
    while True:
        phrase = every(expr, rng, style)
        if phrase.words[0].text != "any":
            return phrase


def all_but(base: Expr, excluded: Expr, rng: random.Random, style: Style = Style()) -> Phrase:
    """ "Everything except the ball": a set without one or several of its things."""
    whole = speak(base, rng, style, plural=True).words
    out = speak(excluded, rng, style)
    out.determiner = "the" if rng.random() < 0.8 else ""
    if isinstance(excluded, Kind) and rng.random() < 0.3:
        out = Phrase(excluded, bare(excluded, rng, style, plural=True), None, rng.choice(("the", "")))
    return Phrase(Without(base, excluded), [*whole, *style.say("but", rng), *out.spoken], None, "")


def one_phrase(expr: Kind, head: list[Word], rng: random.Random, style: Style) -> Phrase:
    """An attribute phrase with "one" for an earlier noun.

    "the blue one" after "the red cube" means blue cube: its own adjective, the earlier noun.
    """
    adjectives = _adjectives(expr, rng, style)
    spoken = [Word("the"), *adjectives, Word("one")]
    return Phrase(expr, [*adjectives, *head], head, "the", spoken)


def _both(expr: Both, rng: random.Random, style: Style, plural: bool) -> Phrase:
    words: list[Word] = []
    for i, part in enumerate(expr.parts):
        if i:
            words.append(Word("and"))
        words += speak(part, rng, style, plural=plural).spoken
    return Phrase(expr, words, None, "")


def _core(expr: Expr, rng: random.Random, style: Style, plural: bool) -> tuple[list[Word], list[Word] | None]:
    """The words without determiner, and the head noun when the phrase is attributes and a noun only."""
    match expr:
        case Kind():
            return _kind(expr, rng, style, plural)
        case Without(base, excluded):
            x, _ = _core(base, rng, style, plural)
            if isinstance(excluded, Kind) and excluded.shapes is None and excluded.size is None:
                assert excluded.color is not None
                e = words_of(pick_word(COLOR_WORDS[excluded.color], rng, style.plain)[0])
                if isinstance(base, Kind) and base.color is None and rng.random() < 0.1:
                    return [Word("non"), *e, *x], None
            else:
                e, _ = _core(excluded, rng, style, False)
                e = [Word("an" if e[0].text[0] in "aeiou" else "a"), *e]
            if plural:
                return [*x, *words_of(rng.choice(("that are not", "which are not", "that arent"))), *e], None
            return style.say("not", rng, {"X": x, "E": e}), None
        case Extreme(base, order, rank):
            x, _ = _core(base, rng, style, False)
            if rank == 0:
                return style.say(order, rng, {"X": x, "P": _core(base, rng, style, True)[0]}), None
            number = words_of(NUMBERS[rank][not style.plain and rng.random() < 0.2])
            if order in ("large", "small"):
                return [*number, *words_of({"large": "largest", "small": "smallest"}[order]), *x], None
            if not style.plain and rng.random() < 0.12:
                extreme = {"left": "leftmost", "right": "rightmost", "near": "nearest", "far": "farthest"}[
                    order
                ]
                return [*number, Word(extreme), *x], None
            return _rank(base, x, number, order, rng, style), None
        case Middle(base):
            x, p = (_core(base, rng, style, many)[0] for many in (False, True))
            return style.say("middle", rng, {"X": x, "P": p}), None
        case Related(base, relation, reference):
            return _related(base, relation, reference, rng, style, plural), None
        case Nearest(base, reference):
            return _related(base, "nearest", reference, rng, style, plural), None
    raise TypeError(f"no words for {expr}")


def _rank(
    base: Expr, x: list[Word], number: list[Word], order: str, rng: random.Random, style: Style
) -> list[Word]:
    start = style.say(f"from_{order}", rng)
    if style.split == "heldout":
        return [*x, Word("number", novel=True), *number, *start]
    if style.plain:
        return [*number, *x, *start]
    slots = {"X": x, "N": number, "F": start, "P": _core(base, rng, style, True)[0]}
    return style.say("rank", rng, slots)


def _related(
    base: Expr, relation: str, reference: Expr, rng: random.Random, style: Style, plural: bool
) -> list[Word]:
    x, _ = _core(base, rng, style, plural)
    turned = _turned(base, relation)
    if turned and not (plural or style.plain) and style.split == "train" and rng.random() < _TURNED_SHARE:
        return style.say(turned, rng, {"X": x, "R": _reference(reference, rng, style)})
    rel = style.say(relation, rng)
    that = [] if rel[0].text == "that" else style.say("that", rng)
    if rel[0].text in _VERBS:
        that = words_of(rng.choice(("", "", "that is", "which is")))
    if plural:
        that = words_of(rng.choice(("", "", "that are", "which are")))
    return [*x, *that, *rel, *_reference(reference, rng, style)]


def _reference(expr: Expr, rng: random.Random, style: Style) -> list[Word]:
    r = speak(expr, rng, style)
    if r.determiner == "":
        r.determiner = "the" if rng.random() < 0.7 else ""
    return r.spoken


def _turned(base: Expr, relation: str) -> str | None:
    """The rule that says a relation from its other side: "the cube with the ball to its left"."""
    if relation in ("left_of", "right_of", "behind", "in_front_of"):
        return f"having_{relation}"
    if relation == "under" and isinstance(base, Kind) and base.shapes:
        return "holding_in" if base.shapes <= {"bowl", "cup"} else "holding_on"
    return None


def _adjectives(expr: Kind, rng: random.Random, style: Style) -> list[Word]:
    size = words_of(pick_word(SIZE_WORDS[expr.size], rng, style.plain)[0]) if expr.size else []
    color: list[Word] = []
    if expr.color:
        color = words_of(pick_word(COLOR_WORDS[expr.color], rng, style.plain)[0])
        if not style.plain:
            color = style.say("prefix_color", rng, {"C": color})
    return [*size, *color]


def _kind(expr: Kind, rng: random.Random, style: Style, plural: bool) -> tuple[list[Word], list[Word] | None]:
    if expr.label is not None:
        return _labelled(expr, rng, style, plural), None
    bare = expr.color is None and expr.size is None
    head = words_of(noun(expr.shapes, rng, plural=plural, bare=bare, plain=style.plain))
    clear_head = head if expr.shapes is not None and not plural and head[-1].text != "one" else None
    if (
        expr.color
        and not plural
        and not style.plain
        and rng.random() < (0.3 if style.split == "heldout" else 0.08)
    ):
        size = words_of(pick_word(SIZE_WORDS[expr.size], rng, False)[0]) if expr.size else []
        color = words_of(pick_word(COLOR_WORDS[expr.color], rng, False)[0])
        slots = {"X": [*size, *head], "C": color, "P": [Word(noun(expr.shapes, rng, plural=True, bare=True))]}
        return style.say("postfix_color", rng, slots), None
    return [*_adjectives(expr, rng, style), *head], clear_head


def _labelled(expr: Kind, rng: random.Random, style: Style, plural: bool) -> list[Word]:
    x, _ = _kind(Kind(expr.shapes, expr.color, expr.size), rng, style, plural)
    return style.say("label", rng, {"X": x, "L": [Word(expr.label or "")]})
