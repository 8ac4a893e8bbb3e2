"""Moonshine tiny (MIT licence), a net from sound to the tokens of its words, run by onnxruntime.

The package moonshine-voice holds the weights. Its own library tells one best text; this one tells how likely
each next token is, so that what is likely to be said to a robot can be weighed in (moonshine_recogniser.py).
Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice Commands".
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.logarithms import log_softmax
from mmrobot.voice.sound import RATE_HZ

BEGIN, END = 1, 2
NOTHING_HEARD = np.zeros((1, 1, 288), np.float32)
"""A sound that tells nothing: what is written then are the habits of the texts that the net was taught."""
MIN_SAMPLES = RATE_HZ // 4
"""Shorter sound is filled up with silence: the net's first layers see this much at once."""
_SPACE = "\u2581"
_SPECIAL, _WRITTEN_FROM = 3, 259
"""Ids below are marks of beginning and end; below the other, bytes for what has no piece of its own."""
_PAST, _OF_WORDS = "past_key_values", ".decoder."
"""The decoder's memory, and the part of it that is not of the sound: that one all readings share."""


class Tokens:
    """The net's 32,768 pieces of words; byte pair encoding as its tokenizer does it."""

    def __init__(self, content: bytes) -> None:
        self.pieces = _pieces(content)
        self._ids = {piece: i for i, piece in enumerate(self.pieces) if i >= _WRITTEN_FROM}

    def encode(self, text: str) -> list[int]:
        """The ids of a text with a space before it; of two neighbours, the oldest pair is joined first."""
        parts = [c.encode() for c in f" {text}".replace(" ", _SPACE)]
        while True:
            pairs = [self._ids.get(a + b) for a, b in itertools.pairwise(parts)]
            found = [(i, k) for k, i in enumerate(pairs) if i is not None]
            if not found:
                return [self._ids[part] for part in parts]
            _, k = min(found)
            parts[k : k + 2] = [parts[k] + parts[k + 1]]

    def decode(self, ids: list[int]) -> str:
        """The text of ids; what marks its beginning and end is left out."""
        joined = b"".join(self.pieces[i] for i in ids if i >= _SPECIAL)
        return joined.decode(errors="ignore").replace(_SPACE, " ").strip()


def _pieces(content: bytes) -> list[bytes]:
    """Each piece is its length, in one byte or (from 128) two, and its bytes."""
    pieces, at = [], 0
    while at < len(content):
        length, at = content[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * content[at], at + 1
        pieces.append(content[at : at + length])
        at += length
    return pieces


@dataclass(eq=False)
class Reading:
    """Some readings of one sound side by side, as far as they have come: the decoder's memory."""

    sound: NDArray[np.float32]
    past: dict[str, NDArray[np.float32]]
    length: int = 0

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Go on with these readings, each as often as it is named."""
        for name, value in self.past.items():
            if _OF_WORDS in name:
                self.past[name] = value[rows]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of all texts: the rows of the step before that go on, (m,), by which ids, (m, 1); then which
    rows, (k,), tell the chances of which ids, (k,), of which texts, (k,)."""

    rows: NDArray[np.intp]
    ids: NDArray[np.int64]
    told_by: NDArray[np.intp]
    told: NDArray[np.int64]
    texts: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as steps, each beginning that some have in common once."""

    texts: tuple[str, ...]
    steps: tuple[Step, ...]


class MoonshineModel:
    """Encoder and decoder. One call at a time. Raises VoiceUnavailableError without the package."""

    def __init__(self, threads: int = 2) -> None:
        import onnxruntime

        folder = weights_folder()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3

        def session(name: str) -> Any:
            return onnxruntime.InferenceSession(
                str(folder / name), options, providers=["CPUExecutionProvider"]
            )

        self._encoder, self._decoder = session("encoder_model.ort"), session("decoder_model_merged.ort")
        self.tokens = Tokens((folder / "tokenizer.bin").read_bytes())
        self._past = [i for i in self._decoder.get_inputs() if i.name.startswith(_PAST)]
        self._inputs = {i.name for i in self._decoder.get_inputs()}
        self._presents = [o.name.replace("present", _PAST) for o in self._decoder.get_outputs()[1:]]

    def listen(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """(1, t, 288) of (n,) int16 at 16 kHz."""
        sound = np.zeros(max(MIN_SAMPLES, len(samples)), np.float32)
        sound[: len(samples)] = samples / np.float32(32768)
        feeds = {"input_values": sound[None], "attention_mask": np.ones((1, len(sound)), np.int64)}
        heard: NDArray[np.float32] = self._encoder.run(None, feeds)[0]
        return heard

    def begin(self, heard: NDArray[np.float32]) -> Reading:
        """One reading of a sound, at its beginning."""
        _, heads, _, width = self._past[0].shape
        empty = np.zeros((1, heads, 0, width), np.float32)
        return Reading(heard, {i.name: empty for i in self._past})

    def step(self, reading: Reading, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Natural logarithms of the chances (count, k, vocabulary) of what comes after each of the ids
        (count, k) that go on the readings."""
        first = reading.length == 0
        feeds = {
            # Thinned out to every 384th sample; one stands for all, since nothing of the sound is padding.
            "encoder_attention_mask": np.ones((len(reading.sound), 1), np.int64),
            "input_ids": ids,
            "encoder_hidden_states": reading.sound,
            "use_cache_branch": np.array([not first]),
            **reading.past,
        }
        logits, *presents = self._decoder.run(None, {n: v for n, v in feeds.items() if n in self._inputs})
        for name, value in zip(self._presents, presents, strict=True):
            # What was made of the sound stays; with a memory, the net gives no new one.
            if first or _OF_WORDS in name:
                reading.past[name] = value
        reading.length += ids.shape[1]
        return log_softmax(logits)

    def texts(self, whole: Sequence[str], begun: Sequence[str] = ()) -> Texts:
        """For `likelihoods`. After those that are `whole` nothing is said, after those `begun` anything."""
        said = [(*self.tokens.encode(text), END) for text in whole]
        said += [tuple(self.tokens.encode(text)) for text in begun]
        steps: list[Step] = []
        before: dict[tuple[int, ...], int] = {(): 0}
        for depth in range(max(map(len, said))):
            going = [k for k, ids in enumerate(said) if len(ids) > depth]
            prefixes = {ids: row for row, ids in enumerate(dict.fromkeys(said[k][:depth] for k in going))}
            steps.append(
                Step(
                    np.array([before[ids[:-1]] for ids in prefixes]),
                    np.array([[ids[-1] if ids else BEGIN] for ids in prefixes]),
                    np.array([prefixes[said[k][:depth]] for k in going]),
                    np.array([said[k][depth] for k in going]),
                    np.array(going),
                )
            )
            before = prefixes
        return Texts((*whole, *begun), tuple(steps))

    def likelihoods(self, heard: NDArray[np.float32], texts: Texts) -> NDArray[np.float64]:
        """Natural logarithms of the chances that each text was said; (n,)."""
        total = np.zeros(len(texts.texts))
        reading = self.begin(heard)
        for step in texts.steps:
            reading.keep(step.rows)
            chances = self.step(reading, step.ids)[:, -1]
            total[step.texts] += chances[step.told_by, step.told]
        return total


@lru_cache(maxsize=1)
def the_model() -> MoonshineModel:
    """One for all that listen in this process. Raises VoiceUnavailableError without the package."""
    return MoonshineModel()


def weights_folder(package: str = "moonshine_voice") -> Path:
    """Where the weights are, without importing the package. Raises VoiceUnavailableError."""
    spec = importlib.util.find_spec(package)
    for folder in spec.submodule_search_locations or [] if spec else []:
        found = Path(folder) / "assets" / "tiny-en"
        if (found / "decoder_model_merged.ort").is_file():
            return found
    raise VoiceUnavailableError(
        "moonshine-voice with its weights is not installed, so that no words can be heard",
        "make setup   or: pip install --no-deps moonshine-voice==0.0.73",
    )
