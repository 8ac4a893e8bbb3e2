"""What the doctor sees of the true graph: healthy, a camera that went silent, a second node of one name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters

from mmrobot.doctor.running import examine_graph
from tests.support.graph import Graph, running_graph

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def survey(graph: Graph) -> dict[str, Any]:
    variables = {**os.environ, "ROS_DOMAIN_ID": str(graph.domain), "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-m", "mmrobot.ros.graph_survey"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(json.loads(said.stdout.strip().splitlines()[-1]))


def test_the_running_graph_is_examined(tmp_path: Path) -> None:
    with running_graph(tmp_path) as graph:
        # A machine that runs other tests beside delivers less than a camera sends: it gets more looks.
        for _ in range(5):
            found = examine_graph(lambda: survey(graph))
            if all(c.ok for c in found):
                break
        assert [(c.name, c.detail) for c in found if not c.ok] == []
        assert "mmrobot runs in /" in found[0].detail and "/image" in found[1].detail
        assert "base_link <- camera_optical_frame" in found[3].detail
        client = graph.client.node.create_client(SetParameters, "simulator/set_parameters")
        assert client.wait_for_service(20.0)
        off = Parameter(name="publish_camera", value=ParameterValue(type=1, bool_value=False))
        client.call_async(SetParameters.Request(parameters=[off]))
        graph.wait(lambda: graph.client.health and graph.client.health["camera"], "the camera's silence")
        silent = {c.name: c for c in examine_graph(lambda: survey(graph))}
        assert not silent["camera topics"].ok and "/image" in silent["camera topics"].detail
        assert silent["running nodes"].ok
        # A second executor on the same domain: one arm, two masters.
        nodes = [spec for spec in graph.nodes._nodes if spec.name == "executor"]
        command = [sys.executable, "-m", nodes[0].module, *nodes[0].arguments()]
        variables = {**os.environ, "ROS_DOMAIN_ID": str(graph.domain), "PYTHONPATH": str(ROOT)}
        second = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
        try:
            graph.wait(lambda: survey(graph)["doubles"] == ["/executor"], "the double", 90.0)
        finally:
            second.terminate()
            second.wait(15)
