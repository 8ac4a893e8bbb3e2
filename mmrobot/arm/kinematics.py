"""Postures for poses and poses for postures, on the MuJoCo model of the arm's own SDF.

Inverse kinematics by mink: a quadratic program per step keeps the joint limits. Collision checks
are geometric and know the arm itself and the table, not the things on it (grasps look after those).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import mink
import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.hand import ARM_JOINTS, BASE_LINK, TCP_FRAME
from mmrobot.errors import InvalidConfigError, UnreachableError

Joints = NDArray[np.float64]
"""(6,) radians, in the order of ARM_JOINTS."""

POSITION_TOLERANCE_M = 2e-4
ANGLE_TOLERANCE_RAD = 2e-3
SOLVER = "daqp"


class ArmKinematics:
    """Forward and inverse kinematics, limits and self-collision of the arm in a MuJoCo model.

    The model may hold more than the arm; only ARM_JOINTS move here. Poses are (4, 4) T_base_tcp.
    Not safe for concurrent calls: one instance a thread.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model = model
        self._configuration = mink.Configuration(model)
        self._data = self._configuration.data
        ids = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in ARM_JOINTS]
        missing = [name for name, i in zip(ARM_JOINTS, ids, strict=True) if i < 0]
        if missing:
            raise InvalidConfigError(
                f"the arm's model lacks the joints {', '.join(missing)}", f"name them {', '.join(ARM_JOINTS)}"
            )
        self._qpos = np.array([model.jnt_qposadr[i] for i in ids])
        self._dofs = np.array([model.jnt_dofadr[i] for i in ids])
        self.lower = model.jnt_range[ids, 0].copy()
        self.upper = model.jnt_range[ids, 1].copy()
        self._frame_type, self._tcp_id = self._find_tcp()
        self._base_id = self._body_id(BASE_LINK)
        self._task = mink.FrameTask(TCP_FRAME, self._frame_type, position_cost=1.0, orientation_cost=0.3)
        # Fingers and things that share the model must not move for the tcp's sake.
        others = sorted(set(range(model.nv)) - set(self._dofs.tolist()))
        self._freeze = [mink.DofFreezingTask(model, others)] if others else []
        self._limits = [mink.ConfigurationLimit(model, gain=0.95)]
        self._moving, self._pairs = self._collision_geoms(ids)
        anchors = [np.array(self._data.xanchor[i]) for i in ids] + [self._tcp()[:3, 3]]
        self._shoulder = anchors[1]
        self.reach_m = float(sum(np.linalg.norm(b - a) for a, b in itertools.pairwise(anchors[1:])))

    def _body_id(self, name: str) -> int:
        i = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name)
        if i < 0:
            raise InvalidConfigError(f"the arm's model lacks the link '{name}'", "check the arm's SDF")
        return i

    def _find_tcp(self) -> tuple[str, int]:
        for kind, obj in (("site", mujoco.mjtObj.mjOBJ_SITE), ("body", mujoco.mjtObj.mjOBJ_BODY)):
            i = mujoco.mj_name2id(self.model, obj, TCP_FRAME)
            if i >= 0:
                return kind, i
        raise InvalidConfigError(f"the arm's model lacks the frame '{TCP_FRAME}'", "add it to the arm's SDF")

    def _tcp(self) -> NDArray[np.float64]:
        pose = np.eye(4)
        d = self._data
        position, rotation = (
            (d.site_xpos, d.site_xmat) if self._frame_type == "site" else (d.xpos, d.xmat)
        )
        pose[:3, 3] = position[self._tcp_id]
        pose[:3, :3] = rotation[self._tcp_id].reshape(3, 3)
        return pose

    def _base(self) -> NDArray[np.float64]:
        pose = np.eye(4)
        pose[:3, 3] = self._data.xpos[self._base_id]
        pose[:3, :3] = self._data.xmat[self._base_id].reshape(3, 3)
        return pose

    def _set(self, joints: Sequence[float] | Joints) -> None:
        self._data.qpos[self._qpos] = joints
        self._configuration.update()

    def forward(self, joints: Sequence[float] | Joints) -> NDArray[np.float64]:
        """T_base_tcp (4, 4) of a posture."""
        self._data.qpos[self._qpos] = joints
        mujoco.mj_kinematics(self.model, self._data)
        pose: NDArray[np.float64] = np.linalg.inv(self._base()) @ self._tcp()
        return pose

    def within_limits(self, joints: Joints, slack_rad: float = 1e-6) -> bool:
        return bool((joints >= self.lower - slack_rad).all() and (joints <= self.upper + slack_rad).all())

    def solve(self, pose: NDArray[np.float64], seed: Sequence[float] | Joints, restarts: int = 6) -> Joints:
        """A posture within limits whose tcp is at `pose`, the nearest found from `seed`.

        Raises UnreachableError when none of the restarts ends within 0.2 mm and 2 mrad.
        """
        goal = self._base() @ pose
        distance = float(np.linalg.norm(goal[:3, 3] - self._shoulder))
        if not distance <= self.reach_m:
            raise self._unreachable(
                pose, f"{distance:.2f} m from the shoulder, the arm reaches {self.reach_m:.2f} m"
            )
        self._task.set_target(mink.SE3.from_matrix(goal))
        for start in itertools.islice(self._seeds(pose, np.asarray(seed, dtype=np.float64)), restarts + 1):
            joints = self._descend(start)
            if joints is not None:
                return joints
        raise self._unreachable(pose, "no posture within the joint limits")

    def _descend(self, start: Joints, iterations: int = 25) -> Joints | None:
        self._set(np.clip(start, self.lower, self.upper))
        last = math.inf
        for i in range(iterations):
            error = self._task.compute_error(self._configuration)
            position, angle = float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))
            if position < POSITION_TOLERANCE_M and angle < ANGLE_TOLERANCE_RAD:
                joints = np.array(self._data.qpos[self._qpos])
                return joints if self.within_limits(joints) else None
            # A start that still goes nowhere after some steps sits at a limit.
            if i >= 8 and position + 0.3 * angle > 0.98 * last:
                return None
            last = position + 0.3 * angle
            velocity = mink.solve_ik(
                self._configuration, [self._task], 1.0, SOLVER, damping=1e-6, limits=self._limits,
                constraints=self._freeze or None,
            )
            largest = float(np.abs(velocity).max())
            self._configuration.integrate_inplace(velocity * min(1.0, 0.7 / max(largest, 1e-9)), 1.0)
        return None

    def _seeds(self, pose: NDArray[np.float64], seed: Joints) -> Iterator[Joints]:
        """The seed itself, then elbow-up postures turned towards the goal, then random ones."""
        yield seed
        pan = math.atan2(pose[1, 3], pose[0, 3])
        finger = math.atan2(pose[1, 1], pose[0, 1])
        roll = (pan + math.pi / 2 - finger + math.pi) % (2 * math.pi) - math.pi
        for lift, elbow in ((0.95, 1.5), (1.2, 1.0), (0.7, 2.2)):
            yield np.array([pan, lift, elbow, 0.0, math.pi - lift - elbow, roll])
        rng = np.random.default_rng(0)
        while True:
            yield rng.uniform(0.8 * self.lower, 0.8 * self.upper)

    @staticmethod
    def _unreachable(pose: NDArray[np.float64], why: str) -> UnreachableError:
        x, y, z = pose[:3, 3]
        yaw = math.degrees(math.atan2(pose[1, 1], pose[0, 1]))
        return UnreachableError(
            f"the hand cannot reach ({x:.3f}, {y:.3f}, {z:.3f}) m with fingers at {yaw:.0f} degrees: {why}",
            "move the thing nearer to the robot, into the work area",
        )

    def _collision_geoms(self, joint_ids: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """Geoms behind the lift joint, and the pairs of arm geoms whose bodies are no neighbours."""
        m = self.model
        chain = [int(m.jnt_bodyid[i]) for i in joint_ids]
        rank: dict[int, int] = {self._base_id: 0}
        for body in range(1, m.nbody):
            parent = int(m.body_parentid[body])
            if body in chain:
                rank[body] = chain.index(body) + 1
            elif parent in rank and body != self._base_id:
                rank[body] = max(rank[parent], 6)
        solid = [
            g for g in range(m.ngeom)
            if int(m.geom_bodyid[g]) in rank and (m.geom_contype[g] or m.geom_conaffinity[g])
        ]
        order = {g: rank[int(m.geom_bodyid[g])] for g in solid}
        moving = [g for g in solid if order[g] >= 2]
        # Limits keep the forearm off the upper arm and both off the base; the hand may meet them all.
        pairs = [(a, b) for a in solid for b in solid if order[a] <= 2 and order[b] >= 4]
        return moving, pairs

    def collision(
        self, joints: Sequence[float] | Joints, table_z_m: float = 0.0, margin_m: float = 0.002
    ) -> str | None:
        """What a posture runs into, in words: the table or the arm itself; None when it is free."""
        self._data.qpos[self._qpos] = joints
        mujoco.mj_kinematics(self.model, self._data)
        base_z = float(self._data.xpos[self._base_id][2])
        for geom in self._moving:
            height = self._lowest_z(geom) - base_z
            if height < table_z_m + margin_m:
                return f"{self._link(geom)} would be {1000 * (height - table_z_m):.0f} mm over the table"
        for a, b in self._pairs:
            if mujoco.mj_geomDistance(self.model, self._data, a, b, 0.05, None) < margin_m:
                return f"{self._link(b)} would touch {self._link(a)}"
        return None

    def _link(self, geom: int) -> str:
        return str(self.model.body(self.model.geom_bodyid[geom]).name)

    def _lowest_z(self, geom: int) -> float:
        kind, size = int(self.model.geom_type[geom]), self.model.geom_size[geom]
        centre = float(self._data.geom_xpos[geom][2])
        down = np.abs(self._data.geom_xmat[geom].reshape(3, 3)[2])
        geoms = mujoco.mjtGeom
        if kind == geoms.mjGEOM_BOX:
            return centre - float(down @ size)
        if kind == geoms.mjGEOM_CAPSULE:
            return centre - float(down[2] * size[1] + size[0])
        if kind == geoms.mjGEOM_CYLINDER:
            across = math.sqrt(max(0.0, 1 - down[2] ** 2))
            return centre - float(down[2] * size[1] + across * size[0])
        return centre - float(self.model.geom_rbound[geom])
