"""Episodes, metrics and reports: how well the robot understands, judged by physics."""

# Chooses MuJoCo's graphics before anything here imports MuJoCo itself.
import mmrobot.simulator  # noqa: F401
