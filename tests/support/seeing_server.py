"""A server's model that truly sees one thing: whatever is red. It answers as the family `gemini` writes."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler

import cv2
import numpy as np

from tests.support.openai_server import Exchange, answering, saying

MODEL = "eyes-2b"


def seeing(handler: BaseHTTPRequestHandler, exchange: Exchange) -> None:
    """Lists one model; answers each picture with the box of what is red in it."""
    if exchange.body is None:
        answering(200, json.dumps({"data": [{"id": MODEL}]}).encode())(handler, exchange)
        return
    url = exchange.body["messages"][0]["content"][0]["image_url"]["url"]
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    blue, green, red = (cv2.imdecode(data, cv2.IMREAD_COLOR).astype(int)[..., c] for c in range(3))
    rows, columns = np.nonzero(red - np.maximum(blue, green) > 80)
    height, width = red.shape
    box = [
        round(1000 * v / s)
        for v, s in (
            (rows.min(), height), (columns.min(), width), (rows.max() + 1, height), (columns.max() + 1, width)
        )
    ]  # fmt: skip
    saying(json.dumps([{"box_2d": box, "label": "red thing"}]))(handler, exchange)
