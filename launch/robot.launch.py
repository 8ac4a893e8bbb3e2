"""The same graph for a real robot: its camera and joint topics stand in for the simulator.

    ros2 launch mmrobot robot.launch.py namespace:=arm1

Remap with a namespace, or publish `image`, `camera_info`, `depth`, `depth/camera_info`,
`joint_states`, /tf and /tf_static; `joint_trajectory` and `gripper_command` come out.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from mmrobot.ros.launching import arguments, nodes

SIMULATION_ONLY = ("scene", "episode", "seed", "headless", "real_time_factor", "camera_rate_hz")


def start(context):
    """The nodes without the simulator."""
    return nodes(context, simulate=False)


def generate_launch_description():
    """Arguments first, then the nodes of mmrobot.ros.graph; time is the wall's unless asked otherwise."""
    declared = [
        DeclareLaunchArgument(
            name, default_value="false" if name == "use_sim_time" else value, description=text
        )
        for name, value, text in arguments()
        if name not in SIMULATION_ONLY
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])
