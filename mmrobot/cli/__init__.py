"""The command `mmrobot`: what people and scripts call."""

from mmrobot.cli.app import app, main

__all__ = ["app", "main"]
