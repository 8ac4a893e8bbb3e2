"""A mobile base that Nav2 drives: `navigate` goes to NavigateToPose; other skills to an arm, if there is one.

    python -m mmrobot.ros.navigation_server_node

The places are those of the settings (navigation.places, in navigation.frame_id). A mobile manipulator's own
skill server is remapped to `arm/execute_skill`; without one, only `navigate` is served.
"""

from __future__ import annotations

import math

from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion
from std_msgs.msg import Header

from mmrobot.errors import ExecutionFailedError, MmrobotError, UnsafeError
from mmrobot.ros.messages import error_code, step_to_message
from mmrobot.ros.node_process import run_node
from mmrobot.ros.optional_messages import interface
from mmrobot.ros.skill_server import SkillServer
from mmrobot.types import PlanStep
from mmrobot_msgs.action import ExecuteSkill

ACTION, ARM_ACTION = "navigate_to_pose", "arm/execute_skill"


class NavigationServer(SkillServer):
    """Drives by Nav2. A stop cancels the goal, and Nav2 brakes."""

    def __init__(self) -> None:
        self._navigate = interface("nav2_msgs/action/NavigateToPose", "a base that Nav2 drives")
        super().__init__()

    def halt(self) -> None:
        """Nav2's goal is cancelled by the skill's own end, at its next wait, within 20 ms."""

    def navigate(self, step: PlanStep) -> None:
        """To the place of that name. Raises UnsafeError for one that the settings do not know."""
        settings = self.config.navigation
        if step.text not in settings.places:
            raise UnsafeError(
                f"no place '{step.text}' is known", "add it to navigation.places", "known_place"
            )
        x, y, yaw = settings.places[step.text]
        turn = Quaternion(z=math.sin(yaw / 2), w=math.cos(yaw / 2))
        goal = self._navigate.Goal(
            pose=PoseStamped(
                header=Header(frame_id=settings.frame_id, stamp=self.get_clock().now().to_msg()),
                pose=Pose(position=Point(x=x, y=y, z=0.0), orientation=turn),
            )
        )
        self.phase("drive", 0.1)
        result = self.call_action(self._navigate, ACTION, goal, self.config.runner.step_timeout_s)
        code = int(getattr(result, "error_code", 0))
        if code != 0:
            why = getattr(result, "error_msg", "") or "no reason given"
            raise ExecutionFailedError(
                f"Nav2 did not reach '{step.text}': error {code}, {why}", "clear the way"
            )

    def pick(self, step: PlanStep) -> None:
        """By the arm's own server; so are the others."""
        self._by_arm(step)

    def place(self, step: PlanStep) -> None:
        """By the arm's own server."""
        self._by_arm(step)

    def push(self, step: PlanStep) -> None:
        """By the arm's own server."""
        self._by_arm(step)

    def home(self, step: PlanStep) -> None:
        """By the arm's own server."""
        self._by_arm(step)

    def _by_arm(self, step: PlanStep) -> None:
        self.phase(step.skill)
        goal = ExecuteSkill.Goal(step=step_to_message(step), stops_heard=self._stops.heard())
        result = self.call_action(ExecuteSkill, ARM_ACTION, goal, self.config.runner.step_timeout_s)
        code = error_code(result.error_code)
        if code:
            error = MmrobotError(result.error_message)
            error.code = code
            raise error


def main() -> int:
    """Run the node."""
    return run_node(NavigationServer, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
