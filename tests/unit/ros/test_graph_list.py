"""The one list of nodes: the same for `mmrobot up` and for launch, its values kept through a command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mmrobot.errors import InvalidConfigError
from mmrobot.ros.graph import GraphOptions, graph_nodes, option_fields, parameter_text
from mmrobot.ros.launching import arguments, options_from_text


def test_nodes_in_order_with_and_without_simulator() -> None:
    names = [n.name for n in graph_nodes(GraphOptions())]
    assert names == ["simulator", "arm_server", "executor", "vlm", "manager"]
    names = [n.name for n in graph_nodes(GraphOptions(record="x"), simulate=False)]
    assert names == ["arm_server", "executor", "vlm", "manager", "recorder"]


@pytest.mark.parametrize(("bringup", "autostart"), [("manager", False), ("self", True), ("other", False)])
def test_who_brings_the_nodes_up_is_chosen(bringup: str, autostart: bool) -> None:
    nodes = {n.name: n for n in graph_nodes(GraphOptions(bringup=bringup))}
    assert ("manager" in nodes) == (bringup == "manager")
    assert [nodes[n].parameters["autostart"] for n in ("executor", "vlm")] == [autostart] * 2


def test_an_unknown_bring_up_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="bringup is 'nav3'"):
        graph_nodes(GraphOptions(bringup="nav3"))


def test_voice_is_a_node_of_its_own_where_it_is_asked_for() -> None:
    spec = graph_nodes(GraphOptions(voice=True, namespace="left", use_sim_time=False), simulate=False)[-1]
    assert (spec.name, spec.module, spec.namespace) == ("voice", "mmrobot.ros.voice_node", "left")
    assert spec.parameters == {"config": "", "use_sim_time": False}
    assert options_from_text({"voice": "true"}).voice


def test_a_black_box_is_a_recorder_without_a_folder(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("recording: {black_box: true}")
    recorder = graph_nodes(GraphOptions(config=str(config)), simulate=False)[-1]
    assert recorder.name == "recorder"
    assert recorder.parameters["directory"] == "" and recorder.parameters["config"] == str(config)


def test_every_option_is_described_and_a_launch_argument() -> None:
    assert [name for name, _, _ in arguments()] == [name for name, _, _ in option_fields()]
    assert all(len(text) > 10 for _, _, text in arguments())


def test_defaults_survive_launch_text() -> None:
    assert options_from_text({name: value for name, value, _ in arguments()}) == GraphOptions()


@pytest.mark.parametrize("value", ["", "it's a path", "1", "true", True, False, 3, 2.5, 1e-7, "a: b", "#x"])
def test_parameter_text_keeps_value_and_type(value: object) -> None:
    back = yaml.safe_load(parameter_text(value))
    assert back == value or float(back) == value
    assert isinstance(back, str) == isinstance(value, str)


@pytest.mark.parametrize(
    ("name", "text"), [("seed", "many"), ("headless", "perhaps"), ("real_time_factor", "fast")]
)
def test_wrong_launch_argument_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidConfigError, match=f"{name}:={text}") as error:
        options_from_text({name: text})
    assert error.value.fix
