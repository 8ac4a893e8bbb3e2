"""Rules as data, and the gate that is the last before the robot."""
