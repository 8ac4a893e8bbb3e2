"""Carries motions out: streams them in short windows, watches that the arm follows, moves the fingers.

Every action is a generator that yields while it is under way, so that nothing here ever blocks. An
action that a hold from outside broke off (see ArmPort.epoch) begins anew from where the arm stands then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.hand import ARM_JOINTS, HAND
from mmrobot.arm.kinematics import ArmKinematics, Joints
from mmrobot.arm.path import JointPath, hand_line, joint_line
from mmrobot.arm.port import ArmPort, ArmState
from mmrobot.arm.trajectory import MotionLimits, TimedMotion, hold_trajectory
from mmrobot.config import Config
from mmrobot.errors import ExecutionFailedError, RobotUnavailableError, UnreachableError, UnsafeError
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import JointTrajectory

Action = Generator[None, None, None]

# A window is renewed this long before its brake begins; polls may come late by the difference.
REFRESH_S = 0.04
BRAKE_SHARE = 0.65
# The arm is that far behind its command: something is in its way.
MAX_LAG_RAD = 0.40
SETTLED_RAD = 0.012
ARRIVED_RAD = 0.05
SETTLE_S = 1.0
# Slower than this, measured, an arm that was held stands still.
REST_RAD_S = 0.05
GRIP_STALL_M_S = 0.004
FINGERS_MOVE_M_S = 0.02
GRIP_STALL_S = 0.08
GRIP_LIMIT_S = 2.0
WIDTH_TOLERANCE_M = 0.003
STATE_MAX_AGE_S = 1.0
CLEAR_SAMPLES = 12
CAREFUL = 0.5


class Mover:
    """Motions and finger movements on an ArmPort, in the kinematics' joint space."""

    def __init__(
        self, kinematics: ArmKinematics, port: ArmPort, config: Config, speed_scale: float = 1.0
    ) -> None:
        if not 0.0 < speed_scale <= 1.0:
            raise ValueError(f"speed_scale must be in (0, 1], got {speed_scale}")
        self.kinematics, self.port, self._config = kinematics, port, config.motion
        self._gate = SafetyGate(config)
        self._travel_m_s = min(config.motion.travel_speed_m_s, config.gate.max_tcp_speed_m_s) * speed_scale
        self._contact_m_s = config.motion.contact_speed_m_s * speed_scale
        self._push_m_s = config.motion.push_speed_m_s * speed_scale
        self._scale = speed_scale
        self.careful = False
        """Whether things may not be quite where they are said to be: near them half the speed."""
        self.watch: Callable[[ArmState], None] | None = None
        """Called with every state while the arm moves; raises to break the motion off."""

    # -- state -----------------------------------------------------------------------------------

    def state(self) -> ArmState:
        """The measured state. Raises RobotUnavailableError when there is none, or none of late."""
        state = self.port.state()
        if state is None:
            raise RobotUnavailableError("no joint states have arrived", "start the robot, or the simulator")
        age = self.port.now_s() - state.stamp_s
        if age > STATE_MAX_AGE_S:
            raise RobotUnavailableError(
                f"the last joint states are {age:.1f} s old", "check the robot's driver"
            )
        return state

    def tcp(self) -> NDArray[np.float64]:
        """T_base_tcp (4, 4) as measured."""
        return self.kinematics.forward(self.state().positions)

    def hold(self) -> None:
        """Brakes to rest at once: one point, reached within 40 ms."""
        state = self.state()
        positions = np.clip(state.positions, self.kinematics.lower, self.kinematics.upper)
        self.port.send_trajectory(hold_trajectory(positions, state.velocities))

    def hold_fingers(self) -> None:
        """Fingers that are under way stay where they are; a grip keeps its force."""
        state = self.state()
        if abs(state.width_speed_m_s) > FINGERS_MOVE_M_S:
            self.port.send_gripper(min(max(state.width_m, 0.0), HAND.max_opening_m))

    # -- motions ---------------------------------------------------------------------------------

    def limits(self, hand_speed_m_s: float | None = None) -> MotionLimits:
        return MotionLimits(
            self._config.joint_speed_rad_s * self._scale, self._config.joint_acceleration_rad_s2,
            hand_speed_m_s or self._travel_m_s,
        )

    def travel(self, joints: Joints) -> Action:
        """Through free space, every joint straight to its goal."""
        yield from self._through_holds(lambda: self._travel(joints))

    def straight(self, pose: NDArray[np.float64], near: bool = False) -> Action:
        """The hand in a straight line; `near` things, at contact speed."""
        speed_m_s = self._contact_m_s * (CAREFUL if self.careful else 1.0)
        yield from self._through_holds(lambda: self._straight(pose, speed_m_s if near else None))

    def push(self, pose: NDArray[np.float64]) -> Action:
        """The hand in a straight line against a thing, slowly."""
        yield from self._through_holds(lambda: self._straight(pose, self._push_m_s))

    def _travel(self, joints: Joints) -> Action:
        path = joint_line(self._from(), joints)
        self._check(path)
        yield from self.follow(path, self.limits(), exact=False)

    def _straight(self, pose: NDArray[np.float64], speed_m_s: float | None) -> Action:
        path = hand_line(self.kinematics, self._from(), pose)
        self._check(path)
        yield from self.follow(path, self.limits(speed_m_s), exact=speed_m_s is not None)

    def _through_holds(self, begin: Callable[[], Action]) -> Action:
        """An action to its end; one that a hold broke off is dropped, and begun anew once the arm rests.

        What it had timed and measured holds no more: another would be a jump to where the arm would be.
        """
        while True:
            epoch = self.port.epoch
            for _ in begin():
                yield
                if self.port.epoch != epoch:
                    break
            else:
                return
            yield from self._rest()

    def _rest(self) -> Action:
        """Until the arm stands still. Raises ExecutionFailedError when it does not."""
        begin = self.port.now_s()
        while (speed := float(np.abs(self.state().velocities).max())) > REST_RAD_S:
            if self.port.now_s() - begin > SETTLE_S:
                raise ExecutionFailedError(
                    f"the arm was held and still moves at {speed:.2f} rad/s",
                    "see what moves it, then try again",
                )
            yield

    def _from(self) -> Joints:
        return np.clip(self.state().positions, self.kinematics.lower, self.kinematics.upper)

    def _check(self, path: JointPath) -> None:
        """Raises UnreachableError when a way leads through the table or the arm itself."""
        # The start may be anywhere after a stop: only what lies ahead counts.
        for s in np.linspace(0.0, 1.0, CLEAR_SAMPLES)[1:]:
            what = self.kinematics.collision(path.at(s), margin_m=0.0)
            if what is not None:
                x, y, z = self.kinematics.forward(path.end)[:3, 3]
                raise UnreachableError(
                    f"the way to ({x:.2f}, {y:.2f}, {z:.2f}) m is blocked: {what}",
                    "move the thing to the middle of the work area",
                )

    def follow(self, path: JointPath, limits: MotionLimits, exact: bool) -> Action:
        """Streams a path, then waits until the arm has arrived (`exact`: and settled).

        Raises ExecutionFailedError, with the arm held, when it falls behind or does not arrive.
        """
        motion = TimedMotion(path, self.kinematics, limits)
        length_s = self._config.window_s
        brake_s = BRAKE_SHARE * length_s
        drive_s = length_s - brake_s
        start_s = sent_s = self.port.now_s()
        window, reached = motion.window(0.0, length_s, brake_s)
        self._send(window)
        while True:
            yield
            now = self.port.now_s()
            elapsed = now - start_s
            state = self.state()
            if self.watch is not None:
                self.watch(state)
            if reached >= 1.0 and elapsed >= motion.duration_s:
                break
            if reached < 1.0 and now - sent_s > drive_s:
                # Too late to drive on: the arm is braking as it was told. Wait for rest, then resume.
                if now - sent_s < length_s:
                    continue
                motion = motion.resumed(reached)
                start_s, elapsed = now, 0.0
            elif now - sent_s < REFRESH_S or reached >= 1.0:
                self._check_lag(motion, elapsed, state)
                continue
            else:
                self._check_lag(motion, elapsed, state)
            window, reached = motion.window(elapsed, length_s, brake_s)
            self._send(window)
            sent_s = now
        yield from self._settle(path.end, exact)

    def _send(self, window: JointTrajectory) -> None:
        """To the arm, if the gate lets it pass; else the arm is held and the gate's refusal raised."""
        tool = np.array([self.kinematics.forward(q)[:3, 3] for q in window.positions])
        try:
            self._gate.check_trajectory(window, tool)
        except UnsafeError:
            self.hold()
            raise
        self.port.send_trajectory(window)

    def _check_lag(self, motion: TimedMotion, elapsed_s: float, state: ArmState) -> None:
        # Compared with where it should have been when it was measured.
        age_s = self.port.now_s() - state.stamp_s
        lag = np.abs(state.positions - motion.at(elapsed_s - age_s)[0])
        if lag.max() > MAX_LAG_RAD:
            self._fail(int(lag.argmax()), float(lag.max()))

    def _settle(self, goal: Joints, exact: bool) -> Action:
        begin = self.port.now_s()
        allowed = SETTLED_RAD if exact else ARRIVED_RAD
        while True:
            lag = np.abs(self.state().positions - goal)
            if lag.max() < allowed:
                return
            if self.port.now_s() - begin > SETTLE_S:
                if lag.max() < ARRIVED_RAD:
                    return
                self._fail(int(lag.argmax()), float(lag.max()))
            yield

    def _fail(self, joint: int, lag_rad: float) -> None:
        self.hold()
        raise ExecutionFailedError(
            f"{ARM_JOINTS[joint]} is {math.degrees(lag_rad):.0f} degrees from where it was sent",
            "see what blocks the arm, then try again",
        )

    # -- fingers ---------------------------------------------------------------------------------

    def open_to(self, width_m: float) -> Action:
        """Until the fingers are that far apart. Raises ExecutionFailedError when something blocks them."""
        yield from self._through_holds(lambda: self._open_to(min(max(width_m, 0.0), HAND.max_opening_m)))

    def close(self) -> Action:
        """Until the fingers stand still: on something, or on each other."""
        yield from self._through_holds(self._close)

    def _open_to(self, width_m: float) -> Action:
        self.port.send_gripper(width_m)
        begin = self.port.now_s()
        while abs(self.state().width_m - width_m) > WIDTH_TOLERANCE_M:
            if self.port.now_s() - begin > GRIP_LIMIT_S:
                width = self.state().width_m
                raise ExecutionFailedError(
                    f"the fingers stand {1000 * width:.0f} mm apart instead of {1000 * width_m:.0f} mm",
                    "see what blocks the hand, then try again",
                )
            yield

    def _close(self) -> Action:
        self.port.send_gripper(0.0)
        begin = still_since = self.port.now_s()
        start_width = last = self.state().width_m
        last_s = begin
        while True:
            yield
            now, width = self.port.now_s(), self.state().width_m
            if now - last_s >= 0.02:
                if abs(width - last) / (now - last_s) > GRIP_STALL_M_S:
                    still_since = now
                last, last_s = width, now
            moved = abs(width - start_width) > 0.001 or now - begin > 0.3
            if (moved and now - still_since > GRIP_STALL_S) or now - begin > GRIP_LIMIT_S:
                return
