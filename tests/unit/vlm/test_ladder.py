"""The ladder with rungs that load, lack, break and die as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmrobot.config import Config, ModelConfig, config_from_dict
from mmrobot.errors import (
    ErrorCode,
    InvalidConfigError,
    InvalidImageError,
    MmrobotError,
    ModelReplyInvalidError,
    ModelUnavailableError,
)
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm.hardware import NotHereError, check_cuda, check_library
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.ladder import Ladder, Rung
from mmrobot.vlm.model_spec import ModelSpec
from mmrobot.vlm.registry import choose_rungs, load_model

PICTURE = np.zeros((12, 16, 3), np.uint8)
BOX = ScoredBox("it", (1.0, 2.0, 3.0, 4.0), 0.9)


@dataclass
class Eyes:
    """A model that answers, or raises `fault`."""

    name: str
    fault: BaseException | None = None
    operations: frozenset[str] = frozenset({"ground", "plan", "verify", "answer", "describe"})
    closed: list[str] = field(default_factory=list)

    def _said(self, value: object) -> object:
        if self.fault is not None:
            raise self.fault
        return value

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        return self._said((BOX,))  # type: ignore[return-value]

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return self._said(PlanDraft((), raw=f"{instruction}{dialogue}"))  # type: ignore[return-value]

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        return self._said(0.25)  # type: ignore[return-value]

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        return self._said("two")  # type: ignore[return-value]

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        return self._said((BOX, BOX))  # type: ignore[return-value]

    def close(self) -> None:
        self.closed.append(self.name)


def rung(name: str, model: VisionLanguageModel | BaseException) -> Rung:
    def load() -> VisionLanguageModel:
        if isinstance(model, BaseException):
            raise model
        return model

    return Rung(name, load)


@pytest.fixture(autouse=True, scope="module")
def no_collection() -> Iterator[None]:
    """A full collection in a process full of tests takes a tenth of a second; the ladder asks for many."""
    with patch("gc.collect"):
        yield


def passes(_: VisionLanguageModel) -> None:
    """A self-test that everything passes."""


def ladder(*rungs: Rung, test: Callable[[VisionLanguageModel], None] = passes) -> tuple[Ladder, list[str]]:
    told: list[str] = []
    return Ladder("eyes", rungs, test, lambda words, fault: told.append(words)), told


def test_the_first_rung_that_works_serves_all_five_operations() -> None:
    model, told = ladder(
        rung("gpu", NotHereError("no GPU")), rung("cpu", Eyes("eyes 1")), rung("far", Eyes("x"))
    )
    assert model.standing.rung == "cpu" and model.name == "eyes 1"
    assert model.ground(PICTURE, "it") == (BOX,)
    assert model.plan(PICTURE, "go", ("a",)).raw == "go('a',)"
    assert model.verify(PICTURE, "it is") == 0.25
    assert model.answer(PICTURE, "how many?") == "two"
    assert model.describe(PICTURE) == (BOX, BOX)
    assert told == ["eyes 1 serves from cpu (gpu: no GPU)"]
    facts = model.standing.facts
    assert facts["rung"] == "cpu" and facts["passed over: gpu"] == "no GPU"
    assert "passed over: far" not in facts


def test_a_rung_that_fails_the_self_test_is_passed_over_with_the_reason() -> None:
    def test(model: VisionLanguageModel) -> None:
        if model.name == "liar":
            raise ModelUnavailableError("boxes land elsewhere: x and y are swapped")

    model, _ = ladder(rung("a", Eyes("liar")), rung("b", Eyes("honest")), test=test)
    assert model.name == "honest"
    assert model.standing.passed_over == (("a", "boxes land elsewhere: x and y are swapped"),)


@pytest.mark.parametrize(
    "fault",
    [ImportError("no module named tensorrt"), RuntimeError("CUDA error: out of memory"), KeyError("x")],
)
def test_any_fault_while_loading_is_a_reason(fault: Exception) -> None:
    model, _ = ladder(rung("a", fault), rung("b", Eyes("eyes")))
    assert type(fault).__name__ in dict(model.standing.passed_over)["a"]


def test_a_fault_goes_to_the_caller_and_the_next_call_to_the_next_rung() -> None:
    first = Eyes("first")
    model, told = ladder(rung("far", first), rung("near", Eyes("second")))
    first.fault = ModelUnavailableError("the server is gone", "start it")
    with pytest.raises(ModelUnavailableError, match="the server is gone"):
        model.ground(PICTURE, "it")
    assert model.standing.rung is None and first.closed == ["first"]
    assert model.ground(PICTURE, "it") == (BOX,)
    assert model.standing.rung == "near"
    assert told[1:] == [
        "eyes leaves far: the server is gone",
        "second serves from near (far: the server is gone)",
    ]


def test_a_fault_of_the_library_is_named_and_leaves_the_rung() -> None:
    first = Eyes("first")
    model, _ = ladder(rung("gpu", first), rung("cpu", Eyes("second")))
    first.fault = RuntimeError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(ModelUnavailableError, match="first failed on gpu: RuntimeError: CUDA error") as told:
        model.plan(PICTURE, "go")
    assert "next rung" in told.value.fix and told.value.__cause__ is first.fault
    assert model.plan(PICTURE, "go").raw.startswith("go") and model.name == "second"


@pytest.mark.parametrize("fault", [ModelReplyInvalidError("no"), InvalidImageError("grey")])
def test_faults_of_words_and_pictures_leave_no_rung(fault: MmrobotError) -> None:
    first = Eyes("first", fault)
    model, _ = ladder(rung("a", first), rung("b", Eyes("second")))
    with pytest.raises(type(fault)):
        model.ground(PICTURE, "it")
    assert model.standing.rung == "a" and not first.closed


def test_after_the_last_rung_the_first_is_tried_again() -> None:
    first, second = Eyes("first"), Eyes("second")
    model, _ = ladder(rung("a", first), rung("b", second))
    for eyes in (first, second):
        eyes.fault = ModelUnavailableError(f"{eyes.name} died")
        with pytest.raises(ModelUnavailableError):
            model.ground(PICTURE, "it")
    first.fault = None
    assert model.ground(PICTURE, "it") == (BOX,)
    assert model.standing.rung == "a" and dict(model.standing.passed_over) == {"b": "second died"}


def test_climbing_at_once_makes_the_next_rung_ready() -> None:
    first = Eyes("first", ModelUnavailableError("gone"))
    model, _ = ladder(rung("a", first), rung("b", Eyes("second")))
    with pytest.raises(ModelUnavailableError):
        model.answer(PICTURE, "?")
    model.climb()
    assert model.standing.rung == "b"


def test_the_only_fault_is_told_as_it_is() -> None:
    damaged = ModelUnavailableError("the weights are damaged", "fetch them")
    with pytest.raises(ModelUnavailableError) as told:
        ladder(rung("gpu", NotHereError("no GPU")), rung("cpu", damaged))
    assert told.value is damaged


def test_with_no_rung_all_reasons_are_told() -> None:
    with pytest.raises(ModelUnavailableError) as told:
        ladder(
            rung("a", ModelUnavailableError("too large", "buy memory")), rung("b", InvalidImageError("odd"))
        )
    assert told.value.message == "nothing here can run 'eyes': a: too large; b: odd"
    with pytest.raises(NotHereError):
        ladder(rung("a", NotHereError("no GPU")))
    with pytest.raises(ModelUnavailableError, match="a: no GPU; b: no server"):
        ladder(rung("a", NotHereError("no GPU")), rung("b", NotHereError("no server")))


def test_a_fault_of_another_kind_keeps_its_code() -> None:
    with pytest.raises(ModelUnavailableError) as told:
        ladder(rung("a", InvalidConfigError("remote.url is odd", "mend it")))
    assert told.value.code is ErrorCode.INVALID_CONFIG and told.value.fix == "mend it"


def test_when_everything_has_died_the_next_call_tries_all_again() -> None:
    first = Eyes("first", ModelUnavailableError("gone"))
    answers: list[VisionLanguageModel | Exception] = [
        first,
        ModelUnavailableError("still gone"),
        Eyes("back"),
    ]

    def load() -> VisionLanguageModel:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    model, _ = ladder(Rung("a", load))
    for words in ("gone", "still gone"):
        with pytest.raises(ModelUnavailableError, match=words):
            model.ground(PICTURE, "it")
    assert model.ground(PICTURE, "it") == (BOX,)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["works", "absent", "breaks"]), min_size=1, max_size=5),
    st.lists(st.booleans(), max_size=12),
)
def test_whatever_happens_a_working_rung_is_found(kinds: list[str], faults: list[bool]) -> None:
    made = {"works": None, "absent": NotHereError("absent"), "breaks": RuntimeError("broken")}
    models = [Eyes(str(i)) if made[k] is None else made[k] for i, k in enumerate(kinds)]
    rungs = [rung(str(i), m) for i, m in enumerate(models)]  # type: ignore[arg-type]
    working = [str(i) for i, k in enumerate(kinds) if k == "works"]
    if not working:
        with pytest.raises(ModelUnavailableError):
            ladder(*rungs)
        return
    model, _ = ladder(*rungs)
    assert model.standing.rung == working[0]
    served = working[0]
    for fault in faults:
        eyes = models[int(served)]
        assert isinstance(eyes, Eyes)
        if fault:
            eyes.fault = RuntimeError("died")
            with pytest.raises(ModelUnavailableError):
                model.ground(PICTURE, "it")
            eyes.fault = None
            served = working[(working.index(served) + 1) % len(working)]
        assert model.ground(PICTURE, "it") == (BOX,)
        assert model.standing.rung == served


def test_close_lets_the_model_go() -> None:
    eyes = Eyes("first")
    model, _ = ladder(rung("a", eyes))
    model.close()
    assert eyes.closed == ["first"] and model.standing.rung is None


def test_close_lets_the_engine_of_a_model_go() -> None:
    eyes, engine = Eyes("first"), Eyes("connection")
    eyes.engine = engine  # type: ignore[attr-defined]
    model, _ = ladder(rung("a", eyes))
    model.close()
    assert engine.closed == ["connection"]


@pytest.mark.parametrize(
    ("device", "backend", "rungs"),
    [
        ("auto", "auto", ("tensorrt", "torch_cuda", "onnx", "torch_cpu", "remote")),
        ("cpu", "auto", ("onnx", "torch_cpu", "remote")),
        ("cuda:1", "auto", ("tensorrt", "torch_cuda", "remote")),
        ("auto", "torch", ("torch_cuda", "torch_cpu")),
        ("cpu", "torch", ("torch_cpu",)),
        ("cuda", "remote", ("remote",)),
    ],
)
def test_device_and_backend_choose_the_rungs(device: str, backend: str, rungs: tuple[str, ...]) -> None:
    assert choose_rungs(ModelConfig(), device, backend) == rungs


@pytest.mark.parametrize(
    ("device", "backend", "words"),
    [
        ("cpu", "tensorrt", "runs on 'cpu'"),
        ("tpu", "auto", "no device 'tpu'"),
        ("cuda:x", "auto", "no device 'cuda:x'"),
        ("cpu:0", "auto", "no device 'cpu:0'"),
        ("auto", "tensorflow", "no backend 'tensorflow'"),
    ],
)
def test_words_that_choose_nothing_are_refused(device: str, backend: str, words: str) -> None:
    with pytest.raises(InvalidConfigError, match=words) as told:
        load_model("mmrobot-nano", device, backend)
    assert told.value.fix


def test_a_ladder_of_the_configuration() -> None:
    config = config_from_dict({"model": {"ladder": ["remote", "torch_cpu"], "device": "cpu"}})
    assert config.model.ladder == ("remote", "torch_cpu")
    assert choose_rungs(config.model, config.model.device) == ("remote", "torch_cpu")
    for ladder_value in (["gpu"], [], "onnx"):
        with pytest.raises(InvalidConfigError, match="ladder"):
            config_from_dict({"model": {"ladder": ladder_value}})


def test_without_an_address_remote_is_not_here() -> None:
    with pytest.raises(NotHereError, match=r"remote\.url is empty"):
        load_model(backend="remote", config=Config())


def test_what_is_missing_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotHereError, match="no_such_library is not installed") as told:
        check_library("no_such_library", "pip install it")
    assert told.value.fix == "pip install it"

    def no_driver(name: str) -> object:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", no_driver)
    with pytest.raises(NotHereError, match="no NVIDIA driver"):
        check_cuda("cuda")

    class Driver:
        def cuInit(self, flags: int) -> int:
            return 100  # CUDA_ERROR_NO_DEVICE

    monkeypatch.setattr("ctypes.CDLL", lambda name: Driver())
    with pytest.raises(NotHereError, match="finds no GPU"):
        check_cuda("cuda")


def test_a_spec_leaves_the_rungs_that_it_names() -> None:
    spec = ModelSpec(name="eyes-2b", family="qwen3_vl", backends=("remote",), memory_gb=5, license="mit")
    with pytest.raises(ModelUnavailableError) as told:
        load_model(spec, "cpu")
    assert "onnx: 'eyes-2b' runs in torch or on a server" in told.value.message
    assert "torch_cpu: 'eyes-2b' is for remote by its YAML" in told.value.message
    assert "remote: remote.url is empty" in told.value.message


def test_a_model_that_does_not_fit_is_passed_over_for_memory() -> None:
    shipped = Path(__file__).parents[3] / "mmrobot" / "vlm" / "models" / "nano" / "weights"
    with (
        patch("mmrobot.vlm.memory.free_memory_gb", return_value=0.01),
        pytest.raises(ModelUnavailableError, match=r"0\.0 GB are free"),
    ):
        load_model(shipped, "cpu", "torch")
