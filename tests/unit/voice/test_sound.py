"""Sound: files, rates, devices, engines, and what is said when they are missing."""

from __future__ import annotations

import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmrobot.config import VoiceConfig
from mmrobot.errors import InvalidAudioError, VoiceUnavailableError
from mmrobot.voice import sound_devices
from mmrobot.voice.activity import SileroActivity, model_file
from mmrobot.voice.recognition import make_recogniser
from mmrobot.voice.sound import RATE_HZ, Resampler, Sound, read_wav, wav_bytes
from mmrobot.voice.synthesis import Espeak, Piper, make_synthesiser


def tone(rate_hz: int, seconds: float = 1.0, hertz: float = 440.0) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


def test_a_wav_file_comes_back_as_it_was(tmp_path: Path) -> None:
    sound = Sound(tone(22_050), 22_050)
    (tmp_path / "a.wav").write_bytes(wav_bytes(sound))
    back = read_wav(tmp_path / "a.wav")
    assert back.rate_hz == 22_050 and np.array_equal(back.samples, sound.samples)


def test_no_file_and_no_wav_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidAudioError, match=r"none\.wav"):
        read_wav(tmp_path / "none.wav")
    (tmp_path / "b.wav").write_text("not a sound")
    with pytest.raises(InvalidAudioError, match="no WAV file") as caught:
        read_wav(tmp_path / "b.wav")
    assert "PCM" in caught.value.fix


def test_samples_of_another_kind_are_refused() -> None:
    with pytest.raises(InvalidAudioError, match="float64"):
        Sound(np.zeros(10), RATE_HZ)
    with pytest.raises(InvalidAudioError, match="96000 Hz"):
        Sound(np.zeros(10, np.int16), 96_000)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("piece", [160, 1000, 4096])
def test_a_stream_is_resampled_without_seams(rate_hz: int, piece: int) -> None:
    resampler, sound = Resampler(rate_hz), tone(rate_hz)
    parts = [resampler.feed(sound[i : i + piece]) for i in range(0, len(sound), piece)]
    out = np.concatenate(parts).astype(float)
    assert len(out) == pytest.approx(RATE_HZ, abs=60)
    middle = out[2000:14000]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    peak = int(power.argmax())
    assert peak * RATE_HZ / len(middle) == pytest.approx(440.0, abs=2.0)
    assert power[peak - 4 : peak + 5].sum() / power.sum() > 0.999
    assert np.abs(middle).max() == pytest.approx(8000, rel=0.03)


def test_what_the_lower_rate_cannot_hold_is_taken_out() -> None:
    resampler = Resampler(48_000)
    out = resampler.feed(tone(48_000, hertz=12_000.0))[2000:]
    assert np.abs(out).max() < 80


def test_silero_tells_speech_from_silence() -> None:
    activity = SileroActivity()
    quiet = [activity.probability(np.zeros(512, np.int16)) for _ in range(20)]
    assert max(quiet) < 0.3
    if shutil.which("espeak-ng"):
        said = Espeak().speak("put the red cube in the blue bowl").at(RATE_HZ).samples
        heard = [activity.probability(said[i : i + 512]) for i in range(0, len(said) - 512, 512)]
        assert np.median(heard) > 0.8


def test_without_silero_s_file_the_fix_is_told() -> None:
    with pytest.raises(VoiceUnavailableError, match="silero-vad") as caught:
        model_file("no_such_package")
    assert "make setup" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "package"), [("faster-whisper", "faster_whisper"), ("sherpa-onnx", "sherpa_onnx")]
)
def test_a_recogniser_that_is_not_installed_names_the_pip_command(
    name: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(VoiceUnavailableError, match=name) as caught:
        make_recogniser(VoiceConfig(recogniser=name))
    assert f"pip install {name}" in caught.value.fix


def test_whisper_without_weights_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such file")

    fake = types.ModuleType("faster_whisper")
    fake.WhisperModel = broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", fake)
    with pytest.raises(VoiceUnavailableError, match="no such file") as caught:
        make_recogniser(VoiceConfig(recogniser="faster-whisper", model="nowhere"))
    assert "voice.model" in caught.value.fix


def test_sherpa_without_weights_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", types.ModuleType("sherpa_onnx"))
    with pytest.raises(VoiceUnavailableError, match="encoder, decoder, joiner"):
        make_recogniser(VoiceConfig(recogniser="sherpa-onnx", model=str(tmp_path)))
    for part in ("encoder", "decoder", "joiner"):
        (tmp_path / f"{part}.onnx").touch()
    with pytest.raises(VoiceUnavailableError, match=r"tokens\.txt"):
        make_recogniser(VoiceConfig(recogniser="sherpa-onnx", model=str(tmp_path)))


def test_speech_engines_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(VoiceUnavailableError, match="espeak-ng") as caught:
        make_synthesiser(VoiceConfig())
    assert "apt-get install espeak-ng" in caught.value.fix
    with pytest.raises(VoiceUnavailableError, match="piper"):
        make_synthesiser(VoiceConfig(speech_engine="piper"))


def test_piper_without_its_voice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    with pytest.raises(VoiceUnavailableError, match=r"voice\.piper_model"):
        Piper("nowhere.onnx")


def test_an_engine_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    with pytest.raises(VoiceUnavailableError, match="status 1"):
        Espeak().speak("hello")


class FakePortAudio(types.ModuleType):
    """Two devices, of which one hears."""

    class PortAudioError(Exception):
        pass

    def query_devices(self, device: Any = None, kind: str | None = None) -> Any:
        devices = [
            {"name": "Desk microphone", "index": 0, "max_input_channels": 1, "max_output_channels": 0},
            {"name": "Speaker", "index": 1, "max_input_channels": 0, "max_output_channels": 2},
        ]
        if kind is None:
            return devices
        able = [
            d for d in devices if d[f"max_{kind}_channels"] and (device is None or str(device) in d["name"])
        ]
        if not able:
            raise ValueError(f"No {kind} device matching {device!r}")
        return able[0]


def test_a_device_is_found_by_a_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_devices, "_library", lambda: FakePortAudio("sounddevice"))
    assert sound_devices.device_named("Desk", "input") == 0
    assert sound_devices.device_named("", "output") == 1
    with pytest.raises(VoiceUnavailableError, match="Desk microphone") as caught:
        sound_devices.device_named("Headset", "input")
    assert "voice.microphone" in caught.value.fix


def test_without_portaudio_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(VoiceUnavailableError, match="PortAudio") as caught:
        sound_devices.Microphone("", lambda _: None)
    assert "libportaudio2" in caught.value.fix
