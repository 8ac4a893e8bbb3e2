"""A plan for everybody to see: the message, markers for rviz and Foxglove, the picture with both drawn in."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from mmrobot.ros import camera_messages
from mmrobot.ros.markers import plan_markers
from mmrobot.ros.messages import plan_to_message
from mmrobot.ros.overlay import annotate
from mmrobot.ros.qos import LATCHED
from mmrobot.types import ActionPlan, RgbdFrame
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg


class PlanPublisher:
    """On `plan`, `plan/markers` and `image_annotated`; the last ones are kept for who comes later."""

    def __init__(self, node: Node) -> None:
        self._plan_out = node.create_publisher(ActionPlanMsg, "plan", LATCHED)
        self._markers_out = node.create_publisher(MarkerArray, "plan/markers", LATCHED)
        self._picture_out = node.create_publisher(Image, "image_annotated", LATCHED)

    def publish(self, plan: ActionPlan, frame: RgbdFrame | None) -> None:
        """`frame` is the picture that the plan rests on; without it none is drawn."""
        self._plan_out.publish(plan_to_message(plan))
        self._markers_out.publish(plan_markers(plan))
        if frame is not None:
            drawn = annotate(frame.rgb, plan, frame.camera, frame.T_base_camera)
            self._picture_out.publish(
                camera_messages.rgb_to_message(drawn, frame.stamp_ns, frame.camera.frame_id)
            )
