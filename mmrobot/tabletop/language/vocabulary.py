"""Which words the grammar can say: for models with a word list, and to know what is new to one."""

from __future__ import annotations

from functools import lru_cache

from mmrobot.tabletop.language.chatter import CHATTER
from mmrobot.tabletop.language.deed_wording import DEEDS
from mmrobot.tabletop.language.grammar import MARKS, Grammar, Split
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, GENERIC_WORDS, NOUNS, SIZE_WORDS
from mmrobot.tabletop.language.noise import COURTESY, FILLERS, LONG_FILLERS, MISHEARD
from mmrobot.tabletop.language.phrases import NUMBERS, PHRASES
from mmrobot.tabletop.language.talk_wording import TALK
from mmrobot.tabletop.language.wording import WORDING

# Said by code and not by a rule.
_SPOKEN_IN_CODE = (
    "the that this a an my your non not one it them and is are which arent first second largest smallest "
    "number leftmost rightmost nearest farthest"
)


@lru_cache(maxsize=2)
def vocabulary(split: Split = "train") -> frozenset[str]:
    """All words of a split but typos, gibberish, labels and digits. "heldout" holds the trained ones too."""
    tables = (*NOUNS.values(), *COLOR_WORDS.values(), *SIZE_WORDS.values())
    texts = [name for table in tables for names in table[0] for name in names]
    texts += [*FILLERS, *LONG_FILLERS, *(m for heard in MISHEARD.values() for m in heard), _SPOKEN_IN_CODE]
    texts += [n for pair in NUMBERS for n in pair]
    found = {w for t in texts for w in t.split()} | GENERIC_WORDS
    for grammar in (WORDING, PHRASES, CHATTER, COURTESY, TALK, DEEDS):
        found |= _said_by(grammar, split)
    return frozenset(found)


def _said_by(grammar: Grammar, split: Split) -> set[str]:
    return {w for w in grammar.words(split) if w not in MARKS}
