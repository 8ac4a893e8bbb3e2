"""The shipped arm as a Robot: pick, place, push, home and say, over any ArmPort.

Each skill is a generator of small actions; `poll` drives it on. Every skill ends in the observe posture,
out of the camera's view of the work area, also after a failure that leaves the arm able to move.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Sequence

import mujoco
import numpy as np

from mmrobot.arm.grasp import Grasp, plan_grasps
from mmrobot.arm.hand import HAND, OBSERVE_POSTURE, top_down
from mmrobot.arm.kinematics import ArmKinematics, Joints
from mmrobot.arm.mover import Action, Mover
from mmrobot.arm.placing import Held, Placement, plan_placements
from mmrobot.arm.port import ArmPort, ArmState
from mmrobot.arm.pushing import plan_push, with_postures
from mmrobot.config import Config
from mmrobot.errors import (
    ErrorCode,
    ExecutionFailedError,
    GraspFailedError,
    MmrobotError,
    RobotUnavailableError,
    SkillUnknownError,
    UnreachableError,
)
from mmrobot.execution.robot import SkillStatus
from mmrobot.planning.vessel import encloses
from mmrobot.types import GroundedObject, PlanStep

log = logging.getLogger(__name__)

Skill = Generator[None, None, None]

# Fingers nearer to each other than this hold nothing.
EMPTY_WIDTH_M = 0.004
# Fingers further apart than when they gripped, by this much, have let go.
OPENED_M = 0.006
# Narrower than this part of what was seen, or held with less force, the hand holds something else or nothing.
AGREES_RATIO = 0.4
MIN_GRIP_N = 2.0
GRASPS_TRIED = 3
SECOND_GRASP_LOWER_M = 0.004
OTHER_TURN_SINE = 0.4
# Above the tallest thing around, on the way.
OVERFLIGHT_M = 0.03
NEAR_M = 0.025
RETREAT_M = 0.06
BACK_OFF_M = 0.02
UNSURE_M = 0.008
"""A standard deviation along x or y from which on a position is one to be careful with."""
PHASES = {"pick": 8, "place": 7, "push": 7, "home": 2, "say": 1}


class ArmSkills:
    """Implements execution.robot.Robot. Not safe for concurrent calls: one thread, or one lock.

    `model` is a MuJoCo model that holds the arm (`simulator.compile_models` of its SDF).
    """

    def __init__(
        self, model: mujoco.MjModel, port: ArmPort, config: Config | None = None, speed_scale: float = 1.0
    ) -> None:
        config = config or Config()
        self._motion = config.motion
        self._drop_m = config.planning.drop_height_m
        self._table_z_m = config.work_area.table_z_m
        self.kinematics = ArmKinematics(model)
        self.mover = Mover(self.kinematics, port, config, speed_scale)
        self._skill: Skill | None = None
        self._status = SkillStatus(done=True)
        self._name, self._phase, self._phases_done = "", "", 0
        self._held: Held | None = None
        self._skills: dict[str, Callable[[PlanStep], Skill]] = {
            "pick": self._pick, "place": self._place, "push": self._push, "home": self._home,
            "say": self._say,
        }

    @property
    def held(self) -> Held | None:
        """What the hand holds, as far as the skills know."""
        return self._held

    # -- the Robot protocol ----------------------------------------------------------------------

    def start(self, step: PlanStep) -> None:
        """Begin a skill; one that is under way is stopped first. Errors show in the next poll."""
        if self._skill is not None:
            self.stop()
        self._name, self._phase, self._phases_done = step.skill, "start", 0
        self._status = SkillStatus(done=False, phase="start")
        self.mover.careful = _is_unsure(step)
        self._skill = self._run(step)

    def poll(self) -> SkillStatus:
        """Drives the skill on and says how it stands. Call it every 20 to 40 ms."""
        if self._skill is None:
            return self._status
        try:
            next(self._skill)
        except StopIteration:
            self._end(ErrorCode.NONE, "")
        except MmrobotError as error:
            self._end(error.code, f"{error.message}; {error.fix}" if error.fix else error.message)
        else:
            progress = min(0.99, self._phases_done / (PHASES.get(self._name, 1) + 1))
            self._status = SkillStatus(done=False, phase=self._phase, progress=progress)
        return self._status

    def stop(self) -> None:
        """Hold still at once and drop the skill; a grip is kept."""
        if self._skill is not None:
            self._skill.close()
            self._end(ErrorCode.STOPPED, "stopped")
        try:
            self.mover.hold()
            self.mover.hold_fingers()
        except RobotUnavailableError as error:
            # Nothing is known of the arm, so nothing of ours can be moving it: windows end by themselves.
            log.warning("stop without joint states: %s", error.message)

    def _end(self, code: ErrorCode, message: str) -> None:
        self._skill = None
        self.mover.watch = None
        progress = 1.0 if code is ErrorCode.NONE else self._status.progress
        self._status = SkillStatus(True, code, message, self._phase, progress)

    # -- skills ----------------------------------------------------------------------------------

    def _run(self, step: PlanStep) -> Skill:
        skill = self._skills.get(step.skill)
        if skill is None:
            raise SkillUnknownError(
                f"the arm has no skill '{step.skill}'", f"use one of: {', '.join(self._skills)}"
            )
        yield from skill(step)

    def _say(self, step: PlanStep) -> Skill:
        """Speech is the executor's; for the arm it is done at once."""
        self._enter("say")
        yield from ()

    def _home(self, step: PlanStep) -> Skill:
        yield from self._rise(step.obstacles)
        yield from self._observe(step.obstacles)

    def _pick(self, step: PlanStep) -> Skill:
        target = _required(step, step.target, "target")
        holding = self._holding()
        if holding is not None:
            raise ExecutionFailedError(
                f"the hand already holds {holding}, so it cannot pick '{target.label}'",
                "place what it holds first",
            )
        obstacles = _others(step.obstacles, target)
        grasps = _attempts(plan_grasps(target, obstacles))
        yield from self._rise([*obstacles, target])
        tried = 0
        unreachable: UnreachableError | None = None
        for grasp in grasps:
            if tried == GRASPS_TRIED:
                break
            try:
                yield from self._grasp(target, grasp, obstacles)
            except UnreachableError as error:
                unreachable = error
                continue
            tried += 1
            if self._held is not None:
                break
        if self._held is None:
            yield from self._observe([*obstacles, target])
            if tried == 0 and unreachable is not None:
                raise unreachable
            raise GraspFailedError(
                f"the hand closed on '{target.label}' {tried} times and held nothing",
                "look again where it is, then try again",
            )
        yield from self._carried(self._observe(obstacles), obstacles)

    def _grasp(self, target: GroundedObject, grasp: Grasp, obstacles: Sequence[GroundedObject]) -> Action:
        """One attempt; sets `_held` when it succeeds, else leaves the hand open above the thing."""
        x, y, z = grasp.tcp_m
        above_z = max(z + self._motion.approach_height_m, self._safe_z([*obstacles, target], HAND.tip_m))
        grip = self._posture(x, y, z, grasp.finger_yaw_rad)
        yaw = self._finger_yaw(grip)
        above = self._posture(x, y, above_z, yaw, grip)
        self._enter("approach")
        self.mover.port.send_gripper(grasp.opening_m)
        yield from self.mover.travel(above)
        self._enter("open")
        yield from self.mover.open_to(grasp.opening_m)
        self._enter("descend")
        if above_z - z > NEAR_M:
            yield from self.mover.straight(top_down(x, y, z + NEAR_M, yaw))
        yield from self.mover.straight(top_down(x, y, z, yaw), near=True)
        self._enter("close")
        before = self.mover.state().width_m
        yield from self.mover.close()
        if self._gripped(before, grasp.width_m):
            # A stop on the way up leaves it in the hand.
            self._held = self._grip(target, grasp, yaw)
        self._enter("lift")
        yield from self.mover.straight(top_down(x, y, z + NEAR_M, yaw), near=True)
        held = self._gripped(before, grasp.width_m)
        lift_z = max(above_z, self._safe_z(obstacles, grasp.height_m)) if held else above_z
        yield from self.mover.straight(top_down(x, y, lift_z, yaw))
        if held and self._gripped(before, grasp.width_m):
            self._held = self._grip(target, grasp, yaw)
            return
        self._held = None
        self._enter("release")
        yield from self.mover.open_to(min(grasp.opening_m, HAND.max_opening_m))

    def _grip(self, target: GroundedObject, grasp: Grasp, yaw_rad: float) -> Held:
        """What is between the fingers now."""
        width_m = self.mover.state().width_m
        turn_rad = target.yaw_rad - yaw_rad
        return Held(target.label, grasp.height_m, width_m, target.size_m, turn_rad, yaw_rad)

    def _place(self, step: PlanStep) -> Skill:
        goal = step.goal_position_m
        if goal is None:
            raise ExecutionFailedError(
                "place without a goal position", "ground the place before sending the step"
            )
        held = self._held
        if held is None or self._holding() is None:
            thing = held or step.target
            name = thing.label if thing is not None else "anything"
            raise GraspFailedError(f"the hand does not hold '{name}' to place it", "pick it first")
        obstacles = _others(step.obstacles, step.target, near_goal=goal)
        around = [*obstacles, *([step.reference] if step.reference is not None else [])]
        options = plan_placements(held, goal, step.relation, step.reference, obstacles, self._drop_m)
        placement, release = self._reachable(options)
        yield from self._carried(self._rise(around), around)
        x, y, z = placement.tcp_m
        yaw = self._finger_yaw(release)
        above_z = max(z + self._motion.approach_height_m, self._safe_z(around, held.height_m))
        above = self._posture(x, y, above_z, yaw, release)
        self._enter("carry")
        yield from self._carried(self.mover.travel(above), around)
        self._enter("lower")
        if above_z - z > NEAR_M:
            yield from self._carried(self.mover.straight(top_down(x, y, z + NEAR_M, yaw)), around)
        yield from self._carried(self.mover.straight(top_down(x, y, z, yaw), near=True), around)
        self._enter("release")
        # From the first command to open: a stop from now on leaves the thing where it is put.
        self._held = None
        yield from self.mover.open_to(placement.opening_m)
        self._enter("retreat")
        yield from self.mover.straight(top_down(x, y, z + NEAR_M, yaw), near=True)
        yield from self.mover.straight(top_down(x, y, max(above_z, z + RETREAT_M), yaw))
        yield from self._observe(around)

    def _push(self, step: PlanStep) -> Skill:
        target, goal = _required(step, step.target, "target"), step.goal_position_m
        holding = self._holding()
        if goal is None or holding is not None:
            raise ExecutionFailedError(
                f"the hand holds {holding}, so it cannot push" if holding else "push without a goal position",
                "place what it holds first" if holding else "ground the step before sending it",
            )
        obstacles = _others(step.obstacles, target)
        if step.reference is not None:
            obstacles.append(step.reference)
        around = [*obstacles, target]
        ways = plan_push(target, goal, obstacles, self._table_z_m)
        up_m = max(self._motion.approach_height_m, self._safe_z(around, HAND.tip_m) - ways[0].behind_m[2])
        push, above = with_postures(ways, self.kinematics, up_m)
        yield from self._rise(around)
        self._enter("approach")
        self.mover.port.send_gripper(push.opening_m)
        yield from self.mover.travel(above)
        yield from self.mover.open_to(push.opening_m)
        self._enter("descend")
        yield from self.mover.straight(push.pose(push.at(0.0, NEAR_M)))
        yield from self.mover.straight(push.pose(push.behind_m), near=True)
        self._enter("push")
        yield from self.mover.push(push.pose(push.end_m))
        self._enter("retreat")
        # Back the way it came: nothing is taken along, and the wrist is known to have a way.
        back = 1.0 - BACK_OFF_M / math.dist(push.behind_m, push.end_m)
        yield from self.mover.straight(push.pose(push.at(back)), near=True)
        yield from self.mover.straight(push.pose(push.behind_m))
        yield from self.mover.straight(push.pose(push.at(0.0, up_m)))
        yield from self._observe(around)

    # -- parts -----------------------------------------------------------------------------------

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._phases_done += 1

    def _finger_yaw(self, joints: Joints) -> float:
        y_axis = self.kinematics.forward(joints)[:3, 1]
        return math.atan2(y_axis[1], y_axis[0])

    def _posture(self, x: float, y: float, z: float, yaw: float, seed: Joints | None = None) -> Joints:
        """A posture with the hand straight down, turned the way (of two) that strains the wrist less."""
        pan = math.atan2(y, x)
        # Wrist roll of a top-down hand is pan + 90 degrees - closing direction; the hand is symmetric.
        roll = (pan + math.pi / 2 - yaw + math.pi / 2) % math.pi - math.pi / 2
        start = np.array(OBSERVE_POSTURE) if seed is None else seed
        if seed is None:
            start[0], start[5] = pan, roll
            yaw = pan + math.pi / 2 - roll
        joints = self.kinematics.solve(top_down(x, y, z, yaw), start)
        blocked = self.kinematics.collision(joints, self._table_z_m)
        if blocked is not None:
            raise UnreachableError(
                f"the hand cannot go to ({x:.3f}, {y:.3f}, {z:.3f}) m: {blocked}",
                "move the thing to the middle of the work area",
            )
        return joints

    def _reachable(self, options: Sequence[Placement]) -> tuple[Placement, Joints]:
        """The first placement with a posture; the last one's UnreachableError when there is none."""
        failure: UnreachableError | None = None
        for placement in options:
            try:
                return placement, self._posture(*placement.tcp_m, placement.finger_yaw_rad)
            except UnreachableError as error:
                failure = error
        raise failure or UnreachableError("no way to put the thing down", "name another place")

    def _safe_z(self, things: Sequence[GroundedObject], hang_m: float) -> float:
        """The lowest tcp height at which what hangs below it passes over all things."""
        tops = [self._table_z_m, *(thing.top_z_m for thing in things)]
        return max(tops) + hang_m + OVERFLIGHT_M

    def _hang(self) -> float:
        return HAND.tip_m if self._held is None else max(self._held.height_m, HAND.tip_m)

    def _rise(self, things: Sequence[GroundedObject]) -> Action:
        """From wherever the arm was left: straight up, until it may travel sideways."""
        pose = self.mover.tcp()
        safe = max(self._safe_z(things, self._hang()), self._table_z_m + self._motion.approach_height_m)
        if pose[2, 3] >= safe - 0.005:
            return
        self._enter("rise")
        pose[2, 3] = safe
        try:
            yield from self.mover.straight(pose)
        except UnreachableError:
            # Near the edge of reach the hand comes up by way of the observe posture.
            yield from self.mover.travel(np.array(OBSERVE_POSTURE))

    def _observe(self, things: Sequence[GroundedObject]) -> Action:
        """To the observe posture, rising first where things stand higher than the hand."""
        yield from self._rise(things)
        self._enter("observe")
        yield from self.mover.travel(np.array(OBSERVE_POSTURE))

    # -- what the hand feels ---------------------------------------------------------------------

    def _gripped(self, opening_before_m: float, expected_m: float) -> bool:
        """By the fingers alone: something about as wide as what was seen keeps them apart, with force."""
        state = self.mover.state()
        least = max(EMPTY_WIDTH_M, AGREES_RATIO * expected_m)
        return least < state.width_m < opening_before_m - 0.001 and not _slack(state)

    def _holding(self) -> str | None:
        """What the hand holds, in words, or None; forgets what has been taken out of it."""
        if self._held is None:
            return None
        state = self.mover.state()
        least = max(EMPTY_WIDTH_M, AGREES_RATIO * self._held.width_m)
        if not least < state.width_m < self._held.width_m + OPENED_M or _slack(state):
            self._held = None
            return None
        return f"'{self._held.label}'"

    def _carried(self, action: Action, things: Sequence[GroundedObject]) -> Action:
        """Carries an action out while watching the grip; after a loss the arm ends in the observe posture."""
        held = self._held

        def watch(state: ArmState) -> None:
            # A cube taken across its corners turns in the hand and the fingers follow: only empty is lost.
            if held is not None and state.width_m < EMPTY_WIDTH_M:
                raise GraspFailedError(
                    f"'{held.label}' slipped out of the hand", "look where it fell, then pick it again"
                )

        self.mover.watch = watch
        try:
            yield from action
        except GraspFailedError:
            self.mover.watch = None
            self._held = None
            self.mover.hold()
            yield from self._observe(things)
            raise
        finally:
            self.mover.watch = None


def _is_unsure(step: PlanStep) -> bool:
    """Whether what the hand goes to was located roughly: without depth, or where much of it is hidden."""
    things = (step.target if step.skill != "place" else None, step.reference)
    return any(t is not None and math.sqrt(t.covariance[:2, :2].max()) > UNSURE_M for t in things)


def _required(step: PlanStep, thing: GroundedObject | None, name: str) -> GroundedObject:
    if thing is None:
        raise ExecutionFailedError(f"{step.skill} without a {name}", "ground the step before sending it")
    return thing


def _slack(state: ArmState) -> bool:
    """Whether the fingers press on nothing. An effort that is not reported is NaN, or 0 to the last digit."""
    return 0.0 < state.grip_n < MIN_GRIP_N


def _attempts(grasps: Sequence[Grasp]) -> list[Grasp]:
    """The order in which grasps are tried: the best; another turn of the hand, for a thing seen askew; the
    best again but deeper, for a thing seen too high, which slips out upwards; then whatever is left."""
    best, *others = grasps
    turned = [g for g in others if abs(math.sin(g.finger_yaw_rad - best.finger_yaw_rad)) > OTHER_TURN_SINE]
    return [best, *turned[:1], _deeper(best), *[g for g in others if g not in turned[:1]]][: GRASPS_TRIED + 2]


def _deeper(grasp: Grasp) -> Grasp:
    x, y, z = grasp.tcp_m
    height = max(grasp.height_m - SECOND_GRASP_LOWER_M, HAND.tip_m + 0.003)
    return Grasp((x, y, z - grasp.height_m + height), grasp.finger_yaw_rad,
                 min(grasp.opening_m + 0.008, HAND.max_opening_m), grasp.width_m, height, grasp.clearance_m)


def _others(
    obstacles: Sequence[GroundedObject], target: GroundedObject | None,
    near_goal: tuple[float, float, float] | None = None,
) -> list[GroundedObject]:
    """The obstacles without the target itself, which a look may have listed among them."""
    if target is None or near_goal is not None:
        return list(obstacles)
    return [o for o in obstacles if not _same(o, target)]


def _same(a: GroundedObject, b: GroundedObject) -> bool:
    near = math.dist(a.position_m, b.position_m) < 0.012
    return near and not encloses(a, b.position_m[0], b.position_m[1])
