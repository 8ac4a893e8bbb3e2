"""Keys: equal for equal parts, different for others. The store: an engine is there whole, or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines import trt_store
from mmrobot.vlm.engines.trt_key import BuildOptions, EngineKey, TensorSpec
from mmrobot.vlm.engines.trt_store import EngineStore, mapped

ROOT = Path(__file__).resolve().parents[3]
words = st.text(max_size=6)
tensors = st.builds(
    TensorSpec,
    words,
    st.sampled_from(["float32", "int64"]),
    st.lists(st.integers(1, 9), max_size=3).map(tuple),
)
options = st.builds(BuildOptions, st.integers(0, 5), st.booleans())
KINDS: dict[str, Any] = {
    "part": words,
    "model_hash": words,
    "tensorrt": words,
    "gpu": words,
    "capability": st.tuples(st.integers(0, 20), st.integers(0, 9)),
    "precision": words,
    "inputs": st.lists(tensors, max_size=3).map(tuple),
    "outputs": st.lists(tensors, max_size=3).map(tuple),
    "options": options,
}
keys = st.builds(EngineKey, **KINDS)
KEY = EngineKey("see", "abc", "11.4.0.106", "NVIDIA H200", (9, 0), "fp16", (), ())


def test_every_field_of_the_key_is_varied() -> None:
    assert {field.name for field in fields(EngineKey)} == set(KINDS)


@given(keys, st.data())
def test_any_change_changes_the_key(key: EngineKey, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KINDS)))
    value = data.draw(KINDS[name].filter(lambda v: v != getattr(key, name)))
    other = replace(key, **{name: value})
    assert other.digest != key.digest and other.stem != key.stem
    assert key.differences(other.as_dict()) == (name,)


@given(keys)
def test_equal_parts_make_equal_keys(key: EngineKey) -> None:
    again = EngineKey(**{field.name: getattr(key, field.name) for field in fields(EngineKey)})
    assert (again.digest, again.stem) == (key.digest, key.stem)
    assert key.differences(json.loads(json.dumps(again.as_dict()))) == ()
    assert Path(key.stem).name == key.stem and len(key.stem) < 120


@given(st.integers().filter(lambda n: not 0 <= n <= 5))
def test_optimization_levels_are_bounded(level: int) -> None:
    with pytest.raises(ValueError, match=str(level)):
        BuildOptions(optimization_level=level)


@settings(max_examples=25)
@given(keys, st.binary(min_size=1, max_size=300))
def test_what_is_put_is_found(
    tmp_path_factory: pytest.TempPathFactory, key: EngineKey, engine: bytes
) -> None:
    store = EngineStore(tmp_path_factory.mktemp("store"))
    assert store.find(key) is None
    put = store.put(key, bytearray(engine), 1.25)
    assert store.find(key) == put and put.build_s == 1.25
    with mapped(put.path) as view:
        assert bytes(view) == engine


@settings(max_examples=40)
@given(st.data(), st.binary(min_size=2, max_size=50))
def test_a_damaged_engine_is_not_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, engine: bytes
) -> None:
    store = EngineStore(tmp_path_factory.mktemp("store"))
    path = store.put(KEY, engine, 1.0).path
    damage = data.draw(st.sampled_from(["cut", "flip", "empty", "gone", "note cut", "note gone", "note odd"]))
    note = path.with_suffix(".json")
    if damage == "cut":
        path.write_bytes(engine[: data.draw(st.integers(0, len(engine) - 1))])
    elif damage == "flip":
        i = data.draw(st.integers(0, len(engine) - 1))
        path.write_bytes(engine[:i] + bytes([engine[i] ^ 1]) + engine[i + 1 :])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "gone":
        path.unlink()
    elif damage == "note cut":
        note.write_bytes(note.read_bytes()[:-5])
    elif damage == "note gone":
        note.unlink()
    else:
        note.write_text(data.draw(st.sampled_from(["[]", "{}", '{"key": {}}', "7", '{"key": 3}'])))
    assert store.find(KEY) is None
    assert store.put(KEY, engine, 2.0) == store.find(KEY)


def test_an_engine_of_another_key_under_this_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = EngineStore(tmp_path)
    store.put(KEY, b"engine", 1.0)
    note = store.path(KEY).with_suffix(".json")
    content = json.loads(note.read_text())
    content["key"]["gpu"] = "another"
    note.write_text(json.dumps(content))
    assert store.find(KEY) is None and "built for another gpu" in caplog.text


def test_an_engine_of_another_user_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EngineStore(tmp_path)
    store.put(KEY, b"engine", 1.0)
    os.chown(store.path(KEY), 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(
        os, "geteuid", lambda: -7
    )
    assert store.find(KEY) is None


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    store = EngineStore(tmp_path / "store")
    store.put(KEY, b"engine", 1.0)
    assert store.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("failing", ["engine", "note"])
def test_a_full_disk_leaves_no_half_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    store = EngineStore(tmp_path)
    store.put(KEY, b"older", 1.0)
    true_write = trt_store.write_atomically

    def write(path: Path, content: bytes | memoryview) -> None:
        if (path.suffix == ".json") == (failing == "note"):
            raise OSError(28, "No space left on device")
        true_write(path, content)

    monkeypatch.setattr(trt_store, "write_atomically", write)
    with pytest.raises(ModelUnavailableError, match="No space left"):
        store.put(KEY, b"newer", 1.0)
    assert store.find(KEY) is None
    monkeypatch.undo()
    assert store.put(KEY, b"newer", 1.0) == store.find(KEY)


@pytest.mark.parametrize("moment", range(8))
def test_killed_while_writing(tmp_path: Path, moment: int) -> None:
    """A process that dies at its nth write, sync or rename leaves an engine that is whole, or none."""
    script = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mmrobot.vlm.engines.trt_key import EngineKey
from mmrobot.vlm.engines.trt_store import EngineStore
key = EngineKey("see", "abc", "11.4.0.106", "NVIDIA H200", (9, 0), "fp16", (), ())
left = int(sys.argv[3])
def dying(name, true):
    def call(*a, **k):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return true(*a, **k)
    return call
os.fsync = dying("fsync", os.fsync)
os.fdopen = dying("fdopen", os.fdopen)
Path.replace = dying("replace", Path.replace)
Path.unlink = dying("unlink", Path.unlink)
EngineStore(Path(sys.argv[2])).put(key, b"new" * 1000, 1.0)
"""
    store = EngineStore(tmp_path)
    store.put(KEY, b"old" * 1000, 1.0)
    arguments = [sys.executable, "-c", script, str(ROOT), str(tmp_path), str(moment)]
    result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode in (0, -signal.SIGKILL), result.stderr
    assert (result.returncode == 0) == (moment >= 7)
    found = store.find(KEY)
    if found is not None:
        assert found.path.read_bytes() in (b"old" * 1000, b"new" * 1000)
    with store.lock(KEY):
        store.put(KEY, b"next", 1.0)
    assert store.find(KEY) is not None
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".engine", ".json", ".lock"]
