"""Words defined on the spot (level L3): "a dax is a white bar; put the dax in the bowl"."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.language.lexicon import NOUNS

SHARE = 0.3
NEW_WORDS = ("dax", "wug", "blicket", "toma", "zib", "fep", "gorp", "kiki", "modi", "pilk")
_FORMS = (
    "a {new} is a {meaning}; {rest}",
    "a {new} means a {meaning}. {rest}",
    "by {new} I mean the {meaning}: {rest}",
    "let us call the {meaning} a {new}. {rest}",
    "the {new} is the {meaning}, now {rest}",
)
_NAMES = "|".join(sorted(nouns[0][0][0] for shapes, nouns in NOUNS.items() if len(shapes) == 1))
_NAMED = re.compile(rf"\b(?:the|that|my|your|this) ((?:[a-z]+ )?(?:{_NAMES}))\b", re.IGNORECASE)


def with_definition(episode: Episode, words: random.Random) -> Episode:
    """Now and then the instruction with a new word for one of its things; questions and refusals as they
    are."""
    if episode.expect.outcome != "success" or words.random() >= SHARE:
        return episode
    found = _NAMED.search(episode.instruction)
    if found is None:
        return episode
    meaning, new = found[1].lower(), words.choice(NEW_WORDS)
    before, after = episode.instruction[: found.start(1)], episode.instruction[found.end(1) :]
    rest = f"{before}{new}{after}"
    text = words.choice(_FORMS).format(new=new, meaning=meaning, rest=rest)
    return replace(episode, instruction=text)
