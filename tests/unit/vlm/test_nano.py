"""mmrobot-nano: static shapes, replies that cannot be malformed, boxes in the original's pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.config import Config
from mmrobot.errors import (
    InvalidImageError,
    ModelReplyInvalidError,
    ModelUnavailableError,
    OperationUnsupportedError,
)
from mmrobot.types import DraftStep
from mmrobot.vlm import registry
from mmrobot.vlm.families.nano import GUESSED, NanoVlm
from mmrobot.vlm.families.nano_answers import Seen, answer_text
from mmrobot.vlm.families.nano_beliefs import calibrated, see_scene
from mmrobot.vlm.families.nano_parts import SeenObjects, WriteStep
from mmrobot.vlm.families.nano_replies import parse_plan, write_greedily
from mmrobot.vlm.models.nano import NanoConfig, NanoModel, NanoProcessor
from mmrobot.vlm.models.nano.layout import CENTER_M
from mmrobot.vlm.models.nano.slots import TASK_ID, fits
from mmrobot.vlm.models.nano.vocabulary import (
    ANSWER,
    CONTROL,
    CONTROL_ID,
    END,
    GROUND,
    NEEDS_PHRASE,
    NOT_UNDERSTOOD,
    PLAN,
    TASKS,
    VERIFY,
)
from mmrobot.vlm.registry import load_model
from mmrobot.vlm.torch_backend import TorchNano
from mmrobot.vlm.words import words


def tiny_config() -> NanoConfig:
    return NanoConfig(
        image_height=48, image_width=64, vision_channels=(8, 8, 8), object_channels=8, num_objects=6,
        hidden_size=16, num_heads=2, encoder_layers=1, decoder_layers=1, max_plan_tokens=12,
        object_threshold=0.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> NanoModel:
    torch.manual_seed(0)
    return NanoModel(tiny_config()).eval()


def test_parts_have_static_shapes(model: NanoModel) -> None:
    tokens, boxes, scores, real, places, rests = model.see(torch.rand(2, 3, 48, 64) * 2 - 1)
    assert tokens.shape == (2, 6, model.config.token_size)
    assert boxes.shape == (2, 6, 4)
    assert scores.shape == real.shape == (2, 6)
    assert (places.shape, rests.shape) == ((2, 6, 3), (2, 6, 6))
    assert (boxes >= 0).all() and (boxes <= 1).all()
    words_in = torch.zeros(2, 48, 16, dtype=torch.long)
    words_in[:, 0, 0] = 65
    memory = model.read(words_in)
    assert memory.cross.shape == (1, 2, 2, 2, 48, 8) and memory.mask.shape == (2, 1, 1, 48)
    assert memory.words.shape == memory.copy_keys.shape == (2, 48, 16)
    ids, position = torch.full((2, 1), TASK_ID[PLAN]), torch.tensor([0])
    logits, cache = model.write_step(ids, position, model.writer.empty_cache(2), memory)
    assert logits.shape == (2, len(CONTROL) + 48)
    assert cache.shape == model.writer.empty_cache(2).shape
    assert model.spell(torch.zeros(3, 3, 64, 96)).shape == (3, 2, 37)
    assert model.recognise(torch.zeros(3, 3, 48, 48), torch.zeros(3, 4)).shape == (3, 12 + 8 + 2 + 1)
    found, likely = model(torch.rand(2, 3, 48, 64))
    assert (found.shape, likely.shape) == ((2, 6, 4), (2, 6)) and ((likely >= 0) & (likely <= 1)).all()


def test_untrained_all_stands_about_the_middle_of_the_table(model: NanoModel) -> None:
    """In metres; a candidate lies in itself no more than in others."""
    places = model.see(torch.rand(4, 3, 48, 64) * 2 - 1)[4]
    off = (places[..., :2] - torch.tensor(CENTER_M)).abs()
    assert off.max() < 0.3
    assert ((places[..., 2] > -14) & (places[..., 2] < -4)).all()


def test_steps_with_a_cache_write_what_the_whole_sequence_says(model: NanoModel) -> None:
    words_in = torch.randint(97, 122, (1, 48, 16))
    words_in[:, 7:] = 0
    ids = torch.tensor([[1, 4, len(CONTROL) + 2, len(CONTROL) + 6, 6, len(CONTROL)]])
    reading = model.reader(words_in)
    whole = model.writer(ids, reading)
    memory, cache = model.writer.remember(reading), model.writer.empty_cache()
    for i in range(ids.shape[1]):
        logits, cache = model.write_step(ids[:, i : i + 1], torch.tensor([i]), cache, memory)
        torch.testing.assert_close(logits, whole[:, i])


def test_words_past_the_end_change_nothing(model: NanoModel) -> None:
    """A text is read alike in a short and in a long frame."""
    words_in = torch.randint(97, 122, (1, 48, 16))
    words_in[:, 5:] = 0
    ids = torch.tensor([[TASK_ID[GROUND], len(CONTROL) + 1]])
    long, short = (model.writer(ids, model.reader(words_in[:, :n])) for n in (48, 5))
    torch.testing.assert_close(long[..., : len(CONTROL) + 5], short)
    assert (long[..., len(CONTROL) + 5 :] < -1000).all()


def test_training_and_inference_read_words_alike(model: NanoModel) -> None:
    data = torch.randint(1, 255, (2, 5, 16))
    data[0, 3:] = 0
    quiet = model.reader.words(data)
    model.reader.words.train()
    repeated = model.reader.words(data)
    model.reader.words.eval()
    torch.testing.assert_close(quiet, repeated)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=60), st.integers(0, 2**31))
def test_a_reply_is_never_malformed(said: list[str], seed: int) -> None:
    """Random weights, any words, any task: only plans are ever cut off; phrases copy only said words."""
    torch.manual_seed(seed)
    random_model = NanoModel(tiny_config()).eval()
    processor = NanoProcessor(48, 64)
    said = [w for w in said if w.encode().strip(b"\0")][:48] or ["x"]
    with torch.inference_mode():
        memory = random_model.read(torch.from_numpy(processor.words(said))[None])
    limit = random_model.config.max_plan_tokens
    for task in TASKS:
        ids, confidence = write_greedily(steps_of(random_model, memory), task, len(said), limit)
        assert 0 <= confidence <= 1
        opened = [CONTROL[i] for i in ids if i < len(CONTROL)]
        assert not {"<pad>", *TASKS} & set(opened)
        assert fits(task, ids) or (task == PLAN and len(ids) == limit - 1)
        assert confidence > 0 or ids == [CONTROL_ID[NOT_UNDERSTOOD]]
        if ids[-1] == CONTROL_ID[NOT_UNDERSTOOD]:
            assert len(ids) == 1
        elif task == PLAN and ids[-1] == CONTROL_ID[END]:
            check_steps(parse_plan(ids, said, confidence), set(" ".join(said).split()))


def check_steps(steps: Sequence[DraftStep], said: set[str]) -> None:
    """Each step has the phrases that it needs, of words that were said."""
    for step in steps:
        phrases = [p for p in (step.target, step.reference, step.text, *step.parts) if p is not None]
        assert all(p and set(p.split()) <= said for p in phrases)
        assert phrases or step.skill in ("home", "other", "not_that", "resume")
        check_steps(step.then, said)
        check_steps(step.otherwise, said)


def steps_of(model: NanoModel, memory: object) -> WriteStep:
    cache = model.writer.empty_cache()

    @torch.inference_mode()
    def step(last: int, position: int) -> np.ndarray:
        nonlocal cache
        logits, cache = model.write_step(torch.tensor([[last]]), torch.tensor([position]), cache, memory)  # type: ignore[arg-type]
        return logits[0].numpy()

    return step


def test_parse_plan_reads_compact_form() -> None:
    said = words("put the red cube in the blue bowl")
    n = len(CONTROL)
    ids = [CONTROL_ID["<pick>"], n + 2, n + 3, CONTROL_ID["<place_in>"], n + 6, n + 7, CONTROL_ID[END]]
    pick, place = parse_plan(ids, said, 0.9)
    assert (pick.skill, pick.target) == ("pick", "red cube")
    assert (place.skill, place.relation, place.reference) == ("place", "in", "blue bowl")
    assert {"<pick>", "<place_in>"} <= NEEDS_PHRASE


def test_what_holds_a_phrase_together_is_copied_with_it() -> None:
    """A word or two of grammar that were left out within it, and no others."""
    said = words("put the cube whose color is yellow um please in the bowl that is on the left")
    n = len(CONTROL)
    ids = [CONTROL_ID["<pick>"], n + 2, n + 3, n + 6, CONTROL_ID["<place_in>"], n + 11, n + 16]
    pick, place = parse_plan(ids, said, 0.9)
    assert pick.target == "cube whose color is yellow"
    assert place.reference == "bowl left", "five words are another phrase's"
    (filler,) = parse_plan([CONTROL_ID["<pick>"], n + 6, n + 8], said, 0.9)
    assert filler.target == "yellow please"


class OneObject:
    """Parts that see one blue bowl over a known box of the picture, and write what they are told to."""

    name = "fake"

    def __init__(
        self, box: tuple[float, float, float, float], probability: float, **replies: tuple[str, ...]
    ) -> None:
        self.config = tiny_config()
        self.box, self.probability, self.looks = box, probability, 0
        self.replies = {CONTROL_ID[f"<{task}>"]: tokens for task, tokens in replies.items()}
        self.certainty = 50.0

    def see(self, pixel_values: np.ndarray) -> SeenObjects:
        self.looks += 1
        return self.seen()

    def seen(self) -> SeenObjects:
        tokens = np.zeros((6, self.config.token_size), np.float32)
        start = self.config.attributes_from
        tokens[0, start + self.config.colors.index("blue")] = 1
        tokens[0, start + len(self.config.colors) + self.config.shapes.index("bowl")] = 1
        boxes = np.zeros((6, 4), np.float32)
        boxes[0] = self.box
        logit = np.log(self.probability / (1 - self.probability))
        real = np.full(6, logit, np.float32)
        scores, places = np.array([0.9, 0, 0, 0, 0, 0], np.float32), np.zeros((6, 3), np.float32)
        return SeenObjects(tokens, boxes, scores, real, places, np.full((6, 6), -9, np.float32))

    def recognise(self, views: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """As the encoder says: the same names, and as sure."""
        assert views.shape == (len(boxes), 3, 48, 48)
        seen = self.seen()
        said = np.log(np.maximum(seen.tokens[:, self.config.attributes_from :], 1e-6))
        return np.concatenate([said, seen.real[:, None]], 1)[: len(boxes)]

    def spell(self, crops: np.ndarray) -> np.ndarray:
        raise AssertionError("a bowl carries no print")

    def read(self, word_bytes: np.ndarray) -> None:
        return None

    def writer(self, memory: None) -> WriteStep:
        tokens: list[str] = []

        def step(last: int, position: int) -> np.ndarray:
            if position == 0:
                tokens[:] = self.replies.get(last, (NOT_UNDERSTOOD,))
            logits = np.zeros(len(CONTROL) + 48, np.float32)
            # The last one is written for ever.
            logits[CONTROL_ID[tokens[min(position, len(tokens) - 1)]]] = self.certainty
            return logits

        return step


def vlm_of(parts: OneObject) -> NanoVlm:
    return NanoVlm(parts, NanoProcessor(48, 64), "fake")


BLUE_BOWL = ("<blue>", "<bowl>", END)
PICTURE = np.zeros((48, 64, 3), np.uint8)


def test_a_plan_cut_off_at_the_longest_length_is_refused() -> None:
    vlm = vlm_of(OneObject((0, 0, 1, 1), 0.9, plan=("<home>",)))
    with pytest.raises(ModelReplyInvalidError, match="11"):
        vlm.plan(PICTURE, "go home for ever")


def test_a_form_cut_off_at_the_longest_length_means_nothing() -> None:
    """It is not understood, with no confidence at all."""
    endless = {"ground": ("<left_most>",), "verify": ("<not>",), "answer": ("<ask_yes_no>", "<not>")}
    parts = OneObject((0, 0, 1, 1), 0.9, **endless)
    for task in (GROUND, VERIFY, ANSWER):
        assert write_greedily(parts.writer(None), task, 5, 12) == ([CONTROL_ID[NOT_UNDERSTOOD]], 0.0)
    vlm = vlm_of(parts)
    assert vlm.ground(PICTURE, "the leftmost of the leftmost") == ()
    assert vlm.verify(PICTURE, "it is not not so") == 0.5
    assert vlm.answer(PICTURE, "is it not not so?") == "nothing"


def test_what_has_no_words_is_not_understood_and_never_copied() -> None:
    """Nor does it fail, whatever the decoder likes best."""
    copying = dict.fromkeys(("plan", "ground"), ("<pick>", "<marked>", "<bowl>"))
    parts = OneObject((0, 0, 1, 1), 0.9, **copying)
    vlm = vlm_of(parts)
    vlm.ground(PICTURE, "?!")
    ids, _ = write_greedily(parts.writer(None), PLAN, 0, 12)
    assert CONTROL[ids[0]] not in NEEDS_PHRASE


@pytest.mark.parametrize("size", [(480, 640), (480, 480), (300, 900), (1080, 1920)])
def test_boxes_come_back_in_the_pixels_of_any_picture(size: tuple[int, int]) -> None:
    height, width = size
    processor = NanoProcessor(48, 64)
    scale = min(48 / height, 64 / width)
    left, top = (64 - round(width * scale)) // 2, (48 - round(height * scale)) // 2
    true = (0.25 * width, 0.5 * height, 0.5 * width, 0.75 * height)
    box = tuple((v * scale + o) / s for v, o, s in zip(true, (left, top) * 2, (64, 48) * 2, strict=True))
    vlm = NanoVlm(OneObject(box, 0.9, ground=BLUE_BOWL), processor, "fake")
    (found,) = vlm.ground(np.zeros((height, width, 3), np.uint8), "the blue bowl")
    assert found.label == "the blue bowl"
    np.testing.assert_allclose(found.box_xyxy, true, atol=1.0)


def test_one_look_serves_many_phrases_and_a_new_picture_is_looked_at() -> None:
    parts = OneObject((0.1, 0.1, 0.5, 0.5), 0.9, ground=("<red>", "<cube>", END))
    vlm = vlm_of(parts)
    picture = np.zeros((48, 64, 3), np.uint8)
    assert vlm.ground(picture, "red cube") == ()
    assert [box.score < 0.5 for box in vlm.candidates(picture, "red cube")] == [True]
    assert vlm.plan(picture, "hello").steps == ()
    (thing,) = vlm.describe(picture)
    assert thing.label == "blue bowl"
    assert parts.looks == 1
    picture[0, 0] = 255
    vlm.describe(picture)
    assert parts.looks == 2


def test_bad_pictures_and_operations_not_offered_are_named() -> None:
    vlm = vlm_of(OneObject((0, 0, 1, 1), 0.9))
    with pytest.raises(InvalidImageError, match=r"\(4, 4\)"):
        vlm.ground(np.zeros((4, 4), np.uint8), "cube")
    picture = np.zeros((48, 64, 3), np.uint8)
    with pytest.raises(OperationUnsupportedError):
        vlm.plan(picture, "again", ["put it there"])


def test_answers_are_said_of_what_is_pointed_at() -> None:
    is_blue = ("<is>", "<bowl>", "<blue>", "<thing>", END)
    parts = OneObject((0, 0, 1, 1), 0.9, answer=("<ask_color>", "<bowl>", END), verify=is_blue)
    vlm = vlm_of(parts)
    assert vlm.answer(PICTURE, "what color is the bowl?") == "blue"
    assert vlm.verify(PICTURE, "the bowl is blue") == pytest.approx(0.9, abs=1e-4)
    right, left = Seen("red", "cube", "small", "A7", 0.8), Seen("orange", "ball", "large", "", 0.1)
    assert answer_text("name", 0.0, [right, left]) == "the orange ball and the red cube"
    assert answer_text("name", 0.0, [right, right]) == "two red cubes"
    assert answer_text("label", 0.0, [right, left]) == "A7"
    assert answer_text("count", 0.0, []) == "0"
    assert answer_text("color", 0.0, []) == "nothing"
    assert answer_text("yes_no", 0.2, [right]) == "no"


def test_what_is_not_thought_real_is_not_described_and_not_pointed_at() -> None:
    vlm = vlm_of(OneObject((0, 0, 1, 1), 0.2, ground=BLUE_BOWL))
    assert vlm.describe(PICTURE) == vlm.ground(PICTURE, "the blue bowl") == ()
    (candidate,) = vlm.candidates(PICTURE, "the blue bowl")
    assert candidate.score == pytest.approx(0.2, abs=1e-4)


def test_words_that_are_half_understood_are_half_believed() -> None:
    """The least probability of a token lowers what is pointed at, and draws yes and no to the middle."""
    parts = OneObject((0, 0, 1, 1), 0.9, ground=BLUE_BOWL, verify=("<at_least>", "<1>", "<bowl>", END))
    sure = [vlm_of(parts).candidates(PICTURE, "the bowl")[0].score, vlm_of(parts).verify(PICTURE, "a bowl")]
    assert sure == pytest.approx([0.9, 0.9], abs=1e-4)
    parts.certainty = 3.0
    scores = [vlm_of(parts).candidates(PICTURE, "the bowl")[0].score, vlm_of(parts).verify(PICTURE, "a bowl")]
    likes = {task: write_greedily(parts.writer(None), task, 2, 12)[1] for task in (GROUND, VERIFY)}
    assert 0.2 < likes[GROUND] < 0.8
    assert scores[0] == pytest.approx(0.9 * likes[GROUND], abs=1e-4)
    assert scores[1] == pytest.approx(0.5 + 0.4 * likes[VERIFY], abs=1e-4)


class Doubtful(OneObject):
    """Parts that take words for no instruction, with a doubt: then they would go home, or do one of two
    other things."""

    def __init__(self, doubt: float, home: float) -> None:
        super().__init__((0, 0, 1, 1), 0.9)
        other = doubt * (1 - home) / 2
        self.first = {NOT_UNDERSTOOD: 1 - doubt, "<home>": doubt * home, "<resume>": other, "<other>": other}

    def writer(self, memory: None) -> WriteStep:
        def step(last: int, position: int) -> np.ndarray:
            logits = np.full(len(CONTROL) + 48, -50.0, np.float32)
            said = self.first if position == 0 else {END: 1.0}
            for token, p in said.items():
                logits[CONTROL_ID[token]] = np.log(max(p, 1e-20))
            return logits

        return step


def test_what_may_be_meant_after_all_is_guessed_and_never_planned() -> None:
    draft = vlm_of(Doubtful(0.1, 0.9)).plan(PICTURE, "to your corner with you")  # type: ignore[arg-type]
    assert draft.steps == () and [s.skill for s in draft.guess] == ["home"]
    assert draft.guess[0].confidence == GUESSED
    assert draft.confidence == pytest.approx(0.9, abs=1e-4)
    command, gate = Config().command, Config().gate
    assert gate.min_confidence < GUESSED < command.confirm_below


@pytest.mark.parametrize(("doubt", "home"), [(0.005, 0.9), (0.1, 0.4)])
def test_what_is_surely_no_instruction_or_might_be_several_is_not_guessed(doubt: float, home: float) -> None:
    assert vlm_of(Doubtful(doubt, home)).plan(PICTURE, "hello there").guess == ()  # type: ignore[arg-type]


def test_a_sentence_that_is_cut_off_is_read_by_its_clauses() -> None:
    class Long(OneObject):
        """Goes home, and on longer sentences for ever."""

        def read(self, word_bytes: np.ndarray) -> int:  # type: ignore[override]
            return int(np.asarray(word_bytes).any(-1).sum())

        def writer(self, memory: int) -> WriteStep:  # type: ignore[override]
            self.replies = {CONTROL_ID["<plan>"]: ("<home>",) if memory > 4 else ("<home>", END)}
            return super().writer(None)

    draft = vlm_of(Long((0, 0, 1, 1), 0.9)).plan(PICTURE, "go home now and then go home again")
    assert [s.skill for s in draft.steps] == ["home", "home"]


def test_temperatures_soften_and_keep_sides() -> None:
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(calibrated(p, 1.0), p, atol=1e-8)
    soft = calibrated(p, 2.0)
    assert soft[1] == pytest.approx(1 / (1 + 9**0.5)) and soft[2] == 0.5
    assert (np.diff(soft) > 0).all() and ((soft >= 0) & (soft <= 1)).all()


def test_prints_are_looked_for_on_what_may_carry_one() -> None:
    """Of a cube and a bowl the cube; candidates below the threshold are no objects at all."""

    class Two(OneObject):
        def see(self, pixel_values: np.ndarray) -> SeenObjects:
            seen = super().see(pixel_values)
            shapes = self.config.attributes_from + len(self.config.colors)
            seen.tokens[1, shapes + self.config.shapes.index("cube")] = 1
            seen.boxes[1:], seen.scores[1] = (0.5, 0.5, 0.9, 0.9), 0.8
            seen.places[:, 0], seen.rests[1, 0] = np.arange(6), 9
            return seen

        def spell(self, crops: np.ndarray) -> np.ndarray:
            assert crops.shape == (1, 3, 64, 96)
            logits = np.zeros((1, 2, 37), np.float32)
            logits[0, 0, 1 + self.config.label_characters.index("B")] = 50
            logits[0, 1, 1 + self.config.label_characters.index("4")] = 50
            return logits

    parts = Two((0.1, 0.1, 0.4, 0.4), 0.9, ground=("<cube>", END))
    scene = see_scene(parts, NanoProcessor(48, 64), PICTURE)
    assert scene.labels == ("", "B4")
    assert not scene.beliefs.prints[0].any()
    np.testing.assert_allclose(scene.beliefs.printed("b4"), [0, 1])
    assert scene.beliefs.places_m[:, 0].tolist() == [0, 1]
    assert (
        scene.beliefs.rests.shape == (2, 2) and scene.beliefs.rests[1, 0] > 0.99 > scene.beliefs.rests[0, 1]
    )
    assert [box.label for box in vlm_of(parts).describe(PICTURE)] == ["blue bowl", "red cube marked B4"]


def test_saved_and_loaded_model_is_the_same(model: NanoModel, tmp_path) -> None:  # type: ignore[no-untyped-def]
    model.save_pretrained(tmp_path)
    parts = TorchNano(tmp_path)
    picture = np.random.default_rng(0).random((3, 48, 64), np.float32)
    with torch.inference_mode():
        whole = model.see(torch.from_numpy(picture)[None])
    seen = parts.see(picture)
    for name, values in zip(("tokens", "boxes", "scores", "real", "places", "rests"), whole, strict=True):
        np.testing.assert_allclose(getattr(seen, name), values[0].numpy(), atol=1e-5, err_msg=name)
    assert not set(dict(parts.model.named_buffers())) - set(model.state_dict()), "not saved, so not loaded"


def test_missing_damaged_and_foreign_weights_are_named(model: NanoModel, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelUnavailableError, match="no model") as unknown:
        load_model("mmrobot-nana")
    assert "mmrobot-nano" in unknown.value.fix
    monkeypatch.setitem(registry.SHIPPED, "mmrobot-nano", tmp_path / "nowhere")
    with pytest.raises(ModelUnavailableError, match="weights of 'mmrobot-nano' are missing"):
        load_model("mmrobot-nano")
    model.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnavailableError, match="cannot be loaded"):
        load_model(tmp_path)
    weights.unlink()
    with pytest.raises(ModelUnavailableError, match="no weights"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llava"}')
    with pytest.raises(ModelUnavailableError, match="llava"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelUnavailableError, match="cannot be read"):
        load_model(tmp_path)
