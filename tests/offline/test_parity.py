"""Every backend of mmrobot-nano that this machine has computes what torch does: the short parity suite.

The long one, with the shipped weights and 500 instructions: `mmrobot export --check`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmrobot.errors import ModelUnavailableError
from mmrobot.evals.parity import BackendParity, check_parity
from mmrobot.vlm.engines.export_nano import export_nano
from mmrobot.vlm.engines.quantise_nano import calibrate
from mmrobot.vlm.families.nano_recording import RecordingParts
from mmrobot.vlm.models.nano.processing import NanoProcessor
from mmrobot.vlm.onnx_backend import OnnxNano
from mmrobot.vlm.torch_backend import TorchNano
from mmrobot.vlm.words import words
from tests.support.nano_parity import small_nano

pytestmark = pytest.mark.slow
SAID = ("put the red cube in the blue bowl", "pick up the cup", " ".join(["then go home"] * 7))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_nano(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMROBOT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pictures(seed: int, count: int = 6) -> list[np.ndarray]:
    """Smooth random pictures, 48x64."""
    rng = np.random.default_rng(seed)
    return [
        np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(count)
    ]


def compare(weights: Path, backend: OnnxNano) -> BackendParity:
    asked = ((picture, SAID) for picture in pictures(1))
    return check_parity(TorchNano(weights), {backend.name: backend}, asked)[backend.name]


def test_onnx_fp32_is_the_same(weights: Path) -> None:
    told: list[str] = []
    result = compare(weights, OnnxNano(weights, tell=told.append))
    assert result.exact, result.as_dict()
    assert result.prompts == 18 and result.objects > 0
    named = {
        "see: tokens",
        "see: boxes",
        "see: scores",
        "see: places",
        "recognise",
        "spell",
        "read and write: first token",
    }
    assert set(result.parts) == named
    assert len(told) == 1 and "tracing" in told[0]
    again: list[str] = []
    OnnxNano(weights, tell=again.append)
    assert again == [], "the second start finds the graphs"


def test_int8_needs_ranges_and_stays_near(weights: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="no int8 ranges"):
        OnnxNano(weights, "int8")
    exact = OnnxNano(weights)
    recorder = RecordingParts(exact)
    processor = NanoProcessor.of(exact.config)
    for picture in pictures(2):
        recorder.see(processor.picture(picture)[0])
        recorder.read(processor.words(words(SAID[0])))
    from mmrobot.learn.int8_ranges import feeds_of

    calibrate(export_nano(weights), weights, feeds_of(recorder, exact.buckets), (6, 6))
    result = compare(weights, OnnxNano(weights, "int8"))
    assert result.parts["see: boxes"].cosine > 0.99, result.as_dict()
    assert result.objects_differ <= result.objects * 0.2, result.as_dict()
