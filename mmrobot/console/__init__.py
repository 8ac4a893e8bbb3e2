"""The browser's console: what the robot sees, plans and says, and a stop always in view. No ROS here."""
