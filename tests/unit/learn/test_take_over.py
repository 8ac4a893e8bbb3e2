"""A model that knows fewer words is gone on from: rows of control tokens are taken over by their names."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from mmrobot.learn.distributed import World
from mmrobot.learn.stages import Options, Training
from mmrobot.vlm.models.nano.vocabulary import CONTROL


def started_from(folder: Path, names: tuple[str, ...] | None, order: list[int]) -> Training:
    """A training that begins with a model whose control tokens were those of `order`."""
    told: list[str] = []
    training = Training(Options(folder, folder, 1, start_from=folder), World(), told.append)
    state = {k: torch.full_like(x, 0.5) for k, x in training.model.state_dict().items()}
    for name in ("writer.embed.weight", "writer.control.weight", "writer.control.bias"):
        rows = [torch.full_like(state[name][0], float(i)) for i in order]
        state[name] = torch.stack(rows)
    save_file({k: x.contiguous() for k, x in state.items()}, folder / "model.safetensors")
    config = {} if names is None else {"control_tokens": list(names)}
    (folder / "config.json").write_text(json.dumps(config))
    assert training.take_over(training.language)
    return training


def test_rows_follow_the_names_of_tokens(tmp_path: Path) -> None:
    order = list(range(len(CONTROL)))[::-1][5:]
    fresh = Training(Options(tmp_path, tmp_path, 1), World(), lambda _: None).model.writer.control.bias
    training = started_from(tmp_path, tuple(CONTROL[i] for i in order), order)
    bias = training.model.writer.control.bias
    known = set(order)
    assert all(bias[i] == i for i in known)
    assert all(abs(float(bias[i])) < 1 for i in range(len(CONTROL)) if i not in known), "new ones begin anew"
    assert bias.shape == fresh.shape
    assert (training.model.reader.norm.weight == 0.5).all()


def test_a_model_that_names_no_tokens_knows_the_first(tmp_path: Path) -> None:
    order = list(range(60))
    bias = started_from(tmp_path, None, order).model.writer.control.bias
    assert all(bias[i] == i for i in order) and abs(float(bias[60])) < 1
