"""`explain`: the audit record of a plan, drawn, with a heat map of where the model looks for a step's
thing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from mmrobot.audit.drawing import draw_record, png_of
from mmrobot.audit.store import AuditStore
from mmrobot.config import AuditConfig
from mmrobot.errors import InvalidConfigError, NotUnderstoodError, OperationUnsupportedError
from mmrobot.pipeline import Pipeline
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.plan_services import serving
from mmrobot.vlm.saliency import heat_map, saliency_rows
from mmrobot_msgs.srv import Explain

WRITTEN_WITHIN_S = 2.0
ROW_TIMEOUT_S = 15.0
_AGAIN_S = 0.05


class ExplainService:
    """Reads from the folder of records on a thread of its own; the model is asked row by row, so that the
    looks of a plan under way come between."""

    def __init__(
        self, node: Node, inference: InferenceThread, pipeline: Callable[[], Pipeline], config: AuditConfig
    ) -> None:
        self._inference, self._pipeline, self._config = inference, pipeline, config
        group = MutuallyExclusiveCallbackGroup()
        node.create_service(Explain, "explain", serving(node, "explain", self._explain), callback_group=group)

    def _explain(self, request: Explain.Request, response: Explain.Response) -> None:
        if not self._config.enabled:
            raise OperationUnsupportedError(
                "no records are kept: audit.enabled is false",
                "set audit.enabled to true in the configuration",
            )
        record, picture = self._load(request.plan_id)
        heat = None
        if request.step >= 0:
            step = next((s for s in record["steps"] if s["index"] == request.step), None)
            thing = step and (step["target"] or step["reference"])
            if step is None or thing is None:
                raise NotUnderstoodError(
                    f"plan {record['plan_id'][:12]} has no step {request.step} about a thing",
                    f"it has {len(record['steps'])} steps, counted from 0",
                )
            if step["skill"] == "place" and step["reference"]:
                # What is placed is in the hand; what was looked for is where it goes.
                thing = step["reference"]
            if picture is not None:
                heat = self._heat(np.asarray(Image.open(picture).convert("RGB")), thing)
        response.record = json.dumps(record)
        if picture is not None:
            response.picture_png = png_of(draw_record(record, picture, heat, request.step))

    def _load(self, plan_id: str) -> tuple[dict[str, Any], Any]:
        """The record, which may still be on its way to the disk."""
        store, until_s = AuditStore(self._config), time.monotonic() + WRITTEN_WITHIN_S
        while True:
            try:
                return store.load(plan_id)
            except InvalidConfigError as error:
                if time.monotonic() > until_s:
                    raise NotUnderstoodError(error.message, error.fix) from error
            time.sleep(_AGAIN_S)

    def _heat(self, picture: NDArray[np.uint8], thing: dict[str, Any]) -> NDArray[np.float64]:
        box = tuple(thing["box_xyxy"])
        vlm = self._pipeline().vlm
        rows = saliency_rows(vlm, picture, thing["phrase"], box)
        done: list[NDArray[np.float64]] = []
        while True:
            row = self._inference.submit("explain", lambda: next(rows, None)).result(ROW_TIMEOUT_S)
            if row is None:
                return heat_map(done, *picture.shape[:2])
            done.append(row)
