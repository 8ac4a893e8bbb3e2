"""The whole graph with the embedded simulator.

    ros2 launch mmrobot simulation.launch.py scene:=my_scene.yaml real_time_factor:=2.0

What dies or hangs is started again; when the simulator ends, all end.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from mmrobot.ros.launching import arguments, nodes, refusing


def start(context):
    """The simulator and the nodes of a real robot."""
    return nodes(context, simulate=True)


def generate_launch_description():
    """Arguments first, then the nodes of mmrobot.ros.graph."""
    known = arguments()
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in known
    ]
    made = refusing(start, __file__, [name for name, _, _ in known])
    return LaunchDescription([*declared, OpaqueFunction(function=made)])
