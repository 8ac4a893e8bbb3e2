"""The only room that imports rclpy: messages and types, transforms, one thin node a file."""
