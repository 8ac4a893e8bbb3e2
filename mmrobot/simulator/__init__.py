"""The embedded simulator: SDF worlds in MuJoCo, the arm's controllers, an RGB-D camera that errs."""

import os

# Before MuJoCo is imported anywhere: it chooses its graphics by this, once.
os.environ.setdefault("MUJOCO_GL", "egl")
