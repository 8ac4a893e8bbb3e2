"""`ground`, `ask` and `locate`: questions to the model about the newest picture.

A service of rclpy answers when its callback returns, so these callbacks do wait for the inference
thread: each on a thread of the pool that is kept for it, so that no other callback waits with it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from mmrobot.command.text import clean_instruction
from mmrobot.errors import DeadlineError, MmrobotError, OperationUnsupportedError, TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.messages import (
    box_to_message,
    object_from_message,
    object_to_message,
    step_from_message,
    step_to_message,
)
from mmrobot.types import RgbdFrame
from mmrobot_msgs.srv import Ask, Ground, Locate

SLOW_MODEL = "try again; for a slow model raise model.timeout_s"


class ModelServices:
    """Three services; errors come back as code, message and fix."""

    def __init__(
        self,
        node: Node,
        inference: InferenceThread,
        pipeline: Callable[[], Pipeline],
        look: Callable[[int], RgbdFrame],
        timeout_s: Callable[[], float],
    ) -> None:
        """`timeout_s` of the model, asked at each question: the configuration may change."""
        self._timeout_s = timeout_s
        self._node, self._inference, self._pipeline, self._look = node, inference, pipeline, look
        for kind, name, work in (
            (Ground, "ground", self._ground),
            (Ask, "ask", self._ask),
            (Locate, "locate", self._locate),
        ):
            node.create_service(
                kind, name, self._serving(name, work), callback_group=MutuallyExclusiveCallbackGroup()
            )

    def _serving(self, name: str, work: Callable[[Any, Any], None]) -> Callable[[Any, Any], Any]:
        def serve(request: Any, response: Any) -> Any:
            limit_s = self._timeout_s()
            try:
                self._inference.submit(name, lambda: work(request, response)).result(limit_s)
            except MmrobotError as error:
                response.error_code, response.error_message, response.fix = (
                    int(error.code),
                    error.message,
                    error.fix,
                )
            except FutureTimeoutError:
                late = DeadlineError(f"'{name}' took longer than {limit_s:g} s", SLOW_MODEL)
                # A fresh response: the job may still write into the old one.
                response = type(response)(error_code=int(late.code), error_message=late.message, fix=late.fix)
            except Exception as error:  # noqa: BLE001 - it is told, with its type
                self._node.get_logger().error(f"{name}: {type(error).__name__}: {error}")
                fault = MmrobotError(f"{name} failed: {type(error).__name__}: {error}", "please report this")
                response.error_code, response.error_message, response.fix = (
                    int(fault.code),
                    fault.message,
                    fault.fix,
                )
            return response

        return serve

    def _ground(self, request: Ground.Request, response: Ground.Response) -> None:
        phrase = clean_instruction(request.phrase)
        pipeline = self._pipeline()
        frame = self._look(0)
        located = {thing.box_xyxy: thing for thing in pipeline.ground(frame, phrase)}
        boxes = pipeline.vlm.ground(frame.rgb, phrase)
        threshold = pipeline.config.grounding.threshold
        response.objects = [object_to_message(thing) for thing in located.values()] + [
            box_to_message(box, frame.stamp_ns)
            for box in boxes
            if box.score >= threshold and box.box_xyxy not in located
        ]
        if not response.objects:
            raise TargetNotFoundError(
                f"there is no '{phrase}' in the picture", "name something that the camera sees"
            )

    def _ask(self, request: Ask.Request, response: Ask.Response) -> None:
        question = clean_instruction(request.question)
        pipeline = self._pipeline()
        if "answer" not in pipeline.vlm.operations:
            raise OperationUnsupportedError(
                f"the model '{pipeline.vlm.name}' answers no questions", "choose a model that offers 'answer'"
            )
        response.answer = pipeline.vlm.answer(self._look(0).rgb, question)

    def _locate(self, request: Locate.Request, response: Locate.Response) -> None:
        step = step_from_message(request.step)
        held = object_from_message(request.held[0]) if len(request.held) else None
        # A picture from before the question may show the arm in motion.
        frame = self._look(int(self._node.get_clock().now().nanoseconds))
        response.step = step_to_message(self._pipeline().locate(frame, step, held))
