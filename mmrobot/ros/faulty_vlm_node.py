"""The vlm node with a model that can be made to fail while it serves: for tests of faults (mmrobot faults).

    python -m mmrobot.ros.faulty_vlm_node

The node is the product's own, and so is the ladder; only each rung's model is wrapped. A word on
`faults/model` says how it fails from then on (see FAILURES), "" not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from std_msgs.msg import String

from mmrobot.ros.node_process import run_node
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.ros.vlm_node import VlmNode
from mmrobot.types import DraftStep, PlanDraft, ScoredBox
from mmrobot.vlm import registry
from mmrobot.vlm.interface import OPERATIONS, VisionLanguageModel

MEGABYTE = 1_000_000
HANG_S = 120.0
GARBAGE = "\x00}]\ufffd{\"steps\": [nan, " * 3


class Failing:
    """How the models of this process fail now."""

    how = ""
    changed = threading.Event()

    @classmethod
    def begin(cls, how: str) -> None:
        """From now on; what hangs goes on when this changes."""
        released, cls.changed = cls.changed, threading.Event()
        cls.how = how
        released.set()


def _hang(operation: str, honest: Callable[[], Any]) -> Any:
    Failing.changed.wait(HANG_S)
    return honest()


def _raise(operation: str, honest: Callable[[], Any]) -> Any:
    raise RuntimeError(f"injected: the library failed in '{operation}'")


def _no_memory(operation: str, honest: Callable[[], Any]) -> Any:
    raise MemoryError(f"injected: cannot allocate 64.0 GiB in '{operation}'")


def _garbage(operation: str, honest: Callable[[], Any]) -> Any:
    """A reply of the right type and no sense, as of weights that were mixed up."""
    nowhere = (ScoredBox(GARBAGE, (-7000.0, 9e9, -6000.0, 9.1e9), 1.0),)
    return {
        "plan": PlanDraft((DraftStep("pick", target=GARBAGE),), raw=GARBAGE),
        "ground": nowhere,
        "describe": nowhere,
        "verify": 17.0,
        "answer": GARBAGE,
    }[operation]


def _megabyte(operation: str, honest: Callable[[], Any]) -> Any:
    """A reply that does not end."""
    text = "put the " * (MEGABYTE // 8)
    if operation == "plan":
        return PlanDraft((DraftStep("pick", target=text),), raw=text)
    return text if operation == "answer" else honest()


FAILURES: dict[str, Callable[[str, Callable[[], Any]], Any]] = {
    "hang": _hang,
    "raise": _raise,
    "memory": _no_memory,
    "garbage": _garbage,
    "megabyte": _megabyte,
}


class FailingModel:
    """A model that fails as `Failing` says; else it is the one that it wraps."""

    def __init__(self, model: VisionLanguageModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)
        if name not in OPERATIONS:
            return found

        def ask(*given: Any) -> Any:
            failure = FAILURES.get(Failing.how)
            return found(*given) if failure is None else failure(name, lambda: found(*given))

        return ask


def failing_loaders(loaders: Mapping[str, Callable[[], VisionLanguageModel]]) -> dict[str, Any]:
    """The same rungs, with models that can fail."""

    def wrapped(load: Callable[[], VisionLanguageModel]) -> Callable[[], Any]:
        return lambda: FailingModel(load())

    return {rung: wrapped(load) for rung, load in loaders.items()}


class FaultyVlmNode(VlmNode):
    """Hears how its model is to fail."""

    def __init__(self) -> None:
        super().__init__()
        self._told = self.create_publisher(String, "faults/model_fails", LATCHED)
        group = MutuallyExclusiveCallbackGroup()
        self.create_subscription(String, "faults/model", self._begin, COMMAND, callback_group=group)

    def _begin(self, message: String) -> None:
        Failing.begin(message.data)
        self._told.publish(message)


def main() -> int:
    """Run the node."""
    honest = registry.nano_loaders

    def loaders(folder: Path, device: str, threads: int) -> dict[str, Any]:
        return failing_loaders(honest(folder, device, threads))

    registry.nano_loaders = loaders
    return run_node(FaultyVlmNode, threads=10)


if __name__ == "__main__":
    raise SystemExit(main())
