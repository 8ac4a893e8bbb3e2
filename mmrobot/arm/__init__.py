"""The shipped arm: its kinematics, grasps, timed motions, and the skills made of them."""

import mmrobot.simulator  # noqa: F401 - chooses how MuJoCo renders, before anything here imports it
