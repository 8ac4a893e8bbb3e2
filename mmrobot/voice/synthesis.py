"""Words to sound: espeak-ng as a program of its own, or piper."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mmrobot.config import VoiceConfig
from mmrobot.errors import InvalidAudioError, VoiceUnavailableError
from mmrobot.voice.sound import Sound, wav_sound

SYNTHESIS_TIMEOUT_S = 20.0


class Synthesiser(Protocol):
    """Speaks one text."""

    def speak(self, text: str) -> Sound:
        """The sound of it. Raises VoiceUnavailableError."""
        ...


def make_synthesiser(config: VoiceConfig) -> Synthesiser:
    """The one that the configuration names. Raises VoiceUnavailableError when it is not installed."""
    if config.speech_engine == "piper":
        return Piper(config.piper_model)
    return Espeak(config.speech_voice, config.speech_words_per_minute)


class Espeak:
    """The Debian package espeak-ng. `voice` as `espeak-ng --voices` has them, with +variant if need be;
    `options`: more of the program's own."""

    def __init__(
        self, voice: str = "en-us", words_per_minute: int = 165, options: Sequence[str] = ()
    ) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise VoiceUnavailableError(
                "espeak-ng is not installed",
                "sudo apt-get install espeak-ng   or set voice.speech_engine: piper",
            )
        self._command = [program, "-v", voice, "-s", str(words_per_minute), *options, "--stdout", "--stdin"]

    def speak(self, text: str) -> Sound:
        """The sound of it, 22,050 Hz."""
        return _run(self._command, text)


class Piper:
    """The Python package piper-tts with a voice's .onnx file beside its .onnx.json."""

    def __init__(self, model: str) -> None:
        program = shutil.which("piper")
        if program is None:
            raise VoiceUnavailableError(
                "piper is not installed", "pip install piper-tts   or set voice.speech_engine: espeak-ng"
            )
        if not model or not Path(model).expanduser().is_file():
            raise VoiceUnavailableError(
                f"voice.piper_model is '{model}', which is no file",
                "give a voice's .onnx file:  python -m piper.download_voices en_US-lessac-medium",
            )
        self._command = [program, "--model", str(Path(model).expanduser()), "--output_file", "-"]

    def speak(self, text: str) -> Sound:
        """The sound of it."""
        return _run(self._command, text)


def _run(command: list[str], text: str) -> Sound:
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, timeout=SYNTHESIS_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VoiceUnavailableError(f"{command[0]}: {error}", "try it by hand") from error
    if done.returncode != 0 or not done.stdout:
        words = done.stderr.decode(errors="replace").strip()[-200:]
        raise VoiceUnavailableError(
            f"{command[0]} ended with status {done.returncode}: {words}",
            "try it by hand; choose another voice",
        )
    try:
        return wav_sound(done.stdout)
    except InvalidAudioError as error:
        raise VoiceUnavailableError(f"{command[0]} wrote {error.message}", error.fix) from error
