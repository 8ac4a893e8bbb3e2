"""`mmrobot listen`: what the robot would hear, without a robot. To try a microphone, or a WAV file."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmrobot.cli.output import Output
from mmrobot.config import VoiceConfig, default_config_file, load_config
from mmrobot.voice.activity import SileroActivity
from mmrobot.voice.ear import Ear, Stop, Utterance
from mmrobot.voice.listening import Attention
from mmrobot.voice.recognition import make_recogniser
from mmrobot.voice.sound import RATE_HZ, read_wav
from mmrobot.voice.sound_devices import Microphone
from mmrobot.voice.stop_chances import make_stops
from mmrobot.voice.stop_spotter import StopSpotter


def run_listen(wav: Path | None, seconds: float, config_file: Path | None, output: Output) -> None:
    """Tell what is heard; a file to its end, the microphone for `seconds` (0: until Ctrl-C)."""
    config = load_config(config_file or default_config_file()).voice
    ear = Ear(SileroActivity(), StopSpotter(make_stops(config), config.stop_from), config)
    recogniser, attention = make_recogniser(config), Attention(config)
    pieces = _file(wav) if wav is not None else _microphone(config, seconds, output)
    found: list[dict[str, object]] = []
    for samples, last in pieces:
        for event in ear.feed(samples, RATE_HZ, last=last):
            if isinstance(event, Stop):
                found.append(
                    {"kind": "stop", "text": event.heard.text, "confidence": round(event.heard.confidence, 3)}
                )
            elif isinstance(event, Utterance):
                known = attention.understand(recogniser.hear(event.samples), time.monotonic())
                entry = {
                    "kind": known.kind.value,
                    "text": known.text,
                    "confidence": round(known.confidence, 3),
                }
                found.append({**entry, **({"why": known.why} if known.why else {})})
            else:
                continue
            output.console.print(" ".join(f"{v}" for v in found[-1].values()), highlight=False)
    output.finish(True, heard=found)


def _file(path: Path) -> Iterator[tuple[np.ndarray, bool]]:
    samples = read_wav(path).at(RATE_HZ).samples
    # A file that ends with its last word has no silence that would end it.
    yield np.concatenate([samples, np.zeros(RATE_HZ, np.int16)]), True


def _microphone(config: VoiceConfig, seconds: float, output: Output) -> Iterator[tuple[np.ndarray, bool]]:
    heard: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()
    microphone = Microphone(config.microphone, heard.put)
    output.console.print("listening; Ctrl-C ends it")
    ends_s = time.monotonic() + (seconds or float("inf"))
    try:
        while time.monotonic() < ends_s:
            yield heard.get(), False
        yield np.zeros(0, np.int16), True
    except KeyboardInterrupt:
        return
    finally:
        microphone.close()
