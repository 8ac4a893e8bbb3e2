"""What the code knows of the shipped arm beyond its SDF: names, the observe posture, the hand's measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ARM_JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
GRIPPER_JOINTS = ("gripper_left_joint", "gripper_right_joint")
TCP_FRAME = "tcp"
BASE_LINK = "base_link"

OBSERVE_POSTURE = (math.radians(-105), math.radians(38), math.radians(84), 0.0, math.radians(58), 0.0)
"""Tucked at the robot's right, the hand straight down 0.24 m over the table; hides none of the work area."""


@dataclass(frozen=True)
class HandModel:
    """The parallel gripper, metres; fingers move along y of the tcp, z points out of the hand.

    `finger_width_m` is along x of the tcp, `finger_thickness_m` along y. `tip_m` is how far the
    finger ends reach past the tcp, `palm_m` how far behind the tcp the palm begins.
    """

    max_opening_m: float = 0.090
    finger_width_m: float = 0.018
    finger_thickness_m: float = 0.010
    tip_m: float = 0.008
    palm_m: float = 0.070
    palm_length_m: float = 0.130
    palm_width_m: float = 0.044


HAND = HandModel()


def top_down(x_m: float, y_m: float, z_m: float, finger_yaw_rad: float) -> NDArray[np.float64]:
    """T_base_tcp (4, 4) of a hand that points straight down and closes along `finger_yaw_rad`."""
    c, s = math.cos(finger_yaw_rad), math.sin(finger_yaw_rad)
    pose = np.eye(4)
    pose[:3, 1] = (c, s, 0.0)
    pose[:3, 2] = (0.0, 0.0, -1.0)
    pose[:3, 0] = np.cross(pose[:3, 1], pose[:3, 2])
    pose[:3, 3] = (x_m, y_m, z_m)
    return pose
