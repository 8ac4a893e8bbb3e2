"""The stages that learn, in their order. Each goes on from what it and earlier ones left in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from mmrobot.errors import ModelUnavailableError
from mmrobot.learn import (
    ear_training,
    label_training,
    language_training,
    layout_training,
    second_looks,
    sight_training,
    validation,
    view_training,
    vision_training,
)
from mmrobot.learn.checkpoint import load_checkpoint
from mmrobot.learn.distributed import World
from mmrobot.learn.language_training import Language, train_language
from mmrobot.learn.loop import LoopSettings
from mmrobot.learn.picture_stream import PictureStream
from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.sentences import SentenceMaker
from mmrobot.learn.tokens import TokenCache
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.vocabulary import CONTROL

SEED = 1


@dataclass(frozen=True)
class Options:
    """What the command line says; None: the stage's own default."""

    data: Path
    out: Path
    pictures: int
    vision_steps: int | None = None
    layout_steps: int | None = None
    label_steps: int | None = None
    view_steps: int | None = None
    look_steps: int | None = None
    word_steps: int | None = None
    ear_steps: int | None = None
    batch: int | None = None
    validate_every: int | None = None
    workers: int = 1
    start_from: Path | None = None
    minutes: float = 60.0
    ear_minutes: float | None = None
    utterances: int = ear_training.UTTERANCES


class Training:
    """What the stages share: model, folder, processes."""

    def __init__(self, options: Options, world: World, report: Callable[[str], None]) -> None:
        self.options, self.world, self.report = options, world, report
        self.config = NanoConfig(release="mmrobot-nano-6.1", control_tokens=CONTROL)
        self.model = NanoModel(self.config)
        self.language = Language(self.model.reader, self.model.writer)
        self.maker = SentenceMaker(self.config)

    def path(self, stage: str) -> Path:
        """A stage's checkpoint."""
        return self.options.data / f"{stage}.pt"

    def settings(self, default: LoopSettings, steps: int | None, seed: int = SEED) -> LoopSettings:
        """The default, but for what the command line says."""
        given = {"steps": steps, "batch": self.options.batch, "validate_every": self.options.validate_every}
        return replace(default, seed=seed, **{k: v for k, v in given.items() if v is not None})

    def split(self) -> tuple[PictureSet, PictureSet]:
        """Pictures to train on, pictures to validate on."""
        return validation.split(PictureSet.open(self.options.data / "pictures"))

    def load(self, *stages: str) -> None:
        """Their trained parts into the model, or what the model to start from has of them.

        Raises ModelUnavailableError where there is neither.
        """
        parts = {
            "vision": self.model.vision,
            "layout": self.model.layout,
            "views": self.model.recogniser,
            "looks": self.model.recogniser,
            "labels": self.model.speller,
            "words": self.language,
        }
        loaded: list[nn.Module] = []
        for stage in stages:
            if self.path(stage).is_file():
                load_checkpoint(self.path(stage), parts[stage])
                loaded.append(parts[stage])
            elif parts[stage] in loaded:
                continue
            elif not self.take_over(parts[stage], whole=True):
                raise ModelUnavailableError(
                    f"there is no {self.path(stage)}",
                    f"train it first: mmrobot train {stage}; or name a model that has it with --start-from",
                )
        self.model.to(self.world.device)

    def take_over(self, part: nn.Module, whole: bool = False) -> bool:
        """Begins a part with what fits it of the model to start from, if one was named; `whole`: or nothing.
        Answers whether something was taken over."""
        folder = self.options.start_from
        if folder is None:
            return False
        names = {id(tensor): name for name, tensor in self.model.state_dict(keep_vars=True).items()}
        started = load_file(folder / "model.safetensors")
        own = {name: started.get(names[id(x)]) for name, x in part.state_dict(keep_vars=True).items()}
        mine = part.state_dict()
        written = _tokens_of(folder, started)
        own |= {
            name: _by_token(x, mine[name], written)
            for name, x in own.items()
            if x is not None and name.endswith(_BY_TOKEN) and written != CONTROL
        }
        fitting = {k: x for k, x in own.items() if x is not None and x.shape == mine[k].shape}
        if whole and len(fitting) < len(mine):
            return False
        part.load_state_dict(fitting, strict=False)
        self.report(f"{len(fitting)} of {len(mine)} tensors are taken over from {folder}")
        return bool(fitting)


_BY_TOKEN = ("writer.embed.weight", "writer.control.weight", "writer.control.bias")
"""Tensors with a row for each control token."""


def _tokens_of(folder: Path, started: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The control tokens that a model writes; one that does not name them knows the first of today's."""
    known = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("control_tokens")
    rows = [len(x) for name, x in started.items() if name.endswith(_BY_TOKEN)]
    return tuple(known) if known else CONTROL[: rows[0] if rows else None]


def _by_token(old: Tensor, new: Tensor, written: Sequence[str]) -> Tensor:
    """The new rows, with the old ones of the tokens that both know."""
    rows = new.clone()
    place = {token: i for i, token in enumerate(written)}
    for i, token in enumerate(CONTROL):
        if token in place:
            rows[i] = old[place[token]]
    return rows


def pictures(t: Training) -> None:
    """Render scenes."""
    from mmrobot.learn import rendering

    if t.world.leads:
        workers = max(t.options.workers, t.world.local_size)
        folder = t.options.data / "pictures"
        seed = rendering.SEED
        rendering.render_pictures(folder, t.options.pictures, seed, t.config, t.report, workers=workers)
    t.world.wait()


def sight(t: Training) -> None:
    """Train encoder, recogniser and speller at once, on pictures rendered meanwhile."""
    for part in (t.model.vision, t.model.recogniser, t.model.speller):
        t.take_over(part)
    settings = sight_training.SightSettings(t.options.minutes)
    if t.options.batch is not None:
        settings = settings.for_batch(t.options.batch)
    with PictureStream(t.config, t.options.workers) as stream:
        sight_training.train_sight(t.model, stream, settings, t.path, t.report, t.world)


def vision(t: Training) -> None:
    """Train the encoder."""
    settings = t.settings(vision_training.DEFAULTS, t.options.vision_steps)
    if t.take_over(t.model.vision):
        settings = replace(settings, learning_rate=settings.learning_rate / 2)
    trained, kept = t.split()
    vision_training.train_vision(
        t.model.vision,
        trained,
        settings,
        t.path("vision"),
        t.report,
        world=t.world,
        validate=lambda: validation.vision_figures(t.model.vision, kept, t.world),
    )


def layout(t: Training) -> None:
    """Train the layout on what the encoder sees."""
    t.load("vision")
    settings = t.settings(layout_training.DEFAULTS, t.options.layout_steps)
    if t.take_over(t.model.layout):
        settings = replace(settings, learning_rate=settings.learning_rate / 2)
    trained, kept = t.split()
    own = trained.part(slice(t.world.rank, layout_training.PICTURES, t.world.size))
    t.report(f"the encoder looks at {len(own)} pictures")
    cache = TokenCache(t.model.vision, own, world=t.world)
    recall, false = cache.recall(own)
    t.report(f"it finds {recall:.4f} of the visible objects; {false:.4f} of its tokens show nothing")
    unseen = layout_training.LayoutTargets(TokenCache(t.model.vision, kept, world=t.world))
    layout_training.train_layout(
        t.model.layout,
        layout_training.LayoutTargets(cache),
        settings,
        t.path("layout"),
        t.report,
        world=t.world,
        validate=lambda: layout_training.layout_figures(t.model.layout, unseen, t.world),
    )


def labels(t: Training) -> None:
    """Train the speller."""
    settings, kept_weights = t.settings(label_training.DEFAULTS, t.options.label_steps), 0.0
    if t.take_over(t.model.speller):
        settings = replace(settings, learning_rate=settings.learning_rate / 2)
        kept_weights = label_training.KEPT
    trained, kept = t.split()
    label_training.train_speller(
        t.model.speller,
        t.config,
        trained,
        settings,
        t.path("labels"),
        t.report,
        world=t.world,
        validate=lambda: validation.speller_figures(t.model.speller, t.config, kept, t.world),
        kept=kept_weights,
    )


def views(t: Training) -> None:
    """Train the recogniser."""
    t.take_over(t.model.recogniser)
    trained, kept = t.split()
    view_training.train_recogniser(
        t.model.recogniser,
        t.config,
        trained,
        t.settings(view_training.DEFAULTS, t.options.view_steps),
        t.path("views"),
        t.report,
        world=t.world,
        validate=lambda: view_training.recogniser_figures(t.model.recogniser, t.config, kept, t.world),
    )


def looks(t: Training) -> None:
    """Train the recogniser on what the encoder proposes."""
    t.load("vision", "views")
    trained, kept = t.split()
    own = trained.part(slice(t.world.rank, second_looks.PICTURES, t.world.size))
    candidates = second_looks.gather(TokenCache(t.model.vision, own, world=t.world), own, t.report)
    unseen = second_looks.gather(TokenCache(t.model.vision, kept, world=t.world), kept, t.report)
    second_looks.train_on_looks(
        t.model.recogniser,
        t.config,
        [candidates, view_training.Views.of(own)],
        t.settings(second_looks.DEFAULTS, t.options.look_steps),
        t.path("looks"),
        t.report,
        world=t.world,
        validate=lambda: second_looks.look_figures(t.model.recogniser, t.config, unseen, t.world),
    )


def words(t: Training) -> None:
    """Train reader and writer on what people say of scenes."""
    settings = t.settings(language_training.DEFAULTS, t.options.word_steps)
    if t.take_over(t.language):
        settings = replace(settings, learning_rate=settings.learning_rate / 2)
    checked = validation.spoken(t.maker) if t.world.leads else []
    train_language(
        t.language,
        t.maker,
        settings,
        t.path("words"),
        t.report,
        t.options.workers,
        world=t.world,
        validate=lambda: validation.language_figures(t.language, checked, t.world),
    )


def ear(t: Training) -> None:
    """Train the voice's net of letters, and write its weights beside the exported model."""
    settings = t.settings(ear_training.DEFAULTS, t.options.ear_steps)
    settings = replace(settings, minutes=t.options.ear_minutes)
    out = t.options.out.parent / "letters.safetensors"
    ear_training.train_ear(
        t.options.data,
        out,
        settings,
        t.report,
        utterances=t.options.utterances,
        workers=t.options.workers,
        world=t.world,
    )
    t.report(f"the weights lie in {out}")
