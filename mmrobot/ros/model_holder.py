"""The model that serves, the one that is on its way, and why another does not.

Loading has a thread of its own, so that the model that serves goes on serving; the change over is a job
of the inference thread, so that it falls between two questions and never into one. A plan under way is
not touched by it: its next look is the new model's.

`begin` and `wait` load, `unload` gives the memory back. In between, and only then, setting the parameter
`model` changes the model.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, MmrobotError, ModelUnavailableError, PreemptedError
from mmrobot.pipeline import Pipeline
from mmrobot.ros.health import StillLoadingError
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.node_process import guarded_thread
from mmrobot.ros.parameters import declare
from mmrobot.ros.status import StatusPublisher
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.ladder import Ladder
from mmrobot.vlm.registry import check_name, load_model

PARAMETER = "model"
UNLOAD_S = 60.0
_DESCRIPTION = "model name or folder; empty: the configuration's; set it to change the model while running"


@dataclass(frozen=True)
class _Serving:
    """A loaded model and the parameter's value that asked for it."""

    asked_for: str
    ladder: Ladder
    pipeline: Pipeline


class ModelHolder:
    """Loads the model that parameter `model` names, when asked to and whenever it is set anew after that."""

    def __init__(
        self, node: Node, inference: InferenceThread, config: Config, status: StatusPublisher
    ) -> None:
        self._node, self._inference, self._config, self._status = node, inference, config, status
        limit_threads(config.model.threads)
        self._condition = threading.Condition()
        declare(node, PARAMETER, "", _DESCRIPTION, read_only=False)
        self._wanted: str | None = None
        self._loading = ""
        self._open = False
        self._closed = False
        self._serving: _Serving | None = None
        self._fault: MmrobotError | None = None
        self._dead = False
        # Programs that set the parameter learn of a name that cannot be at once, of the rest from status.
        node.add_on_set_parameters_callback(self._judge)
        node.add_post_set_parameters_callback(self._take)
        self._loader = guarded_thread(self._work, "model loader")

    def begin(self) -> None:
        """Load the model that the parameter names. Returns at once."""
        with self._condition:
            self._open, self._fault = True, None
            self._wanted = str(self._node.get_parameter(PARAMETER).value)
            self._condition.notify_all()

    def wait(self) -> None:
        """Until a model serves; raises the error that says why none does."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._closed or not self._open or (self._wanted is None and not self._loading)
            )
        if self._serving is None:
            raise self._why_none()

    def unload(self, release: Callable[[], object] = lambda: None) -> None:
        """Give the model and its memory back; `release` is called first, on the inference thread, to let go
        of what else holds it. Waits for the question that the model answers now.

        Raises ModelUnavailableError where that takes longer than UNLOAD_S.
        """
        with self._condition:
            self._open, self._wanted = False, None
            self._condition.notify_all()

        def let_go() -> None:
            release()
            serving, self._serving = self._serving, None
            self._fault, self._dead = None, False
            if serving is not None:
                gc.unfreeze()
                serving.ladder.tell = lambda words, fault: None
                serving.ladder.close()

        try:
            self._inference.submit("unload", let_go).result(UNLOAD_S)
        except FutureTimeoutError:
            raise ModelUnavailableError(
                f"the model has been answering for over {UNLOAD_S:g} s", "end the node's process"
            ) from None
        _give_back()

    def use(self, config: Config) -> None:
        """Another configuration, between two questions; what loads a model keeps the one it began with."""
        self._config = config

        def change() -> None:
            if self._serving is not None:
                self._serving.pipeline.use(config)

        self._inference.submit("configuration", change)

    def close(self) -> None:
        """Load no more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def pipeline(self) -> Pipeline:
        """The loaded pipeline; raises the error that says why there is none."""
        if self._serving is None:
            raise self._why_none()
        return self._serving.pipeline

    def problem(self) -> MmrobotError | None:
        """What keeps the model from serving; None when it serves."""
        serving = self._serving
        if serving is None:
            return self._why_none()
        if serving.ladder.standing.rung is None:
            changing = StillLoadingError("the model changes over to its next rung", "wait some seconds")
            return self._fault if self._dead else changing
        slot, computing_s = self._inference.busy_with()
        if computing_s > self._config.model.timeout_s:
            return ModelUnavailableError(
                f"the model has not answered for {computing_s:.0f} s (it was asked to '{slot}')",
                "start the vlm node again, or choose another model",
            )
        return None

    def _why_none(self) -> MmrobotError:
        if not self._open:
            return StillLoadingError("no model is loaded", "configure the node")
        if self._fault is None or self._loading:
            return StillLoadingError("the model is loading", "wait some seconds")
        return self._fault

    def facts(self) -> dict[str, str]:
        """What /diagnostics tells of the model: its rung and why others were passed over, changes, faults."""
        serving, fault, loading = self._serving, self._fault, self._loading
        facts = {} if serving is None else dict(serving.ladder.standing.facts)
        if loading:
            facts["loading"] = loading
        if serving is not None and fault is not None:
            facts |= {"last fault": fault.message, "last fault code": fault.code.name, "fix": fault.fix}
        return facts

    # -- the parameter ---------------------------------------------------------------------------

    def _judge(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == PARAMETER:
                try:
                    if parameter.type_ is not Parameter.Type.STRING:
                        raise InvalidConfigError(
                            f"parameter 'model' is {parameter.value!r}", "give the name as text"
                        )
                    check_name(parameter.value or self._config.model.name, self._config)
                except MmrobotError as error:
                    return SetParametersResult(successful=False, reason=f"{error.message}. {error.fix}")
        return SetParametersResult(successful=True)

    def _take(self, parameters: list[Parameter]) -> None:
        if threading.current_thread() is self._loader:
            return  # it set the parameter back to what serves
        for parameter in parameters:
            if parameter.name == PARAMETER:
                with self._condition:
                    if self._open and (self._serving or self._loading or self._wanted is not None):
                        self._wanted = parameter.value
                        self._condition.notify_all()

    # -- loading ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._wanted is not None)
                if self._closed or self._wanted is None:
                    return
                asked_for, self._wanted = self._wanted, None
                self._loading = asked_for or self._config.model.name
            try:
                self._change(asked_for)
            finally:
                with self._condition:
                    self._loading = ""
                    self._condition.notify_all()

    def _change(self, asked_for: str) -> None:
        name = asked_for or self._config.model.name
        started = time.monotonic()
        try:
            ladder = load_model(name, config=self._config)
        except MmrobotError as error:
            self._refused(name, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever a library throws, the old model goes on
            fault = ModelUnavailableError(
                f"the model cannot be loaded: {type(error).__name__}: {error}", "run: mmrobot doctor"
            )
            self._refused(name, fault)
            return
        new = _Serving(asked_for, ladder, Pipeline(ladder, self._config))
        _settle()
        ladder.tell = self._ladder_tells(new)
        words = f"{ladder.standing.words}, ready after {time.monotonic() - started:.1f} s"
        try:
            old = self._inference.submit("swap", lambda: self._swap(new)).result()
        except (PreemptedError, RuntimeError):
            return  # the node shuts down
        if old is new:  # unloaded meanwhile
            gc.unfreeze()
            ladder.close()
        elif old is None:
            self._node.get_logger().info(words)
        else:
            words = f"{words}; it took the place of {old.ladder.name}"
            self._status.report("model", words, model=ladder.name)
            gc.unfreeze()
            old.ladder.close()
            _settle()

    def _swap(self, new: _Serving) -> _Serving | None:
        """What is to be closed: the one that served, or the new one when none is wanted any more."""
        if not self._open:
            return new
        new.pipeline.use(self._config)
        old, self._serving = self._serving, new
        self._fault, self._dead = None, False
        return old

    def _refused(self, name: str, error: MmrobotError) -> None:
        self._fault = error
        old = self._serving
        if old is None:
            self._node.get_logger().error(f"{error.message}. {error.fix}")
            return
        words = f"'{name}' cannot be loaded, {old.ladder.name} goes on: {error.message}"
        self._status.report("model", words, error, model=old.ladder.name)
        with self._condition:
            if self._wanted is None:  # else somebody has set it anew
                self._node.set_parameters([Parameter(PARAMETER, value=old.asked_for)])

    def _ladder_tells(self, serving: _Serving) -> Callable[[str, MmrobotError | None], None]:
        def tell(words: str, fault: MmrobotError | None) -> None:
            self._status.report("model", words, fault, model=serving.ladder.name)
            if fault is not None and serving is self._serving and not self._closed:
                self._fault, self._dead = fault, False
                # At once, so that the next instruction finds the next rung loaded.
                self._inference.submit("climb", serving.ladder.climb).add_done_callback(self._climbed)

        return tell

    def _climbed(self, future: Future[VisionLanguageModel]) -> None:
        error = future.exception()
        if isinstance(error, MmrobotError) and not isinstance(error, PreemptedError):
            self._fault, self._dead = error, True
            self._status.report("model", f"no rung works: {error.message}", error)


def limit_threads(threads: int) -> None:
    """Tell OpenMP, which reads it when torch is imported; 0 leaves the library's choice.

    One thread is the default: the models shipped here gain little from more, and a model that takes all
    cores takes them from the simulator, the drivers and the heartbeats.
    """
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def _settle() -> None:
    """Leave what the libraries and the model hold out of later garbage collections.

    There are some 400,000 objects: a full collection among them holds the interpreter, and with it the
    heartbeat, for 0.23 s on a quiet core, which on a busy one is longer than a beat may be missed.
    """
    gc.collect()
    gc.freeze()


def _give_back() -> None:
    """What the model held, to the system: glibc would keep the freed pages for later."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
