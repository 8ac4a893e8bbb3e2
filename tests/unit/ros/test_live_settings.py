"""Settings as parameters on a real node: taken where allowed, refused with value and bound where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError
from mmrobot.ros.live_settings import LiveSettings

NAMES = ("grounding.threshold", "runner.grasp_retries", "model.timeout_s", "runner.verify_place")


def made(**overrides: Any) -> Node:
    parameters = [Parameter(name.replace("__", "."), value=value) for name, value in overrides.items()]
    return rclpy.create_node("settings_test", context=CONTEXT, parameter_overrides=parameters)


CONTEXT = rclpy.Context()


@pytest.fixture(scope="module", autouse=True)
def ros() -> Iterator[None]:
    rclpy.init(context=CONTEXT)
    yield
    rclpy.try_shutdown(context=CONTEXT)


@pytest.fixture
def taken() -> list[Config]:
    return []


@pytest.fixture
def node(taken: list[Config]) -> Iterator[Node]:
    node = made()
    LiveSettings(node, Config(), NAMES, taken.append, {"approval": "command.approval"})
    yield node
    node.destroy_node()


def put(node: Node, name: str, value: Any) -> Any:
    return node.set_parameters([Parameter(name, value=value)])[0]


def test_a_value_in_range_is_taken_and_others_stay(node: Node, taken: list[Config]) -> None:
    assert put(node, "grounding.threshold", 0.7).successful
    assert put(node, "runner.grasp_retries", 1).successful
    assert (taken[-1].grounding.threshold, taken[-1].runner.grasp_retries) == (0.7, 1)
    assert taken[-1].grounding.rival_ratio == Config().grounding.rival_ratio


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("grounding.threshold", 1.5, "1.5"),
        ("grounding.threshold", "much", "type"),
        ("runner.grasp_retries", -1, "-1"),
        ("model.timeout_s", 0.0, "greater than 0"),
        ("approval", "sometimes", "sometimes"),
    ],
)
def test_a_value_that_cannot_be_changes_nothing(
    node: Node, taken: list[Config], name: str, value: Any, told: str
) -> None:
    before = node.get_parameter(name).value
    result = put(node, name, value)
    assert not result.successful and told in result.reason
    assert node.get_parameter(name).value == before and taken == []


def test_an_empty_alias_is_what_the_configuration_says(node: Node, taken: list[Config]) -> None:
    assert put(node, "approval", "always").successful and taken[-1].command.approval == "always"
    assert put(node, "approval", "").successful
    assert taken[-1].command.approval == Config().command.approval


def test_description_and_range_are_the_configurations(node: Node) -> None:
    descriptor = node.describe_parameter("grounding.threshold")
    assert descriptor.description == Config().grounding.__class__.model_fields["threshold"].description
    reach = descriptor.floating_point_range[0]
    assert (reach.from_value, reach.to_value) == (0.0, 1.0)


def test_a_value_at_the_start_counts_and_a_bad_one_is_named() -> None:
    node = made(grounding__threshold=0.9)
    assert LiveSettings(node, Config(), NAMES, lambda _: None).config.grounding.threshold == 0.9
    node.destroy_node()
    node = made(grounding__threshold=1.9)
    with pytest.raises(InvalidConfigError, match=r"grounding.threshold.*1.9") as error:
        LiveSettings(node, Config(), NAMES, lambda _: None)
    assert "0 to 1" in error.value.fix
    node.destroy_node()
