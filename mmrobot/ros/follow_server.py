"""The action `follow_instruction`: each goal becomes a task, whose progress and end go back to its client."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from mmrobot.errors import InvalidInstructionError
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.messages import plan_to_message, pointing_from_message
from mmrobot.ros.task import Outcome, Task
from mmrobot_msgs.action import FollowInstruction

CANCEL_AFTER_S = 0.02


class FollowServer:
    """`submit` gets every task, `cancel` those whose client takes them back."""

    def __init__(self, node: Node, submit: Callable[[Task], None], cancel: Callable[[Task], object]) -> None:
        self._submit, self._cancel_task = submit, cancel
        self._tasks: dict[bytes, Task] = {}
        self._server = ActionServer(
            node,
            FollowInstruction,
            "follow_instruction",
            execute_callback=lambda handle: FollowInstruction.Result(),
            goal_callback=lambda _: GoalResponse.ACCEPT,
            handle_accepted_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        request = goal.request
        key = bytes(handle.goal_id.uuid)

        def progress(phase: str, message: str, step: int, options: tuple[str, ...]) -> None:
            plan = task.plan
            goal.feedback(
                FollowInstruction.Feedback(
                    phase=phase,
                    step_index=step,
                    steps_total=len(plan.steps) if plan else 0,
                    message=message,
                    plan_id=plan.plan_id if plan else "",
                    plan_digest=plan.digest if plan else "",
                    options=list(options),
                )
            )

        def end(outcome: Outcome) -> None:
            self._tasks.pop(key, None)
            goal.finish(_result(outcome))

        try:
            pointings = tuple(pointing_from_message(p) for p in request.pointings)
        except ValueError as error:
            end(Outcome(InvalidInstructionError(str(error), "point with a box of x1 >= x0 and y1 >= y0")))
            return
        task = Task(request.instruction, request.plan_only, progress, end, request.conversation, pointings)
        self._tasks[key] = task
        self._submit(task)

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        task = self._tasks.get(bytes(handle.goal_id.uuid))
        if task is not None:
            # Later, from another thread: rclpy sets the goal to canceling only after this answer.
            threading.Timer(CANCEL_AFTER_S, self._cancel_task, (task,)).start()
        return CancelResponse.ACCEPT


def _result(outcome: Outcome) -> FollowInstruction.Result:
    error, plan = outcome.error, outcome.plan
    result = FollowInstruction.Result(
        success=error is None,
        steps_done=outcome.steps_done,
        steps_total=len(plan.steps) if plan else 0,
    )
    if error is not None:
        result.error_code, result.error_message, result.fix = int(error.code), error.message, error.fix
    if plan is not None:
        result.plan = plan_to_message(plan)
    result.answer, result.report = outcome.answer, outcome.report
    return result
