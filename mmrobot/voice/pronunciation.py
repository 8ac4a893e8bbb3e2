"""How the grammar's words sound: CMU's dictionary as pocketsphinx ships it, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mmrobot.errors import VoiceUnavailableError

# In the phones of CMU's dictionary. Words that it lacks, and other ways (British, West Indian, hasty) to say
# short ones that matter.
EXTRA: dict[str, tuple[str, ...]] = {
    "leftmost": ("L EH F T M OW S T", "L EH F M OW S"),
    "rightmost": ("R AY T M OW S T", "R AY M OW S"),
    "farthest": ("F AA DH AH S T",),
    "halt": ("HH AO L T", "HH AA L T"),
    "stop": ("S T AA P", "S T AO P", "S T AA"),
    "robot": ("R OW B AH T", "R OW B AA T", "R OW B AO T"),
    "bar": ("B AA",),
    "purple": ("P AH P AH L", "P ER P AO L"),
    "cylinder": ("S IH L IH N D AH",),
    "orange": ("AO R AH N JH", "AA R IH N JH"),
    "color": ("K AH L AH",),
    "on": ("AA N",),
    "not": ("N AO T",),
    "block": ("B L AO K",),
    "box": ("B AO K S",),
    "object": ("AO B JH EH K T",),
    "are": ("AA",),
    "there": ("DH EH",),
    "where": ("W EH",),
    "four": ("F AO",),
    "after": ("AA F T AH", "AE F T AH"),
    "other": ("AH DH AH",),
    "closer": ("K L OW S AH",),
    "tower": ("T AW AH",),
    "everything": ("EH V R IY TH IH NG",),
    "forward": ("F AO W AH D",),
    "near": ("N IY AH",),
    "nearest": ("N IY AH R AH S T",),
    "grasp": ("G R AA S P",),
    "was": ("W AO Z",),
    "what": ("W AO T",),
}


def dictionary_lines(words: Iterable[str]) -> list[str]:
    """The lines of a dictionary file for these words. Raises VoiceUnavailableError naming a word that nobody
    knows how to say."""
    known = _cmu()
    lines = []
    for word in sorted(set(words)):
        ways = dict.fromkeys((*known.get(word, ()), *EXTRA.get(word, ())))
        if not ways:
            raise VoiceUnavailableError(
                f"nobody knows how '{word}' is pronounced",
                "add it to EXTRA in mmrobot/voice/pronunciation.py",
            )
        lines += [f"{word}({i})" * bool(i - 1) + word * (i == 1) + f" {way}" for i, way in enumerate(ways, 1)]
    return lines


def model_folder() -> Path:
    """pocketsphinx's English model. Raises VoiceUnavailableError when it is not installed."""
    try:
        import pocketsphinx
    except ImportError as error:
        raise VoiceUnavailableError(f"pocketsphinx cannot be imported: {error}", "make setup") from error
    return Path(pocketsphinx.get_model_path("en-us"))


@cache
def _cmu() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    with (model_folder() / "cmudict-en-us.dict").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            word = word.partition("(")[0]
            found[word] = (*found.get(word, ()), phones)
    return found
