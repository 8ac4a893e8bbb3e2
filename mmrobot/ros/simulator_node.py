"""The embedded simulator as a robot on the graph: the same topics as a real arm and camera, and /clock.

    python -m mmrobot.ros.simulator_node --ros-args -p scene:=sim/scenes/demo.yaml -p real_time_factor:=1.0

Physics, rendering and publishing run on one thread of their own; callbacks only leave commands for it.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Float64, Float64MultiArray, Header, String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from mmrobot.errors import AlreadyRunningError, InvalidConfigError, MmrobotError
from mmrobot.ros import camera_messages, messages
from mmrobot.ros.heartbeat import Heartbeat
from mmrobot.ros.machine_lock import machine_lock
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare
from mmrobot.ros.qos import COMMAND, DYNAMIC_TF, LATCHED, SENSOR_OUT, STATE, STATIC_TF
from mmrobot.ros.scene_file import load_scene
from mmrobot.ros.simulator_frames import camera_transforms, link_transforms
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene

CHUNK_S = 0.01
JOINT_STATES_EVERY = 2
TF_EVERY = 5
TRUTH_EVERY = 10
SPECTATOR_PERIOD_S = 0.2
# After a slow picture the lost time is made up at no more than this many times the wished pace, so
# that a command does not meet a world that leapt ahead.
CATCH_UP = 1.5
DISCOVERY_S = 1.5


class SimulatorNode(Node):
    """Paces a Simulator, publishes what its sensors see, takes commands for its arm."""

    def __init__(self) -> None:
        super().__init__("simulator")
        scene_path = declare(self, "scene", "", "YAML of a scene or of episodes; empty: an empty table")
        episode = declare(self, "episode", "", "name of the episode in the scene file; empty: the first")
        world_path = declare(self, "world", "", "SDF of the world; empty: the shipped table")
        seed = declare(self, "seed", 0, "seed of camera noise and shake")
        self._pace = declare(
            self, "real_time_factor", 1.0, "simulated seconds in one of wall time; 0: as fast as it can"
        )
        headless = declare(self, "headless", True, "false: publish the spectator's view too")
        rate_hz = declare(self, "camera_rate_hz", 10.0, "pictures in a simulated second")
        noise = declare(self, "camera_noise", True, "depth noise and holes, colour noise")
        declare(
            self, "publish_camera", True, "false: the camera falls silent (to test faults)", read_only=False
        )
        declare(self, "publish_depth", True, "false: depth falls silent (to test faults)", read_only=False)
        if not 0.1 <= rate_hz <= 1.0 / CHUNK_S:
            raise InvalidConfigError(f"camera_rate_hz is {rate_hz}", f"give 0.1 to {1.0 / CHUNK_S:.0f}")
        self._picture_every = round(1.0 / (rate_hz * CHUNK_S))
        if not 0.0 <= self._pace <= 100.0:
            raise InvalidConfigError(f"real_time_factor is {self._pace}", "give 0 (unpaced) to 100")
        self._refuse_second()
        scene = load_scene(scene_path, episode)[0] if scene_path else Scene()
        self._sim = Simulator(Path(world_path) if world_path else None, scene, seed=seed, camera_noise=noise)
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._advertise(bool(headless))
        self._latched.publish(String(data=json.dumps(scene.to_dict())))
        group = MutuallyExclusiveCallbackGroup()
        self.create_subscription(
            JointTrajectoryMsg, "joint_trajectory", self._take_trajectory, COMMAND, callback_group=group
        )
        self.create_subscription(
            Float64, "gripper_command", self._take_gripper, COMMAND, callback_group=group
        )
        self.create_service(Trigger, "~/reset", self._serve_reset, callback_group=group)
        self._heartbeat = Heartbeat(self, "simulator")
        self._closed = threading.Event()
        self._thread = guarded_thread(self._run, "physics")
        self.get_logger().info(
            f"simulating {len(scene.objects)} objects at {self._pace or 'any'} times real time"
        )

    def close(self) -> None:
        """End the physics thread."""
        self._closed.set()
        self._thread.join(5.0)
        self._heartbeat.close()
        if self._alone is not None:
            self._alone.close()

    def _refuse_second(self) -> None:
        domain = self.context.get_domain_id()
        fix = "stop that simulator, or give this one another ROS_DOMAIN_ID"
        self._alone = machine_lock(f"simulator/{domain}")
        if self._alone is None:
            raise AlreadyRunningError(f"a simulator runs on this machine on ROS domain {domain}", fix)
        # Simulators of other machines and kinds are found by discovery only.
        deadline = time.monotonic() + DISCOVERY_S
        while time.monotonic() < deadline:
            others = self.get_publishers_info_by_topic("/clock")
            # Discovery tells of a publisher before it tells of its node.
            unnamed = any("UNKNOWN" in o.node_name for o in others)
            if others and (not unnamed or deadline - time.monotonic() < DISCOVERY_S / 2):
                names = sorted({f"{o.node_namespace.rstrip('/')}/{o.node_name}" for o in others})
                raise AlreadyRunningError(
                    f"{', '.join(names)} already publishes /clock on ROS domain {domain}", fix
                )
            time.sleep(0.05)

    def _advertise(self, headless: bool) -> None:
        create = self.create_publisher
        self._clock_out = create(Clock, "/clock", STATE)
        self._joints_out = create(JointState, "joint_states", STATE)
        self._tf_out = create(TFMessage, "/tf", DYNAMIC_TF)
        self._tf_static_out = create(TFMessage, "/tf_static", STATIC_TF)
        self._rgb_out = create(Image, "image", SENSOR_OUT)
        self._info_out = create(CameraInfo, "camera_info", SENSOR_OUT)
        self._depth_out = create(Image, "depth", SENSOR_OUT)
        self._depth_info_out = create(CameraInfo, "depth/camera_info", SENSOR_OUT)
        self._spectator_out = None if headless else create(Image, "spectator", SENSOR_OUT)
        # For judges and tests only: no node of the robot may subscribe to these.
        self._latched = create(String, "~/scene", LATCHED)
        self._truth_out = create(String, "~/truth", STATE)
        self._speed_out = create(Float64MultiArray, "~/commanded_speed", STATE)

    def _take_trajectory(self, message: JointTrajectoryMsg) -> None:
        try:
            trajectory = messages.trajectory_from_message(message)
        except ValueError as error:
            self.get_logger().error(f"joint_trajectory refused: {error}")
            return
        if len(trajectory.times_s) == 1 and trajectory.times_s[0] == 0.0 and not trajectory.velocities.any():
            # The arm server's way to say: stand still, now.
            self._commands.put(self._sim.hold)
            return
        self._commands.put(lambda: self._sim.command_trajectory(trajectory))

    def _take_gripper(self, message: Float64) -> None:
        width = message.data
        if not 0.0 <= width <= 0.2:
            self.get_logger().error(f"gripper_command refused: width {width} m is not in 0 to 0.2")
            return
        self._commands.put(lambda: self._sim.command_gripper(width))

    def _serve_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """The scene as at the start, the arm at home; time goes on."""
        self._commands.put(lambda: self._sim.reset_scene(self._sim.scene))
        response.success = True
        return response

    def _run(self) -> None:
        chunk = 0
        started, paced_from = time.monotonic(), self._sim.time_s
        while not self._closed.is_set():
            begin = time.monotonic()
            self._obey()
            self._publish(chunk)
            self._sim.step(CHUNK_S)
            chunk += 1
            if self._pace <= 0.0:
                continue
            due = started + (self._sim.time_s - paced_from) / self._pace
            earliest = begin + CHUNK_S / (self._pace * CATCH_UP)
            wait = max(due, earliest) - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            elif time.monotonic() - due > 0.5:
                # Too slow a machine: give up the lost time rather than race after it.
                started, paced_from = time.monotonic(), self._sim.time_s

    def _obey(self) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            try:
                command()
            except MmrobotError as error:
                self.get_logger().error(f"command refused: {error.message}. {error.fix}")

    def _publish(self, chunk: int) -> None:
        now_ns = round(self._sim.time_s * 1e9)
        self._clock_out.publish(Clock(clock=messages.to_time(now_ns)))
        if self._speed_out.get_subscription_count():
            speed = float(abs(self._sim.commanded_velocity).max())
            self._speed_out.publish(Float64MultiArray(data=[now_ns / 1e9, speed]))
        if chunk % JOINT_STATES_EVERY == 0:
            self._publish_joints(now_ns)
        if chunk % TF_EVERY == 0:
            self._tf_out.publish(TFMessage(transforms=link_transforms(self._sim, now_ns)))
        if chunk % TRUTH_EVERY == 0 and self._truth_out.get_subscription_count():
            self._truth_out.publish(String(data=json.dumps(asdict(self._sim.truth()))))
        if chunk % self._picture_every == 0:
            self._publish_pictures(now_ns, first=chunk == 0)
        spectator = self._spectator_out
        if spectator is not None and chunk % round(SPECTATOR_PERIOD_S / CHUNK_S) == 5:
            self._publish_spectator(spectator, now_ns)

    def _publish_spectator(self, out: Publisher, now_ns: int) -> None:
        if out.get_subscription_count():
            out.publish(camera_messages.rgb_to_message(self._sim.spectator(), now_ns, "spectator"))

    def _publish_joints(self, now_ns: int) -> None:
        state = self._sim.joint_state()
        self._joints_out.publish(
            JointState(
                header=Header(stamp=messages.to_time(now_ns)),
                name=list(state.names),
                position=[float(v) for v in state.positions],
                velocity=[float(v) for v in state.velocities],
                effort=[float(v) for v in state.efforts],
            )
        )

    def _publish_pictures(self, now_ns: int, first: bool) -> None:
        with_camera = self.get_parameter("publish_camera").value
        with_depth = self.get_parameter("publish_depth").value
        if not (first or with_camera or with_depth):
            return
        frame = self._sim.render()
        if first:
            self._tf_static_out.publish(TFMessage(transforms=camera_transforms(frame, now_ns)))
        info = camera_messages.camera_to_message(frame.camera, now_ns)
        frame_id = frame.camera.frame_id
        if with_camera:
            self._info_out.publish(info)
            self._rgb_out.publish(camera_messages.rgb_to_message(frame.rgb, now_ns, frame_id))
        if with_depth and frame.depth_m is not None:
            self._depth_info_out.publish(info)
            self._depth_out.publish(camera_messages.depth_to_message(frame.depth_m, now_ns, frame_id))


def main() -> int:
    """Run the node."""
    return run_node(SimulatorNode, threads=2)


if __name__ == "__main__":
    raise SystemExit(main())
