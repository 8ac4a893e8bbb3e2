"""`approve_plan`, `edit_plan` and `explain`: a person's say in a plan that waits, and why it is as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from mmrobot.errors import MmrobotError
from mmrobot.ros.conductor import Conductor
from mmrobot.ros.messages import plan_to_message
from mmrobot.ros.retarget import retarget_from_message
from mmrobot.ros.talks import Talks
from mmrobot.types import ActionPlan
from mmrobot_msgs.srv import ApprovePlan, EditPlan

EDIT_TIMEOUT_S = 15.0


class PlanServices:
    """Errors come back as code, message and fix; the callbacks may wait, each on a thread of its own."""

    def __init__(self, node: Node, conductor: Conductor, talks: Talks) -> None:
        self._node, self._conductor, self._talks = node, conductor, talks
        for kind, name, work in (
            (ApprovePlan, "approve_plan", self._approve),
            (EditPlan, "edit_plan", self._edit),
        ):
            group = MutuallyExclusiveCallbackGroup()
            node.create_service(kind, name, serving(node, name, work), callback_group=group)

    def _approve(self, request: ApprovePlan.Request, response: ApprovePlan.Response) -> None:
        response.message = self._conductor.approve(request.plan_id, request.digest, request.approve)
        response.accepted = True

    def _edit(self, request: EditPlan.Request, response: EditPlan.Response) -> None:
        retargets = [retarget_from_message(message) for message in request.retargets]
        keep = [int(i) for i in request.steps]

        def change(task: Any, plan: ActionPlan) -> ActionPlan:
            return self._talks.edit(task, plan, keep, retargets)

        made = self._conductor.edit(request.plan_id, request.digest, change, EDIT_TIMEOUT_S)
        response.plan = plan_to_message(made)


def serving(node: Node, name: str, work: Callable[[Any, Any], None]) -> Callable[[Any, Any], Any]:
    """A service's callback: `work` fills the response or raises."""

    def serve(request: Any, response: Any) -> Any:
        try:
            work(request, response)
        except MmrobotError as error:
            _refuse(response, error)
        except Exception as error:  # noqa: BLE001 - it is told, with its type
            node.get_logger().error(f"{name}: {type(error).__name__}: {error}")
            _refuse(
                response,
                MmrobotError(f"{name} failed: {type(error).__name__}: {error}", "please report this"),
            )
        return response

    return serve


def _refuse(response: Any, error: MmrobotError) -> None:
    response.error_code, response.error_message, response.fix = int(error.code), error.message, error.fix
