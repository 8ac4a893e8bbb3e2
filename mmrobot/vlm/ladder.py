"""The ladder: of the ways to run a model, the best that works here serves; when it fails, the next one does.

A rung is one way (TensorRT, torch on the GPU, ONNX on the CPU, a server, ...). Climbing tries them in the
configured order: a rung whose library, hardware or memory is missing, or which fails the self-test, is
passed over with its reason. A rung that fails while it serves is left: the call that met the fault gets
the error, the next call gets the next rung, and after the last one the first again.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import MmrobotError, ModelUnavailableError
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm.hardware import NotHereError
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.reply_check import checked

T = TypeVar("T")


@dataclass(frozen=True)
class Rung:
    """One way to run the model. `load` raises when it cannot be gone here; the message is the reason."""

    name: str
    load: Callable[[], VisionLanguageModel]


@dataclass(frozen=True)
class Standing:
    """Which rung serves (None: none does now), and why each of the others that were tried does not."""

    rung: str | None
    model: str
    passed_over: tuple[tuple[str, str], ...] = ()
    load_s: float = 0.0

    @property
    def words(self) -> str:
        """One line for people."""
        reasons = "; ".join(f"{rung}: {reason}" for rung, reason in self.passed_over)
        serves = f"{self.model} serves from {self.rung}" if self.rung else f"{self.model} serves from no rung"
        return f"{serves} ({reasons})" if reasons else serves

    @property
    def facts(self) -> dict[str, str]:
        """Keys and values for /diagnostics."""
        passed = {f"passed over: {rung}": reason for rung, reason in self.passed_over}
        return {"model": self.model, "rung": self.rung or "none", "load_s": f"{self.load_s:.2f}", **passed}


class Ladder:
    """A VisionLanguageModel that runs on the best rung. Calls and `climb` come from one thread at a time.

    The constructor climbs; raises ModelUnavailableError with all reasons when no rung works. `standing`
    may be read from any thread. `tell` hears each change as (words, the fault or None).
    """

    def __init__(
        self,
        name: str,
        rungs: Sequence[Rung],
        self_test: Callable[[VisionLanguageModel], None],
        tell: Callable[[str, MmrobotError | None], None] = lambda words, fault: None,
    ) -> None:
        self._name, self._rungs, self._self_test = name, tuple(rungs), self_test
        self.tell = tell
        self._model: VisionLanguageModel | None = None
        self._first = 0
        self._reasons: dict[str, ModelUnavailableError] = {}
        self._lock = threading.Lock()
        self.standing = Standing(None, name)
        self.climb()

    @property
    def name(self) -> str:
        """The name of the model that serves, as it goes into plans."""
        return self._model.name if self._model else self._name

    @property
    def operations(self) -> frozenset[str]:
        """Those of the model that serves."""
        return self.climb().operations

    @property
    def model(self) -> VisionLanguageModel:
        """The model that serves, for measuring it and looking into it; raises as `climb` does."""
        return self.climb()

    def climb(self) -> VisionLanguageModel:
        """The model that serves; when none does, the first rung that works from where the ladder stands.

        Raises ModelUnavailableError: of the only rung that could be here, or with the reasons of all.
        """
        with self._lock:
            if self._model is None:
                self._model = self._climbed()
            return self._model

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        return self._on_rung(lambda model: checked("ground", model.ground(image_rgb, phrase), image_rgb))

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return self._on_rung(
            lambda model: checked("plan", model.plan(image_rgb, instruction, dialogue), image_rgb)
        )

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        return self._on_rung(lambda model: checked("verify", model.verify(image_rgb, statement), image_rgb))

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        return self._on_rung(lambda model: checked("answer", model.answer(image_rgb, question), image_rgb))

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        return self._on_rung(lambda model: checked("describe", model.describe(image_rgb), image_rgb))

    def close(self) -> None:
        """Let the model and what it holds go."""
        with self._lock:
            self._let_go()
            self.standing = Standing(None, self._name)

    def _on_rung(self, ask: Callable[[VisionLanguageModel], T]) -> T:
        model = self.climb()
        try:
            return ask(model)
        except ModelUnavailableError as error:
            self._leave(error)
            raise
        except MmrobotError:
            raise  # of the picture or the words: another rung would say the same
        except Exception as error:
            fault = ModelUnavailableError(
                f"{self.name} failed on {self.standing.rung}: {_short(error)}",
                "give the instruction again: the next rung of model.ladder serves now",
            )
            self._leave(fault)
            raise fault from error

    def _leave(self, fault: ModelUnavailableError) -> None:
        with self._lock:
            rung = self.standing.rung
            if rung is None:
                return
            self._reasons[rung] = fault
            self._first = ([r.name for r in self._rungs].index(rung) + 1) % len(self._rungs)
            self._let_go()
            self.standing = Standing(None, self._name, self._passed_over(None))
        self.tell(f"{self._name} leaves {rung}: {fault.message}", fault)

    def _climbed(self) -> VisionLanguageModel:
        order = self._rungs[self._first :] + self._rungs[: self._first]
        for rung in order:
            started = time.monotonic()
            try:
                model = rung.load()
                self._self_test(model)
            except MmrobotError as error:
                self._reasons[rung.name] = _as_unavailable(error)
            except Exception as error:  # noqa: BLE001 - it is the reason why this rung is passed over
                self._reasons[rung.name] = ModelUnavailableError(_short(error), "run: mmrobot doctor")
            else:
                self._first = self._rungs.index(rung)
                self._reasons.pop(rung.name, None)
                load_s = time.monotonic() - started
                self.standing = Standing(rung.name, model.name, self._passed_over(rung.name), load_s)
                self.tell(self.standing.words, None)
                return model
            # What a failed load holds must be free before the next one asks for memory.
            model = None  # type: ignore[assignment]
            gc.collect()
        self._first = 0
        self.standing = Standing(None, self._name, self._passed_over(None))
        raise self._none_works()

    def _none_works(self) -> ModelUnavailableError:
        faults = [e for e in self._reasons.values() if not isinstance(e, NotHereError)]
        if len(faults) == 1 or len(self._reasons) == 1:
            return (faults or list(self._reasons.values()))[0]
        told = faults or list(self._reasons.values())
        reasons = "; ".join(f"{rung}: {reason}" for rung, reason in self._passed_over(None))
        return ModelUnavailableError(f"nothing here can run '{self._name}': {reasons}", told[-1].fix)

    def _passed_over(self, serving: str | None) -> tuple[tuple[str, str], ...]:
        """Those that were tried, in the ladder's order."""
        names = [rung.name for rung in self._rungs]
        return tuple((n, self._reasons[n].message) for n in names if n in self._reasons and n != serving)

    def _let_go(self) -> None:
        model, self._model = self._model, None
        # A server's connection is its engine's.
        for holder in (model, getattr(model, "engine", None)):
            close = getattr(holder, "close", None)
            if close is not None:
                close()
        del model, holder
        gc.collect()


def _as_unavailable(error: MmrobotError) -> ModelUnavailableError:
    if isinstance(error, ModelUnavailableError):
        return error
    told = ModelUnavailableError(error.message, error.fix)
    told.code = error.code
    return told


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
