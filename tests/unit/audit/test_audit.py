"""What is kept of an instruction, how it is bounded, and that nothing of it stands in a plan's way."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mmrobot.audit.auditor import Auditor
from mmrobot.audit.drawing import draw_record
from mmrobot.audit.store import RECORD, AuditStore, audit_folder
from mmrobot.audit.writer import WAITING, AuditWriter
from mmrobot.config import AuditConfig, Config
from mmrobot.conversation import Conversation
from mmrobot.errors import InvalidConfigError, TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.types import ActionPlan, ScoredBox
from tests.support.fake_world import FakeWorld, bowl, draft, frame, thing

SENTENCE = "put the red cube in the bowl"
PICTURE = np.full((48, 64, 3), 90, np.uint8)


class Sure(FakeWorld):
    """Tells of each phrase what else it might be."""

    def candidates(self, image_rgb, phrase):
        best = self.ground(image_rgb, phrase)
        other = self.things["ball"]
        return (*best, ScoredBox(phrase, other.box_xyxy, 0.2), ScoredBox(phrase, (1, 1, 2, 2), 0.001))


def talk(config: Config) -> Conversation:
    things = {
        "cube": thing("red cube", 0.40, 0.20),
        "bowl": bowl("bowl", 0.50, -0.02),
        "ball": thing("blue ball", 0.40, -0.25),
    }
    world = Sure(things, {"the red cube": ["cube"], "the bowl": ["bowl"]})
    world.answer_draft = draft(("pick", "the red cube"), ("place", "in", "the bowl"), raw="pick ...")
    return Conversation(Pipeline(world, config, lifter=world.lifter))


def noted(tmp_path: Path, **settings: object) -> AuditStore:
    config = Config(audit=AuditConfig(directory=str(tmp_path), **settings))  # type: ignore[arg-type]
    conversation = talk(config)
    auditor = Auditor(conversation.pipeline, pytest.fail)
    plan = conversation.respond(frame(), SENTENCE)
    auditor.note(frame(), SENTENCE, conversation.read, plan)
    auditor.close()
    return AuditStore(config.audit)


def save(store: AuditStore, *names: str, size: int = 0, age_s: int = 0) -> None:
    for i, name in enumerate(names):
        folder = store.save({"plan_id": name, "instruction": "x" * size, "reply": ""}, None)
        at_ns = time.time_ns() - (100 + age_s - i) * 10**9
        os.utime(folder / RECORD, ns=(at_ns, at_ns))


def test_a_plan_is_told_with_its_boxes_rivals_and_rules(tmp_path: Path) -> None:
    record, picture = noted(tmp_path).load()
    assert record["instruction"] == SENTENCE and record["reply"] == "pick ..."
    assert [s["skill"] for s in record["steps"]] == ["pick", "place"]
    target = record["steps"][0]["target"]
    assert target["phrase"] and target["score"] == 0.95
    assert [r["score"] for r in target["rivals"]] == [0.2]
    assert len(record["digest"]) == 64 and record["refused"] is None
    assert {v["where"] for v in record["gate"]} == {"plan", "step 0", "step 1"}
    assert all(v["refusal"] is None and v["says"] for v in record["gate"])
    assert record["timings_ms"]["total"] >= 0 and record["versions"]["python"]
    assert picture is not None and picture.is_file()


def test_a_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    config = Config(audit=AuditConfig(directory=str(tmp_path)))
    conversation = talk(config)
    conversation.pipeline.vlm.answer_draft = draft(("pick", "the cup"))  # type: ignore[attr-defined]
    auditor = Auditor(conversation.pipeline, pytest.fail)
    with pytest.raises(TargetNotFoundError) as error:
        conversation.respond(frame(), "take the cup")
    auditor.note(frame(), "take the cup", conversation.read, error.value)
    auditor.close()
    record, _ = AuditStore(config.audit).load()
    assert record["refused"]["code"] == "TARGET_NOT_FOUND" and "cup" in record["refused"]["message"]
    assert record["draft"] == [{"skill": "pick", "target": "the cup"}] and record["steps"] == []


def test_redacted_neither_words_nor_picture_are_kept(tmp_path: Path) -> None:
    record, picture = noted(tmp_path, redact=True).load()
    assert picture is None
    assert record["instruction"].startswith("sha256:")
    assert "cube" not in json.dumps(record) and record["steps"][1]["skill"] == "place"


def test_off_nothing_is_kept(tmp_path: Path) -> None:
    assert noted(tmp_path, enabled=False).names() == []


def test_the_oldest_go_first_and_the_last_stays(tmp_path: Path) -> None:
    by_count = AuditStore(AuditConfig(directory=str(tmp_path / "a"), keep=2))
    save(by_count, "one", "two", "three")
    by_count.save({"plan_id": "four", "instruction": "", "reply": ""}, None)
    assert by_count.names() == ["three", "four"]
    by_size = AuditStore(AuditConfig(directory=str(tmp_path / "b"), max_mb=0.005))
    save(by_size, "one", "two", size=3000)
    assert by_size.names() == ["two"]
    by_age = AuditStore(AuditConfig(directory=str(tmp_path / "c"), keep_days=1))
    save(by_age, "one", age_s=90_000)
    by_age.save({"plan_id": "two", "instruction": "", "reply": ""}, None)
    assert by_age.names() == ["two"]


def test_what_a_killed_writer_left_is_no_record_and_goes(tmp_path: Path) -> None:
    store = AuditStore(AuditConfig(directory=str(tmp_path)))
    save(store, "one")
    old, new = tmp_path / ".old.part", tmp_path / ".new.part"
    for part in (old, new):
        part.mkdir()
        (part / RECORD).write_text("{")
    os.utime(old, (1.0, 1.0))
    assert store.names() == ["one"] and store.load()[0]["plan_id"] == "one"
    save(store, "two")
    assert not old.exists() and new.exists()


def test_a_record_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    store = AuditStore(AuditConfig(directory=str(tmp_path)))
    with pytest.raises(InvalidConfigError, match="no record is kept"):
        store.load()
    save(store, "3fa", "3fb", "9")
    assert store.load("3fa")[0]["plan_id"] == "3fa"
    assert store.load()[0]["plan_id"] == "9"
    with pytest.raises(InvalidConfigError, match="2 records begin with '3f'"):
        store.load("3f")
    with pytest.raises(InvalidConfigError, match="no record begins with '../x'"):
        store.load("../x")
    (tmp_path / "9" / RECORD).write_text("{")
    with pytest.raises(InvalidConfigError, match="damaged"):
        store.load("9")


def test_what_cannot_be_written_is_told_and_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    told: list[str] = []
    writer = AuditWriter(AuditStore(AuditConfig(directory=str(tmp_path / "file"))), told.append)
    writer.keep({"plan_id": "one", "instruction": "", "reply": ""}, PICTURE)
    writer.close()
    assert len(told) == 1 and "one is not kept" in told[0]


def test_a_slow_disk_holds_up_nobody(tmp_path: Path) -> None:
    go_on = threading.Event()

    class Slow(AuditStore):
        def save(self, record, picture):
            go_on.wait(10.0)
            return super().save(record, picture)

    told: list[str] = []
    store = Slow(AuditConfig(directory=str(tmp_path)))
    writer = AuditWriter(store, told.append)
    for i in range(WAITING + 3):
        writer.keep({"plan_id": f"{i:02d}", "instruction": "", "reply": ""}, None)
    go_on.set()
    writer.close()
    assert told and len(store.names()) + len(told) == WAITING + 3


def test_the_folder_is_the_persons_own_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert audit_folder(AuditConfig()) == Path("/data/mmrobot/audit")
    assert audit_folder(AuditConfig(directory="/kept/here")) == Path("/kept/here")


def test_it_is_drawn_with_and_without_a_picture(tmp_path: Path) -> None:
    record, picture = noted(tmp_path).load()
    drawn = draw_record(record, picture)
    assert drawn.dtype == np.uint8 and drawn.shape[1:] == (960, 3)
    plain = draw_record(record, None)
    assert plain.shape[0] < drawn.shape[0]
    assert (drawn.reshape(-1, 3) == (255, 176, 32)).all(1).any()


def test_a_plan_keeps_its_name(tmp_path: Path) -> None:
    config = Config(audit=AuditConfig(directory=str(tmp_path)))
    conversation = talk(config)
    auditor = Auditor(conversation.pipeline, pytest.fail)
    plan = conversation.respond(frame(), SENTENCE)
    assert isinstance(plan, ActionPlan)
    auditor.note(frame(), SENTENCE, conversation.read, plan)
    auditor.close()
    assert AuditStore(config.audit).names() == [plan.plan_id]


def test_a_record_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch) -> None:
    """A power cut after the name and before the content would leave an empty record."""
    done: list[str] = []
    honest_sync, honest_rename = os.fsync, Path.rename

    def rename(self: Path, target: Path) -> Path:
        done.append("named")
        return honest_rename(self, target)

    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("synced"), honest_sync(handle)))
    monkeypatch.setattr(Path, "rename", rename)
    AuditStore(AuditConfig(directory=str(tmp_path))).save({"plan_id": "a", "instruction": SENTENCE}, PICTURE)
    assert done == ["synced", "synced", "named", "synced"]
