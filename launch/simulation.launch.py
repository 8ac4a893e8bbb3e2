"""The whole graph with the embedded simulator.

ros2 launch mmrobot simulation.launch.py scene:=my_scene.yaml real_time_factor:=2.0
"""

from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown

from launch import LaunchDescription
from mmrobot.ros.launching import arguments, nodes


def start(context):
    """The nodes, and: when the simulator ends, all end."""
    actions = nodes(context, simulate=True)
    ended = EmitEvent(event=Shutdown(reason="the simulator ended"))
    return [*actions, RegisterEventHandler(OnProcessExit(target_action=actions[0], on_exit=[ended]))]


def generate_launch_description():
    """Arguments first, then the nodes of mmrobot.ros.graph."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])
