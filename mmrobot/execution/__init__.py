"""The plan carried out: the non-blocking runner, the monitor, and the Robot protocol."""
