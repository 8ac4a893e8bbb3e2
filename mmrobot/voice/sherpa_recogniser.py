"""sherpa-onnx: free speech by a transducer, for those who have its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.recognition import NOTHING, Heard, not_installed
from mmrobot.voice.sound import RATE_HZ
from mmrobot.voice.whisper_recogniser import plain

_PARTS = ("encoder", "decoder", "joiner")


class SherpaRecogniser:
    """`model`: a folder with tokens.txt and one .onnx file each of encoder, decoder and joiner."""

    def __init__(self, model: str) -> None:
        try:
            import sherpa_onnx
        except ImportError as error:
            raise not_installed("sherpa-onnx", error) from error
        folder = Path(model).expanduser()
        files = {
            part: next(iter(sorted(folder.glob(f"*{part}*.onnx"))), None) if model else None
            for part in _PARTS
        }
        missing = [part for part, file in files.items() if file is None]
        if missing or not (folder / "tokens.txt").is_file():
            raise VoiceUnavailableError(
                f"voice.model '{model}' holds no transducer: {', '.join(missing or ['tokens.txt'])} missing",
                "set voice.model to the folder of a downloaded sherpa-onnx transducer",
            )
        self._recogniser = sherpa_onnx.OfflineRecognizer.from_transducer(
            tokens=str(folder / "tokens.txt"), num_threads=1, **{p: str(f) for p, f in files.items()}
        )

    def hear(self, samples: np.ndarray) -> Heard:
        """Words; sherpa-onnx tells no probability."""
        stream = self._recogniser.create_stream()
        stream.accept_waveform(RATE_HZ, samples.astype(np.float32) / 32768.0)
        self._recogniser.decode_stream(stream)
        text = plain(str(stream.result.text))
        return Heard(text, 1.0) if text else NOTHING
