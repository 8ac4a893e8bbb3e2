"""A robot of one's own that takes a minute to pick, and tells when it was halted."""

from __future__ import annotations

import time

from mmrobot.ros.node_process import run_node
from mmrobot.ros.skill_server import SkillServer
from mmrobot.types import PlanStep


class SlowRobot(SkillServer):
    began_s: float | None = None

    def pick(self, step: PlanStep) -> None:
        self.began_s = time.monotonic()
        self.phase("dawdle", 0.5)
        self.wait(60.0)

    def home(self, step: PlanStep) -> None:
        self.phase("home")

    def halt(self) -> None:
        if self.began_s is not None:
            self.get_logger().info(f"halted after {time.monotonic() - self.began_s:.2f} s")
            self.began_s = None


if __name__ == "__main__":
    raise SystemExit(run_node(SlowRobot, threads=3))
