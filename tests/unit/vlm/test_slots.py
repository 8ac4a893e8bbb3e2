"""The grammar of replies: whatever the decoder likes best, what it writes is a whole reply to its task."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.vlm.families.nano_replies import write_greedily
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.sizes import COLORS, SHAPES, SIZES
from mmrobot.vlm.models.nano.slots import RULES, TASK_ID, OpenSlots, fits
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID

N = len(CONTROL)
LIMIT = 400


def tokens_to_the_end() -> np.ndarray:
    """How many tokens at least must follow each token before what it opened is filled."""
    least = dict.fromkeys(RULES, 1)
    for _ in RULES:
        for slot, rules in RULES.items():
            least[slot] = min((1 + sum(least[s] for s in opened) for opened in rules.values()), default=1)
    after = {
        token: sum(least[s] for s in opened) for rules in RULES.values() for token, opened in rules.items()
    }
    return np.array([after.get(token, 0) for token in CONTROL])


AFTER = tokens_to_the_end()


def ids_of(*tokens: str | int) -> list[int]:
    """Names of control tokens, and copied words as their index."""
    return [N + t if isinstance(t, int) else CONTROL_ID[t] for t in tokens]


def test_no_two_tokens_share_a_name() -> None:
    assert len(CONTROL_ID) == N
    assert (tuple(v.COLOR), tuple(v.SIZE), v.NOUNS[: len(SHAPES)]) == (COLORS, SIZES, SHAPES)
    assert all(token in CONTROL_ID for rules in RULES.values() for token in rules)
    written = {token for rules in RULES.values() for token in rules}
    assert set(CONTROL) - written == {v.PAD, *v.TASKS}, "every other token can be written somewhere"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(v.TASKS), st.integers(0, 5), st.integers(0, 2**32 - 1), st.floats(0.01, 2))
def test_whatever_is_liked_best_a_whole_reply_is_written(
    task: str, words: int, seed: int, wish: float
) -> None:
    """Random likes, of which the wish to come to an end grows slowly or fast."""
    rng = np.random.default_rng(seed)
    asked: list[tuple[int, int]] = []

    def step(last: int, position: int) -> np.ndarray:
        asked.append((last, position))
        likes = rng.normal(0, 3, N + 48)
        likes[:N] -= wish * position * AFTER
        # In the middle of a pair no step may end: there, too, no word is for ever.
        likes[N:] -= wish * position * AFTER.max()
        likes[N:] += 1e6 * (words == 0)  # words that nobody said are never copied
        return likes.astype(np.float32)

    ids, confidence = write_greedily(step, task, words, LIMIT)
    assert fits(task, ids)
    assert 0 < confidence <= 1
    assert all(i < N + words for i in ids)
    assert asked == list(zip([TASK_ID[task], *ids[:-1]], range(len(ids)), strict=True))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(v.TASKS), st.integers(0, 5), st.data())
def test_any_choice_that_is_allowed_can_be_written_and_no_other(
    task: str, words: int, data: st.DataObject
) -> None:
    slots, ids = OpenSlots(task), list[int]()
    while not slots.done and len(ids) < 30:
        free = slots.allowed(words)
        assert free.shape == (N + words,) and free.any()
        for forbidden in data.draw(st.lists(st.sampled_from(np.flatnonzero(~free).tolist()), max_size=3)):
            again = OpenSlots(task)
            for i in ids:
                again.write(i)
            # Without words, what copies is not offered; to one who has them it is no mistake.
            if words:
                with pytest.raises(ValueError, match="slot|after the end"):
                    again.write(forbidden)
        ids.append(data.draw(st.sampled_from(np.flatnonzero(free).tolist())))
        assert not fits(task, ids[:-1])
        slots.write(ids[-1])
    assert slots.done == fits(task, ids)
    if slots.done:
        assert not slots.allowed(words).any()


@pytest.mark.parametrize("task", v.TASKS)
def test_of_no_words_none_is_copied(task: str) -> None:
    free = OpenSlots(task).allowed(0)
    opening = [CONTROL[i] for i in np.flatnonzero(free)]
    assert opening and not set(opening) & {v.MARKED, *v.NEEDS_PHRASE}


@pytest.mark.parametrize(
    ("task", "tokens"),
    [
        (v.PLAN, [v.PICK, 2, 3, v.PLACE["in"], 6, v.HOME, v.END]),
        (v.PLAN, [v.NOT_UNDERSTOOD]),
        (v.PLAN, [v.EACH, 1, 2, v.PLACE["in"], v.OWN_COLOR, 5, v.END]),
        (v.PLAN, [v.SOME, v.NUMBER[2], 1, v.PLACE["on"], 5, v.HOME, v.END]),
        (v.PLAN, [v.IF, 1, 2, v.PICK, 3, v.ELSE, v.PUSH["near"], 3, v.AND, 4, 5, v.END]),
        (v.PLAN, [v.PICK, 1, v.IF, 2, v.ELSE, v.HOME, v.AVOID, 3, v.END]),
        (v.PLAN, [v.SWAP, 1, v.AND, 2, v.PUT_BACK, 1, v.END]),
        (v.PLAN, [v.PYRAMID, 1, v.AND, 2, v.AND, 3, 4, v.END]),
        (v.PLAN, [v.INSTEAD, v.PLACE["in"], 3, v.END]),
        (v.PLAN, [v.INSTEAD, 3, 4, v.END]),
        (v.PLAN, [v.OTHER, v.END]),
        (v.GROUND, [v.SIZE["small"], v.COLOR["red"], v.MARKED, 4, v.NOUN["cube"], v.END]),
        (v.GROUND, [v.ORDER["left"], v.RANK["second"], v.BOTH, v.NOUN["ball"], v.NOUN["cup"], v.END]),
        (v.VERIFY, [v.NOT, v.TEST["at_least"], v.NUMBER[2], v.MIDDLE, v.NOUN["dish"], v.END]),
        (v.VERIFY, [v.COMPARISON["larger"], v.NOUN["cup"], v.BOTH, v.NOUN["cup"], v.NOUN["bar"], v.END]),
        (v.ANSWER, [v.QUESTION["yes_no"], v.IS, v.NOUN["thing"], v.COLOR["red"], v.NOUN["thing"], v.END]),
        (v.ANSWER, [v.QUESTION["count"], v.WITHOUT, v.NOUN["cube"], v.COLOR["red"], v.NOUN["thing"], v.END]),
    ],
)  # fmt: skip
def test_whole_replies_fit_their_task_and_their_beginnings_do_not(task: str, tokens: list[str | int]) -> None:
    ids = ids_of(*tokens)
    assert fits(task, ids)
    assert not any(fits(task, ids[:n]) for n in range(len(ids)))
    assert not fits(task, [*ids, CONTROL_ID[v.END]])
    if tokens != [v.NOT_UNDERSTOOD]:
        assert not any(fits(other, ids) for other in v.TASKS if other != task)


@pytest.mark.parametrize(
    ("task", "tokens", "told"),
    [
        (v.PLAN, [v.END], "<end> cannot fill the slot '<plan>'"),
        (v.PLAN, [v.PICK, v.HOME], "<home> cannot fill the slot 'word'"),
        (v.PLAN, [v.PICK, 0, v.NOUN["cube"]], "<cube> cannot fill the slot 'words or step'"),
        (v.PLAN, [v.HOME, 0], "a copied word cannot fill the slot 'step'"),
        (v.PLAN, [v.HOME, v.NOT_UNDERSTOOD], "<not_understood> cannot fill the slot 'step'"),
        (v.GROUND, [0], "a copied word cannot fill the slot '<ground>'"),
        (v.GROUND, [v.COLOR["red"], v.SIZE["small"]], "<small> cannot fill the slot 'marked'"),
        (v.GROUND, [v.SIZE["small"], v.SIZE["small"]], "<small> cannot fill the slot 'colored'"),
        (v.GROUND, [v.MARKED, 0, v.MARKED], "<marked> cannot fill the slot 'noun'"),
        (v.GROUND, [v.BOTH, v.NOUN["cup"], v.END], "<end> cannot fill the slot 'expr'"),
        (v.GROUND, [v.NOUN["cup"], v.NOUN["cup"]], "<cup> was written after the end"),
        (v.GROUND, [v.NOT_UNDERSTOOD, v.END], "<end> was written after the end"),
        (v.VERIFY, [v.TEST["exactly"], v.NOUN["cup"]], "<cup> cannot fill the slot 'number'"),
        (v.VERIFY, [v.NOT, v.NOUN["cup"]], "<cup> cannot fill the slot 'claim'"),
        (v.ANSWER, [v.QUESTION["yes_no"], v.NOUN["cup"]], "<cup> cannot fill the slot 'claim'"),
        (v.ANSWER, [v.QUESTION["name"], v.QUESTION["name"]], "<ask_name> cannot fill the slot 'expr'"),
    ],
)
def test_a_misfit_is_named_with_its_slot(task: str, tokens: list[str | int], told: str) -> None:
    slots = OpenSlots(task)
    *before, last = ids_of(*tokens)
    for i in before:
        slots.write(i)
    with pytest.raises(ValueError) as error:
        slots.write(last)
    assert str(error.value) == told
    assert not fits(task, [*before, last])


def test_an_unknown_task_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown task 'sing', known: <plan>, <ground>"):
        OpenSlots("sing")
