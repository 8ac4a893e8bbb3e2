# ruff: noqa: E501 (word lists read best as they are)
"""From words to the text that a person would really type or that a recogniser would hear.

Politeness, fillers, typos, mishearings, case and punctuation. Words keep their identity through all
of it, so that phrases find their indices in the noisy text.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.tabletop.language.grammar import Grammar, Split, Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, GENERIC_WORDS, NOUNS, SIZE_WORDS


@dataclass(frozen=True)
class Noise:
    """How often each thing happens to an utterance, as probabilities."""

    polite: float = 0.0
    filler: float = 0.0
    typo: float = 0.0
    misheard: float = 0.0
    casing: float = 0.0
    punctuation: float = 0.0


CLEAN = Noise()
POLITE = Noise(polite=0.4, casing=0.3, punctuation=0.4)
TRAINING = Noise(polite=0.35, filler=0.06, typo=0.06, misheard=0.04, casing=0.4, punctuation=0.4)
HEAVY = Noise(polite=0.6, filler=0.5, typo=0.4, misheard=0.3, casing=0.6, punctuation=0.6)

_COURTESY = {
    "before": """8:please | <call> , | <call> , please | <call> [please] (<could>) | 6:<could> | 2:<could> please | <want> | 2:please <could> | now | ok now | ok , | go ahead and
        | lets | <want> please | kindly | just | alright , | next , | <call> <want> | <condition> , <could> | <mood> , | <mood> , <could> | 2:<duty> | <hope> | first
        | again , | and now | then | this time | quickly | carefully | slowly , | gently | do | so , | well , | good , now | great , now | excuse me , | listen ,
        | attention , | yes , | hello , | thanks , now | <call> , now | the next (thing|step) is to | here is what to do , | one more thing , | i have a (task|job) for you ,
        | no , | actually , | instead , | sorry , | once more | all right , | right , | so now | please go ahead and | please do | ok then , | ok please | well then ,""",
    "call": """3:robot | 2:hey robot | hi robot | hello robot | hey | hey there | dear robot | hi there | mister robot
        | buddy | my friend | computer | machine | arm | robot arm | mate | dear | helper | sir | little robot | my robot | hey buddy | hey you | ok robot | yo""",
    "could": """6:could you | 6:can you | 2:would you | will you | could you (maybe|perhaps|possibly|quickly) | do you think you could
        | would you be so kind as to | would you kindly | can you go ahead and
        | can you [please] | could you please | would you please | will you please | could you just | can you just | can you quickly | would it be possible to | is it possible to | may i ask you to | could i ask you to | can i ask you to | can i get you to
        | are you able to | would you be able to | would you be willing to | do you mind if i ask you to | would you be good enough to | might you | could you try to | can you try to | would you go ahead and | might i ask you to | could i get you to | can you manage to | will you now | could i trouble you to | may i trouble you to | could i bother you to | any way you could | would you care to | can we get you to | could you find a way to | how about you | would you have time to | would you be able to quickly""",
    "want": """2:i want you to | 2:i need you to | 2:i would like you to | id like you to | your task is to | your job is to | you should | you have to | try to | make sure to
        | i am asking you to | i would love you to | i want the robot to | i would be happy if you could | i would be glad if you could
        | it would be (nice|great|good) if you could | i was hoping you could | i ask you to | it is time to | you need to | you must | you are to | you will | you can
        | you may | you could | we need to | we have to | let us | help me [to] | the task is to | the job is to | the goal is to | the plan is to | your next task is to
        | your goal is to | i am going to ask you to | i order you to | i tell you to | i expect you to | i hope you can | all you have to do is | what you have to do is
        | what i want you to do is | be sure to | remember to | dont forget to | you ought to | id love you to | feel free to | your mission is to | your assignment is to | i would ask you to | you are requested to | you are kindly asked to | it would be wonderful if you could | it would be lovely if you could | i would be thankful if you could | i suggest you | my wish is for you to | the idea is to | what we need is for you to | i would prefer you to | we would like you to | we want you to""",
    "favour": """do me a (favor|favour) and | be so kind and | be so good as to | be so kind as to | be nice and | be a dear and | have the kindness to | i need your help to | help me out and | be quick and
        | be careful and | take your time and | make yourself useful and | hurry up and""",
    "condition": """if you can | if possible | if you dont mind | if you please | if it is ok | if you have time | when you can | when you are ready | whenever you are ready | as soon as you can | if you are ready | when you have time
        | once you are ready | if it is no trouble""",
    "mood": "good morning | good evening | hello there | thanks | well done | good job | nice | great | good robot | perfect | no problem | fine | sorry | excuse me | ok great",
    "duty": "it is your (task|job) to | your (task|job) now is to | it is your turn to | you have been asked to | you have one job , | i need you now to | i have to ask you to",
    "hope": "i hope you will | i trust you to | i would be grateful if you could | i would like it if you could | it would help if you could | it would help me if you could | is there any way you could | any chance you could",
    "after": """8:please | 3:for me | 3:for me please | now | thanks | thank you | if you can | if you please | right now | , will you | , would you | , ok | carefully | gently
        | slowly | quickly | , robot | when you can | if possible | if you could | whenever you can | when you are ready | whenever you are ready | as soon as possible
        | asap | for us | would you please | , could you | , can you | thank you very much | thanks a lot | many thanks | thanks in advance | this time | next | at once
        | with care | , buddy | there | and thats it | whenever it suits you | without delay | straight away | as quickly as you can | , be quick | , be careful | , i beg you | if it suits you | , robot please | as fast as you can | , my robot | thats all | and nothing else | , dear robot | very carefully | very slowly | very quickly | just like that
        | when you have time | if it is possible | , do it now | , do it | , go | , come on | today | , alright | , yes | and then stop | for a moment | again
        | before anything else | in one go""",
}
_COURTESY_HELDOUT = {
    "before": """would it be possible for you to | i was wondering if you could | be a dear and | if you dont mind ,
        | it would be great if you could | time to | we need you to | i would appreciate it if you could""",
    "after": "if you would | that would be great | if thats ok | my friend | as soon as you can | if you dont mind",
}
COURTESY = Grammar(_COURTESY, _COURTESY_HELDOUT)

FILLERS = "uh um er ah hmm like well uhm so erm eh".split()
LONG_FILLERS = ("you know", "i mean", "let me see", "sort of")

# What a recogniser writes instead: never a word that means something else here.
MISHEARD: dict[str, tuple[str, ...]] = {
    "red": ("read", "wred"), "blue": ("blew", "bleu"), "green": ("grin", "greene"), "white": ("wight", "wide"),
    "black": ("blak", "blank"), "yellow": ("yello", "jello"), "purple": ("purpel",), "grey": ("gray", "graye"),
    "orange": ("oringe",), "right": ("write", "rite"), "left": ("lift", "laughed"), "ball": ("bawl",),
    "bowl": ("bole", "boll"), "cube": ("cute", "cubed", "queue"), "bar": ("barr", "baa"), "plate": ("played", "plait"),
    "tray": ("trey", "trait"), "cup": ("cop", "cupp"), "block": ("blok", "bloc"), "cylinder": ("cylinders", "silinder"),
    "place": ("plays", "plaice"), "pick": ("peak", "pic"), "stack": ("stuck", "stag"), "put": ("but", "pud"),
    "take": ("steak",), "move": ("moove",), "drop": ("dropped",), "into": ("in to", "in two"),
    "onto": ("on to", "on two"), "to": ("two", "too"), "the": ("a", "de", "da"), "for": ("four",), "one": ("won",),
    "in": ("inn",), "of": ("off",), "behind": ("be hind",), "inside": ("in side",), "then": ("than",),
    "there": ("their",), "you": ("u", "yu"), "please": ("pleas", "plz"), "and": ("an", "end"),
}  # fmt: skip
# Written with its apostrophe about half of the time.
_APOSTROPHES = {"isnt": "isn't", "thats": "that's", "arent": "aren't", "id": "I'd", "lets": "let's", "dont": "don't",
    "doesnt": "doesn't", "theres": "there's", "cant": "can't", "whats": "what's"}
_CONTENT = frozenset(
    w
    for table in (*NOUNS.values(), *COLOR_WORDS.values(), *SIZE_WORDS.values())
    for names in table[0]
    for name in names
    for w in name.split()
)
# No typo may make one of these of another word.
PROTECTED = _CONTENT | GENERIC_WORDS | frozenset("left right front back behind in on under into near far not no stop".split())

Spans = dict[int, tuple[int, ...]]


def render(
    spoken: Sequence[Word], rng: random.Random, noise: Noise, *, ask: bool = True, split: Split = "train"
) -> tuple[list[Word], Spans, str]:
    """The words said, for id(word) of each its indices in `words(text)`, and the text.

    `ask`: the utterance is an imperative that "could you" may stand before.
    """
    said = list(spoken)
    if ask and rng.random() < noise.polite:
        said = _politely(said, rng, split)
    if rng.random() < noise.filler:
        said = _with_fillers(said, rng)
    written: list[tuple[str, Word]] = [(w.text, w) for w in said]
    if rng.random() < noise.misheard:
        written = _mishear(written, rng)
    if rng.random() < noise.typo:
        _mistype(written, rng)
    spans: Spans = {}
    for i, (_, word) in enumerate(written):
        spans[id(word)] = (*spans.get(id(word), ()), i)
    return said, spans, _written(written, rng, noise)


def _politely(said: list[Word], rng: random.Random, split: Split) -> list[Word]:
    x = rng.random()
    before = COURTESY.say("before", rng, {}, split) if x < 0.75 else []
    after = COURTESY.say("after", rng, {}, split) if x > 0.6 else []
    if after and after[0].text == "," and said:
        after = after[1:]
    return [*before, *said, *after]


def _with_fillers(said: list[Word], rng: random.Random) -> list[Word]:
    for _ in range(1 if rng.random() < 0.7 else 2):
        filler = rng.choice(LONG_FILLERS).split() if rng.random() < 0.15 else [rng.choice(FILLERS)]
        at = rng.randint(0, len(said))
        said[at:at] = [Word(f) for f in filler]
    return said


def _mishear(written: list[tuple[str, Word]], rng: random.Random) -> list[tuple[str, Word]]:
    able = [i for i, (t, _) in enumerate(written) if t in MISHEARD]
    if not able:
        return written
    for i in sorted(rng.sample(able, min(len(able), 1 if rng.random() < 0.75 else 2)), reverse=True):
        text, word = written[i]
        written[i : i + 1] = [(part, word) for part in rng.choice(MISHEARD[text]).split()]
    return written


def _mistype(written: list[tuple[str, Word]], rng: random.Random) -> None:
    able = [i for i, (t, _) in enumerate(written) if len(t) > 3 and t.isalpha() and t.islower()]
    for i in rng.sample(able, min(len(able), 1 if rng.random() < 0.75 else 2)):
        text, word = written[i]
        wrong = _typo(text, rng)
        if wrong not in PROTECTED:
            written[i] = (wrong, word)


_NEIGHBOURS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "sqzx vghn xdfv serfcx wsdr drtgvc ftyhbv gyujnb ujko huikmn jiolm kop njk bhjm iklp ol wa edft awedxz rfgy "
        "yhji cfgb qase zsdc tghu asx".split(),
        strict=True,
    )
)


def _typo(text: str, rng: random.Random) -> str:
    """One slip of the fingers; the first letter mostly stays."""
    i, x = rng.randint(1, len(text) - 2), rng.random()
    if x < 0.3:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if x < 0.55:
        return text[:i] + text[i + 1 :]
    if x < 0.8:
        return text[:i] + text[i] + text[i:]
    return text[:i] + rng.choice(_NEIGHBOURS.get(text[i], "e")) + text[i + 1 :]


def _written(written: Sequence[tuple[str, Word]], rng: random.Random, noise: Noise) -> str:
    punctuate = rng.random() < noise.punctuation
    parts = []
    for i, (text, word) in enumerate(written):
        shown = _APOSTROPHES.get(text, text) if punctuate else text
        last_part = i + 1 == len(written) or written[i + 1][1] is not word
        parts.append(shown + (word.mark if punctuate and last_part else ""))
    out = " ".join(parts)
    if punctuate and out and out[-1] not in ".,!?;:":
        out += rng.choice(("?", "?", ".") if out.split(" ", 1)[0] in ("could", "can", "would", "will") else "....!")
    if rng.random() < noise.casing:
        x = rng.random()
        out = out.capitalize() if x < 0.8 else out.upper() if x < 0.9 else out.title()
    return out
