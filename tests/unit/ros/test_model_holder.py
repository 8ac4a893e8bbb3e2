"""The model is changed under a real node, with models that load, hang and fail as a test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from mmrobot.config import Config
from mmrobot.errors import MmrobotError, ModelUnavailableError
from mmrobot.ros import model_holder
from mmrobot.ros.health import StillLoadingError
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.model_holder import ModelHolder, limit_threads
from mmrobot.vlm.ladder import Ladder, Rung

PICTURE = np.zeros((4, 6, 3), np.uint8)
PATIENCE_S = 20.0


class Eyes:
    """A model that answers with its own name, or raises `fault`."""

    operations = frozenset({"answer"})

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault: Exception | None = None
        self.closed = False

    def answer(self, image_rgb: Any, question: str) -> str:
        if self.fault is not None:
            raise self.fault
        return self.name

    def close(self) -> None:
        self.closed = True


class Bench:
    """A node, a holder, and the models that `load_model` finds."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self.node = node
        self.known: dict[str, list[Rung]] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.statuses: list[tuple[str, str, MmrobotError | None]] = []
        self.inference = InferenceThread()
        monkeypatch.setattr(model_holder, "load_model", self._load)
        monkeypatch.setattr(model_holder, "check_name", self._check)
        self.holder: ModelHolder | None = None

    def hold(self) -> ModelHolder:
        self.holder = ModelHolder(self.node, self.inference, Config(), self)  # type: ignore[arg-type]
        self.holder.begin()
        return self.holder

    def report(self, state: str, message: str, error: MmrobotError | None = None, **_: Any) -> None:
        self.statuses.append((state, message, error))

    def _check(self, name: str, config: Config) -> None:
        if name not in self.known:
            raise ModelUnavailableError(f"no model '{name}'", "did you mean 'first'?")

    def _load(self, name: str, config: Config) -> Ladder:
        assert self.gate.wait(PATIENCE_S)
        return Ladder(name, self.known[name], lambda model: None)

    def set(self, name: Any) -> Any:
        return self.node.set_parameters([Parameter("model", value=name)])[0]

    def parameter(self) -> str:
        return str(self.node.get_parameter("model").value)

    def ask(self) -> str:
        """On the inference thread, as nodes do."""
        assert self.holder is not None
        holder = self.holder
        return str(
            self.inference.submit("ask", lambda: holder.pipeline().vlm.answer(PICTURE, "?")).result(
                PATIENCE_S
            )
        )

    def close(self) -> None:
        if self.holder is not None:
            self.holder.close()
        self.gate.set()
        self.inference.close()


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)
    return found


def works(eyes: Eyes, rung: str = "cpu") -> Rung:
    return Rung(rung, lambda: eyes)  # type: ignore[arg-type, return-value]


def fails(message: str, rung: str = "cpu") -> Rung:
    def load() -> Any:
        raise ModelUnavailableError(message, "fetch it")

    return Rung(rung, load)


@pytest.fixture
def node() -> Iterator[Node]:
    context = rclpy.Context()
    rclpy.init(context=context)
    made = rclpy.create_node("holder_test", context=context)
    yield made
    made.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def bench(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(node, monkeypatch)
    made.known[Config().model.name] = [works(Eyes("default"))]
    yield made
    made.close()


def test_until_it_is_loaded_it_is_loading(bench: Bench) -> None:
    bench.gate.clear()
    holder = bench.hold()
    with pytest.raises(StillLoadingError):
        holder.pipeline()
    assert isinstance(holder.problem(), StillLoadingError)
    bench.gate.set()
    eventually(lambda: holder.problem() is None)
    assert bench.ask() == "default"
    assert holder.facts()["rung"] == "cpu" and holder.facts()["model"] == "default"


def test_the_old_model_serves_while_the_new_one_loads(bench: Bench) -> None:
    old, new = Eyes("old"), Eyes("new")
    bench.known |= {Config().model.name: [works(old)], "second": [works(new)]}
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    bench.gate.clear()
    assert bench.set("second").successful
    eventually(lambda: holder.facts().get("loading") == "second")
    assert bench.ask() == "old" and holder.problem() is None
    bench.gate.set()
    eventually(lambda: bench.ask() == "new")
    eventually(lambda: old.closed)
    assert not new.closed and bench.parameter() == "second"
    assert any("took the place of old" in message for _, message, _ in bench.statuses)


def test_the_change_falls_between_two_questions(bench: Bench) -> None:
    bench.known["second"] = [works(Eyes("new"))]
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    begun, go_on = threading.Event(), threading.Event()

    def job() -> list[str]:
        pipeline = holder.pipeline()
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return [pipeline.vlm.answer(PICTURE, "?"), holder.pipeline().vlm.answer(PICTURE, "?")]

    running = bench.inference.submit("plan", job)
    assert begun.wait(PATIENCE_S)
    assert bench.set("second").successful
    time.sleep(0.1)
    assert holder.facts()["model"] == "default", "it was changed under a running question"
    go_on.set()
    assert running.result(PATIENCE_S) == ["default", "default"]
    eventually(lambda: bench.ask() == "new")


@pytest.mark.parametrize(("name", "reason"), [("thrid", "no model 'thrid'. did you mean"), (3, "type")])
def test_a_name_that_cannot_be_is_refused_with_the_reason(bench: Bench, name: Any, reason: str) -> None:
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    result = bench.set(name)
    assert not result.successful and reason in result.reason
    assert bench.parameter() == "" and bench.ask() == "default"


def test_what_cannot_be_loaded_leaves_the_old_one_and_the_parameter(bench: Bench) -> None:
    bench.known["broken"] = [fails("the weights are damaged")]
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    assert bench.set("broken").successful
    eventually(lambda: [e for _, _, e in bench.statuses if e is not None])
    eventually(lambda: bench.parameter() == "")
    assert bench.ask() == "default" and holder.problem() is None
    facts = holder.facts()
    assert facts["last fault"] == "the weights are damaged" and facts["fix"] == "fetch it"
    assert "loading" not in facts


def test_a_first_model_that_cannot_be_loaded_is_told_until_another_is_set(bench: Bench) -> None:
    bench.known |= {Config().model.name: [fails("no weights")], "second": [works(Eyes("new"))]}
    holder = bench.hold()
    fault = eventually(lambda: None if isinstance(holder.problem(), StillLoadingError) else holder.problem())
    assert fault.message == "no weights"
    with pytest.raises(ModelUnavailableError, match="no weights"):
        holder.pipeline()
    assert bench.set("second").successful
    holder.begin()
    eventually(lambda: holder.problem() is None)
    assert bench.ask() == "new" and "last fault" not in holder.facts()


def test_a_library_that_throws_anything_is_a_named_fault(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(name: str, config: Config) -> Ladder:
        raise RuntimeError("segment missing")

    monkeypatch.setattr(model_holder, "load_model", explode)
    holder = bench.hold()
    fault = eventually(lambda: None if isinstance(holder.problem(), StillLoadingError) else holder.problem())
    assert "RuntimeError: segment missing" in fault.message and fault.fix


def test_when_a_rung_fails_the_next_is_loaded_at_once(bench: Bench) -> None:
    far, near = Eyes("far eyes"), Eyes("near eyes")
    bench.known[Config().model.name] = [works(far, "remote"), works(near, "cpu")]
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    far.fault = ModelUnavailableError("the server is gone", "start it")
    with pytest.raises(ModelUnavailableError, match="the server is gone"):
        bench.ask()
    eventually(lambda: holder.facts()["rung"] == "cpu")
    assert bench.ask() == "near eyes" and holder.problem() is None
    facts = holder.facts()
    assert facts["passed over: remote"] == "the server is gone" == facts["last fault"]
    told = [message for _, message, _ in bench.statuses]
    assert any("leaves remote" in m for m in told) and any("serves from cpu" in m for m in told)


def test_when_no_rung_is_left_that_is_told_and_the_next_question_tries_again(bench: Bench) -> None:
    eyes, answers = Eyes("eyes"), ["works", "gone", "works"]

    def load() -> Any:
        if answers.pop(0) == "gone":
            raise ModelUnavailableError("nobody there", "start it")
        return eyes

    bench.known[Config().model.name] = [Rung("remote", load)]
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    eyes.fault = ModelUnavailableError("the server is gone", "start it")
    with pytest.raises(ModelUnavailableError):
        bench.ask()
    fault = eventually(lambda: None if isinstance(holder.problem(), StillLoadingError) else holder.problem())
    assert fault.message == "nobody there"
    eyes.fault = None
    assert bench.ask() == "eyes" and holder.problem() is None


def test_threads_are_set_before_torch_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    limit_threads(0)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    limit_threads(2)
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_unloaded_it_holds_the_model_no_more_and_loads_again_when_begun(bench: Bench) -> None:
    import gc
    import weakref

    bench.known[Config().model.name] = [Rung("cpu", lambda: Eyes("fresh"))]  # type: ignore[arg-type, return-value]
    holder = bench.hold()
    holder.wait()
    model = bench.inference.submit("look", lambda: weakref.ref(holder.pipeline().vlm)).result(PATIENCE_S)
    gc.collect()
    assert model() is not None, "it is held while it serves"
    released: list[bool] = []
    holder.unload(lambda: released.append(True))
    gc.collect()
    assert model() is None and released == [True]
    with pytest.raises(StillLoadingError, match="no model is loaded"):
        holder.pipeline()
    assert bench.set(Config().model.name).successful
    time.sleep(0.2)
    assert "loading" not in holder.facts(), "setting the parameter loads nothing while unloaded"
    holder.begin()
    holder.wait()
    assert bench.ask() == "fresh"


def test_wait_raises_why_nothing_serves(bench: Bench) -> None:
    bench.known[Config().model.name] = [fails("no weights")]
    holder = bench.hold()
    with pytest.raises(ModelUnavailableError, match="no weights"):
        holder.wait()


def test_a_model_that_does_not_come_back_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.known["mmrobot-nano"] = [works(Eyes("first"))]
    holder = bench.hold()
    eventually(lambda: holder.problem() is None)
    monkeypatch.setattr(bench.inference, "busy_with", lambda: ("plan", 8.0))
    assert holder.problem() is None, "it may take so long"
    monkeypatch.setattr(bench.inference, "busy_with", lambda: ("plan", 31.0))
    problem = holder.problem()
    assert isinstance(problem, ModelUnavailableError) and "not answered for 31 s" in problem.message
