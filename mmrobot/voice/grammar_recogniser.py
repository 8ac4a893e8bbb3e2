"""pocketsphinx, led by the statistics of the command grammar: what is no sentence of it is not heard."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mmrobot.voice.command_grammar import command_grammar
from mmrobot.voice.language_model import arpa
from mmrobot.voice.pronunciation import dictionary_lines, model_folder
from mmrobot.voice.recognition import NOTHING, Heard
from mmrobot.voice.sound import RATE_HZ
from mmrobot.voice.spoken_grammar import SpokenGrammar

_SENTENCES = 20_000
_BEST = 40
"""So many readings are looked through for one that is a sentence."""
_DITHER = 3.0
"""Digital silence has no logarithm; a little hiss (1/10,000 of full scale) keeps the features sane."""


class GrammarRecogniser:
    """One grammar; its chances are those of `sentences` drawn from it, and of `decoys`, which are said but are
    none. Raises VoiceUnavailableError without pocketsphinx, or for a word without pronunciation."""

    def __init__(
        self,
        grammar: SpokenGrammar | None = None,
        sentences: int = _SENTENCES,
        decoys: Iterable[str] = (),
        language_weight: float = 8.0,
    ) -> None:
        self._grammar = grammar or command_grammar()
        model_folder()
        import pocketsphinx

        rng = random.Random(0)
        said = [*(self._grammar.sample(rng) for _ in range(sentences)), *decoys]
        words = {word for sentence in said for word in sentence.split()}
        with tempfile.TemporaryDirectory(prefix="mmrobot_voice_") as folder:
            statistics, dictionary = Path(folder, "words.arpa"), Path(folder, "words.dict")
            statistics.write_text(arpa(said))
            dictionary.write_text("\n".join(dictionary_lines(words)) + "\n")
            self._decoder = pocketsphinx.Decoder(
                lm=str(statistics),
                dict=str(dictionary),
                lw=language_weight,
                loglevel="FATAL",
                samprate=RATE_HZ,
            )
        self._rng = np.random.default_rng(0)

    def hear(self, samples: np.ndarray) -> Heard:
        """The words, if they are a sentence; how sure: the posterior of the best path among all that were
        followed, by the word."""
        hiss = self._rng.standard_normal(len(samples)) * _DITHER
        sound = np.clip(samples + hiss, -32768, 32767).astype(np.int16).tobytes()
        decoder: Any = self._decoder
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        if best is None:
            return NOTHING
        text = str(best.hypstr) if self._grammar.takes(best.hypstr) else self._next_best()
        if not text:
            return NOTHING
        return Heard(text, min(1.0, float(best.prob) ** (1.0 / len(text.split()))))

    def _next_best(self) -> str:
        for _, other in zip(range(_BEST), self._decoder.nbest(), strict=False):
            if other is not None and self._grammar.takes(other.hypstr):
                return str(other.hypstr)
        return ""
