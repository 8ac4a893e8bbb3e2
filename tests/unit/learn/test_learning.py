"""What training is made of: targets, matches, sentences, drained colours; and that a tiny model learns."""

from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest
import torch

from mmrobot.learn import validation
from mmrobot.learn.distributed import World, cpu_has_bfloat16
from mmrobot.learn.language_training import IGNORE, Language, Sentences, collate, language_loss
from mmrobot.learn.logical_forms import plan_ids
from mmrobot.learn.loop import LoopSettings, schedule
from mmrobot.learn.pictures import (
    MAX_OBJECTS,
    OBJECT_DTYPE,
    Picture,
    PictureSet,
    PictureWriter,
    label_objects,
)
from mmrobot.learn.sentences import SentenceMaker
from mmrobot.learn.tokens import match
from mmrobot.learn.vision_training import (
    DRAINED,
    drain,
    make_targets,
    mirror,
    train_vision,
    vision_loss,
)
from mmrobot.learn.whole import PHRASES, QUESTIONS, STATEMENTS, WholeModel, whole_outcomes
from mmrobot.tabletop.language import make_command, random_things
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.slots import TASK_ID
from mmrobot.vlm.models.nano.vision import GROUPS, STRIDE, WHOLE, DenseMaps, Features, NanoVision
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID, END, TASKS

CONFIG = NanoConfig(
    vision_channels=(8, 8, 8),
    object_channels=8,
    hidden_size=32,
    num_heads=2,
    encoder_layers=1,
    decoder_layers=1,
)


def two_objects() -> np.ndarray:
    """A cube in the middle of a bowl, as rows of one picture."""
    rows = np.zeros((1, MAX_OBJECTS), OBJECT_DTYPE)
    rows[0, 0] = ((100, 80, 160, 140), 2000, CONFIG.colors.index("blue"), CONFIG.shapes.index("bowl"), 1, b"")
    rows[0, 1] = ((120, 100, 140, 120), 400, CONFIG.colors.index("red"), CONFIG.shapes.index("cube"), 0, b"")
    return rows


def perfect(rows: np.ndarray) -> tuple[NanoVision, DenseMaps]:
    """Maps that say exactly what the targets want, and an encoder whose features they are: its heads pass
    them on, its colour head counts the colours at the points that it looks at."""
    t = make_targets(rows, CONFIG)
    h, w = t.heatmap.shape[2:]
    box, shape, size = (
        torch.full((1, GROUPS, k, h, w), fill)
        for k, fill in ((4, 0.0), (len(CONFIG.shapes), -9.0), (len(CONFIG.sizes), -9.0))
    )
    heatmap = torch.where(t.heatmap > 0.999, 12.0, -12.0)
    colors = torch.zeros(1, len(CONFIG.colors), h, w)
    for i in range(len(t.row)):  # what is in front comes later
        at = (t.picture[i], t.group[i], slice(None), t.row[i], t.column[i])
        box[at] = t.box[i]
        for head, wanted in ((shape, t.attributes[i, 1]), (size, t.attributes[i, 2])):
            head[t.picture[i], t.group[i], wanted, t.row[i], t.column[i]] = 9.0
        x0, y0, x1, y1 = (rows[0, i]["box"] / STRIDE).astype(int)
        colors[0, :, y0:y1, x0:x1] = 0
        colors[0, t.attributes[i, 0], y0:y1, x0:x1] = 1
    parts = [heatmap, *(m.flatten(1, 2) for m in (box, shape, size))]
    deep = torch.cat(parts, 1)
    vision = NanoVision(NanoConfig(vision_channels=(len(CONFIG.colors), 8, 8), object_channels=deep.shape[1]))
    start = 0
    heads = (vision.heatmap, vision.box, vision.shape, vision.size)
    look, tell = vision.color.what[0], vision.color.what[2]
    for layer in (*heads, vision.color.where, look, tell):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    for head, part in zip(heads, parts, strict=True):
        for i in range(part.shape[1]):
            head.weight.data[i, start + i] = 1
        start += part.shape[1]
    for i in range(len(CONFIG.colors)):
        look.weight.data[i, i], tell.weight.data[i, i] = 1, 20
    features = Features(deep, colors, torch.zeros(1, WHOLE))
    return vision.requires_grad_(False), DenseMaps(features, heatmap, box, shape, size)


def test_targets_read_back_as_the_objects_even_on_one_centre() -> None:
    torch.manual_seed(0)
    rows = two_objects()
    vision, maps = perfect(rows)
    loss, _ = vision_loss(vision, maps, make_targets(rows, CONFIG), torch.tensor([True]))
    assert float(loss) < 0.01
    tokens, boxes, scores = vision.gather(maps.features)
    start = vision.config.attributes_from
    group = tokens[0, :, start - 1].numpy()
    found = match(boxes[0].numpy(), group, scores[0].numpy(), rows[0], CONFIG)
    assert sorted(found[:2]) == [0, 1] and (found[2:] == -1).all()
    scale = np.array([320, 240] * 2)
    for k in range(2):
        row = rows[0][found[k]]
        np.testing.assert_allclose(boxes[0, k].numpy() * scale, row["box"], atol=0.01)
        read = start
        for name, known in (("color", CONFIG.colors), ("shape", CONFIG.shapes), ("size", CONFIG.sizes)):
            assert int(tokens[0, k, read : read + len(known)].argmax()) == row[name]
            read += len(known)


def test_of_drained_pictures_no_colour_is_learned() -> None:
    rows = two_objects()
    vision, maps = perfect(rows)
    wrong = rows.copy()
    wrong["color"] = CONFIG.colors.index("yellow")
    targets = make_targets(wrong, CONFIG)
    loss, figures = vision_loss(vision, maps, targets, torch.tensor([True]))
    assert figures["color"] > 10
    without, drained = vision_loss(vision, maps, targets, torch.tensor([False]))
    assert drained["color"] == 0 and float(without) == pytest.approx(float(loss) - figures["color"], abs=1e-3)


def pictures_of(seed: int, count: int = 40) -> torch.Tensor:
    return torch.randint(0, 230, (count, 3, 6, 8), generator=torch.manual_seed(seed)).to(torch.uint8)


def test_drained_pictures_have_one_tint_and_the_others_are_untouched() -> None:
    images = pictures_of(1)
    drained, colored = drain(images, torch.Generator().manual_seed(4), share=0.5)
    assert drained.dtype == torch.uint8 and 5 < int(colored.sum()) < 35
    assert torch.equal(drained[colored], images[colored])
    for before, after in zip(images[~colored].float(), drained[~colored].float(), strict=True):
        grey = (before * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)
        tint = (after / grey).flatten(1).median(1).values
        assert (tint > 0.92).all() and (tint < 1.08).all()
        # Rounded down, each channel is the grey picture times the tint of that channel.
        assert ((after + 0.5) - grey * tint[:, None, None]).abs().max() < 2.5


def test_as_many_are_drained_as_asked_for_and_always_the_same() -> None:
    images = pictures_of(2, 2000)

    def drawn(seed: int, share: float = DRAINED) -> tuple[torch.Tensor, torch.Tensor]:
        return drain(images, torch.Generator().manual_seed(seed), share)

    first, again, other = drawn(7), drawn(7), drawn(8)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert float((~first[1]).float().mean()) == pytest.approx(DRAINED, abs=0.04)
    assert drawn(7, 0.0)[1].all() and not drawn(7, 1.0)[1].any()


def test_mirror_twice_is_the_same_and_once_is_not() -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (2, 240, 320, 3), np.uint8))
    rows, first = np.repeat(two_objects(), 2, 0), np.array([True, False])
    once_images, once = mirror(images, rows, first)
    assert tuple(once["box"][0, 0]) == (160, 80, 220, 140)
    assert tuple(once["box"][1, 0]) == tuple(rows["box"][1, 0]) and torch.equal(once_images[1], images[1])
    assert not torch.equal(once_images[0], images[0])
    twice_images, twice = mirror(once_images, once, first)
    assert torch.equal(twice_images, images) and (twice["box"][0, :2] == rows["box"][0, :2]).all()


def test_labels_come_from_visible_pixels() -> None:
    scene = Scene(0, (SceneObject("a", "cube", "red"), SceneObject("b", "ball", "blue")))
    mask = np.full((480, 640), -1, np.int16)
    mask[100:140, 200:260] = 0
    mask[0, 0] = 1  # a single pixel is hidden, not seen
    rows = label_objects(scene, mask, CONFIG)
    assert tuple(rows[0]["box"]) == (100, 50, 130, 70) and rows[0]["pixels"] == 600
    assert rows[1]["pixels"] == 0


def test_picture_set_resumes_where_it_stopped(tmp_path) -> None:  # type: ignore[no-untyped-def]
    scene = Scene(3, (SceneObject("a", "cube", "red"),))
    for value in (1, 2):
        writer = PictureWriter(tmp_path, 3, CONFIG)
        writer.append(Picture(scene, np.full((240, 320, 3), value, np.uint8), two_objects()[0]))
        writer.close()
    pictures = PictureSet.open(tmp_path)
    assert len(pictures) == 2
    assert [int(pictures.images[i, 0, 0, 0]) for i in range(2)] == [1, 2]
    assert pictures.scenes[1] == scene


def test_plan_ids_spell_the_plan() -> None:
    rng = random.Random(5)
    command = make_command(rng, random_things(rng), family="put_in")
    assert command is not None
    ids = plan_ids(command)
    opened = [CONTROL[i] for i in ids if i < len(CONTROL)]
    assert opened[0] == "<pick>" and opened[1].startswith("<place_") and ids[-1] == CONTROL_ID[END]


def test_batches_are_seeded() -> None:
    def first(seed: str) -> torch.Tensor:
        return next(iter(Sentences(SentenceMaker(CONFIG), 8, seed)))["words"]

    assert torch.equal(first("1/0"), first("1/0"))
    other = first("1/1")
    assert first("1/0").shape != other.shape or not torch.equal(first("1/0"), other)


def test_a_batch_asks_for_the_next_token_of_each_reply() -> None:
    rng, maker = random.Random(2), SentenceMaker(CONFIG)
    samples = maker.samples(random_things(rng), rng, 12)
    batch = collate(samples)
    longest = max(int((s.word_bytes[:, 0] > 0).sum()) for s in samples)
    assert batch["words"].shape == (len(samples), longest, CONFIG.word_bytes)
    for sample, ids, target in zip(samples, batch["ids"].tolist(), batch["target"].tolist(), strict=True):
        n = len(sample.ids)
        assert target[:n] == sample.ids and set(target[n:]) <= {IGNORE}
        assert ids[0] == TASK_ID[sample.task] and ids[1:n] == sample.ids[:-1]


def test_the_loss_is_finite_over_texts_of_all_lengths_and_shares_are_by_task() -> None:
    torch.manual_seed(0)
    model = NanoModel(CONFIG)
    rng, maker = random.Random(3), SentenceMaker(CONFIG)
    samples = [s for s in maker.samples(random_things(rng), rng, 40) if s.task != "<verify>"]
    assert len({int((s.word_bytes[:, 0] > 0).sum()) for s in samples}) > 5
    loss, figures = language_loss(Language(model.reader, model.writer), collate(samples))
    assert 0 < float(loss.detach()) < 20
    assert list(figures) == ["loss", *(task.strip("<>") for task in TASKS)]
    assert np.isnan(figures["verify"]) and all(0 <= figures[k] <= 1 for k in ("plan", "ground", "answer"))


def test_figures_of_words_are_always_of_the_same_sentences() -> None:
    torch.manual_seed(0)
    model, maker = NanoModel(CONFIG), SentenceMaker(CONFIG)
    samples, again = (validation.spoken(maker, scenes=25, each=6) for _ in range(2))
    assert [s.ids for s in samples] == [s.ids for s in again] and len(samples) >= 150
    figures = validation.language_figures(Language(model.reader, model.writer), samples, World())
    names = [task.strip("<>") for task in TASKS]
    assert list(figures)[:4] == names and set(figures) <= {*names, *validation.GROUPS}
    assert all(0 <= share <= 1 for share in figures.values())


def test_bfloat16_is_used_only_where_the_processor_has_it() -> None:
    world = World()
    with world.autocast():
        assert torch.is_autocast_enabled("cpu") is cpu_has_bfloat16()
    with world.autocast(False):
        assert not torch.is_autocast_enabled("cpu")


def test_a_small_model_learns_words_by_heart() -> None:
    torch.manual_seed(0)
    model = NanoModel(CONFIG)
    language = Language(model.reader, model.writer).train()
    optimizer = torch.optim.AdamW(language.parameters(), 3e-3)
    losses = []
    data = Sentences(SentenceMaker(CONFIG), 24, "0")
    for batch in list(islice(data, 2)) * 25:
        loss, _ = language_loss(language, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_the_whole_model_is_asked_about_every_picture() -> None:
    torch.manual_seed(1)
    config = NanoConfig(**{**CONFIG.to_dict(), "num_objects": 5, "object_threshold": 0.0})
    objects = (
        SceneObject("a", "bowl", "blue", "large"),
        SceneObject("b", "cube", "red", position=(0.3, 0.2)),
    )
    images = np.random.default_rng(0).integers(0, 255, (2, 240, 320, 3), np.uint8)
    pictures = PictureSet(images, np.repeat(two_objects(), 2, 0), (Scene(0, objects), Scene(1, objects)))
    out = whole_outcomes(WholeModel(NanoModel(config), pictures, World()))
    assert len(out.point) == len(out.meant) == len(out.point_picture) > 0
    assert len(out.point) % PHRASES == 0 and set(out.point_picture) == {0, 1}
    assert len(out.holds) == len(out.true) == 2 * STATEMENTS
    for p in (out.point, out.holds):
        assert ((p >= 0) & (p <= 1)).all()
    assert {"phrases", "statements", "answers"} <= set(out.figures) and QUESTIONS > 0
    assert all(0 <= share <= 1 for share in out.figures.values())


def test_vision_learns_and_resumes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = NanoConfig(image_height=80, image_width=96, vision_channels=(8, 8, 8), object_channels=8)
    rng = np.random.default_rng(0)
    images = rng.integers(90, 110, (8, 80, 96, 3), np.uint8)
    rows = np.repeat(two_objects(), 8, 0)
    rows["box"][:, :2] -= np.array([90, 70, 90, 70], np.float32)
    images[:, 10:70, 10:70] = (20, 60, 200)
    images[:, 30:50, 30:50] = (200, 20, 20)
    pictures = PictureSet(images, rows, (Scene(0, ()),) * 8)
    settings = LoopSettings(steps=60, batch=4, learning_rate=1e-2, warmup=5)
    lines: list[str] = []
    torch.manual_seed(0)
    vision = NanoVision(config)
    targets = make_targets(rows[:4], config)
    x = torch.from_numpy(images[:4].transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
    colored = torch.ones(4, dtype=torch.bool)
    before, _ = vision_loss(vision, vision.eval().dense(x), targets, colored)
    train_vision(vision, pictures, settings, tmp_path / "v.pt", lines.append)
    after, _ = vision_loss(vision, vision.eval().dense(x), targets, colored)
    assert float(after.detach()) < 0.6 * float(before.detach())
    again = NanoVision(config)
    train_vision(again, pictures, settings, tmp_path / "v.pt", lines.append)
    assert torch.equal(again.heatmap.weight, vision.heatmap.weight)
    assert len(lines) == 1 and "60" in lines[0]


def test_schedule_warms_up_and_ends_low() -> None:
    assert schedule(0, 100, 10) < schedule(9, 100, 10) == 1.0
    assert schedule(99, 100, 10) < 0.02
