"""Pixels in: pictures and camera descriptions decoded and checked, then paired by time. No ROS here."""
