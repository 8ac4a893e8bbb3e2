# ruff: noqa: E501 (word lists read best as they are)
"""Stop words, heard without any model: English, Spanish, German, French, Chinese.

All of them hold the robot still at once. What becomes of the request differs: after a stop it has ended, a hold
keeps it for "go on", a cancel forgets it. A stop may be the whole utterance, or lead it ("stop, put that back"). When in doubt between a
command to stop and anything else said *first*, it is a stop: a needless stop costs a second.
Words inside a sentence ("the bus stop") and denials ("don't stop") are none.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class StopKind(StrEnum):
    """What becomes of the request that was under way."""

    STOP = "stop"
    HOLD = "hold"
    CANCEL = "cancel"


# Nobody says more before a stop than this; bounds the time on enormous input.
_READ_CHARACTERS = 400

# Said first, these stop whatever follows.
_LEADING = frozenset("stop halt freeze abort stopp stoppe stoppez arrete arretez detente detengase anhalten".split())
# "stop sign", "halt button": the word is no verb there.
_NOT_AFTER_LEADING = frozenset("sign signs light lights watch button buttons motion word words".split())

# These stop only as the whole utterance, or before a mark ("para, por favor").
_WHOLE_WORDS = {
    StopKind.STOP: """
    whoa|woah|enough|hold still|stand still|stay still|stay there|keep still
    dont move|do not move|not so fast|emergency stop|emergency|e stop|estop|cut it out|thats enough
    quit|quit it|terminate|cease|that is enough
    can you stop|could you stop|could you please stop|would you stop|you need to stop|you must stop|i want you to stop
    make it stop
    para|pare|paren|parate|alto|basta|quieto|quieta|detenganse|para ya|alto ahi|no te muevas|no se mueva|deten|frena
    halt an|anhalten|haltet an|bleib stehen|stehen bleiben|stehenbleiben|hor auf|horauf|aufhoren|nicht bewegen
    schluss|keine bewegung|halt stopp|stoppen|hor sofort auf|nicht weiter
    halte|arrete toi|arretez vous|ne bouge pas|ne bouge plus|ne bougez plus|ne bougez pas|ca suffit
    halte la|arreter
    """,
    StopKind.HOLD: """
    wait|pause|hold|hold it|hold on|wait a second|wait a moment|wait a minute|hang on|hold on a second|one moment
    one second|just a second|just a moment|hold on a moment|hold that|pause it
    espera|espere|esperen|un momento|pausa|warte|warte mal|warte kurz|warten|moment mal|einen moment
    attends|attendez|attends un peu|un instant
    """,
    StopKind.CANCEL: """
    cancel|cancel that|cancel it|cancel this|never mind|nevermind|forget it|forget that|forget about it|abort it
    abort that|scratch that
    cancela|cancelar|cancele|cancelalo|dejalo|olvidalo|abbrechen|brich ab|vergiss es|lass es|lass gut sein
    annule|annulez|annuler|laisse tomber|oublie ca
    """,
}
_WHOLE = {
    phrase: kind
    for kind, lines in _WHOLE_WORDS.items()
    for line in lines.splitlines()
    for phrase in line.strip().split("|")
    if phrase
}
# Said before or after a stop, these change nothing.
_PADDING = frozenset(
    """please robot now hey oh ok okay no right immediately at once arm mister everything all and just i said
    por favor ahora ya robot bitte sofort jetzt roboter s il vous te plait maintenant tout de suite
    nein non so well uh um ah the wow it there moving here""".split()
)
# Only these may stand before: "everything stop" is one, "at stop" is none.
_BEFORE = frozenset(
    """you please robot now hey oh ok okay alright no just i said everything everybody everyone uh um ah wow well bitte
    nein non roboter por favor right immediately sofort jetzt schnell vite ahora now and""".split()
)

# A stop by themselves, and before one: "wait stop".
_GASPS = frozenset(("wait", "whoa"))

_CHINESE = {
    **dict.fromkeys(
        ("停下来", "停一下", "停下", "停止", "停", "别动", "不要动", "不许动", "站住", "住手", "快停", "急停"), StopKind.STOP
    ),
    **dict.fromkeys(("暂停", "等一下", "等一等", "等等", "等下", "稍等", "慢着"), StopKind.HOLD),
    **dict.fromkeys(("取消", "算了", "不用了"), StopKind.CANCEL),
}
_CHINESE_TRADITIONAL = {"別": "别", "許": "许", "暫": "暂"}
_CHINESE_PADDING = re.compile(r"^(?:机器人|機器人|请|請|快|马上|馬上|立刻|立即|现在|現在|喂|嘿)+")
_CHINESE_TAIL = re.compile(r"^(?:吧|啊|了|呀|手|机器人|機器人|现在|現在|一下|下|来|住|止|停)*$")

_MARK = re.compile(r"[,.!?;:¡¿…\-–—。，！？；、：\n]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def is_stop(text: str) -> bool:
    """Whether an utterance means: hold still at once. Never raises, reads a bounded part, needs no model."""
    return stop_kind(text) is not None


def stop_kind(text: str) -> StopKind | None:
    """Which stop an utterance is; None where it is none. Never raises, reads a bounded part.

    >>> stop_kind("stop!"), stop_kind("hold on"), stop_kind("never mind"), stop_kind("hold the cube")
    (<StopKind.STOP: 'stop'>, <StopKind.HOLD: 'hold'>, <StopKind.CANCEL: 'cancel'>, None)
    """
    head = unicodedata.normalize("NFKC", text[:_READ_CHARACTERS]).lower()
    chinese = _chinese_stop(head)
    if chinese is not None:
        return chinese
    folded = "".join(c for c in unicodedata.normalize("NFD", head) if not unicodedata.combining(c))
    folded = re.sub(r"['’‘ʼ`´]", "", folded)
    # A hyphen inside joins: "e-stop", "arrête-toi"; "non-stop" is no stop.
    folded = re.sub(r"(?<=\w)-(?=\w)", " ", folded.replace("non-stop", "nonstop"))
    clauses = [c for c in (_LETTERS.findall(part) for part in _MARK.split(folded)) if c]
    while clauses and all(w in _BEFORE for w in clauses[0]):
        clauses = clauses[1:]
    if not clauses:
        return None
    first = _once([_unstretched(w) for w in clauses[0]])
    return _leading(first) or _whole(first)


def _leading(said: list[str]) -> StopKind | None:
    start = 0
    while start < len(said) and said[start] in _BEFORE | _GASPS:
        start += 1
    if start == len(said) or said[start] not in _LEADING:
        return None
    following = said[start + 1] if start + 1 < len(said) else ""
    if following in _NOT_AFTER_LEADING:
        return None
    return StopKind.CANCEL if said[start] == "abort" else StopKind.STOP


def _whole(said: list[str]) -> StopKind | None:
    """The kind of the phrase that the words are, with nothing but padding around it."""
    for start in range(min(len(said), 5)):
        if any(w not in _BEFORE for w in said[:start]):
            return None
        for end in range(len(said), start, -1):
            if any(w not in _PADDING for w in said[end:]):
                break
            kind = _WHOLE.get(" ".join(said[start:end]))
            if kind is not None:
                return kind
    return None


def _once(said: list[str]) -> list[str]:
    """"wait wait wait" is "wait" said in haste."""
    return [w for i, w in enumerate(said) if i == 0 or w != said[i - 1]]


def _unstretched(word: str) -> str:
    """"stooop" and "sttopp" are "stop" shouted."""
    if re.fullmatch(r"s+t+o+p+e?", word):
        return "stop"
    if re.fullmatch(r"h+a+l+t+", word):
        return "halt"
    return word


def _chinese_stop(head: str) -> StopKind | None:
    for old, new in _CHINESE_TRADITIONAL.items():
        head = head.replace(old, new)
    first = next((part for part in (p.strip() for p in re.split(r"[^\w]+", head)) if part), "")
    first = _CHINESE_PADDING.sub("", first)
    if not first:
        rest = [p for p in re.split(r"[^\w]+", head) if p][1:]
        first = rest[0] if rest else ""
    for word, kind in _CHINESE.items():
        if first.startswith(word) and _CHINESE_TAIL.match(first[len(word) :]):
            return kind
    return None
