"""The sound card by PortAudio (sounddevice): a microphone's pieces, and sound to the loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.sound import RATE_HZ, Sound

PIECE_S = 0.032


def _library() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise VoiceUnavailableError(f"sounddevice cannot be imported: {error}", "make setup") from error
    except OSError as error:
        raise VoiceUnavailableError(
            f"PortAudio is not installed: {error}", "sudo apt-get install libportaudio2"
        ) from error
    return sounddevice


def device_named(name: str, kind: str) -> Any:
    """A device's number of `name` (part of its name, or its number; empty: the default). `kind`: input,
    output. Raises VoiceUnavailableError that says what there is."""
    library = _library()
    try:
        return library.query_devices(int(name) if name.isdigit() else name or None, kind)["index"]
    except (ValueError, library.PortAudioError) as error:
        there = [d["name"] for d in library.query_devices() if d[f"max_{kind}_channels"] > 0]
        what = {"input": "microphone", "output": "loudspeaker"}[kind]
        raise VoiceUnavailableError(
            f"no {what} '{name or 'default'}': {error}; there are {there or 'none'}",
            f"plug one in, or set voice.{what} to one of them, or to none",
        ) from error


class Microphone:
    """Calls `on_piece` with (n,) int16 at 16 kHz from PortAudio's thread. Raises VoiceUnavailableError."""

    def __init__(self, name: str, on_piece: Callable[[np.ndarray], None]) -> None:
        library = _library()
        device = device_named(name, "input")
        self._on_piece = on_piece
        try:
            self._stream = library.InputStream(
                samplerate=RATE_HZ, blocksize=round(PIECE_S * RATE_HZ), device=device, channels=1,
                dtype="int16", callback=self._take,
            )  # fmt: skip
            self._stream.start()
        except library.PortAudioError as error:
            raise VoiceUnavailableError(
                f"the microphone '{name or 'default'}' does not open at {RATE_HZ} Hz: {error}",
                "choose another one with voice.microphone, or a sound server such as PipeWire",
            ) from error

    @property
    def alive(self) -> bool:
        """Whether it still gives sound: one that is pulled out does not."""
        return bool(self._stream.active)

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()

    def _take(self, samples: np.ndarray, *_: object) -> None:
        self._on_piece(samples[:, 0].copy())


class Loudspeaker:
    """Plays sounds, each to its end. Raises VoiceUnavailableError."""

    def __init__(self, name: str) -> None:
        self._library = _library()
        self._device = device_named(name, "output")

    def play(self, sound: Sound) -> None:
        """Returns when it has been heard. Raises VoiceUnavailableError."""
        try:
            self._library.play(sound.samples, sound.rate_hz, device=self._device, blocking=True)
        except self._library.PortAudioError as error:
            raise VoiceUnavailableError(
                f"the loudspeaker does not play: {error}", "choose another one with voice.loudspeaker"
            ) from error
