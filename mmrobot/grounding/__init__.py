"""Boxes and depth to objects in metres of the base."""
