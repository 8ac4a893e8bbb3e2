"""Pairs of results: statistics, manifests, and the command that compares."""

from __future__ import annotations

import json

import pytest

from mmrobot.cli.app import main
from mmrobot.errors import InvalidConfigError
from mmrobot.evals.compare import compare
from mmrobot.evals.manifest import Manifest, differences, episode_hash
from mmrobot.evals.statistics import Paired
from mmrobot.tabletop.families import generate_episode


def result(passed: str, manifest: str = "m" * 64, model: str = "a") -> dict:
    episodes = [
        {"name": f"e{i}", "family": "pick" if i < 4 else "stack", "strict": p == "1"}
        for i, p in enumerate(passed)
    ]
    return {"model": model, "manifest": manifest, "episodes": episodes}


def test_newcombes_interval_for_pairs():
    # R. G. Newcombe 1998, table III, method 10: his cells (e, f, g, h) for n = 50 and his limits.
    assert Paired(36, 12, 2, 0).difference == pytest.approx(0.2)
    low, high = Paired(36, 12, 2, 0).interval95
    assert (low, high) == pytest.approx((0.0569, 0.3404), abs=2e-4)
    low, high = Paired(54, 0, 0, 0).interval95
    assert (low, high) == pytest.approx((-0.0664, 0.0664), abs=2e-4)
    assert Paired(0, 0, 0, 0).interval95 == (-1.0, 1.0)
    assert Paired(0, 10, 0, 0).difference == 1.0


def test_families_are_paired_by_episode():
    found = compare(result("11110000"), result("11001000", model="b"))
    assert found["families"]["pick"]["only_first"] == 2
    assert found["families"]["stack"]["only_second"] == 1
    assert found["families"]["all"]["p"] == pytest.approx(1.0)
    assert (found["won"], found["lost"]) == (["e2", "e3"], ["e4"])
    assert found["models"] == ["a", "b"]
    # Six against none: p = 2 / 2 ** 6.
    assert compare(result("1" * 6), result("0" * 6))["families"]["all"]["p"] == pytest.approx(1 / 32)


def test_what_either_did_not_count_is_left_out():
    found = compare(result("111"), result("11"))
    assert found["families"]["all"]["n"] == 2


def test_other_episodes_prove_nothing():
    with pytest.raises(InvalidConfigError, match="other episodes"):
        compare(result("1"), result("1", "n" * 64))
    with pytest.raises(InvalidConfigError, match="no manifest"):
        compare(result("1"), result("1", ""))


def test_the_command(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.json").write_text(json.dumps(result("1111")))
    other = tmp_path / "b.json"
    other.write_text(json.dumps(result("0000", model="b")))
    assert main(["eval-compare", str(tmp_path / "a"), str(other), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert told["families"]["all"]["difference"] == 1.0
    assert main(["eval-compare", str(tmp_path / "none"), str(other), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert "is no result" in told["error"]["message"]


def test_a_hash_covers_words_scene_and_goals():
    episode = generate_episode("pick", "L0", 500_000)
    same = generate_episode("pick", "L0", 500_000)
    assert episode_hash(episode) == episode_hash(same)
    # L2 keeps the scene and says it otherwise.
    assert episode_hash(episode) != episode_hash(generate_episode("pick", "L2", 500_000))


def test_a_manifest_is_read_as_written_and_not_when_changed(tmp_path):
    episodes = [generate_episode("pick", "L0", 500_000 + i) for i in range(3)]
    manifest = Manifest.of(("", e) for e in episodes)
    assert manifest.sha256 == Manifest.of(("", e) for e in reversed(episodes)).sha256
    assert manifest.sha256 != Manifest.of(("blind", e) for e in episodes).sha256
    file = tmp_path / "manifest.json"
    manifest.write(file)
    assert Manifest.read(file) == manifest
    file.write_text(file.read_text().replace("pick_L0_500001", "pick_L0_500009"))
    with pytest.raises(InvalidConfigError, match="was changed"):
        Manifest.read(file)
    file.write_text("[]")
    with pytest.raises(InvalidConfigError, match="is no manifest"):
        Manifest.read(file)


def test_differences_are_named():
    told = differences({"|a": "1", "|b": "1"}, {"|a": "2", "|c": "1", "blind|d": "1"})
    assert told == "1 changed (a); 1 gone (b); 2 new (c, blind|d)"
