"""Feeds a TransformBuffer from /tf and /tf_static."""

from __future__ import annotations

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from mmrobot.ros.qos import DYNAMIC_TF, STATIC_TF
from mmrobot.ros.transforms import TransformBuffer


class TransformListener:
    """Subscribes to both topics; a defective transform is reported once and left out."""

    def __init__(self, node: Node, buffer: TransformBuffer) -> None:
        self._node = node
        self._buffer = buffer
        group = MutuallyExclusiveCallbackGroup()
        node.create_subscription(
            TFMessage, "/tf", lambda m: self._take(m, False), DYNAMIC_TF, callback_group=group
        )
        node.create_subscription(
            TFMessage, "/tf_static", lambda m: self._take(m, True), STATIC_TF, callback_group=group
        )

    def _take(self, message: TFMessage, static: bool) -> None:
        for one in message.transforms:
            stamp = one.header.stamp
            t, q = one.transform.translation, one.transform.rotation
            try:
                self._buffer.add(
                    one.header.frame_id,
                    one.child_frame_id,
                    stamp.sec * 1_000_000_000 + stamp.nanosec,
                    (t.x, t.y, t.z),
                    (q.x, q.y, q.z, q.w),
                    static,
                )
            except ValueError as error:
                self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
