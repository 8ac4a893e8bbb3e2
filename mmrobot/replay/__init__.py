"""Recorded runs again, without ROS: the same pictures and words, and whether they give the same plans."""
