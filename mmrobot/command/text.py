
"""A person's text made fit for the model: `clean_instruction` at the door."""

from __future__ import annotations

import re
import unicodedata

from mmrobot.errors import InvalidInstructionError
from mmrobot.vlm.words import words

__all__ = ["clean_instruction", "words"]

MAX_CHARACTERS = 300
MAX_WORDS = 48
LANGUAGES = ("English",)

_SPACES = re.compile(r"\s+")

# Words that show the language of a sentence and that the other languages here do not share.
_ENGLISH = frozenset(
    """the of to and on it is with please put pick up place from this that into then move take bring get
    go home you your my drop stack red blue green yellow white black cube ball bowl cup plate what where how
    them there are can could would onto behind left right front next""".split()
)
_FOREIGN = {
    "Spanish": frozenset(
        """el los las del por favor pon ponga coge toma mueve coloca cubo rojo roja azul verde amarillo pelota
        bola tazon taza plato sobre dentro izquierda derecha detras delante donde esta agarra recoge hola qué
        deja encima y al un""".split()
    ),
    "German": frozenset(
        """der das den dem des und ein eine einen einem auf bitte lege leg stelle stell nimm setze würfel
        wurfel roten rote blaue blauen grüne grünen gelbe gelben kugel schüssel schussel tasse teller neben
        hinter vor links rechts von nach ist wo ich du hallo heb hebe""".split()
    ),
    "French": frozenset(
        """le les la une du et dans sur prends prenez mets mettez pose posez rouge bleu bleue
        vert verte jaune balle boule bol tasse assiette gauche droite derrière derriere devant où est plaît
        plait vous ramasse bonjour""".split()
    ),
}


def clean_instruction(raw: str | bytes) -> str:
    """What a person sent, made one line of readable text, or InvalidInstructionError saying why not.

    Case and punctuation stay (`words` drops them). Raised for: bytes that are not UTF-8, control
    characters, nothing said, over MAX_CHARACTERS or MAX_WORDS, no letters, a language that is not
    one of LANGUAGES.
    """
    text = _decoded(raw)
    _refuse_controls(text)
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", _without_invisibles(text))).strip()
    if not text:
        raise InvalidInstructionError(
            f"the instruction is empty, got {_shown(raw)}",
            'Say what to do, for example "pick up the red cube".'
        )
    if len(text) > MAX_CHARACTERS:
        raise InvalidInstructionError(
            f"the instruction has {len(text)} characters, at most {MAX_CHARACTERS} are read: {_shown(text)}",
            "Shorten it, or give it in several instructions.",
        )
    split = words(text)
    if len(split) > MAX_WORDS:
        raise InvalidInstructionError(
            f"the instruction has {len(split)} words, at most {MAX_WORDS} are read: {_shown(text)}",
            "Shorten it, or give it in several instructions.",
        )
    if not any(c.isalpha() for c in text):
        raise InvalidInstructionError(
            f"the instruction has no words, got {_shown(text)}",
            'Say what to do in words, for example "put the ball in the bowl".',
        )
    language = _foreign_language(text, split)
    if language:
        raise InvalidInstructionError(
            f"the instruction seems to be {language}: {_shown(text)}",
            f"Understood: {', '.join(LANGUAGES)}. Say it in {' or '.join(LANGUAGES)}.",
        )
    return text


def _decoded(raw: str | bytes) -> str:
    if isinstance(raw, str):
        text = raw
    elif isinstance(raw, (bytes, bytearray)):
        try:
            text = bytes(raw).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInstructionError(
                f"the instruction is binary data, not text: {_shown(raw)} (byte {error.start} is not UTF-8)",
                "Send text encoded as UTF-8.",
            ) from error
    else:
        raise InvalidInstructionError(
            f"the instruction must be text, got {type(raw).__name__} {_shown(raw)}", "Send a string."
        )
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise InvalidInstructionError(
            f"the instruction is not valid Unicode: {_shown(text)}", "Send text encoded as UTF-8."
        )
    return text


def _refuse_controls(text: str) -> None:
    for i, c in enumerate(text):
        if unicodedata.category(c) in ("Cc", "Co", "Cn") and c not in "\t\n\r":
            raise InvalidInstructionError(
                f"the instruction holds the control or unassigned character U+{ord(c):04X} at position {i}: "
                f"{_shown(text)}",
                "Send plain text without binary data.",
            )


def _without_invisibles(text: str) -> str:
    """Zero-width characters and direction marks, which people paste without seeing them, dropped."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def _foreign_language(text: str, split: tuple[str, ...]) -> str | None:
    """The script or language that a text is clearly in, if that is not one we understand.

    A check of script and of telling words only. Text of no telling words passes: the model then says
    itself that it did not understand.
    """
    letters = [c for c in text if c.isalpha()]
    strange = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
    if len(strange) * 2 > len(letters):
        script = unicodedata.name(strange[0], "unknown").split()[0].lower()
        return f"in {script} script"
    english = sum(w in _ENGLISH for w in split)
    counts = {name: sum(w in tell for w in split) for name, tell in _FOREIGN.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 2 and counts[best] > english else None


def _shown(value: object, limit: int = 40) -> str:
    text = ascii(value) if isinstance(value, (bytes, bytearray)) else repr(value)
    return text if len(text) <= limit else text[:limit] + "..."
