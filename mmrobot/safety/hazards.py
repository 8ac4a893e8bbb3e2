"""Words that ask for harm, refused without a model: rules as data (hazards.yaml) over normalised words.

The model is trained to refuse much of it by itself; these rules hold whatever model is behind. They judge
words alone: what a plan does in metres is the gate's. A rule that fits where it should not costs a sentence,
one that does not fit leaves the model's own judgement and the gate.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from mmrobot.command.questions import is_question
from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, MmrobotError, NotUnderstoodError, UnsafeError

RULES_FILE = Path(__file__).with_name("hazards.yaml")
NO_RULES_FILE = Path(__file__).with_name("no_hazards.yaml")
MAX_READ = 4_000
CLAUSE = "|"
_ANY = r"(?:\S+ ){0,8}?"
_MARKS = re.compile(r"[.,;:!?…\n\r\t()\[\]{}\"“”«»<>|/\\]+")
_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_DENIALS = frozenset(
    "not dont never without avoid avoiding no cannot cant wont shouldnt mustnt nor refrain".split()
)
_DENIES_WITHIN = 3
# From these on a name says where a thing is: "the cube closest to the camera" is a cube.
_RELATES = frozenset(
    """in on at near nearest closest next left right behind to of from with that which by under beside between
    farthest furthest nearer closer towards before above in_front front back lying standing sitting""".split()
)
# Letters of other scripts that look like Latin ones, and digits and signs in the place of letters.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏкмтвнпԛԝɡαορνικτεβγυηρςχɑıſ",
    "aeopcyxijsdhlkmtbhnqwgaopviktebyunpcxais",
)
_LEET = str.maketrans("013457@$8", "oieastasb")


@dataclass(frozen=True)
class Hazard:
    """One rule. `match` and `unless` are over normalised words with a blank at both ends, `raw` over the
    text as it came."""

    name: str
    says: str
    kind: Literal["hazard", "impossible"]
    match: tuple[re.Pattern[str], ...]
    raw: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]


@dataclass(frozen=True)
class Finding:
    """A rule that fits, and the words that it fits."""

    rule: Hazard
    words: str


def normalised(text: str) -> str:
    """Lower-case words between blanks, clauses apart by "|"; tricks of writing undone.

    >>> normalised("Thrоw it\\u200b, N0W!")      # a Cyrillic o, an invisible blank, a zero
    ' throw it | now '
    """
    shown = "".join(c for c in text[:MAX_READ] if unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", shown)).lower()
    plain = "".join(c for c in folded if not unicodedata.combining(c)).translate(_LOOKALIKES)
    # A mark between two letters parts words, not clauses.
    plain = re.sub(r"(?<=\w)[.,;:!?/|](?=\w)", " ", plain)
    spaced = _MARKS.sub(f" {CLAUSE} ", _APOSTROPHES.sub("", plain))
    words = [_word(w) for w in re.split(r"[\s\-_–—*~+=#&^%]+", spaced)]
    kept = _joined([w for w in words if w])
    while kept and kept[0] == CLAUSE:
        kept.pop(0)
    while kept and kept[-1] == CLAUSE:
        kept.pop()
    return f" {' '.join(kept)} "


def _word(word: str) -> str:
    """Digits and signs inside of a word are letters: "thr0w", "h1t"; "a7" and "2" stay."""
    if len(word) < 3 or not any(c.isalpha() for c in word):
        return word
    letters = sum(c.isalpha() for c in word)
    return word.translate(_LEET) if letters * 2 > len(word) else word


def _joined(words: list[str]) -> list[str]:
    """ "t h r o w" is "throw": three single letters in a row or more are one word."""
    out: list[str] = []
    run: list[str] = []
    for word in [*words, CLAUSE]:
        if len(word) == 1 and word.isalpha():
            run.append(word)
            continue
        out += ["".join(run)] if len(run) >= 3 else run
        run = []
        out.append(word)
    return out[:-1]


@cache
def hazards(path: Path = RULES_FILE) -> tuple[Hazard, ...]:
    """The rules of a file. Raises ValueError naming what is wrong with it."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    groups = {name: "(?:" + "|".join(_literal(w) for w in text.split("|")) + ")"
              for name, text in content["words"].items()}  # fmt: skip
    found = []
    for rule in content["rules"]:
        unknown = set(rule) - {"name", "says", "kind", "match", "raw", "unless"}
        if unknown:
            raise ValueError(f"rule '{rule.get('name')}' has unknown keys {sorted(unknown)}")
        kind = rule.get("kind", "hazard")
        if kind not in ("hazard", "impossible"):
            raise ValueError(f"rule '{rule['name']}' is of kind '{kind}'")
        match = tuple(_pattern(p, groups) for p in rule.get("match", ()))
        raw = tuple(re.compile(p, re.IGNORECASE) for p in rule.get("raw", ()))
        if not match and not raw:
            raise ValueError(f"rule '{rule['name']}' matches nothing: give match or raw")
        unless = tuple(_pattern(p, groups) for p in rule.get("unless", ()))
        found.append(Hazard(rule["name"], rule["says"], kind, match, raw, unless))
    return tuple(found)


def _literal(text: str) -> str:
    return r"\ ".join(re.escape(w) for w in text.split())


def _pattern(text: str, groups: dict[str, str]) -> re.Pattern[str]:
    """A rule's line as a regular expression over words that each end in a blank."""
    parts = []
    for token in re.findall(r"\[[^\]]*\]|\([^)]*\)|\*|\S+", text):
        body = re.sub(r"<(\w+)>", lambda m: _group(m[1], groups, text), token)
        if token == "*":
            parts.append(_ANY)
        elif token.startswith("["):
            choices = "|".join(_words(c) for c in token[1:-1].split("|")) if token != "[|]" else r"\|"
            parts.append(rf"(?:(?:{choices})\ |(?=$))" if token == "[|]" else rf"(?:(?:{choices})\ )?")
        elif token.startswith("("):
            inner = body[1:-1]
            choices = "|".join(_words(c) for c in _split(inner))
            parts.append(rf"(?:{choices})\ ")
        elif token == CLAUSE:
            parts.append(r"\|\ ")
        else:
            parts.append(rf"{body}\ ")
    try:
        return re.compile(r"(?<= )" + "".join(parts))
    except re.error as error:
        raise ValueError(f"'{text}' is no pattern: {error}") from error


def _split(text: str) -> list[str]:
    """At bars that are in no group's own parentheses."""
    out, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            out.append(text[last:i])
            last = i + 1
    return [*out, text[last:]]


def _words(text: str) -> str:
    """Words of a choice, with * among them; groups are regular expressions already."""
    text = text.strip()
    if "(?:" in text or "\\" in text:
        return text.replace(" ", r"\ ")
    words = text.split()
    out = "".join(_ANY if w == "*" else re.escape(w) + r"\ " for w in words)
    return out.removesuffix(r"\ ") if not text.endswith("*") else out + r"(?<= )(?=\S|$)(?<!^)"


def _group(name: str, groups: dict[str, str], text: str) -> str:
    if name not in groups:
        raise ValueError(f"'{text}' names the group <{name}>, which is none of {', '.join(groups)}")
    return groups[name]


def hazards_of(config: Config) -> tuple[Hazard, ...]:
    """The rules of a configuration. Raises InvalidConfigError for a file that holds none."""
    path = Path(config.gate.hazards_file).expanduser() if config.gate.hazards_file else RULES_FILE
    try:
        return hazards(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise InvalidConfigError(
            f"gate.hazards_file '{path.name}': {error}", "see mmrobot/safety/hazards.yaml for the form"
        ) from error


def forbidden_thing(label: str, path: Path = RULES_FILE) -> str | None:
    """Of people, dangerous things, cameras and ways to stop the robot: the name by which a label is one."""
    words = normalised(label).split()
    end = next((i for i, w in enumerate(words) if i and w in _RELATES), len(words))
    said = f" {' '.join(words[:end])} "
    return next((name for name in _forbidden(path) if said.endswith(f" {name} ")), None)


@cache
def _forbidden(path: Path) -> tuple[str, ...]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(name for group in content["never_touched"] for name in content["words"][group].split("|"))


def find_hazard(text: str, rules: tuple[Hazard, ...] | None = None) -> Finding | None:
    """The first rule that fits the words; None for words that no rule is against. Questions ask, and do
    nothing."""
    said = normalised(text)
    for rule in rules if rules is not None else hazards():
        if any(p.search(said) for p in rule.unless):
            continue
        told = next((m for p in rule.raw if (m := p.search(text[:MAX_READ]))), None)
        if told is not None:
            return Finding(rule, told.group())
        for pattern in rule.match:
            for found in pattern.finditer(said):
                if not _denied(said, found.start()):
                    if is_question(text) and not _forbids(said):
                        return None
                    return Finding(rule, found.group().strip(" |"))
    return None


def check_words(text: str, rules: tuple[Hazard, ...] | None = None) -> None:
    """Raises UnsafeError for words that ask for harm, NotUnderstoodError for what no arm can do."""
    found = find_hazard(text, rules)
    if found is None:
        return
    error: MmrobotError
    if found.rule.kind == "impossible":
        error = NotUnderstoodError(
            f"'{found.words}': {found.rule.says}", "ask for something to be picked, placed or pushed"
        )
    else:
        error = UnsafeError(
            f"'{found.words}' is refused: {found.rule.says}", "ask for something else", rule=found.rule.name
        )
    raise error


def _forbids(said: str) -> bool:
    """ "do not ..." asks nothing, though it begins as "do you ..." does."""
    return said.startswith((" do not ", " dont ", " do nothing ", " never "))


def _denied(said: str, start: int) -> bool:
    """Whether a denial stands just before, in the same clause: "do not throw it"."""
    before = said[:start].split()
    clause = before[len(before) - before[::-1].index(CLAUSE):] if CLAUSE in before else before  # fmt: skip
    return any(w in _DENIALS for w in clause[-_DENIES_WITHIN:])
