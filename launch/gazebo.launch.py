"""The same graph in Gazebo Harmonic: its world, the arm, a scene's objects, and ros_gz's bridge.

    ros2 launch mmrobot gazebo.launch.py scene:=my_scene.yaml headless:=false

Needs ros-jazzy-ros-gz. docs/gazebo.md says what runs where, and what of it was tested in which Gazebo.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from mmrobot.ros.gazebo_launching import gazebo_actions, gazebo_arguments
from mmrobot.ros.launching import refusing


def generate_launch_description():
    """Arguments first, then Gazebo, the bridge and the nodes; when Gazebo ends, all end."""
    known = gazebo_arguments()
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in known
    ]
    made = refusing(gazebo_actions, __file__, [name for name, _, _ in known])
    return LaunchDescription([*declared, OpaqueFunction(function=made)])
