"""The bench: its arithmetic, its worker's stages on a tiny model, and what it says of what is absent."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch

from mmrobot.config import GroundingConfig
from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.evals.bench import pruning, selective, speed
from mmrobot.evals.bench.backends import BACKENDS, check_names, load_backend
from mmrobot.evals.bench.machine import describe_machine, peak_memory_mb, read_bandwidth_gb_s
from mmrobot.evals.bench.quality import figures, grounding_quality
from mmrobot.evals.bench.roofline import roofline, tensor_bytes
from mmrobot.evals.bench.samples import Phrase, Samples, Scene, Task
from mmrobot.evals.bench.stages import MODEL_STAGES, measure_task
from mmrobot.vlm.large_decode import TINY, measure_large
from mmrobot.vlm.models.nano import NanoConfig, NanoModel, NanoProcessor
from tests.support.depth_scene import look


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    torch.manual_seed(0)
    config = NanoConfig(
        image_height=48, image_width=64, vision_channels=(8, 8, 8), object_channels=8, num_objects=6,
        hidden_size=16, num_heads=2, encoder_layers=1, decoder_layers=1, max_plan_tokens=12,
        object_threshold=0.0,
    )  # fmt: skip
    place = tmp_path_factory.mktemp("nano")
    NanoModel(config).save_pretrained(place)
    NanoProcessor.of(config).save_pretrained(place)
    return place


def task() -> Task:
    frame = look((), np.random.default_rng(0)).frame
    return Task(frame, "put the red cube in the bowl", 0)


def test_a_task_is_measured_whole_and_in_parts(folder) -> None:
    record = json.loads(json.dumps(measure_task(load_backend("torch", folder, 1), task())))
    assert set(record["stages"]) == set(MODEL_STAGES)
    for stage in ("preprocess", "vision", "read", "parse"):
        assert len(record["stages"][stage]) == 1, stage
    assert len(record["stages"]["write_token"]) == record["tokens"] >= 1
    parts = sum(sum(ms) for ms in record["stages"].values())
    assert parts == pytest.approx(record["draft_ms"], rel=1e-6)
    assert record["cold_ms"] > 0 and record["cached_ms"] > 0
    assert record["planned"] == "plan" or record["planned"].isupper()


def record(ms: float, cold: float, boxes: int = 10) -> dict:
    return {
        "stages": {**{stage: [ms] for stage in MODEL_STAGES}, "spell": []},
        "tokens": 4, "draft_ms": 6 * ms, "draft": "plan", "cold_ms": cold,
        "rooms": {"gate": 1.0}, "cold_cpu_ms": cold / 2,
        "cached_ms": 1.0, "cached_cpu_ms": 1.0, "planned": "plan", "boxes": boxes, "describe_ms": 20.0,
        "phrase_cached_ms": 2.0,
    }  # fmt: skip


def test_ratios_are_of_rounds_and_targets_are_judged() -> None:
    records = {"torch": [[record(10, 100)], [record(20, 200)]], "onnx": [[record(5, 20)], [record(5, 50)]]}
    found = speed.ratios(records, "onnx")
    assert found["plan_cold"] == {"median": 4.5, "least": 4.0, "most": 5.0}
    assert found["vision"] == {"median": 3.0, "least": 2.0, "most": 4.0}
    assert "spell" not in found
    assert speed.ratios(records, "torch")["model"]["median"] == 1.0
    whole = {name: speed.whole_figures(rows) for name, rows in records.items()}
    assert whole["onnx"]["boxes_per_s"] == 500.0
    assert whole["onnx"]["planned"] == 1.0
    quality = {"torch": {"all": {"success": 0.95}}, "onnx": {"all": {"success": 0.94}}}
    judged = speed.targets(whole, quality)
    assert judged["backend"] == "onnx"
    assert judged["plan_p50_ms"] == {"value": 35.0, "target": 50.0, "met": True}
    assert judged["accuracy_loss_points"] == {"value": 1.0, "target": 0.5, "met": False}
    stages = speed.stage_figures(records["onnx"])
    assert stages["vision"]["p50"] == 5.0 and stages["spell"] == {}


def test_backends_that_are_not_here_say_why(folder) -> None:
    with pytest.raises(InvalidConfigError, match="'cuda'"):
        check_names(("torch", "cuda"))
    assert set(BACKENDS) == {"torch", "torch-compile", "onnx", "onnx-int8", "tensorrt"}
    with pytest.raises(ModelUnavailableError):
        load_backend("torch", folder / "nowhere", 1)


def test_tensorrt_is_absent_without_a_gpu(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise ModelUnavailableError("no NVIDIA driver on this machine", "use the CPU")

    monkeypatch.setattr("mmrobot.vlm.hardware.check_nvidia_driver", no_driver)
    with pytest.raises(ModelUnavailableError, match="no NVIDIA driver"):
        load_backend("tensorrt", folder, 1)


def test_the_roofline_counts_what_a_step_reads(folder) -> None:
    sizes = tensor_bytes(folder / "model.safetensors")
    header_free = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", header_free[:8])
    assert sum(sizes.values()) == len(header_free) - 8 - length
    line = roofline(folder, 10.0, {"torch": 1.0, "onnx": 0.0})
    writer = sum(size for name, size in sizes.items() if name.startswith("writer."))
    # One layer's keys and values for 12 tokens and 48 words, words twice more; 16 floats each.
    assert line["bytes_a_token"] == writer + 4 * 16 * (2 * (12 + 48) + 2 * 48)
    assert line["share_of_limit"] == {"torch": pytest.approx(line["floor_ms"], abs=1e-4)}


def test_quality_by_the_rule_of_exactly_the_true_boxes(folder) -> None:
    rgb = task().frame.rgb
    scene = Scene(
        rgb, (Phrase("the red cube", "kind", ((0.0, 0.0, 9.0, 9.0),)), Phrase("it", "absent", ())), ()
    )
    quality = grounding_quality(load_backend("torch", folder, 1), [scene], GroundingConfig())
    assert quality["all"]["n"] == 2 and quality["ground"]["passed"] == 0
    rows = [
        {"ok": True, "want": "one", "kind": "k", "ms": 1.0},
        {"ok": False, "want": "none", "kind": "k", "ms": 3.0},
    ]
    told = figures(rows)
    assert told["answers"] == "10"
    assert told["ground"]["success"] == 1.0 and told["absent_rejected"]["success"] == 0.0


def test_samples_travel(tmp_path) -> None:
    samples = Samples((task(),), ())
    samples.save(tmp_path / "s")
    assert Samples.load(tmp_path / "s").tasks[0].instruction == samples.tasks[0].instruction


def test_the_machine_is_told() -> None:
    machine = describe_machine(1)
    assert machine["cpu"] and machine["cores"] >= 1 and machine["memory_read_gb_s"] > 0
    assert read_bandwidth_gb_s(1 << 20, tries=1) > 0
    assert peak_memory_mb() > 10


def test_large_decode_of_a_tiny_size_agrees_on_the_cpu() -> None:
    figures = measure_large(TINY, tokens=4, rounds=1, device="cpu", compiled=False)
    assert set(figures["ways"]) == {"torch eager", "ours"} and not figures["failed"]
    for way in figures["ways"].values():
        assert way["agreement"] == pytest.approx(1.0, abs=1e-3)
        assert way["tokens_s"] > 0
    weights = figures["parameters"] * 4
    assert figures["bytes_a_token"] == weights + 2 * 2 * 2 * 8 * (8 + 2) * 4


def test_pruning_keeps_the_controls_beside_it(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "KEPT", (4, 2))
    scene = Scene(task().frame.rgb, (Phrase("the red cube", "kind", ()),), ())
    told = pruning.measure_pruning(folder, [scene], [task()], rounds=1)
    names = ["all", "objectness 4", "random 4", "objectness 2", "random 2", "half-size picture"]
    assert list(told["ways"]) == names
    assert told["ways"]["all"]["lost"] == told["ways"]["all"]["won"] == 0
    assert all(way["see_ms"] > 0 and way["ground_ms"] > 0 for way in told["ways"].values())
    drops = told["dropped_by_depth"]
    assert drops["objects_seen"] + drops["candidates_not_believed"] == 6
    assert [pruning.half_side(n) for n in (240, 320, 48)] == [128, 160, 32]


def test_second_looks_are_counted(folder) -> None:
    scene = Scene(task().frame.rgb, (Phrase("the red cube", "kind", ()),), ())
    ways = selective.measure_selective(folder, [scene], "torch")["ways"]
    assert ways["one look"]["long_share"] == 0 and ways["all views always"]["long_share"] == 1
