"""Your robot for mmrobot. Run it instead of the shipped arm: python examples/my_robot.py"""

from mmrobot.errors import GraspFailedError
from mmrobot.ros.node_process import run_node
from mmrobot.ros.skill_server import SkillServer


class MyRobot(SkillServer):
    def pick(self, step):
        x, y, z = step.target.position_m  # metres in base_link: the middle of the thing
        self.phase("approach", 0.1)
        self.drive_arm(x, y, z + 0.15)
        self.drive_arm(x, y, z)
        self.phase("grasp", 0.6)
        if not self.close_gripper(step.target.size_m):
            raise GraspFailedError(f"'{step.target.label}' slipped")  # it is tried again
        self.drive_arm(x, y, z + 0.15)

    def place(self, step):
        x, y, z = step.goal_position_m  # where the underside of the thing comes to rest
        self.phase("carry", 0.1)
        self.drive_arm(x, y, z + 0.15)
        self.drive_arm(x, y, z + 0.02)
        self.open_gripper()

    def home(self, step):
        self.drive_arm(0.2, -0.4, 0.4)  # out of the camera's view

    def halt(self):
        self.get_logger().info("motors hold")  # your driver's stop; from any thread, at once

    def drive_arm(self, x, y, z):
        self.get_logger().info(f"moving to {x:.3f} {y:.3f} {z:.3f}")  # your driver's motion
        self.wait(0.2)  # until it is there; ends by itself when somebody says stop

    def close_gripper(self, size_m):
        self.wait(0.1)
        return True  # whether something is between the fingers

    def open_gripper(self):
        self.wait(0.1)


if __name__ == "__main__":
    raise SystemExit(run_node(MyRobot, threads=3))
