"""The same graph for a real robot: its camera and joint topics stand in for the simulator.

    ros2 launch mmrobot robot.launch.py namespace:=arm1

Remap with a namespace, or publish `image`, `camera_info`, `depth`, `depth/camera_info`,
`joint_states`, /tf and /tf_static; `joint_trajectory` and `gripper_command` come out.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from mmrobot.ros.launching import SIMULATION_ONLY, arguments, nodes, refusing


def start(context):
    """The nodes without the simulator."""
    return nodes(context, simulate=False)


def generate_launch_description():
    """Arguments first, then the nodes of mmrobot.ros.graph; time is the wall's unless asked otherwise."""
    known = [a for a in arguments() if a[0] not in SIMULATION_ONLY]
    declared = [
        DeclareLaunchArgument(
            name, default_value="false" if name == "use_sim_time" else value, description=text
        )
        for name, value, text in known
    ]
    made = refusing(start, __file__, [name for name, _, _ in known])
    return LaunchDescription([*declared, OpaqueFunction(function=made)])
