"""config/models: every file is sound, and a wrong one says what is wrong; memory is checked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.vlm.families.catalogue import FAMILIES, family_named
from mmrobot.vlm.memory import free_memory_gb, require_memory
from mmrobot.vlm.model_spec import ModelSpec, load_spec, models_folder, spec_files

GOOD = "name: x\nfamily: qwen3_vl\nrepo: a/b\nmemory_gb: 1\nlicense: MIT\n"


@pytest.mark.parametrize("name", spec_files())
def test_each_file_is_sound(name: str) -> None:
    spec = load_spec(name)
    assert spec.name == name
    assert "ground" in family_named(spec.family, spec.options).operations
    text = spec_files()[name].read_text()
    if spec.revision:
        assert spec.download_command in text
        spec.require_pinned()
    else:
        with pytest.raises(InvalidConfigError):
            spec.require_pinned()


def test_every_family_has_a_model() -> None:
    assert {load_spec(name).family for name in spec_files()} == set(FAMILIES)
    assert models_folder().is_dir()


def test_a_spec_without_a_pin_says_how_to_pin() -> None:
    spec = ModelSpec(name="x", family="qwen3_vl", repo="a/b", memory_gb=1, license="MIT")
    with pytest.raises(InvalidConfigError, match="no revision") as caught:
        spec.require_pinned()
    assert "git ls-remote https://huggingface.co/a/b HEAD" in caught.value.fix
    with pytest.raises(InvalidConfigError, match="neither a repo nor a folder"):
        ModelSpec(name="x", family="gemini", memory_gb=1, license="MIT").require_pinned()
    ModelSpec(name="x", family="qwen3_vl", folder=Path("w"), memory_gb=1, license="MIT").require_pinned()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD + "revision: main\n", "40 hex digits"),
        (GOOD + "revision: " + "g" * 40 + "\n", "40 hex digits"),
        (GOOD + "trust_remote_code: true\n", "trust_remote_code"),
        (GOOD.replace("a/b", "../../etc"), "repo"),
        (GOOD.replace("memory_gb: 1", "memory_gb: -1"), "memory_gb"),
        (GOOD.replace("memory_gb: 1", "memory_gb: .nan"), "memory_gb"),
        (GOOD + "dtype: int3\n", "dtype"),
        (GOOD + "backends: []\n", "backends"),
        ("- a\n", "list, not keys"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InvalidConfigError, match=fault):
        load_spec("x", tmp_path)


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="qwen3-vl") as caught:
        load_spec("qwen3-vl")
    assert "did you mean 'qwen3-vl-2b'" in caught.value.fix
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        load_spec(tmp_path / "none.yaml")


def test_memory_is_checked(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:   2000000 kB\n")
    assert free_memory_gb("cpu", meminfo) == pytest.approx(2.048)
    assert free_memory_gb("cpu", tmp_path / "none") is None
    assert (free_memory_gb("cpu") or 0) > 0
    require_memory("x", 2.0, "cpu", 2.048)
    with pytest.raises(ModelUnavailableError, match=r"'x' needs 9.5 GB on cpu, 2.0 GB are free"):
        require_memory("x", 9.5, "cpu", 2.048)
