"""The table world as a file for Gazebo: Harmonic for robot developers, 11 for the tests."""
