"""Every command: help with an example, one JSON line, exit status 0, 1 or 2."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmrobot.cli import main
from mmrobot.vlm.rungs import nano_picture

COMMANDS = (
    "demo", "up", "say", "stop", "plan", "ground", "describe", "ask", "verify", "eval", "eval-model", "bench",
    "export", "engine", "doctor",
)  # fmt: skip


def last_json(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out and f"mmrobot {command}" in out and "--json" in out


@pytest.mark.parametrize(
    "words", [["say", "--json"], ["nonsense", "--json"], ["demo", "--seed", "x", "--json"]]
)
def test_wrong_usage_is_status_2_and_json(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    answer = last_json(capsys)
    assert answer["ok"] is False and answer["error"]["code"] == "USAGE"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["demo", "", "--json"], "INVALID_INSTRUCTION"),
        (["demo", "--scene", "/none.yaml", "--json"], "INVALID_SCENE"),
        (["up", "--config", "/none.yaml", "--json"], "INVALID_CONFIG"),
        (["ground", "--image", "/none.png", "the cup", "--json"], "INVALID_IMAGE"),
        (["eval", "--families", "juggle", "--json"], "INVALID_CONFIG"),
    ],
)
def test_failure_is_status_1_with_code_message_and_fix(
    words: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    error = last_json(capsys)["error"]
    assert error["code"] == code
    assert error["message"] and error["fix"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red cube right of a green ball and a blue bowl."""
    path = tmp_path_factory.mktemp("picture") / "rgb.png"
    cv2.imwrite(str(path), np.ascontiguousarray(nano_picture().image_rgb[..., ::-1]))
    return path


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["ask", "what color is the bowl?"], "answer", "blue"),
        (["ask", "how many things are there?"], "answer", "3"),
        (["verify", "the cube is red"], "probability", 1.0),
        (["verify", "there is a yellow cup"], "probability", 0.0),
    ],
)
def test_the_shipped_model_says_what_it_sees(
    words: list[str], key: str, value: object, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--image", str(picture), "--json"]) == 0
    answer = last_json(capsys)[key]
    assert answer == (pytest.approx(value, abs=0.3) if isinstance(value, float) else value)


def test_everything_in_a_picture_is_described(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--image", str(picture), "--json"]) == 0
    assert {o["label"] for o in last_json(capsys)["objects"]} == {"red cube", "green ball", "blue bowl"}


def test_malformed_scene_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = tmp_path / "broken.yaml"
    scene.write_text("objects: [{id: a, shape: [}")
    assert main(["demo", "--scene", str(scene), "--json"]) == 1
    error = last_json(capsys)["error"]
    assert error["code"] == "INVALID_SCENE" and "broken.yaml" in error["message"]


def test_plan_needs_no_depth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    camera = {
        "image_width": 64,
        "image_height": 48,
        "distortion_model": "plumb_bob",
        "camera_matrix": {"data": [60.0, 0, 31.5, 0, 60.0, 23.5, 0, 0, 1]},
        "distortion_coefficients": {"data": [0.0] * 5},
    }
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    words = [
        "plan",
        "--image",
        str(tmp_path / "a.png"),
        "--camera",
        str(tmp_path / "camera.json"),
        "pick up the cup",
    ]
    assert main([*words, "--json"]) == 1
    assert last_json(capsys)["error"]["code"] == "TARGET_NOT_FOUND"  # the picture is empty


def test_commands_keep_to_this_machine_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ROS_AUTOMATIC_DISCOVERY_RANGE"
    monkeypatch.delenv(name, raising=False)
    assert main(["--help"]) == 0 and os.environ[name] == "LOCALHOST"
    monkeypatch.setenv(name, "SUBNET")
    assert main(["--help"]) == 0 and os.environ[name] == "SUBNET"
