"""The model is changed while the robot works, on the real graph: no goal is lost, bad ones change nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters

from mmrobot.errors import ErrorCode
from mmrobot.ros.qos import STATE
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.registry import SHIPPED
from tests.support.graph import PATIENT, SCENE, Graph, running_graph
from tests.support.openai_server import OpenAiServer, openai_server
from tests.support.seeing_server import seeing

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as running:
        watch(running)
        yield running


def watch(graph: Graph) -> None:
    """Keep what /diagnostics tells of the model."""
    graph.told = {}  # type: ignore[attr-defined]

    def take(message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id == "model":
                values = {pair.key: pair.value for pair in status.values}
                graph.told = {"ok": status.level == DiagnosticStatus.OK, **values}  # type: ignore[attr-defined]

    graph.client.node.create_subscription(DiagnosticArray, "/diagnostics", take, STATE)


def set_model(graph: Graph, name: str) -> SetParameters.Response:
    parameter = Parameter(name="model", value=ParameterValue(type=4, string_value=name))
    return call(graph, SetParameters, "vlm/set_parameters", SetParameters.Request(parameters=[parameter]))


def model_parameter(graph: Graph) -> str:
    answer = call(graph, GetParameters, "vlm/get_parameters", GetParameters.Request(names=["model"]))
    return str(answer.values[0].string_value)


def call(graph: Graph, kind, name: str, request):  # type: ignore[no-untyped-def]
    client = graph.client.node.create_client(kind, name)
    assert client.wait_for_service(20.0)
    future = client.call_async(request)
    graph.wait(future.done, f"answer of {name}")
    return future.result()


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model under another name."""
    folder = tmp_path_factory.mktemp("models") / "another"
    shutil.copytree(SHIPPED["mmrobot-nano"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "release": "another-nano"}))
    return folder


def test_a_goal_under_way_survives_a_change_of_model(graph: Graph, another: Path) -> None:
    first = graph.wait(lambda: graph.told.get("model"), "diagnostics of the model")  # type: ignore[attr-defined]
    follow = graph.start("put the red cube in the blue bowl")
    assert set_model(graph, str(another)).results[0].successful
    graph.wait(lambda: graph.seen("model", "took the place of"), "the change of model", 120.0)
    graph.wait(follow.done.is_set, "the end of the goal", 150.0)
    assert follow.error is None, follow.error
    assert follow.plan is not None and follow.plan.model == first
    assert holds("in(red_cube, blue_bowl)", graph.client.world, Scene.from_dict(SCENE))
    graph.wait(lambda: graph.told.get("model") == "another-nano", "diagnostics of it")  # type: ignore[attr-defined]
    assert graph.told["ok"] and graph.told["rung"] in ("tensorrt", "torch_cuda", "onnx", "torch_cpu")  # type: ignore[attr-defined]
    after = graph.follow("pick up the green ball", plan_only=True)
    assert after.error is None and after.plan is not None and after.plan.model == "another-nano"


def test_a_name_that_nobody_knows_is_refused_at_once(graph: Graph) -> None:
    before = model_parameter(graph)
    result = set_model(graph, "mmrobot-nanu").results[0]
    assert not result.successful
    assert "no model 'mmrobot-nanu'" in result.reason and "did you mean 'mmrobot-nano'?" in result.reason
    assert model_parameter(graph) == before
    assert graph.follow("pick up the green ball", plan_only=True).error is None


def test_damaged_weights_leave_the_old_model_running(graph: Graph, another: Path, tmp_path: Path) -> None:
    before = model_parameter(graph)
    damaged = tmp_path / "damaged"
    shutil.copytree(another, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    graph.statuses.clear()
    assert set_model(graph, str(damaged)).results[0].successful, "the name can be; the weights cannot"
    told = graph.wait(
        lambda: [s for s in graph.statuses if s["state"] == "model" and "error" in s], "the refusal", 120.0
    )[0]
    assert told["error"]["code"] == "MODEL_UNAVAILABLE" and "goes on" in told["message"]
    graph.wait(lambda: model_parameter(graph) == before, "the parameter to be set back")
    graph.wait(lambda: "last fault" in graph.told, "diagnostics of the fault")  # type: ignore[attr-defined]
    assert graph.told["ok"], "the old model serves"  # type: ignore[attr-defined]
    assert graph.follow("pick up the green ball", plan_only=True).error is None


def test_when_the_server_dies_the_next_instruction_goes_to_the_next_rung(tmp_path: Path) -> None:
    with openai_server(seeing) as server:
        config = {
            **PATIENT,
            "model": {**PATIENT["model"], "ladder": ["remote", "torch_cpu"]},
            "remote": {"url": server.url, "timeout_s": 5.0, "retries": 1},
        }
        with running_graph(tmp_path, config=config) as graph:
            watch(graph)
            graph.wait(lambda: graph.told.get("rung") == "remote", "the remote rung")  # type: ignore[attr-defined]
            assert graph.told["model"].startswith("eyes-2b at")  # type: ignore[attr-defined]
            server_dies(server)
            graph.statuses.clear()
            lost = graph.follow("pick up the red cube", plan_only=True)
            assert lost.error is not None and lost.error.code is ErrorCode.MODEL_UNAVAILABLE
            assert server.url in lost.error.message and lost.error.fix
            graph.wait(lambda: graph.seen("model", "serves from torch_cpu"), "the next rung", 180.0)
            assert graph.seen("model", "leaves remote")
            after = graph.follow("pick up the red cube", plan_only=True)
            assert after.error is None, after.error
            graph.wait(lambda: graph.told.get("rung") == "torch_cpu", "diagnostics of it")  # type: ignore[attr-defined]
            assert server.url in graph.told["passed over: remote"]  # type: ignore[attr-defined]


def server_dies(server: OpenAiServer) -> None:
    from tests.support.openai_server import slammed

    server.answers = [slammed]
